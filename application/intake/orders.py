"""Orders that were paid, and what follows: their completion, payouts, refunds and disputes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from application.desk import Desk
from application.handlers.documents import PlannedDocument, streams_of
from application.handlers.order_causes import draft_for_causes
from application.handlers.order_documents import PAYMENT, newest_document, plans_of_payment
from application.intake.intake import Reading, WithoutFiles
from application.ledger import Transaction
from application.validation import parse
from domain.documents.order import complete, end_dispute, order_content, pay, pay_out, refund, told_content
from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_facts import Cause
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.documents.order_state import ORDER, Order, money_of
from domain.inbound.inbound import Effect
from domain.kernel.claim import CLAIM, Claim, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.kernel.privacy import subject_of
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class PaidOrder(WithoutFiles):
    """`orders.PAID_IN_ESCROW`. `fingerprint` is of what may never differ of the order."""

    data: OrderData
    fingerprint: str
    desk: Desk

    @property
    def about(self) -> StreamId:
        """The order."""
        return ORDER.stream(self.data.order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The order, the claim to its snapshot's id, and what its own documents read."""
        claim = claim_stream("SNAPSHOT", self.data.order_financial_snapshot.snapshot_id)
        return streams_of(self.planned) | {self.about, claim}

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Everybody who takes part in it."""
        parties = self.data.order_party_snapshot
        present = (parties.buyer, parties.seller, parties.ops, parties.platform)
        return frozenset(subject_of(party) for party in present if party is not None)

    @cached_property
    def planned(self) -> tuple[PlannedDocument, ...]:
        """What policy calls for; made once, outside the ledger's lock."""
        return plans_of_payment(self.desk, self.data)

    def take(self, transaction: Transaction) -> Effect:
        """Records the order and what waited for it, and drafts and numbers their documents."""
        facts = pay(transaction.state(ORDER, self.data.order_id), self.data, self.fingerprint)
        if not facts:
            return "DUPLICATE"
        snapshot_id = self.data.order_financial_snapshot.snapshot_id
        _claim_snapshot(transaction, snapshot_id, self.data.order_id, self.fingerprint)
        transaction.append(self.about, facts)
        draft_for_causes(transaction, self.desk, self.data.order_id, self.planned)
        return "ACCEPTED"

    def led_to(self, transaction: Transaction) -> tuple[str, ...]:
        """The documents of the payment and of what had waited for it."""
        state = transaction.state(ORDER, self.data.order_id)
        assert state is not None, "it was paid"
        of_payment = {PAYMENT.key, *state.had_waited}
        called = [
            each.document_id for key in state.documents if key in of_payment for each in state.documents[key]
        ]
        receipt = newest_document(transaction, state, "RECEIPT", PAYMENT)
        if PAYMENT.key not in state.documents and receipt is not None:
            # Before causes were noted in the order's history, a payment led to a receipt alone.
            called.insert(0, receipt[0])
        return tuple(called)


@dataclass(frozen=True)
class FollowingEvent(WithoutFiles):
    """What happens to an order once it is paid; before that it waits.

    `decide` records it, on the order's state; `snapshot` is the money that it moved back, if it did.
    """

    order_id: str
    cause: Cause
    desk: Desk
    fingerprint: str
    decide: Callable[[Order | None], tuple[Fact, ...]]
    snapshot: OrderFinancialSnapshot | None = None
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The order."""
        return ORDER.stream(self.order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The order, and the claim to the snapshot's id where there is one."""
        if self.snapshot is None:
            return frozenset({self.about})
        return frozenset({self.about, claim_stream("SNAPSHOT", self.snapshot.snapshot_id)})

    def take(self, transaction: Transaction) -> Effect:
        """Records it and drafts its documents; what precedes its order waits."""
        before = transaction.state(ORDER, self.order_id)
        if before is not None and self._is_money_of_another(before):
            return "DUPLICATE"
        facts = self.decide(before)
        if not facts:
            return "DUPLICATE"
        if self.snapshot is not None and (before is None or money_of(before, self.snapshot) is None):
            holder = f"{self.order_id}/{self.cause.id}"
            _claim_snapshot(transaction, self.snapshot.snapshot_id, holder, self.fingerprint)
        transaction.append(self.about, facts)
        state = transaction.state(ORDER, self.order_id)
        if state is None or self.cause.key in state.waiting:
            return "WAITING"
        draft_for_causes(transaction, self.desk, self.order_id)
        return "ACCEPTED"

    def led_to(self, transaction: Transaction) -> tuple[str, ...]:
        """The documents that were drafted because of it."""
        state = transaction.state(ORDER, self.order_id)
        if state is None:
            return ()
        other = None if self.snapshot is None else money_of(state, self.snapshot)
        cause = other or self.cause
        return tuple(called.document_id for called in state.documents.get(cause.key, ()))

    def _is_money_of_another(self, state: Order) -> bool:
        """Whether a refund tells of the very money that something else told of (contract §4)."""
        if self.cause.type != "REFUND" or self.snapshot is None:
            return False
        return money_of(state, self.snapshot) not in (None, self.cause)


