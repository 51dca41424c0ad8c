"""Any sequence of payments, deaths, lost answers, voids and refunds, held against a plain count of money."""

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from application.gateway import GatewayRefused, GatewayStatus, GatewayUnavailable, GatewayUnconfirmed
from application.ledger import Answer
from domain.kernel.errors import DomainError
from tests.support.cash_desk import CashDesk, Died, dying
from tests.support.invoicing_facts import PRICE_OF_ALL
from tests.support.memory_gateway import Failing, nothing, once

FAILURES: dict[str, Any] = {
    "lost": GatewayUnconfirmed("no answer"),
    "away": GatewayUnavailable("nobody there"),
    "refused": GatewayRefused("not_now"),
}
STEPS = ("authorize", "capture", "void", "refund")
AMOUNTS = st.sampled_from([1, 569, 10_000, PRICE_OF_ALL - 10_000, PRICE_OF_ALL])


class CustomersPay(RuleBasedStateMachine):
    """Requests are numbered, so that a repeat is the same request; `answers` are those that have to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = CashDesk()
        self.requests: list[tuple[str, tuple[Any, ...]]] = []
        self.answers: dict[int, Answer] = {}

    @initialize()
    def an_invoice_is_issued(self) -> None:
        """Everything begins with it."""
        asyncio.run(self.desk.open())

    @rule(amount=AMOUNTS)
    def somebody_pays(self, amount: int) -> None:
        """A request of its own."""
        self._ask("pay", amount)

    @precondition(lambda self: self.desk.payments())
    @rule(data=st.data())
    def somebody_voids(self, data: st.DataObject) -> None:
        """Any payment, whatever became of it."""
        self._ask("void", data.draw(st.sampled_from(sorted(self.desk.payments()))))

    @precondition(lambda self: self.desk.payments())
    @rule(data=st.data(), amount=AMOUNTS)
    def somebody_refunds(self, data: st.DataObject, amount: int) -> None:
        """A part of any payment, or more than it."""
        self._ask("refund", data.draw(st.sampled_from(sorted(self.desk.payments()))), amount)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def somebody_repeats(self, data: st.DataObject) -> None:
        """Any request, as it was."""
        self._send(data.draw(st.integers(0, len(self.requests) - 1)))

    @rule(step=st.sampled_from(STEPS), failure=st.sampled_from(sorted(FAILURES)), done=st.booleans())
    def the_gateway_will_fail(self, step: str, failure: str, done: bool) -> None:
        """Once at a step; only an answer that is lost may hide that the step was taken."""
        if done and failure == "lost":
            self.desk.gateway.after = once(step, FAILURES[failure])
        else:
            self.desk.gateway.before = once(step, FAILURES[failure])

    @rule(step=st.sampled_from(STEPS), done=st.booleans())
    def the_process_will_die_at_the_gateway(self, step: str, done: bool) -> None:
        """Before the gateway has taken a step, or after."""

        def failing(taken: str, subject: str) -> Any:
            return dying(taken, subject) if taken == step else None

        self._fail_at(failing, done=done)

    @rule(commit=st.integers(0, 2), recorded=st.booleans())
    def the_process_will_die_at_the_ledger(self, commit: int, recorded: bool) -> None:
        """Before what it was told is recorded, or right after."""
        setattr(self.desk.ledger, "dies_after" if recorded else "dies_before", commit)

    @rule(status=st.sampled_from(["AUTHORIZED", "PENDING", "DECLINED"]))
    def the_gateway_authorises_so(self, status: GatewayStatus) -> None:
        """From now on."""
        self.desk.gateway.authorizes_as = status

    @rule(status=st.sampled_from(["AUTHORIZED", "DECLINED"]))
    def what_is_pending_is_decided(self, status: GatewayStatus) -> None:
        """By the customer's bank."""
        for reference, payment in self.desk.gateway.payments.items():
            if payment.status == "PENDING":
                self.desk.gateway.decide(reference, status)

    @rule()
    def the_worker_settles(self) -> None:
        """Whatever it can; it may die of the same causes."""
        self._live(self.desk.settle())

    @invariant()
    def nobody_pays_more_than_is_due(self) -> None:
        """Not even while things are under way."""
        if self.desk.ledger.events:
            invoice = self.desk.invoice()
            assert invoice.paid + sum(invoice.reserved.values()) <= PRICE_OF_ALL
            assert (invoice.status == "PAID") == (invoice.balance_due == 0)

    @invariant()
    def nobody_is_charged_twice(self) -> None:
        """A payment of ours is at most one of the gateway's, captured at most once."""
        for identity, payment in self.desk.payments().items():
            captures = [made.captures for made in self.desk.gateway.of_billing_payment(identity)]
            assert len(captures) <= 1 and sum(captures) <= 1
            assert payment.status != "FAILED" or sum(captures) == 0

    def teardown(self) -> None:
        """Once nothing fails any more, both sides count the same money, and nothing hangs."""
        if not self.desk.ledger.events:
            return
        desk, gateway = self.desk, self.desk.gateway
        gateway.before = gateway.after = nothing
        desk.ledger.dies_before = desk.ledger.dies_after = None
        self.what_is_pending_is_decided("AUTHORIZED")
        for _ in range(3):
            asyncio.run(desk.settle())
        assert desk.due() == []
        assert desk.invoice().reserved == {}
        moved = sum(made.left() for made in gateway.payments.values() if made.status == "CAPTURED")
        assert desk.invoice().paid == moved
        captured = [payment for payment in desk.payments().values() if payment.captured is not None]
        assert desk.names("receipt").count("generated") == len(captured)
        assert desk.announced().count("billing.PaymentCaptured") == len(captured)
        refunds = sum(payment.refunded > 0 for payment in captured)
        assert desk.names("receipt").count("adjusted") >= refunds

    def _fail_at(self, failing: Failing, *, done: bool) -> None:
        if done:
            self.desk.gateway.after = failing
        else:
            self.desk.gateway.before = failing

    def _ask(self, verb: str, *arguments: Any) -> None:
        self.requests.append((verb, arguments))
        self._send(len(self.requests) - 1)

    def _send(self, index: int) -> None:
        verb, arguments = self.requests[index]
        answer = self._live(getattr(self.desk, verb)(*arguments, index + 1))
        if answer is None or answer.status not in {200, 201, 202, 402}:
            return
        assert self.answers.setdefault(index, answer) == answer, "the first answer is the one that is kept"

    def _live(self, act: Any) -> Any:
        """What comes of it; a process that died is started again, without what killed it."""
        try:
            return asyncio.run(act)
        except DomainError:
            return None
        except Died:
            self.desk.gateway.before = self.desk.gateway.after = nothing
            return None


CustomersPay.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


@pytest.mark.usefixtures("plain_tracebacks")
class TestCustomersPay(CustomersPay.TestCase):  # type: ignore[misc, name-defined]
    """Hypothesis plays it."""
