"""The gateway in memory keeps the same promises as the real ones."""

import pytest

from application.gateway import GatewayUnconfirmed
from tests.infrastructure.gateways.gateway_contract import RefundingContract
from tests.support.memory_gateway import MemoryGateway, nothing, once


class _Bench:
    def __init__(self) -> None:
        self.gateway = MemoryGateway()
        self._end = "AUTHORIZED"

    def method(self, outcome: str) -> str:
        statuses = {"ok": "AUTHORIZED", "declined": "DECLINED"}
        self.gateway.authorizes_as = statuses.get(outcome, "PENDING")
        self._end = "DECLINED" if outcome.endswith("declined") else "AUTHORIZED"
        return f"tok_{outcome}"

    def well(self) -> None:
        self.gateway.before = self.gateway.after = nothing

    def loses_answers(self, step: str) -> None:
        self.gateway.after = once(step, GatewayUnconfirmed("Lost."))

    def hangs_up(self, step: str) -> None:
        self.gateway.before = once(step, GatewayUnconfirmed("Hung up."))

    def time_passes(self) -> None:
        for payment in self.gateway.payments.values():
            self.gateway.decide(payment.reference, self._end)

    def captured(self, billing_payment_id: str) -> tuple[int, int]:
        made = self.gateway.of_billing_payment(billing_payment_id)
        times = sum(payment.captures for payment in made)
        return times, sum(payment.captures * payment.instruction.amount for payment in made)


class TestMemoryGateway(RefundingContract):
    @pytest.fixture
    def bench(self) -> _Bench:
        return _Bench()
