"""A customer's payment of an invoice is initiated, authorised, captured; then it may be voided or refunded.

Asking records the intent before the gateway knows of it. What follows records what the gateway says, whoever
asked it and however often: a repeat is no fact (BILL-DEC-012, S2).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, assert_never

from pydantic import Field

from domain.gateway_deferrals import DeferralReason, deferral
from domain.kernel.errors import DomainError
from domain.kernel.facts import Value
from domain.kernel.streams import EventType, StreamType
from domain.receivables.payment_facts import (
    FailedReason,
    KeyedRequest,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeferred,
    PaymentFact,
    PaymentFailed,
    PaymentGatewayDeferred,
    PaymentInitiated,
    PaymentRefundAsked,
    PaymentRefundDeferred,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentRefundReturned,
    PaymentVoidAsked,
    PaymentVoidDeferred,
    PaymentVoided,
    PaymentVoidFailed,
)
from domain.receivables.taken_back import Refund, Void

PaymentStatus = Literal[
    "INITIATED", "PENDING", "CAPTURED", "FAILED", "VOIDED", "PARTIALLY_REFUNDED", "REFUNDED"
]
PaymentCommand = Literal["authorize", "defer", "capture", "fail", "ask-void", "ask-refund"]

STATE_TABLE: Mapping[PaymentCommand, frozenset[PaymentStatus]] = MappingProxyType(
    {
        "authorize": frozenset({"INITIATED", "PENDING", "FAILED", "VOIDED"}),
        "defer": frozenset({"INITIATED", "PENDING"}),
        "capture": frozenset({"PENDING"}),
        "fail": frozenset({"INITIATED", "PENDING"}),
        "ask-void": frozenset({"PENDING", "CAPTURED"}),
        "ask-refund": frozenset({"CAPTURED", "PARTIALLY_REFUNDED"}),
    }
)
"""In which statuses a command may take effect (contract §5)."""

NEVER_KNOWN = frozenset[FailedReason]({"NOT_RECEIVED", "GATEWAY_UNAVAILABLE"})
"""Why payments fail that the gateway never knew of."""

Step = Literal["authorize", "capture", "void", "refund"]
"""What the gateway has to be asked for."""


class Payment(Value):
    """A payment's state. `reference` is the gateway's own name of it.

    `authorized` while the gateway holds the money ready, or has moved it; `deferred` once who asked was told
    that it is not known yet. `gateway_deferred` while the gateway, asked on, tells nothing new.
    """

    initiated: PaymentInitiated
    status: PaymentStatus = "INITIATED"
    reference: str | None = None
    authorized: bool = False
    deferred: PaymentDeferred | None = None
    gateway_deferred: PaymentGatewayDeferred | None = None
    captured: PaymentCaptured | None = None
    failed: PaymentFailed | None = None
    void: Void | None = None
    refunds: dict[str, Refund] = Field(default_factory=dict)

    @property
    def amount(self) -> int:
        """What it is of, minor units."""
        return self.initiated.amount

    @property
    def refunded(self) -> int:
        """What was given back, minor units."""
        return sum(each.asked.amount for each in self.refunds.values() if each.status == "SUCCEEDED")

    @property
    def refundable(self) -> int:
        """What may still be given back, minor units: nothing of what a refund under way has taken."""
        if self.status not in STATE_TABLE["ask-refund"] or self.is_being_voided:
            return 0
        taken = sum(each.asked.amount for each in self.refunds.values() if each.status != "FAILED")
        return self.amount - taken

    @property
    def is_voidable(self) -> bool:
        """Whether all of it may be taken back.

        It may not while a part was given back, or may be, nor before whoever pays was answered.
        """
        is_answered = self.captured is not None or self.deferred is not None
        refunds_stand = any(each.status != "FAILED" for each in self.refunds.values())
        is_free = is_answered and not self.is_being_voided and not refunds_stand
        return is_free and self.status in STATE_TABLE["ask-void"]

    @property
    def is_being_voided(self) -> bool:
        """Whether a void was asked for and has not ended."""
        return self.void is not None and self.void.is_under_way

    @property
    def refund_under_way(self) -> Refund | None:
        """The oldest refund that has not ended."""
        return next((each for each in self.refunds.values() if each.is_under_way), None)

    @property
    def next_step(self) -> Step | None:
        """What the gateway has to be asked for; None where nothing is left to do.

        What the gateway holds ready of a payment that has ended is let go again, and never captured.
        """
        is_held_in_vain = self.status in {"FAILED", "VOIDED"} and self.authorized
        if is_held_in_vain or (self.is_being_voided and self.reference is not None):
            return "void"
        if self.status in {"INITIATED", "PENDING"}:
            return "capture" if self.authorized else "authorize"
        return None if self.refund_under_way is None else "refund"

    @property
    def unanswered(self) -> KeyedRequest | None:
        """Which request for what is done next has had no answer yet; None where it has."""
        if self.status in {"INITIATED", "PENDING"} and self.deferred is None:
            return self.initiated.asked
        if self.void is not None and self.void.status == "ASKED":
            return self.void.asked.asked
        refund = self.refund_under_way
        return refund.asked.asked if refund is not None and refund.status == "ASKED" else None

    def is_under_way(self, asked: KeyedRequest) -> bool:
        """Whether what that request asked for has not ended yet."""
        if self.initiated.asked == asked:
            return self.status in {"INITIATED", "PENDING"}
        if self.void is not None and self.void.asked.asked == asked:
            return self.void.is_under_way
        return any(each.asked.asked == asked and each.is_under_way for each in self.refunds.values())

    @property
    def is_thought_unknown(self) -> bool:
        """Whether it failed because the gateway was found not to know of it."""
        return self.failed is not None and self.failed.reason == "NOT_RECEIVED" and self.reference is None

    @property
    def is_in_hand(self) -> bool:
        """Whether it is left to the process that was asked: nobody has been answered, nor has asked on."""
        return self.unanswered is not None and self.gateway_deferred is None


def initiate(payment: Payment | None, initiated: PaymentInitiated) -> tuple[PaymentInitiated, ...]:
    """Records that somebody wants to pay; one that is recorded: ()."""
    return () if payment is not None else (initiated,)


def authorize(payment: Payment, authorized: PaymentAuthorized) -> tuple[PaymentAuthorized, ...]:
    """Records that the gateway holds the money ready; known already: ().

    Of a payment that has ended without it, it is recorded too, for it has to be let go again.
    """
    was_let_go = payment.status == "VOIDED" and payment.reference is not None
    if payment.authorized or was_let_go or payment.status not in STATE_TABLE["authorize"]:
        return ()
    return (authorized,)


def defer(payment: Payment, deferred: PaymentDeferred) -> tuple[PaymentDeferred, ...]:
    """Records, once, that it is not known yet how the payment ends."""
    return () if payment.deferred or payment.status not in STATE_TABLE["defer"] else (deferred,)


def defer_asking(
    payment: Payment,
    asked_about: Payment,
    reason: DeferralReason,
    at: datetime,
    not_before: datetime | None = None,
) -> tuple[PaymentGatewayDeferred, ...]:
    """Records that the gateway has to be asked again, and when; `at` is now.

    Where somebody asked before it was due, or about a payment that has got somewhere since: ().
    """
    if payment.model_copy(update={"gateway_deferred": asked_about.gateway_deferred}) != asked_about:
        return ()
    return deferral(PaymentGatewayDeferred, payment.gateway_deferred, reason, at, not_before)


def capture(payment: Payment, captured: PaymentCaptured) -> tuple[PaymentCaptured, ...]:
    """Records that the money has moved, also where a void was asked for meanwhile; known already: ().

    Raises `PAYMENT_DIFFERS` where the ledger never called for it.
    """
    if payment.captured is not None:
        return ()
    if payment.status not in STATE_TABLE["capture"] or not payment.authorized:
        raise DomainError("PAYMENT_DIFFERS", "The gateway captured what the ledger has not called for.")
    return (captured,)


def fail(
    payment: Payment, failed: PaymentFailed, voided: PaymentVoided
) -> tuple[PaymentFailed | PaymentVoided, ...]:
    """Records that no money moves; where a void was asked for, that it is void. Known already: ().

    Nor does it count that the gateway never knew of a payment that it is known to know by now.
    """
    is_known = payment.reference is not None and failed.reason in NEVER_KNOWN
    if is_known or payment.status not in STATE_TABLE["fail"]:
        return ()
    return (voided,) if payment.is_being_voided else (failed,)


def ask_void(payment: Payment, asked: PaymentVoidAsked) -> tuple[PaymentVoidAsked, ...]:
    """Records that all of it is to be taken back. Raises `PAYMENT_NOT_VOIDABLE`."""
    if not payment.is_voidable:
        raise DomainError(
            "PAYMENT_NOT_VOIDABLE",
            "Only a pending or captured payment of which nothing was given back can be voided.",
        )
    return (asked,)


def defer_void(payment: Payment, deferred: PaymentVoidDeferred) -> tuple[PaymentVoidDeferred, ...]:
    """Records, once, that it is not known yet whether the gateway takes it back."""
    return (deferred,) if payment.void is not None and payment.void.status == "ASKED" else ()


def void(payment: Payment, voided: PaymentVoided) -> tuple[PaymentVoided, ...]:
    """Records that the gateway has let go of all of it; where nobody waits for that: ().

    It counts also after somebody was told that the gateway cannot be reached: somebody else did reach it.
    """
    was_given_up = payment.void is not None and payment.void.was_given_up
    stands = payment.status in STATE_TABLE["ask-void"]
    return (voided,) if payment.next_step == "void" or (was_given_up and stands) else ()


def fail_void(payment: Payment, failed: PaymentVoidFailed) -> tuple[PaymentVoidFailed, ...]:
    """Records that the gateway does not take it back; where nobody waits for that: ()."""
    return (failed,) if payment.is_being_voided else ()


def ask_refund(payment: Payment, asked: PaymentRefundAsked) -> tuple[PaymentRefundAsked, ...]:
    """Records that so much is to be given back.

    Raises `PAYMENT_NOT_REFUNDABLE` where nothing stands or is left, `REFUND_EXCEEDS_PAID` for more than that.
    """
    if payment.refundable == 0:
        raise DomainError("PAYMENT_NOT_REFUNDABLE", "Nothing of this payment is left to be given back.")
    if asked.amount > payment.refundable:
        raise DomainError("REFUND_EXCEEDS_PAID", "The refund exceeds what is left of the payment.")
    return (asked,)


def defer_refund(payment: Payment, deferred: PaymentRefundDeferred) -> tuple[PaymentRefundDeferred, ...]:
    """Records, once, that it is not known yet how a refund ends."""
    return (deferred,) if payment.refunds[deferred.refund_id].status == "ASKED" else ()


def refund(payment: Payment, refunded: PaymentRefunded) -> tuple[PaymentRefunded, ...]:
    """Records that the money was given back; known already: (). As with `void`, it counts late, too."""
    return (refunded,) if payment.refunds[refunded.refund_id].may_succeed else ()


def fail_refund(payment: Payment, failed: PaymentRefundFailed) -> tuple[PaymentRefundFailed, ...]:
    """Records that nothing is given back; known already: ()."""
    return (failed,) if payment.refunds[failed.refund_id].is_under_way else ()


def return_refund(payment: Payment, returned: PaymentRefundReturned) -> tuple[PaymentRefundReturned, ...]:
    """Records that the money of a refund did not reach its customer after all; known already: ()."""
    refund = payment.refunds[returned.refund_id]
    return (returned,) if refund.done is not None and refund.returned is None else ()


def evolve(payment: Payment | None, fact: PaymentFact) -> Payment:
    """Folds one fact of a payment."""
    if isinstance(fact, PaymentInitiated):
        return Payment(initiated=fact)
    assert payment is not None, "a payment begins with somebody's wish"
    return payment.model_copy(update={"gateway_deferred": None, **_changes(payment, fact)})


def _changes(payment: Payment, fact: PaymentFact) -> dict[str, Any]:
    match fact:
        case PaymentAuthorized():
            status = "PENDING" if payment.status == "INITIATED" else payment.status
            return {"status": status, "authorized": True, "reference": fact.reference}
        case PaymentDeferred():
            reference = payment.reference or fact.reference
            return {"status": "PENDING", "deferred": fact, "reference": reference}
        case PaymentGatewayDeferred():
            return {"gateway_deferred": fact}
        case PaymentCaptured():
            return {"status": "CAPTURED", "captured": fact}
        case PaymentFailed():
            return {"status": "FAILED", "failed": fact}
        case PaymentVoidAsked():
            return {"void": Void(asked=fact)}
        case PaymentVoidDeferred():
            return {"void": _void(payment, status="PENDING")}
        case PaymentVoided():
            # What turned up of a payment that failed is gone again; the payment is what it was.
            status = "FAILED" if payment.status == "FAILED" else "VOIDED"
            done = None if payment.void is None else _void(payment, status="DONE")
            return {"status": status, "authorized": False, "void": done}
        case PaymentVoidFailed():
            return {"void": _void(payment, status="FAILED", failed=fact)}
        case PaymentRefundAsked():
            return {"refunds": {**payment.refunds, fact.refund_id: Refund(asked=fact)}}
        case PaymentRefundDeferred():
            return _refund(payment, fact.refund_id, status="PENDING")
        case PaymentRefunded():
            return _refund(payment, fact.refund_id, status="SUCCEEDED", done=fact)
        case PaymentRefundFailed():
            return _refund(payment, fact.refund_id, status="FAILED", failed=fact)
        case PaymentRefundReturned():
            return _refund(payment, fact.refund_id, returned=fact)
        case PaymentInitiated():
            raise AssertionError("a payment is initiated once")
        case _:
            assert_never(fact)


def _void(payment: Payment, **changes: Any) -> Void:
    assert payment.void is not None, "a void begins with somebody's wish"
    return payment.void.model_copy(update=changes)


def _refund(payment: Payment, refund_id: str, **changes: Any) -> dict[str, Any]:
    refunds = {**payment.refunds, refund_id: payment.refunds[refund_id].model_copy(update=changes)}
    refunded = sum(each.asked.amount for each in refunds.values() if each.status == "SUCCEEDED")
    status = (
        "CAPTURED" if not refunded else "REFUNDED" if refunded == payment.amount else "PARTIALLY_REFUNDED"
    )
    return {"refunds": refunds, "status": status}


PAYMENT: StreamType[Payment] = StreamType(
    "payment",
    (
        EventType("payment.initiated", PaymentInitiated),
        EventType("payment.authorized", PaymentAuthorized),
        EventType("payment.deferred", PaymentDeferred),
        EventType("payment.gateway-deferred", PaymentGatewayDeferred),
        EventType("payment.captured", PaymentCaptured),
        EventType("payment.failed", PaymentFailed),
        EventType("payment.void-asked", PaymentVoidAsked),
        EventType("payment.void-deferred", PaymentVoidDeferred),
        EventType("payment.voided", PaymentVoided),
        EventType("payment.void-failed", PaymentVoidFailed),
        EventType("payment.refund-asked", PaymentRefundAsked),
        EventType("payment.refund-deferred", PaymentRefundDeferred),
        EventType("payment.refunded", PaymentRefunded),
        EventType("payment.refund-failed", PaymentRefundFailed),
        EventType("payment.refund-returned", PaymentRefundReturned),
    ),
    evolve,
)
