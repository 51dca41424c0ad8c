"""Watches a gateway: how long each step took and what came of it, in words and never with what was sent."""

import time
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import structlog

from application.gateway import (
    Gateway,
    GatewayFailed,
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.telemetry import GATEWAY_SECONDS

log = structlog.get_logger(__name__)

_Answer = TypeVar("_Answer", bound=GatewayPayment | GatewayRefund | None)
_FAILURES: dict[type[GatewayFailed], str] = {
    GatewayUnconfirmed: "unconfirmed",
    GatewayUnavailable: "unavailable",
    GatewayRefused: "refused",
}


class ObservedGateway:
    """`application.gateway.Gateway` that passes everything on, and counts and logs what came of it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def name(self) -> str:
        """The gateway's."""
        return self._gateway.name

    @property
    def seen_within(self) -> timedelta:
        """The gateway's."""
        return self._gateway.seen_within

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """The gateway's."""
        return await self._watched("authorize", instruction.key, self._gateway.authorize(instruction))

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """The gateway's."""
        return await self._watched("capture", key, self._gateway.capture(reference, key))

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """The gateway's."""
        return await self._watched("void", key, self._gateway.void(reference, key, take_back=take_back))

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """The gateway's."""
        return await self._watched("refund", key, self._gateway.refund(reference, amount, key))

    async def look_up(self, key: str) -> GatewayPayment | None:
        """The gateway's."""
        return await self._watched("look-up", key, self._gateway.look_up(key))

    async def payment(self, reference: str) -> GatewayPayment:
        """The gateway's."""
        return await self._watched("payment", reference, self._gateway.payment(reference))

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """The gateway's."""
        return await self._watched("look-up-refund", key, self._gateway.look_up_refund(reference, key))

    async def close(self) -> None:
        """The gateway's."""
        await self._gateway.close()

    async def _watched(self, step: str, subject: str, answer: Awaitable[_Answer]) -> _Answer:
        """`subject` is a key of ours or a reference of the gateway's; neither tells anything of a person."""
        began = time.monotonic()
        outcome = "interrupted"
        try:
            answered = await answer
            outcome = "unknown" if answered is None else answered.status.lower()
            return answered
        except GatewayFailed as error:
            outcome = _FAILURES[type(error)]
            cause = error.__cause__
            log.warning(
                "gateway-step-failed",
                gateway=self.name,
                step=step,
                subject=subject,
                outcome=outcome,
                code=error.code if isinstance(error, GatewayRefused) else None,
                cause=None if cause is None else type(cause).__name__,
            )
            raise
        finally:
            GATEWAY_SECONDS.labels(self.name, step, outcome).observe(time.monotonic() - began)
