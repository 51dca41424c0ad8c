"""Turns facts into stored bytes and back, by the closed registry; never by what a row asks to import."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from pydantic import ValidationError
from pydantic_core import from_json

from domain.kernel.facts import Fact
from domain.kernel.privacy import RetentionClass, SealedFor
from domain.kernel.registry import Registry, UnknownEvent
from domain.kernel.streams import EventType, StreamId
from infrastructure.eventstore.rows import EventRow, stream_of
from infrastructure.eventstore.sealing import (
    OpeningKeys,
    SealingKeys,
    SubjectKey,
    SubjectKeyMissing,
    place_of,
    seal,
    sealed_parts,
    unseal,
)


@dataclass(frozen=True)
class StreamFact:
    """A fact at its place in a stream: what the eventsourcing library calls a domain event."""

    originator_id: str
    originator_version: int
    fact: Fact


class Stored(NamedTuple):
    """A fact as it is stored: name, schema version and canonical JSON, what is personal in it sealed."""

    name: str
    schema_version: int
    state: bytes


class Parsed(NamedTuple):
    """A stored event on its way back: `content` is its JSON where parts of it are sealed, else None."""

    event_type: EventType
    stored: Stored
    stream: StreamId
    content: dict[str, Any] | None
    sealed_for: tuple[SealedFor, ...]


class NoKeys:
    """For those who seal nothing; whoever tries is told so."""

    def key_for(self, subject: str, retention_class: RetentionClass) -> SubjectKey:
        """Raises `SubjectKeyMissing`."""
        raise SubjectKeyMissing(f"there are no keys here for {subject}, {retention_class}")

    def nonce(self) -> bytes:
        """Raises `SubjectKeyMissing`."""
        raise SubjectKeyMissing("there are no keys here")


NO_KEYS: Mapping[Any, None] = {}


class LedgerMapper(Mapper[str]):
    """The library's mapper with our own names, schema versions, sealing, upcasting and canonical JSON.

    The stock mapper stores `vars()` of an event under its module path, which breaks pydantic models and
    imports whatever a row names.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._registry = registry

    def encode(self, stream: StreamId, fact: Fact, keys: SealingKeys) -> Stored:
        """A fact as it is stored in that stream. Raises `UnknownEvent`, and whatever `keys` raises."""
        event_type = self._registry.by_fact(fact)
        content = fact.model_dump(mode="json", by_alias=True, exclude_none=True)
        seal(content, event_type.fact, stream, keys)
        return Stored(event_type.name, event_type.schema_version, canonical(content))

    def parse(self, stream: StreamId, stored: Stored) -> Parsed:
        """A stored event, and which keys reading it takes (`sealed_for`).

        Raises `UnknownEvent` or `MapperDeserialisationError`; an unreadable event is never skipped.
        """
        event_type = self._registry.by_name(stored.name)
        if place_of(event_type.fact) is None:
            return Parsed(event_type, stored, stream, None, ())
        try:
            content = from_json(stored.state, allow_inf_nan=False)
            return Parsed(event_type, stored, stream, content, sealed_parts(content, event_type.fact))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise _unreadable(stored) from None

    def open(self, parsed: Parsed, keys: OpeningKeys) -> Fact:
        """The fact of a stored event, lifted to its newest schema version.

        Raises `UnknownEvent`, `MapperDeserialisationError` or `SubjectKeyMissing`. Fields are read by their
        stored names only, for upstream's extra fields may be called like fields of ours.
        """
        event_type, stored, stream, content, _ = parsed
        try:
            if content is None and stored.schema_version == event_type.schema_version:
                return event_type.fact.model_validate_json(stored.state, by_alias=True, by_name=False)
            if stored.schema_version > event_type.schema_version:
                raise UnknownEvent(
                    f"{stored.name} has schema version {stored.schema_version}, newer than this program"
                )
            content = from_json(stored.state, allow_inf_nan=False) if content is None else content
            unseal(content, event_type.fact, stream, keys)
            for version in range(stored.schema_version, event_type.schema_version):
                content = event_type.upcasters[version](content)
            return event_type.fact.model_validate(content, by_alias=True, by_name=False)
        except (ValidationError, ValueError, LookupError, TypeError, AttributeError, InvalidTag):
            # The offending bytes may be personal, so that neither message nor cause shows them.
            raise _unreadable(stored) from None

    def decode(self, stream: StreamId, stored: Stored, keys: OpeningKeys = NO_KEYS) -> Fact:
        """`parse` and `open` in one, for who has the keys at hand."""
        return self.open(self.parse(stream, stored), keys)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The library's way to store a `StreamFact`; only facts without personal data go this way."""
        if not isinstance(domain_event, StreamFact):
            raise UnknownEvent(f"{type(domain_event).__name__} is not a fact of a stream")
        stored = self.encode(stream_of(domain_event.originator_id), domain_event.fact, NoKeys())
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=stored.name,
            state=stored.state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> StreamFact:
        """The library's way to read a stored event that holds nothing sealed."""
        if isinstance(stored_event, EventRow):
            schema_version = stored_event.schema_version
        else:
            schema_version = self._registry.by_name(stored_event.topic).schema_version
        stored = Stored(stored_event.topic, schema_version, stored_event.state)
        return StreamFact(
            originator_id=str(stored_event.originator_id),
            originator_version=stored_event.originator_version,
            fact=self.decode(stream_of(str(stored_event.originator_id)), stored),
        )


# Several times faster than the standard library's encoder, which is felt in every command.
_encode = msgspec.json.Encoder(order="deterministic").encode


def canonical(content: dict[str, Any]) -> bytes:
    """JSON with sorted keys and no blanks; it keeps decimal fractions of upstream's extra fields as sent.

    Raises ValueError for NaN and infinities.
    """
    encoded = _encode(content)
    if b"null" in encoded:
        # That is also how this encoder writes what is no number; the standard library's tells them apart.
        json.dumps(content, allow_nan=False)
    return encoded


def _unreadable(stored: Stored) -> MapperDeserialisationError:
    return MapperDeserialisationError(f"{stored.name} version {stored.schema_version} cannot be read")
