"""Takes one payment to a vendor through the bank with the service's own parts and dies by SIGKILL on the way.

Run as `python -m tests.support.dying_payer BILLING_PAYMENT_ID STEP WHEN COUNT`. STEP is look-up, authorize,
capture or commit, WHEN is before or after, COUNT says which call of that step, from 1.
"""

import asyncio
import sys
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from application.ap_paying import ApPayer
from application.gateway import Gateway, GatewayPayment, GatewayRefund, PaymentInstruction
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from interfaces.bootstrap import build_system
from tests.support.dying_issuer import Death, MortalLedger

AnswerT = TypeVar("AnswerT")


class MortalGateway:
    """Asks as the service does."""

    def __init__(self, gateway: Gateway, death: Death) -> None:
        self._gateway = gateway
        self._death = death
        self.name = gateway.name
        self.seen_within: timedelta = gateway.seen_within

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        return await self._step("authorize", self._gateway.authorize(instruction))

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        return await self._step("capture", self._gateway.capture(reference, key))

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        return await self._gateway.void(reference, key, take_back=take_back)

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        return await self._gateway.refund(reference, amount, key)

    async def look_up(self, key: str) -> GatewayPayment | None:
        return await self._step("look-up", self._gateway.look_up(key))

    async def payment(self, reference: str) -> GatewayPayment:
        return await self._step("payment", self._gateway.payment(reference))

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        return await self._gateway.look_up_refund(reference, key)

    async def close(self) -> None:
        await self._gateway.close()

    async def _step(self, step: str, answer: Awaitable[AnswerT]) -> AnswerT:
        self._death.comes(step, "before")
        answered = await answer
        self._death.comes(step, "after")
        return answered


async def pay(billing_payment_id: str, death: Death) -> None:
    """Takes the payment as far as it goes, or dies."""
    system = build_system(Settings(), renderer=DirectRenderer())
    await system.start()
    try:
        ledger = MortalLedger(system, death)
        gateway = MortalGateway(system.ap_payer.gateway, death)
        await ApPayer(ledger, system.registry, gateway).settle(billing_payment_id)  # type: ignore[arg-type]
    finally:
        await system.stop()


if __name__ == "__main__":
    target, at_step, at_when, at_count = sys.argv[1:]
    asyncio.run(pay(target, Death(at_step, at_when, int(at_count))))
