"""What upstream tells of an order after it was paid: refunds, completion, payouts, disputes (contract §4)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.documents.order_snapshot import OrderFinancialSnapshot
from domain.kernel.facts import NO_CONTROLS, Identifier, Utc
from domain.kernel.money import MAX_MINOR, CurrencyCode
from domain.upstream import SnapshotValue

PayoutStatus = Literal["PENDING", "SENT"]

Outcome = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROLS)]
"""How a dispute ended, in upstream's own words."""


class RefundData(SnapshotValue):
    """What `payments.REFUND_EXECUTED` brings; the snapshot holds what is refunded, in positive amounts."""

    order_id: Identifier
    refund_id: Identifier
    reason: str
    refund_snapshot: OrderFinancialSnapshot


class CompletionData(SnapshotValue):
    """What `orders.COMPLETED` brings. It may repeat the order's data, which are compared and not kept."""

    order_id: Identifier
    payout_status: PayoutStatus
    completed_at: Utc | None = None


class PayoutData(SnapshotValue):
    """What `payments.PAYOUT_SENT` brings: so much went to the order's seller, minor units."""

    order_id: Identifier
    payout_id: Identifier
    escrow_release_id: Identifier
    amount: Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]
    currency_uom_id: CurrencyCode
    sent_at: Utc


class DisputeData(SnapshotValue):
    """What `payments.DISPUTE_SAGA_COMPLETED` brings; with a snapshot where money moved back to the buyer."""

    order_id: Identifier
    dispute_id: Identifier
    outcome: Outcome
    refund_snapshot: OrderFinancialSnapshot | None = None
