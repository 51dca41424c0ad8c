"""Taking upstream facts in: once each, checked, what they lead to in the same transaction (contract §4)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from application.handlers.documents import DocumentEntry, document_entry
from application.intake.intake import Intake, Reading
from application.intake.registry import ALIASES, INTAKES
from application.ledger import Answer, Handler, Transaction
from application.validation import invalid_field
from domain.documents.document import DOCUMENT
from domain.inbound.inbound import (
    INBOUND,
    About,
    Effect,
    InboundReceived,
    InboundRefused,
    inbound_id,
    refuse,
    seen_before,
)
from domain.kernel.card_numbers import FACT_WITHOUT_CARD_DATA
from domain.kernel.errors import DomainError
from domain.kernel.facts import NO_CONTROLS, UpstreamValue
from domain.kernel.streams import StreamId

EventName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]
"""An event's id or source: text that the ledger can keep and people can read."""


class CloudEvent(UpstreamValue):
    """The CloudEvents 1.0 envelope of an upstream fact; `data` is checked by type."""

    specversion: Literal["1.0"]
    id: EventName
    source: EventName
    type: str
    data: Annotated[dict[str, Any], FACT_WITHOUT_CARD_DATA]


@dataclass(frozen=True)
class UpstreamFact:
    """An upstream fact whose data has been read, ready to be decided on.

    `fingerprint` is of its type and data as sent.
    """

    event: CloudEvent
    type: str
    intake: Intake
    fingerprint: str

    @property
    def stream_id(self) -> str:
        """The id of its inbound stream."""
        return inbound_id(self.event.source, self.event.id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads."""
        return self.intake.streams | {INBOUND.stream(self.stream_id)}


def read_fact(event: CloudEvent, reading: Reading) -> UpstreamFact:
    """Reads an event's data by its type. Raises `VALIDATION_FAILED` naming the fields."""
    fact_type = ALIASES.get(event.type, event.type)
    read = INTAKES.get(fact_type)
    if read is None:
        raise invalid_field("type", "UNKNOWN", "This type of event is not taken here.")
    return UpstreamFact(
        event=event,
        type=fact_type,
        intake=read(event.data, reading),
        fingerprint=reading.fingerprint({"type": fact_type, "data": event.data}),
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
        about = About(stream_type=fact.intake.about.type, stream_id=fact.intake.about.id)
        try:
            if seen_before(inbound, fact.fingerprint):
                return _result(transaction, fact, "DUPLICATE")
            effect = fact.intake.take(transaction)
        except DomainError as refusal:
            refused = InboundRefused(
                source=fact.event.source,
                event_id=fact.event.id,
                type=fact.type,
                data_fingerprint=fact.fingerprint,
                about=about,
                code=refusal.code,
            )
            transaction.append(stream, refuse(inbound, refused))
            return Answer(422, Outcome(fact.event.id, "REJECTED", error=refusal))
        received = InboundReceived(
            source=fact.event.source,
            event_id=fact.event.id,
            type=fact.type,
            data_fingerprint=fact.fingerprint,
            about=about,
            effect=effect,
        )
        transaction.append(stream, (received,))
        return _result(transaction, fact, effect)

    return handle


def _result(transaction: Transaction, fact: UpstreamFact, effect: Effect) -> Answer:
    document_ids = fact.intake.led_to(transaction)
    transaction.expect(DOCUMENT.stream(each) for each in document_ids)
    documents = tuple(document_entry(transaction, each) for each in document_ids)
    return Answer(200, Outcome(fact.event.id, effect, documents))