def read_paid_order(data: dict[str, Any], reading: Reading) -> PaidOrder:
    """Reads `orders.PAID_IN_ESCROW`."""
    order = parse(OrderData, data, "data")
    return PaidOrder(order, reading.fingerprint(order_content(order)), reading.desk)


def read_completion(data: dict[str, Any], reading: Reading) -> FollowingEvent:
    """Reads `orders.COMPLETED`, which may repeat the order's data; these are compared, and not kept."""
    repeated = None
    if "orderFinancialSnapshot" in data:
        repeated = reading.fingerprint(order_content(parse(OrderData, data, "data")))
    told = {name: value for name, value in data.items() if name not in _ORDER_DATA}
    completion = parse(CompletionData, told, "data")
    return FollowingEvent(
        completion.order_id,
        Cause(type="COMPLETION"),
        reading.desk,
        repeated or "",
        lambda state: complete(state, completion, repeated),
    )


_ORDER_DATA = frozenset(
    field.alias or name for name, field in OrderData.model_fields.items() if name != "order_id"
)


def read_payout(data: dict[str, Any], reading: Reading) -> FollowingEvent:
    """Reads `payments.PAYOUT_SENT`."""
    payout = parse(PayoutData, data, "data")
    fingerprint = reading.fingerprint(told_content(payout))
    return FollowingEvent(
        payout.order_id,
        Cause(type="PAYOUT", id=payout.payout_id),
        reading.desk,
        fingerprint,
        lambda state: pay_out(state, payout, fingerprint),
    )


def read_executed_refund(data: dict[str, Any], reading: Reading) -> FollowingEvent:
    """Reads `payments.REFUND_EXECUTED`."""
    refunded = parse(RefundData, data, "data")
    fingerprint = reading.fingerprint(told_content(refunded))
    return FollowingEvent(
        refunded.order_id,
        Cause(type="REFUND", id=refunded.refund_id),
        reading.desk,
        fingerprint,
        lambda state: refund(state, refunded, fingerprint),
        refunded.refund_snapshot,
    )


def read_dispute(data: dict[str, Any], reading: Reading) -> FollowingEvent:
    """Reads `payments.DISPUTE_SAGA_COMPLETED`."""
    dispute = parse(DisputeData, data, "data")
    fingerprint = reading.fingerprint(told_content(dispute))
    return FollowingEvent(
        dispute.order_id,
        Cause(type="DISPUTE", id=dispute.dispute_id),
        reading.desk,
        fingerprint,
        lambda state: end_dispute(state, dispute, fingerprint),
        dispute.refund_snapshot,
    )


def _claim_snapshot(transaction: Transaction, snapshot_id: str, holder: str, fingerprint: str) -> None:
    """A snapshot id belongs to one order, or one refund of it. Raises `SNAPSHOT_CONFLICT`."""
    stream = claim_stream("SNAPSHOT", snapshot_id)
    taken: Claim | None = transaction.state(CLAIM, stream.id)
    if taken is not None:
        raise DomainError("SNAPSHOT_CONFLICT", "This snapshotId was recorded with another snapshot.")
    claim = ClaimTaken(purpose="SNAPSHOT", key=snapshot_id, holder=holder, fingerprint=fingerprint)
    transaction.append(stream, (claim,))
