"""Has payments to vendors made by the gateway: recorded before, asked, recorded after (BILL-DEC-013; S2).

Nothing moves before the ledger knows by which reference it may have moved. Whoever takes a payment up looks
first how it stands at the gateway, and every step goes out under a key of the payment's own. So a crash
anywhere is finished by anybody who goes on, and two who go on at once do nothing twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from application.gateway import (
    Gateway,
    GatewayNotice,
    GatewayPayment,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
    gateway_key,
    told,
)
from application.handlers.ap_payments import (
    defer_ap_payment,
    fail_ap_payment,
    hold_ap_payment,
    settle_ap_payment,
)
from application.ledger import Audit, Command, Handler, Ledger, worker_audit
from application.operations.unrouted import SETTLE_AP_PAYMENT
from application.payment_refs import is_loggable
from domain.gateway_deferrals import DeferralReason
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from domain.payables.ap_payment import AP_PAYMENT, ApPayment
from domain.payables.ap_payment_facts import ApPaymentGatewayDeferred
from domain.payables.bill import BILL

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Taken:
    """A payment that was taken up, as it stood then, and as whom the worker acts on it."""

    billing_payment_id: str
    payment: ApPayment
    audit: Audit

    @property
    def logged_as(self) -> Mapping[str, str]:
        """The ids that a log line names it by."""
        payment_ref = self.payment.asked.payment_ref
        named = {"paymentRef": payment_ref} if is_loggable(payment_ref) else {}
        return {"billingPaymentId": self.billing_payment_id, **named}

    @property
    def instruction(self) -> PaymentInstruction:
        """What the gateway is asked to authorise."""
        asked = self.payment.asked
        return PaymentInstruction(
            key=gateway_key(self.billing_payment_id, "authorize"),
            billing_payment_id=self.billing_payment_id,
            amount=asked.gross_amount,
            currency_uom_id=asked.currency_uom_id,
            method=f"vendor:{asked.vendor_id}",
        )

    @property
    def streams(self) -> frozenset[StreamId]:
        """What recording its end reads."""
        bills = (BILL.stream(allocation.bill_id) for allocation in self.payment.asked.allocations)
        return frozenset((AP_PAYMENT.stream(self.billing_payment_id), *bills))


class ApPayer:
    """Takes payments through the gateway; any number of these may run side by side."""

    def __init__(self, ledger: Ledger, registry: Registry, gateway: Gateway) -> None:
        self._ledger = ledger
        self._registry = registry
        self.gateway = gateway

    async def hear(self, notice: GatewayNotice) -> None:
        """Asks how the payment stands that a notice is about. Raises `LedgerUnavailable`."""
        await self.settle(notice.billing_payment_id)

    async def settle(self, billing_payment_id: str) -> None:
        """Takes a payment as far as it goes now, due or not; one that is settled or unknown is left alone.

        Raises `LedgerUnavailable`.
        """
        stream = AP_PAYMENT.stream(billing_payment_id)
        history = await self._ledger.history(stream)
        if not history:
            return
        payment: ApPayment = self._registry.fold(stream, (event.fact for event in history))
        if not payment.is_at_gateway:
            return
        taken = _Taken(billing_payment_id, payment, worker_audit(history[0], SETTLE_AP_PAYMENT))
        try:
            standing = await self._moved(taken)
        except GatewayUnavailable as error:
            await self._defer(taken, "UNAVAILABLE", error)
        except GatewayUnconfirmed as error:
            await self._defer(taken, "UNCONFIRMED", error)
        except GatewayRefused as refused:
            await self._fail(taken, refused.code, payment.reference)
        else:
            if standing is not None:
                await self._record_standing(taken, standing)

    async def _moved(self, taken: _Taken) -> GatewayPayment | None:
        """How the payment stands once the gateway has been asked for all that is missing.

        None where somebody else has settled it meanwhile.
        """
        if taken.payment.gateway != self.gateway.name:
            raise GatewayUnavailable("The payment is at a gateway that is not configured any more.")
        reference = taken.payment.reference
        if reference is None:
            standing = await self._authorized(taken)
            if standing.status in {"DECLINED", "VOIDED"}:
                return standing
            reference = await self._commit(
                taken, hold_ap_payment(taken.billing_payment_id, standing.reference)
            )
            if reference is None:
                return None
            if reference != standing.reference:
                standing = await told(self.gateway.payment(reference))
        else:
            standing = await told(self.gateway.payment(reference))
        return await self._captured(taken, reference) if standing.status == "AUTHORIZED" else standing

    async def _authorized(self, taken: _Taken) -> GatewayPayment:
        """What the gateway knows under the payment's key, who ever asked; else it is asked now."""
        known = await told(self.gateway.look_up(taken.instruction.key))
        return known if known is not None else await self.gateway.authorize(taken.instruction)

    async def _captured(self, taken: _Taken, reference: str) -> GatewayPayment:
        """How it stands after the capture. A refusal is a decline, unless the money moves all the same.

        What is refused now must not move later, by a request that is still on its way: it is let go first.
        """
        try:
            return await self.gateway.capture(reference, gateway_key(taken.billing_payment_id, "capture"))
        except GatewayRefused as refused:
            standing = await told(self.gateway.payment(reference))
            if standing.status == "AUTHORIZED":
                key = gateway_key(taken.billing_payment_id, "void")
                standing = await told(self.gateway.void(reference, key, take_back=False))
            if standing.status not in {"DECLINED", "VOIDED"}:
                return standing
            return GatewayPayment(reference, "DECLINED", refused.code)

    async def _record_standing(self, taken: _Taken, standing: GatewayPayment) -> None:
        match standing.status:
            case "CAPTURED":
                status = await self._commit(taken, settle_ap_payment(taken.billing_payment_id))
                if status == "GATEWAY_FAILED":
                    # Nobody called for it: that is between accounting and the bank.
                    log.error("ap-payment-moved-though-failed", **taken.logged_as)
                else:
                    log.info("ap-payment-succeeded", **taken.logged_as)
            case "DECLINED" | "VOIDED":
                await self._fail(taken, standing.code or standing.status, standing.reference)
            case "PENDING" | "AUTHORIZED":
                await self._defer(taken, "PENDING", None)

    async def _fail(self, taken: _Taken, code: str, reference: str | None) -> None:
        log.warning("ap-payment-failed", **taken.logged_as, code=code)
        await self._commit(taken, fail_ap_payment(taken.billing_payment_id, code, reference))

    async def _defer(self, taken: _Taken, reason: DeferralReason, cause: Exception | None) -> None:
        recorded = await self._commit(taken, defer_ap_payment(taken.billing_payment_id, reason))
        deferred: ApPaymentGatewayDeferred | None = recorded
        if deferred is not None:
            log.warning(
                "ap-payment-deferred",
                **taken.logged_as,
                reason=reason,
                cause=None if cause is None else type(cause.__cause__ or cause).__name__,
                attempt=deferred.attempt,
                retryAt=deferred.retry_at.isoformat(),
            )

    async def _commit(self, taken: _Taken, handler: Handler) -> Any:
        return (await self._ledger.commit(Command(taken.audit, handler, taken.streams))).answer.body
