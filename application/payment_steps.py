"""What a gateway is asked for next about a payment, and what to record of its answer, or why there is none.

Whoever asked for a step takes it at once. Who comes after a crash asks first how things stand at the gateway,
and never authorises: what a payment is paid with is known only to who pays (S2).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from application.desk import Desk
from application.gateway import (
    Gateway,
    GatewayPayment,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
    gateway_key,
    told,
)
from application.handlers.payment_outcomes import (
    record_authorized,
    record_captured,
    record_deferred,
    record_failed,
    record_refund_deferred,
    record_refund_failed,
    record_refund_returned,
    record_refunded,
    record_void_deferred,
    record_void_failed,
    record_voided,
)
from application.ledger import Handler
from domain.gateway_deferrals import DeferralReason
from domain.receivables.payment import Payment
from domain.receivables.payment_facts import DeferredCause
from domain.receivables.taken_back import Refund

log = structlog.get_logger(__name__)

_LET_GO = frozenset({"VOIDED", "DECLINED"})
"""How a payment stands at the gateway of which no money moves, or all was taken back."""


@dataclass(frozen=True)
class AskAgain:
    """The gateway told nothing new, and why. Asked again before `not_before` it would tell nothing either."""

    reason: DeferralReason
    not_before: datetime | None = None


StepTaken = Handler | AskAgain
"""What to record of a step, or that the gateway has to be asked again."""

_AWAY, _UNCONFIRMED, _PENDING = AskAgain("UNAVAILABLE"), AskAgain("UNCONFIRMED"), AskAgain("PENDING")


@dataclass(frozen=True)
class Standing:
    """A payment as the ledger has it. `certain_from` is when a look-up that finds nothing is believed.

    Until `in_hand_until` only the process that was asked takes the step that is to be answered. `receipt_id`
    is for the receipt that may come of it, `correlation_id` the trace that it was asked for in.
    """

    billing_payment_id: str
    payment: Payment
    in_hand_until: datetime
    certain_from: datetime
    receipt_id: str
    correlation_id: str

    def is_in_hand(self, now: datetime) -> bool:
        """Whether it is left to the process that was asked."""
        return self.payment.is_in_hand and now < self.in_hand_until

    def key(self, step: str) -> str:
        """The key of a step of this payment at the gateway."""
        return gateway_key(self.billing_payment_id, step)


async def take_step(
    gateway: Gateway, standing: Standing, desk: Desk, now: datetime, *, asker: bool, method: str | None
) -> StepTaken:
    """Takes the payment's next step.

    With `asker` it is who asked for it, who is not kept waiting; `method` is what a new payment is paid with.
    """
    step = standing.payment.next_step
    try:
        match step:
            case "authorize":
                return await _authorize(gateway, standing, now, method)
            case "capture":
                return await _capture(gateway, standing, desk, asker=asker)
            case "void":
                return await _void(gateway, standing, desk, asker=asker)
            case "refund":
                return await _refund(gateway, standing, desk, asker=asker)
            case None:
                raise AssertionError("something is left to do")
            case _:
                assert_never(step)
    except GatewayUnavailable:
        log.warning("gateway-unavailable", billingPaymentId=standing.billing_payment_id, step=step)
        return (_given_up(standing) if asker else None) or _AWAY
    except (GatewayUnconfirmed, GatewayRefused):
        log.warning("gateway-unconfirmed", billingPaymentId=standing.billing_payment_id, step=step)
        return _left_open(standing, "UNCONFIRMED") or _UNCONFIRMED


async def _authorize(gateway: Gateway, standing: Standing, now: datetime, method: str | None) -> StepTaken:
    payment, identity = standing.payment, standing.billing_payment_id
    if method is not None:
        instruction = PaymentInstruction(
            key=standing.key("authorize"),
            billing_payment_id=identity,
            amount=payment.amount,
            currency_uom_id=payment.initiated.currency_uom_id,
            method=method,
        )
        try:
            known: GatewayPayment | None = await gateway.authorize(instruction)
        except GatewayRefused as refused:
            return record_failed(identity, "REFUSED", standing.correlation_id, refused.code)
    elif payment.reference is not None:
        known = await told(gateway.payment(payment.reference))
    else:
        known = await told(gateway.look_up(standing.key("authorize")))
    if known is None:
        # It may still be on its way to the gateway, where it would move nothing.
        if now >= standing.certain_from:
            return record_failed(identity, "NOT_RECEIVED", standing.correlation_id)
        left_open = _left_open(standing, "UNCONFIRMED") if payment.is_being_voided else None
        return left_open or AskAgain("UNCONFIRMED", standing.certain_from)
    match known.status:
        case "AUTHORIZED" | "CAPTURED":
            return record_authorized(identity, known.reference)
        case "PENDING" if payment.is_being_voided:
            return _left_open(standing, "GATEWAY") or _PENDING
        case "PENDING":
            return _PENDING if payment.deferred else record_deferred(identity, "GATEWAY", known.reference)
        case "DECLINED" | "VOIDED":
            return record_failed(identity, "DECLINED", standing.correlation_id, known.code)
        case _:
            assert_never(known.status)


async def _capture(gateway: Gateway, standing: Standing, desk: Desk, *, asker: bool) -> StepTaken:
    payment, identity, reference = standing.payment, standing.billing_payment_id, _reference(standing)
    refusal: str | None = None
    try:
        known = None if asker else await told(gateway.payment(reference))
        if known is None or known.status == "AUTHORIZED":
            known = await gateway.capture(reference, standing.key("capture"))
    except GatewayRefused as refused:
        refusal = refused.code
        known = await told(gateway.payment(reference))
    match known.status:
        case "CAPTURED":
            return record_captured(identity, standing.receipt_id, desk)
        case "DECLINED" | "VOIDED":
            return record_failed(identity, "DECLINED", standing.correlation_id, known.code or refusal)
        case "AUTHORIZED" | "PENDING":
            if refusal is not None:
                return record_failed(identity, "REFUSED", standing.correlation_id, refusal)
            return _PENDING if payment.deferred else record_deferred(identity, "GATEWAY")
        case _:
            assert_never(known.status)


async def _void(gateway: Gateway, standing: Standing, desk: Desk, *, asker: bool) -> StepTaken:
    payment, identity, reference = standing.payment, standing.billing_payment_id, _reference(standing)
    void = payment.void
    # Money that has moved before the ledger heard of it is recorded as such, and taken back then.
    take_back = payment.status != "PENDING"
    # A void that failed may be asked for again, under a key of its own.
    step = "void" if void is None else f"void:{void.asked.asked.key_hash[:32]}"
    refusal: str | None = None
    try:
        known = None if asker else await told(gateway.payment(reference))
        if known is None or known.status not in _LET_GO:
            known = await gateway.void(reference, standing.key(step), take_back=take_back)
    except GatewayRefused as refused:
        refusal = refused.code
        known = await told(gateway.payment(reference))
    if known.status in _LET_GO:
        return record_voided(identity)
    if not payment.is_being_voided:
        return _PENDING if refusal is None else _UNCONFIRMED
    if known.status == "CAPTURED" and not take_back:
        if not payment.authorized:
            return record_authorized(identity, reference)
        return record_captured(identity, standing.receipt_id, desk)
    if refusal is not None:
        return record_void_failed(identity, "REFUSED", refusal)
    is_told = void is None or void.status == "PENDING"
    return _PENDING if is_told else record_void_deferred(identity, "GATEWAY")


async def _refund(gateway: Gateway, standing: Standing, desk: Desk, *, asker: bool) -> StepTaken:
    identity, reference, refund = standing.billing_payment_id, _reference(standing), _refund_of(standing)
    refund_id, key = refund.asked.refund_id, standing.key(f"refund:{refund.asked.refund_id}")
    known = None if asker else await told(gateway.look_up_refund(reference, key))
    try:
        known = known or await gateway.refund(reference, refund.asked.amount, key)
    except GatewayRefused as refused:
        return record_refund_failed(identity, refund_id, "REFUSED", refused.code)
    match known.status:
        case "SUCCEEDED":
            return record_refunded(identity, refund_id, known.reference, desk)
        case "FAILED":
            return record_refund_failed(identity, refund_id, "REFUSED", known.code)
        case "PENDING":
            is_told = refund.status == "PENDING"
            return _PENDING if is_told else record_refund_deferred(identity, refund_id, "GATEWAY")
        case _:
            assert_never(known.status)


async def look_again(gateway: Gateway, standing: Standing, reference: str | None) -> Handler | None:
    """What to record of a payment that nothing was left to do of, now that the gateway says something of it.

    It was thought unknown there and is not, or money that was given back did not reach who it was for.
    """
    if standing.payment.is_thought_unknown:
        return await _turned_up(gateway, standing, reference)
    for refund_id, refund in standing.payment.refunds.items():
        if refund.done is not None and refund.returned is None:
            key = standing.key(f"refund:{refund_id}")
            now = await told(gateway.look_up_refund(_reference(standing), key))
            if now is not None and now.status == "FAILED":
                return record_refund_returned(standing.billing_payment_id, refund_id, now.code)
    return None


async def _turned_up(gateway: Gateway, standing: Standing, reference: str | None) -> Handler | None:
    known = await told(
        gateway.look_up(standing.key("authorize")) if reference is None else gateway.payment(reference)
    )
    if known is None or known.status not in {"AUTHORIZED", "CAPTURED"}:
        return None
    return record_authorized(standing.billing_payment_id, known.reference)


def _given_up(standing: Standing) -> Handler | None:
    """Who asked may ask again: the gateway has certainly not taken the step that they wait for."""
    payment, identity, until = standing.payment, standing.billing_payment_id, standing.in_hand_until
    match payment.next_step:
        case "authorize" if not payment.is_being_voided:
            return record_failed(identity, "GATEWAY_UNAVAILABLE", standing.correlation_id)
        case "void":
            return record_void_failed(identity, "GATEWAY_UNAVAILABLE", until=until)
        case "refund":
            refund_id = _refund_of(standing).asked.refund_id
            return record_refund_failed(identity, refund_id, "GATEWAY_UNAVAILABLE", until=until)
        case _:
            # Money is held ready, or may be: the worker goes on once the gateway is back.
            return _left_open(standing, "UNCONFIRMED")


def _left_open(standing: Standing, cause: DeferredCause) -> Handler | None:
    """Nobody knows yet how it ends, and whoever waits for that is told so, once."""
    payment, identity = standing.payment, standing.billing_payment_id
    if payment.unanswered is None:
        return None
    if payment.is_being_voided:
        return record_void_deferred(identity, cause)
    if payment.refund_under_way is not None:
        return record_refund_deferred(identity, _refund_of(standing).asked.refund_id, cause)
    return record_deferred(identity, cause)


def _reference(standing: Standing) -> str:
    reference = standing.payment.reference
    assert reference is not None, "the gateway holds the money ready"
    return reference


def _refund_of(standing: Standing) -> Refund:
    refund = standing.payment.refund_under_way
    assert refund is not None, "a refund is under way"
    return refund
