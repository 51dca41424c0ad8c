"""What happens to an order, as facts: it is paid, completed, paid out, refunded, disputed (S3 §7.1)."""

from typing import Literal

from domain.documents.document_facts import DocType
from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_snapshot import OrderData
from domain.kernel.facts import Fact, Value
from domain.kernel.privacy import PersonalDataErased

CauseType = Literal["PAYMENT", "COMPLETION", "PAYOUT", "REFUND", "DISPUTE"]


class Cause(Value):
    """What a document of an order came of. A payment or completion has no `id`: an order has one each."""

    type: CauseType
    id: str | None = None

    @property
    def key(self) -> str:
        """The cause as states index it."""
        return self.type if self.id is None else f"{self.type}/{self.id}"


class OrderPaid(Fact):
    """The order was paid into escrow. `fingerprint` is the keyed hash of what may never differ again."""

    order: OrderData
    fingerprint: str


class OrderCompleted(Fact):
    """The order was completed."""

    completion: CompletionData


class OrderCompletionAwaited(Fact):
    """The completion arrived before its order. `fingerprint` is of the order's data, if it repeats them."""

    completion: CompletionData
    fingerprint: str | None = None


class OrderCompletionParked(Fact):
    """A completion that had waited tells of another order than arrived: a person has to look at it."""

    code: str


class OrderPayoutSent(Fact):
    """Money of the order went to its seller."""

    payout: PayoutData
    fingerprint: str


class OrderPayoutAwaited(Fact):
    """A payout arrived before its order; it takes effect when the order does."""

    payout: PayoutData
    fingerprint: str


class OrderRefunded(Fact):
    """A refund of the order was executed."""

    refund: RefundData
    fingerprint: str


class OrderRefundAwaited(Fact):
    """A refund arrived before its order; it takes effect when the order does."""

    refund: RefundData
    fingerprint: str


class OrderRefundParked(Fact):
    """A refund that had waited proved invalid when its order arrived: a person has to look at it."""

    refund_id: str
    code: str


class OrderDisputeCompleted(Fact):
    """A dispute about the order ended; where it has a snapshot, so much went back to the buyer."""

    dispute: DisputeData
    fingerprint: str


class OrderDisputeAwaited(Fact):
    """A dispute's end arrived before its order; it takes effect when the order does."""

    dispute: DisputeData
    fingerprint: str


class OrderDisputeParked(Fact):
    """A dispute's end that had waited proved invalid when its order arrived: a person has to look at it."""

    dispute_id: str
    code: str


class OrderDocumentDrafted(Fact):
    """A document of the order was drafted, because of `cause`."""

    document_id: str
    doc_type: DocType
    cause: Cause


class OrderPersonalDataErased(PersonalDataErased):
    """What the order held of a party is erased; its amounts stay."""
