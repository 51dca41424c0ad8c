"""Orders that were paid, and their refunds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from application.handlers.documents import PlannedDocument, draft_and_number, planned_documents
from application.intake.intake import WithoutFiles
from application.ledger import Transaction
from application.ports import Fingerprint
from application.validation import parse
from domain.documents.order import ORDER, RefundData, order_content, pay, refund, refund_content
from domain.documents.order_snapshot import OrderData
from domain.inbound.inbound import Effect
from domain.kernel.claim import CLAIM, Claim, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.privacy import subject_of
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class PaidOrder(WithoutFiles):
    """`orders.PAID_IN_ESCROW`. `fingerprint` is of what may never differ of the order."""

    data: OrderData
    fingerprint: str

    @property
    def about(self) -> StreamId:
        """The order."""
        return ORDER.stream(self.data.order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The order and the claim to its snapshot's id."""
        return frozenset(
            (self.about, claim_stream("SNAPSHOT", self.data.order_financial_snapshot.snapshot_id))
        )

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Everybody who takes part in it."""
        parties = self.data.order_party_snapshot
        present = (parties.buyer, parties.seller, parties.ops, parties.platform)
        return frozenset(subject_of(party) for party in present if party is not None)

    @cached_property
    def planned(self) -> tuple[PlannedDocument, ...]:
        """What policy calls for; made once, outside the ledger's lock."""
        return planned_documents(self.data)

    def take(self, transaction: Transaction) -> Effect:
        """Records the order and what waited for it, and drafts and numbers its documents."""
        facts = pay(transaction.state(ORDER, self.data.order_id), self.data, self.fingerprint)
        if not facts:
            return "DUPLICATE"
        snapshot_id = self.data.order_financial_snapshot.snapshot_id
        _claim_snapshot(transaction, snapshot_id, self.data.order_id, self.fingerprint)
        transaction.append(self.about, facts)
        draft_and_number(transaction, self.planned)
        return "ACCEPTED"


@dataclass(frozen=True)
class ExecutedRefund(WithoutFiles):
    """`payments.REFUND_EXECUTED`. `fingerprint` is of all that it tells."""

    data: RefundData
    fingerprint: str
    subjects: frozenset[str] = frozenset()
    planned: tuple[PlannedDocument, ...] = ()

    @property
    def about(self) -> StreamId:
        """The order."""
        return ORDER.stream(self.data.order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The order and the claim to the refund's snapshot's id."""
        return frozenset((self.about, claim_stream("SNAPSHOT", self.data.refund_snapshot.snapshot_id)))

    def take(self, transaction: Transaction) -> Effect:
        """Records the refund; one that precedes its order waits for it."""
        data = self.data
        facts = refund(transaction.state(ORDER, data.order_id), data, self.fingerprint)
        if not facts:
            return "DUPLICATE"
        holder = f"{data.order_id}/{data.refund_id}"
        _claim_snapshot(transaction, data.refund_snapshot.snapshot_id, holder, self.fingerprint)
        transaction.append(self.about, facts)
        order = transaction.state(ORDER, data.order_id)
        return "WAITING" if order is not None and data.refund_id in order.waiting else "ACCEPTED"


def read_paid_order(data: dict[str, Any], fingerprint: Fingerprint) -> PaidOrder:
    """Reads `orders.PAID_IN_ESCROW`."""
    order = parse(OrderData, data, "data")
    return PaidOrder(order, fingerprint(order_content(order)))


def read_executed_refund(data: dict[str, Any], fingerprint: Fingerprint) -> ExecutedRefund:
    """Reads `payments.REFUND_EXECUTED`."""
    refunded = parse(RefundData, data, "data")
    return ExecutedRefund(refunded, fingerprint(refund_content(refunded)))


def _claim_snapshot(transaction: Transaction, snapshot_id: str, holder: str, fingerprint: str) -> None:
    """A snapshot id belongs to one order, or one refund of it. Raises `SNAPSHOT_CONFLICT`."""
    stream = claim_stream("SNAPSHOT", snapshot_id)
    taken: Claim | None = transaction.state(CLAIM, stream.id)
    if taken is not None:
        raise DomainError("SNAPSHOT_CONFLICT", "This snapshotId was recorded with another snapshot.")
    claim = ClaimTaken(purpose="SNAPSHOT", key=snapshot_id, holder=holder, fingerprint=fingerprint)
    transaction.append(stream, (claim,))
