"""What happens to an order after it was paid, to test with, and a full example of each of those events."""

from typing import Any

from domain.documents import order as orders
from domain.documents.order import told_content
from domain.documents.order_events import CompletionData, DisputeData, PayoutData
from domain.documents.order_facts import (
    Cause,
    OrderCompleted,
    OrderCompletionAwaited,
    OrderCompletionParked,
    OrderDisputeAwaited,
    OrderDisputeCompleted,
    OrderDisputeParked,
    OrderDocumentDrafted,
    OrderPayoutAwaited,
    OrderPayoutSent,
)
from domain.documents.order_state import Order
from domain.kernel.facts import Fact
from tests.support.facts import DOCUMENT_ID, FINGERPRINT, plain_amount


def completion_data(order_id: str = "o-1", status: str = "PENDING", **changes: Any) -> dict[str, Any]:
    """A completion as upstream tells of it."""
    told = {"orderId": order_id, "payoutStatus": status, "completedAt": "2026-03-16T10:00:00.000000Z"}
    return {**told, **changes}


def payout_data(payout_id: str = "p-1", order_id: str = "o-1", **changes: Any) -> dict[str, Any]:
    """A payout of the sample order's seller net."""
    return {
        "orderId": order_id,
        "payoutId": payout_id,
        "escrowReleaseId": f"release-{payout_id}",
        "amount": 6624,
        "currencyUomId": "GBP",
        "sentAt": "2026-03-17T08:00:00.000000Z",
        **changes,
    }


def dispute_data(
    dispute_id: str = "d-1", amount: int | None = 500, order_id: str = "o-1", **changes: Any
) -> dict[str, Any]:
    """A dispute that ended with so much going back to the buyer; None: with nothing."""
    told: dict[str, Any] = {"orderId": order_id, "disputeId": dispute_id, "outcome": "BUYER_FAVOURED"}
    if amount is not None:
        told["refundSnapshot"] = plain_amount(amount, f"snap-{order_id}-{dispute_id}")
    return {**told, **changes}


def a_completion(**changes: Any) -> CompletionData:
    """The sample order's completion."""
    return CompletionData.model_validate(completion_data(**changes))


def a_payout(payout_id: str = "p-1", **changes: Any) -> PayoutData:
    """A payout of the sample order."""
    return PayoutData.model_validate(payout_data(payout_id, **changes))


def a_dispute(dispute_id: str = "d-1", amount: int | None = 500, **changes: Any) -> DisputeData:
    """The end of a dispute about the sample order."""
    return DisputeData.model_validate(dispute_data(dispute_id, amount, **changes))


def complete(
    state: Order | None, completion: CompletionData, repeated: str | None = None
) -> tuple[Fact, ...]:
    """Decides on a completion."""
    return orders.complete(state, completion, repeated)


def pay_out(state: Order | None, payout: PayoutData) -> tuple[Fact, ...]:
    """Decides on a payout, by its own fingerprint."""
    return orders.pay_out(state, payout, FINGERPRINT(told_content(payout)))


def end_dispute(state: Order | None, dispute: DisputeData) -> tuple[Fact, ...]:
    """Decides on a dispute's end, by its own fingerprint."""
    return orders.end_dispute(state, dispute, FINGERPRINT(told_content(dispute)))


def completed() -> OrderCompleted:
    """The order was completed."""
    return OrderCompleted(completion=a_completion())


def completion_awaited(fingerprint: str | None = None) -> OrderCompletionAwaited:
    """The completion came before its order."""
    return OrderCompletionAwaited(completion=a_completion(), fingerprint=fingerprint)


def paid_out(payout: PayoutData | None = None) -> OrderPayoutSent:
    """Money went to the seller."""
    payout = payout or a_payout()
    return OrderPayoutSent(payout=payout, fingerprint=FINGERPRINT(told_content(payout)))


def payout_awaited(payout: PayoutData | None = None) -> OrderPayoutAwaited:
    """A payout came before its order."""
    payout = payout or a_payout()
    return OrderPayoutAwaited(payout=payout, fingerprint=FINGERPRINT(told_content(payout)))


def dispute_completed(dispute: DisputeData | None = None) -> OrderDisputeCompleted:
    """A dispute ended."""
    dispute = dispute or a_dispute()
    return OrderDisputeCompleted(dispute=dispute, fingerprint=FINGERPRINT(told_content(dispute)))


def dispute_awaited(dispute: DisputeData | None = None) -> OrderDisputeAwaited:
    """A dispute's end came before its order."""
    dispute = dispute or a_dispute()
    return OrderDisputeAwaited(dispute=dispute, fingerprint=FINGERPRINT(told_content(dispute)))


def examples() -> tuple[Fact, ...]:
    """One full example of every stored event of an order that is not in `facts`."""
    return (
        completed(),
        completion_awaited(FINGERPRINT({})),
        OrderCompletionParked(code="SNAPSHOT_CONFLICT"),
        paid_out(),
        payout_awaited(),
        dispute_completed(),
        dispute_awaited(),
        OrderDisputeParked(dispute_id="d-1", code="REFUND_EXCEEDS_PAID"),
        OrderDocumentDrafted(
            document_id=DOCUMENT_ID, doc_type="CREDIT_NOTE", cause=Cause(type="REFUND", id="r-1")
        ),
    )
