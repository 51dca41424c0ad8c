"""Taking upstream facts in: once each, checked, what they lead to in the same transaction (contract §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from application.handlers.documents import (
    DocumentEntry,
    PlannedDocument,
    document_entry,
    draft_and_number,
    planned_documents,
)
from application.ledger import Answer, Handler, Transaction
from application.ports import Fingerprint
from application.validation import invalid_field, parse
from domain.documents.order import ORDER, RefundData, order_content, pay, refund, refund_content
from domain.documents.order_snapshot import OrderData
from domain.inbound.inbound import (
    INBOUND,
    Effect,
    InboundReceived,
    InboundRefused,
    inbound_id,
    refuse,
    seen_before,
)
from domain.kernel.claim import CLAIM, Claim, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.facts import NO_CONTROLS, UpstreamValue
from domain.kernel.privacy import subject_of
from domain.kernel.streams import StreamId

ORDER_PAID = "orders.PAID_IN_ESCROW"
REFUND_EXECUTED = "payments.REFUND_EXECUTED"
ALIASES: Mapping[str, str] = {"payments.REFUND": REFUND_EXECUTED}
"""Other names under which upstream sends the same facts."""


EventName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]
"""An event's id or source: text that the ledger can keep and people can read."""


class CloudEvent(UpstreamValue):
    """The CloudEvents 1.0 envelope of an upstream fact; `data` is checked by type."""

    specversion: Literal["1.0"]
    id: EventName
    source: EventName
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class UpstreamFact:
    """An upstream fact whose data has been read, ready to be decided on.

    `fingerprint` is of its type and data as sent, `content_fingerprint` of what may never differ of it.
    """

    event: CloudEvent
    type: str
    data: OrderData | RefundData
    fingerprint: str
    content_fingerprint: str

    @property
    def stream_id(self) -> str:
        """The id of its inbound stream."""
        return inbound_id(self.event.source, self.event.id)

    @cached_property
    def planned(self) -> tuple[PlannedDocument, ...]:
        """The documents that it calls for; made once, outside the ledger's lock."""
        return planned_documents(self.data) if isinstance(self.data, OrderData) else ()

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads."""
        streams = {INBOUND.stream(self.stream_id), ORDER.stream(self.data.order_id)}
        streams.add(claim_stream("SNAPSHOT", _snapshot_id(self.data)))
        for plan in self.planned:
            streams |= plan.streams
        return frozenset(streams)

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Whose personal data it brings."""
        if isinstance(self.data, RefundData):
            return frozenset()
        parties = self.data.order_party_snapshot
        present = (parties.buyer, parties.seller, parties.ops, parties.platform)
        return frozenset(subject_of(party) for party in present if party is not None)


def read_fact(event: CloudEvent, fingerprint: Fingerprint) -> UpstreamFact:
    """Reads an event's data by its type. Raises `VALIDATION_FAILED` naming the fields."""
    fact_type = ALIASES.get(event.type, event.type)
    model = _MODELS.get(fact_type)
    if model is None:
        raise invalid_field("type", "UNKNOWN", "This type of event is not taken here.")
    data = parse(model, event.data, "data")
    content = order_content(data) if isinstance(data, OrderData) else refund_content(data)
    return UpstreamFact(
        event=event,
        type=fact_type,
        data=data,
        fingerprint=fingerprint({"type": fact_type, "data": event.data}),
        content_fingerprint=fingerprint(content),
    )


@dataclass(frozen=True)
class Outcome:
    """What became of a fact: an entry of the door's `results` (contract §4)."""

    id: str
    outcome: Effect | Literal["REJECTED"]
    documents: tuple[DocumentEntry, ...] = ()
    error: DomainError | None = None


def receive_fact(fact: UpstreamFact) -> Handler:
    """Takes a fact in, or records the refusal. The answer's body is an `Outcome`."""

    def handle(transaction: Transaction) -> Answer:
        stream = INBOUND.stream(fact.stream_id)
        inbound = transaction.state(INBOUND, fact.stream_id)
        try:
            if seen_before(inbound, fact.fingerprint):
                return _result(transaction, fact, "DUPLICATE")
            effect = _take(transaction, fact)
        except DomainError as refusal:
            refused = InboundRefused(
                source=fact.event.source,
                event_id=fact.event.id,
                type=fact.type,
                data_fingerprint=fact.fingerprint,
                order_id=fact.data.order_id,
                code=refusal.code,
            )
            transaction.append(stream, refuse(inbound, refused))
            return Answer(422, Outcome(fact.event.id, "REJECTED", error=refusal))
        received = InboundReceived(
            source=fact.event.source,
            event_id=fact.event.id,
            type=fact.type,
            data_fingerprint=fact.fingerprint,
            order_id=fact.data.order_id,
            effect=effect,
        )
        transaction.append(stream, (received,))
        return _result(transaction, fact, effect)

    return handle


def _take(transaction: Transaction, fact: UpstreamFact) -> Effect:
    """Lets the order decide, claims the snapshot's id, and does what the facts call for."""
    data = fact.data
    before = transaction.state(ORDER, data.order_id)
    fingerprint = fact.content_fingerprint
    facts = (
        pay(before, data, fingerprint) if isinstance(data, OrderData) else refund(before, data, fingerprint)
    )
    if not facts:
        return "DUPLICATE"
    claim = _claim_snapshot(transaction, fact)
    transaction.append(claim_stream("SNAPSHOT", _snapshot_id(data)), claim)
    transaction.append(ORDER.stream(data.order_id), facts)
    draft_and_number(transaction, fact.planned)
    after = transaction.state(ORDER, data.order_id)
    waits = isinstance(data, RefundData) and after is not None and data.refund_id in after.waiting
    return "WAITING" if waits else "ACCEPTED"


def _claim_snapshot(transaction: Transaction, fact: UpstreamFact) -> tuple[ClaimTaken, ...]:
    """A snapshot id belongs to one order, or one refund of it. Raises `SNAPSHOT_CONFLICT`."""
    snapshot_id = _snapshot_id(fact.data)
    holder = fact.data.order_id
    if isinstance(fact.data, RefundData):
        holder = f"{holder}/{fact.data.refund_id}"
    stream = claim_stream("SNAPSHOT", snapshot_id)
    taken: Claim | None = transaction.state(CLAIM, stream.id)
    if taken is not None:
        raise DomainError("SNAPSHOT_CONFLICT", "This snapshotId was recorded with another snapshot.")
    return (ClaimTaken(purpose="SNAPSHOT", key=snapshot_id, holder=holder, fingerprint=fact.fingerprint),)


def _snapshot_id(data: OrderData | RefundData) -> str:
    snapshot = data.order_financial_snapshot if isinstance(data, OrderData) else data.refund_snapshot
    return snapshot.snapshot_id


def _result(transaction: Transaction, fact: UpstreamFact, effect: Effect) -> Answer:
    documents = tuple(document_entry(transaction, plan) for plan in fact.planned)
    return Answer(200, Outcome(fact.event.id, effect, documents))


_MODELS: Mapping[str, type[OrderData] | type[RefundData]] = {
    ORDER_PAID: OrderData,
    REFUND_EXECUTED: RefundData,
}
