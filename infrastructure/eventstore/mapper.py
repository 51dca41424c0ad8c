"""Turns facts into stored bytes and back, by the closed registry; never by what a row asks to import."""

import json
from dataclasses import dataclass
from typing import Any

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from pydantic import ValidationError

from domain.kernel.facts import Fact
from domain.kernel.registry import Registry, UnknownEvent
from infrastructure.eventstore.rows import EventRow


@dataclass(frozen=True)
class StreamFact:
    """A fact at its place in a stream: what the eventsourcing library calls a domain event."""

    originator_id: str
    originator_version: int
    fact: Fact


class LedgerMapper(Mapper[str]):
    """The library's mapper with our own names, schema versions, upcasting and canonical JSON.

    The stock mapper stores `vars()` of an event under its module path, which breaks pydantic models and
    imports whatever a row names.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._registry = registry

    def encode(self, fact: Fact) -> tuple[str, int, bytes]:
        """The stored name, schema version and canonical JSON of a fact. Raises `UnknownEvent`."""
        event_type = self._registry.by_fact(fact)
        content = fact.model_dump(mode="json", by_alias=True, exclude_none=True)
        return event_type.name, event_type.schema_version, _canonical(content)

    def decode(self, name: str, schema_version: int, state: bytes) -> Fact:
        """The fact that stored bytes are read into, lifted to its newest schema version.

        Raises `UnknownEvent` or `MapperDeserialisationError`; an unreadable event is never skipped. Fields
        are read by their stored names only, for upstream's extra fields may be called like fields of ours.
        """
        event_type = self._registry.by_name(name)
        try:
            if schema_version == event_type.schema_version:
                return event_type.fact.model_validate_json(state, by_alias=True, by_name=False)
            if schema_version > event_type.schema_version:
                raise UnknownEvent(f"{name} has schema version {schema_version}, newer than this program")
            content: dict[str, Any] = json.loads(state)
            for version in range(schema_version, event_type.schema_version):
                content = event_type.upcasters[version](content)
            return event_type.fact.model_validate_json(_canonical(content), by_alias=True, by_name=False)
        except (ValidationError, ValueError, LookupError, TypeError):
            # The offending bytes may be personal, so that neither message nor cause shows them.
            raise MapperDeserialisationError(f"{name} version {schema_version} cannot be read") from None

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The library's way to store a `StreamFact`."""
        if not isinstance(domain_event, StreamFact):
            raise UnknownEvent(f"{type(domain_event).__name__} is not a fact of a stream")
        name, _, state = self.encode(domain_event.fact)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=name,
            state=state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> StreamFact:
        """The library's way to read a stored event."""
        if isinstance(stored_event, EventRow):
            schema_version = stored_event.schema_version
        else:
            schema_version = self._registry.by_name(stored_event.topic).schema_version
        return StreamFact(
            originator_id=str(stored_event.originator_id),
            originator_version=stored_event.originator_version,
            fact=self.decode(stored_event.topic, schema_version, stored_event.state),
        )


def _canonical(content: dict[str, Any]) -> bytes:
    """JSON with sorted keys and no blanks; it keeps decimal fractions of upstream's extra fields as sent."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
