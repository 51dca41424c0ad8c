"""A payment to a vendor is initiated, made by the gateway, booked by accounting (BILL-DEC-013).

INITIATED → GATEWAY_PENDING → GATEWAY_SUCCEEDED | GATEWAY_FAILED; what succeeded goes on GL_POST_PENDING →
GL_POSTED | GL_POST_FAILED as accounting answers. Commands are in `STATE_TABLE`. What is known already is no
fact, for gateways and accounting repeat themselves, and accounting's answers come in any order.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal, assert_never

from domain.gateway_deferrals import DeferralReason, deferral
from domain.kernel.errors import DomainError
from domain.kernel.facts import Utc, Value
from domain.kernel.streams import EventType, StreamType
from domain.payables.ap_payment_facts import (
    ApPaymentFact,
    ApPaymentGatewayAwaited,
    ApPaymentGatewayDeferred,
    ApPaymentGatewayFailed,
    ApPaymentGatewaySucceeded,
    ApPaymentGlAnswerParked,
    ApPaymentGlAnswerReceived,
    ApPaymentGlPostAwaited,
    ApPaymentGlPosted,
    ApPaymentGlPostFailed,
    ApPaymentInitiated,
    GlAnswer,
    VendorPayment,
)
from domain.posting import PostingError

ApPaymentStatus = Literal[
    "INITIATED",
    "GATEWAY_PENDING",
    "GATEWAY_SUCCEEDED",
    "GATEWAY_FAILED",
    "GL_POST_PENDING",
    "GL_POSTED",
    "GL_POST_FAILED",
]
ApPaymentCommand = Literal["hold", "succeed", "fail", "defer", "await-posting", "post", "fail-posting"]

STATE_TABLE: Mapping[ApPaymentCommand, Mapping[ApPaymentStatus, ApPaymentStatus]] = MappingProxyType(
    {
        "hold": {"INITIATED": "GATEWAY_PENDING"},
        "succeed": {"GATEWAY_PENDING": "GATEWAY_SUCCEEDED"},
        "fail": {"INITIATED": "GATEWAY_FAILED", "GATEWAY_PENDING": "GATEWAY_FAILED"},
        "defer": {"INITIATED": "INITIATED", "GATEWAY_PENDING": "GATEWAY_PENDING"},
        "await-posting": {"GATEWAY_SUCCEEDED": "GL_POST_PENDING"},
        "post": {"GL_POST_PENDING": "GL_POSTED", "GL_POST_FAILED": "GL_POSTED"},
        "fail-posting": {"GL_POST_PENDING": "GL_POST_FAILED", "GL_POST_FAILED": "GL_POST_FAILED"},
    }
)
"""By command: in which statuses it takes effect, and what it makes of each (BILL-DEC-013)."""

AT_GATEWAY: Final = frozenset[ApPaymentStatus]({"INITIATED", "GATEWAY_PENDING"})
"""The statuses in which it is the gateway's turn."""


class ApPayment(Value):
    """A payment's state. `reference` is the gateway's own name of it, `failure_code` its word for a refusal.

    `deferred` is the last deferral since it got anywhere, `awaiting` accounting's answer that came too early.
    """

    asked: VendorPayment
    gateway: str
    initiated_at: Utc
    status: ApPaymentStatus = "INITIATED"
    reference: str | None = None
    failure_code: str | None = None
    deferred: ApPaymentGatewayDeferred | None = None
    awaiting: GlAnswer | None = None
    journal_entry_id: str | None = None
    posting_error: PostingError | None = None

    @property
    def is_at_gateway(self) -> bool:
        """Whether it is the gateway's turn."""
        return self.status in AT_GATEWAY


def require_sound(asked: VendorPayment) -> None:
    """What can be said of the sums alone. Raises `GROSS_AMOUNT_NOT_POSITIVE`, `ALLOCATIONS_EXCEED_GROSS`."""
    if asked.gross_amount <= 0:
        raise DomainError("GROSS_AMOUNT_NOT_POSITIVE", "The gross amount of a payment is above zero.")
    if on_account(asked) < 0:
        raise DomainError("ALLOCATIONS_EXCEED_GROSS", "The allocations exceed the gross amount.")


def on_account(asked: VendorPayment) -> int:
    """What of the gross amount (minor units) is for no bill, and stands to the vendor's account."""
    return asked.gross_amount - sum(allocation.applied_amount for allocation in asked.allocations)


def require_same(payment: ApPayment, asked: VendorPayment) -> None:
    """A `paymentRef` names one payment, its allocations in any order. Raises `PAYMENT_REF_CONFLICT`."""
    if _in_order(payment.asked) != _in_order(asked):
        raise DomainError("PAYMENT_REF_CONFLICT", "This paymentRef names another payment.")


def _in_order(asked: VendorPayment) -> VendorPayment:
    allocations = tuple(sorted(asked.allocations, key=lambda allocation: allocation.bill_id))
    return asked.model_copy(update={"allocations": allocations})


def hold(payment: ApPayment, reference: str) -> tuple[ApPaymentGatewayAwaited, ...]:
    """Records by which reference the gateway knows the payment; known already: ()."""
    return (ApPaymentGatewayAwaited(reference=reference),) if _lets(payment, "hold") else ()


