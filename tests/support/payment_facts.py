"""Customers' payments as facts, for domain tests."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.gateway_deferrals import DeferralReason
from domain.kernel.facts import Fact
from domain.receivables.payment_facts import (
    KeyedRequest,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeferred,
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

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
PRICE = 10_000
REFERENCE = "pi_1"
INVOICE_ID, RECEIPT_ID = str(UUID(int=31)), str(UUID(int=32))


def asked(number: int = 1) -> KeyedRequest:
    """A request under a key of its own."""
    return KeyedRequest(key_hash=f"{number:064x}", request_hash=f"{number + 1000:064x}")


def initiated(**changes: Any) -> PaymentInitiated:
    """Somebody wants to pay."""
    values: dict[str, Any] = {
        "invoice_id": INVOICE_ID,
        "amount": PRICE,
        "currency_uom_id": "EUR",
        "gateway": "stripe",
        "initiated_by": "ana",
        "initiated_at": AT,
        "asked": asked(),
        **changes,
    }
    return PaymentInitiated(**values)


def authorized(reference: str = REFERENCE) -> PaymentAuthorized:
    """The gateway holds the money ready."""
    return PaymentAuthorized(reference=reference)


def deferred(**changes: Any) -> PaymentDeferred:
    """Nobody knows yet, and who asked was told so."""
    return PaymentDeferred(**{"cause": "UNCONFIRMED", **changes})


def gateway_deferred(
    reason: DeferralReason = "PENDING", attempt: int = 1, retry_at: datetime = AT
) -> PaymentGatewayDeferred:
    """The gateway, asked on, told nothing new."""
    return PaymentGatewayDeferred(reason=reason, attempt=attempt, retry_at=retry_at)


def captured(**changes: Any) -> PaymentCaptured:
    """The money has moved, and nothing is due any more."""
    values: dict[str, Any] = {
        "captured_at": AT,
        "payment_type": "PAID_IN_FULL",
        "remaining_balance": 0,
        "receipt_id": RECEIPT_ID,
        **changes,
    }
    return PaymentCaptured(**values)


def failed(**changes: Any) -> PaymentFailed:
    """The card was declined."""
    return PaymentFailed(**{"reason": "DECLINED", "code": "card_declined", **changes})


def void_asked(number: int = 2) -> PaymentVoidAsked:
    """Somebody wants it taken back."""
    return PaymentVoidAsked(reason_code="ERROR", asked_by="ana", asked=asked(number))


def voided() -> PaymentVoided:
    """The gateway has let go of it."""
    return PaymentVoided(voided_at=AT)


def refund_asked(amount: int, refund_id: str = "refund-1", number: int = 3) -> PaymentRefundAsked:
    """Somebody wants so much given back."""
    return PaymentRefundAsked(
        refund_id=refund_id,
        amount=amount,
        reason_code="CUSTOMER_REQUEST",
        reason_notes="It rattled.",
        asked_by="ana",
        asked_at=AT,
        asked=asked(number),
    )


def refunded(amount: int, refund_id: str = "refund-1") -> PaymentRefunded:
    """So much was given back."""
    return PaymentRefunded(
        refund_id=refund_id,
        amount=amount,
        reference="re_1",
        refunded_at=AT,
        document_id=str(UUID(int=33)),
    )


def payment_examples() -> tuple[Fact, ...]:
    """One of each, optional fields included."""
    return (
        initiated(deliver="EMAIL"),
        authorized(),
        deferred(cause="GATEWAY", reference=REFERENCE),
        gateway_deferred(),
        captured(),
        failed(),
        void_asked().model_copy(update={"reason_notes": "Typed twice."}),
        PaymentVoidDeferred(cause="UNCONFIRMED"),
        voided(),
        PaymentVoidFailed(reason="REFUSED", code="already_settled"),
        refund_asked(4_000),
        PaymentRefundDeferred(refund_id="refund-1", cause="GATEWAY"),
        refunded(4_000),
        PaymentRefundFailed(refund_id="refund-1", reason="REFUSED", code="charge_disputed"),
        PaymentRefundReturned(refund_id="refund-1", code="lost_or_stolen_card"),
    )
