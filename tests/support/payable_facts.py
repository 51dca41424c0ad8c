"""Bills and payments to vendors: data as payables sends them, facts, and an example of every fact."""

from datetime import UTC, date, datetime
from typing import Any

from domain.gateway_deferrals import DeferralReason
from domain.kernel.facts import Fact
from domain.payables.ap_payment_facts import (
    Allocation,
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
from domain.payables.bill import (
    BillApproved,
    BillCancellation,
    BillCancellationAwaited,
    BillCancelled,
    BillData,
    BillPaymentApplied,
    BillPaymentReleased,
    BillPaymentReserved,
)
from domain.posting import PostingError

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
BILL_ID = "0195a1b0-0000-7000-8000-0000000000b1"
OTHER_BILL_ID = "0195a1b0-0000-7000-8000-0000000000b2"
PAYMENT_ID = "0195a1b0-0000-7000-8000-0000000000c1"
OTHER_PAYMENT_ID = "0195a1b0-0000-7000-8000-0000000000c2"
THIRD_PAYMENT_ID = "0195a1b0-0000-7000-8000-0000000000c3"
BOOKED = GlAnswer(journal_entry_id="je-17")
CLOSED = GlAnswer(posting_error=PostingError(code="PERIOD_CLOSED", detail="GL 2100-07 is closed"))
UNMAPPED = GlAnswer(posting_error=PostingError(code="ACCOUNT_UNMAPPED"))


def bill_data(**changes: Any) -> dict[str, Any]:
    """A bill of 100.00 as payables sends it; `changes` replace fields by their JSON names."""
    told = {
        "billId": BILL_ID,
        "vendorId": "vendor-9",
        "billNumber": "2026/0117",
        "currencyUomId": "EUR",
        "totalAmount": 10_000,
        "dueDate": "2026-04-01",
    }
    return {**told, **changes}


def a_bill(**changes: Any) -> BillData:
    """The same, read."""
    return BillData.model_validate(bill_data(**changes))


def a_cancellation(bill_id: str = BILL_ID, **more: Any) -> BillCancellation:
    """That bill is taken back."""
    return BillCancellation.model_validate({"billId": bill_id, **more})


def reserved(amount: int, payment_id: str = PAYMENT_ID) -> BillPaymentReserved:
    """A payment reserved that much."""
    return BillPaymentReserved(billing_payment_id=payment_id, amount=amount)


def applied(amount: int, payment_id: str = PAYMENT_ID) -> BillPaymentApplied:
    """A payment paid that much."""
    return BillPaymentApplied(billing_payment_id=payment_id, amount=amount)


def released(amount: int, payment_id: str = PAYMENT_ID) -> BillPaymentReleased:
    """A payment failed that had reserved that much."""
    return BillPaymentReleased(billing_payment_id=payment_id, amount=amount)


def asked(gross: int = 10_000, payment_ref: str = "run-7/9", **allocated: int) -> VendorPayment:
    """A payment to that vendor, of the bill or of as much of it as `bill` and `other` say."""
    parts = {BILL_ID: allocated.get("bill", 0), OTHER_BILL_ID: allocated.get("other", 0)}
    return VendorPayment(
        vendor_id="vendor-9",
        gross_amount=gross,
        currency_uom_id="EUR",
        payment_ref=payment_ref,
        allocations=tuple(
            Allocation(bill_id=bill_id, applied_amount=amount) for bill_id, amount in parts.items() if amount
        ),
    )


def initiated(payment: VendorPayment | None = None) -> ApPaymentInitiated:
    """A payment is to be made."""
    return ApPaymentInitiated(payment=payment or asked(bill=10_000), gateway="bank", initiated_at=NOON)


def deferred(
    reason: DeferralReason = "UNCONFIRMED", attempt: int = 1, retry_at: datetime = NOON
) -> ApPaymentGatewayDeferred:
    """The gateway has to be asked again."""
    return ApPaymentGatewayDeferred(reason=reason, attempt=attempt, retry_at=retry_at)


HELD = ApPaymentGatewayAwaited(reference="tr-1")
SUCCEEDED = ApPaymentGatewaySucceeded()
POSTING = ApPaymentGlPostAwaited()
POSTED = ApPaymentGlPosted(journal_entry_id="je-17")


def life_of_a_bill() -> tuple[Fact, ...]:
    """Approved, reserved, released, reserved again, applied, cancelled."""
    return (
        BillApproved(bill=a_bill()),
        *(reserved(6_000), released(6_000)),
        *(reserved(4_000, OTHER_PAYMENT_ID), applied(4_000, OTHER_PAYMENT_ID)),
        BillCancelled(cancellation=a_cancellation()),
    )


def lives_of_payments() -> dict[str, tuple[Fact, ...]]:
    """By id: one fails after long, with accounting's answer there already, one succeeds, one waits."""
    return {
        PAYMENT_ID: (
            *(initiated(), deferred(attempt=4), ApPaymentGlAnswerReceived(answer=BOOKED)),
            *(ApPaymentGatewayFailed(code="account_closed"), ApPaymentGlAnswerParked(answer=BOOKED)),
        ),
        OTHER_PAYMENT_ID: (initiated(), HELD, SUCCEEDED, POSTING, POSTED),
        THIRD_PAYMENT_ID: (initiated(),),
    }


def examples() -> tuple[Fact, ...]:
    """One full fact of each kind."""
    assert CLOSED.posting_error is not None
    told = a_bill(glAccount="600", lines=[{"text": "Brake pads"}])
    assert told.due_date == date(2026, 4, 1)
    return (
        BillApproved(bill=told),
        BillCancellationAwaited(cancellation=a_cancellation(reason="SENT_TWICE")),
        BillCancelled(cancellation=a_cancellation(reason="SENT_TWICE")),
        reserved(6_000),
        applied(6_000),
        released(6_000),
        initiated(asked(12_000, bill=6_000, other=5_000)),
        HELD,
        deferred(),
        SUCCEEDED,
        ApPaymentGatewayFailed(code="account_closed", reference="tr-1"),
        POSTING,
        ApPaymentGlAnswerReceived(answer=CLOSED),
        ApPaymentGlAnswerParked(answer=BOOKED),
        POSTED,
        ApPaymentGlPostFailed(posting_error=CLOSED.posting_error),
    )