def defer(payment: ApPayment, reason: DeferralReason, at: datetime) -> tuple[ApPaymentGatewayDeferred, ...]:
    """Records that the gateway has to be asked again, and when; `at` is now.

    Where it is settled meanwhile, or somebody asked before it was due: ().
    """
    if not _lets(payment, "defer"):
        return ()
    return deferral(ApPaymentGatewayDeferred, payment.deferred, reason, at)


def succeed(payment: ApPayment) -> tuple[ApPaymentGatewaySucceeded, ...]:
    """Records that the money has moved; known already: ()."""
    return (ApPaymentGatewaySucceeded(),) if _lets(payment, "succeed") else ()


def fail(
    payment: ApPayment, code: str | None, reference: str | None
) -> tuple[ApPaymentGatewayFailed | ApPaymentGlAnswerParked, ...]:
    """Records that no money moves, and parks what accounting answered already; known already: ()."""
    if not _lets(payment, "fail"):
        return ()
    failed = ApPaymentGatewayFailed(code=code, reference=reference)
    return (
        (failed,) if payment.awaiting is None else (failed, ApPaymentGlAnswerParked(answer=payment.awaiting))
    )


def await_posting(payment: ApPayment) -> tuple[ApPaymentFact, ...]:
    """Lets accounting's answer be waited for; one that came before takes effect now."""
    if not _lets(payment, "await-posting"):
        return ()
    pending = ApPaymentGlPostAwaited()
    return (pending,) if payment.awaiting is None else (pending, _answered(payment.awaiting))


def take_answer(payment: ApPayment, answer: GlAnswer) -> tuple[ApPaymentFact, ...]:
    """Records what accounting answers; () for what is known, or was overtaken by the booking.

    Before the gateway's success it is kept for that. Raises `PAYMENT_NOT_POSTABLE` where the payment failed.
    """
    if payment.status == "GATEWAY_FAILED":
        raise DomainError("PAYMENT_NOT_POSTABLE", "This payment failed: there is nothing to book.")
    if payment.is_at_gateway:
        known = payment.awaiting
        is_known = known is not None and (known.posting_error is None or known == answer)
        return () if is_known else (ApPaymentGlAnswerReceived(answer=answer),)
    if not _lets(payment, "post" if answer.posting_error is None else "fail-posting"):
        return ()
    if answer.posting_error is not None and answer.posting_error == payment.posting_error:
        return ()
    return (_answered(answer),)


def _answered(answer: GlAnswer) -> ApPaymentGlPosted | ApPaymentGlPostFailed:
    if answer.posting_error is None:
        return ApPaymentGlPosted(journal_entry_id=answer.journal_entry_id)
    return ApPaymentGlPostFailed(posting_error=answer.posting_error)


def _lets(payment: ApPayment, command: ApPaymentCommand) -> bool:
    return payment.status in STATE_TABLE[command]


def evolve(payment: ApPayment | None, fact: ApPaymentFact) -> ApPayment:
    """Folds one fact of a payment."""
    if isinstance(fact, ApPaymentInitiated):
        return ApPayment(asked=fact.payment, gateway=fact.gateway, initiated_at=fact.initiated_at)
    assert payment is not None, "a payment begins with somebody's wish"
    return payment.model_copy(update=_changes(payment, fact))


def _changes(payment: ApPayment, fact: ApPaymentFact) -> dict[str, Any]:
    match fact:
        case ApPaymentGatewayAwaited():
            return {"status": "GATEWAY_PENDING", "reference": fact.reference, "deferred": None}
        case ApPaymentGatewayDeferred():
            return {"deferred": fact}
        case ApPaymentGatewaySucceeded():
            return {"status": "GATEWAY_SUCCEEDED", "deferred": None}
        case ApPaymentGatewayFailed():
            reference = fact.reference or payment.reference
            return {
                "status": "GATEWAY_FAILED",
                "failure_code": fact.code,
                "reference": reference,
                "deferred": None,
            }
        case ApPaymentGlPostAwaited():
            return {"status": "GL_POST_PENDING"}
        case ApPaymentGlAnswerReceived():
            return {"awaiting": fact.answer}
        case ApPaymentGlAnswerParked():
            return {"awaiting": None}
        case ApPaymentGlPosted():
            return {
                "status": "GL_POSTED",
                "journal_entry_id": fact.journal_entry_id,
                "posting_error": None,
                "awaiting": None,
            }
        case ApPaymentGlPostFailed():
            return {"status": "GL_POST_FAILED", "posting_error": fact.posting_error, "awaiting": None}
        case ApPaymentInitiated():
            raise AssertionError("a payment is initiated once")
        case _:
            assert_never(fact)


AP_PAYMENT: StreamType[ApPayment] = StreamType(
    "ap-payment",
    (
        EventType("ap-payment.initiated", ApPaymentInitiated),
        EventType("ap-payment.gateway-awaited", ApPaymentGatewayAwaited),
        EventType("ap-payment.gateway-deferred", ApPaymentGatewayDeferred),
        EventType("ap-payment.gateway-succeeded", ApPaymentGatewaySucceeded),
        EventType("ap-payment.gateway-failed", ApPaymentGatewayFailed),
        EventType("ap-payment.gl-post-awaited", ApPaymentGlPostAwaited),
        EventType("ap-payment.gl-answer-received", ApPaymentGlAnswerReceived),
        EventType("ap-payment.gl-answer-parked", ApPaymentGlAnswerParked),
        EventType("ap-payment.gl-posted", ApPaymentGlPosted),
        EventType("ap-payment.gl-post-failed", ApPaymentGlPostFailed),
    ),
    evolve,
)
