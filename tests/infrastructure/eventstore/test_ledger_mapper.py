"""Stored events are read by the closed registry, lifted to their newest version, never imported."""

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from application.ledger import Answer, Transaction
from domain.kernel.facts import Fact
from domain.kernel.registry import Registry, UnknownEvent
from domain.kernel.streams import EventType, StreamId, StreamType
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.mapper import NO_KEYS, LedgerMapper, NoKeys, Stored, StreamFact, canonical
from infrastructure.eventstore.recorder import LedgerRecorder
from tests.support.fact_examples import examples
from tests.support.ledger_fixtures import ANSWERS, LedgerUrls, a_command, assert_sound, ledger_rows
from tests.support.subject_keys import MemoryKeys, a_wrap


class Weighed(Fact):
    """Version 1 said `weight` in kilograms, version 2 `grams`, version 3 adds `scale`."""

    grams: int
    scale: str


class WeighedOnce(Fact):
    """As version 1 had it."""

    weight: int


def _to_grams(content: dict[str, Any]) -> dict[str, Any]:
    return {"grams": content["weight"] * 1000}


def _to_scale(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "scale": "unknown"}


def parcels(*event_types: EventType) -> Registry:
    """A registry of one stream type whose state is the list of what was weighed."""
    evolve = lambda state, fact: (*(state or ()), fact)  # noqa: E731 - shorter than a function.
    return Registry((StreamType("parcel", event_types, evolve),))


PARCEL = StreamId("parcel", "p-1")

FIRST = parcels(EventType("parcel.weighed", WeighedOnce))
THIRD = parcels(EventType("parcel.weighed", Weighed, 3, {1: _to_grams, 2: _to_scale}))


@pytest.mark.parametrize("fact", examples(), ids=lambda fact: type(fact).__name__)
def test_every_fact_is_read_back_as_it_was_stored(fact: Fact) -> None:
    mapper = LedgerMapper(REGISTRY)
    keys = MemoryKeys()
    stored = mapper.encode(PARCEL, fact, keys)
    assert mapper.decode(PARCEL, stored, keys) == fact
    assert mapper.encode(PARCEL, mapper.decode(PARCEL, stored, keys), MemoryKeys()) == stored
    state = stored.state
    assert (
        state
        == json.dumps(json.loads(state), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )


def test_the_examples_cover_every_event_of_the_registry() -> None:
    mapper = LedgerMapper(REGISTRY)
    assert {mapper.encode(PARCEL, fact, MemoryKeys()).name for fact in examples()} == {
        e.name for e in REGISTRY.event_types()
    }


def test_old_versions_are_lifted_step_by_step() -> None:
    mapper = LedgerMapper(THIRD)
    assert mapper.decode(PARCEL, Stored("parcel.weighed", 1, b'{"weight":2}')) == Weighed(
        grams=2000, scale="unknown"
    )
    assert mapper.decode(PARCEL, Stored("parcel.weighed", 2, b'{"grams":7}')) == Weighed(
        grams=7, scale="unknown"
    )
    newest = Weighed(grams=7, scale="ours")
    assert mapper.decode(PARCEL, mapper.encode(PARCEL, newest, NoKeys()), NO_KEYS) == newest
    assert mapper.encode(PARCEL, newest, NoKeys()).schema_version == 3


def test_lifting_leaves_the_stored_rows_as_they_are(database_urls: LedgerUrls) -> None:
    def committer_of(registry: Registry) -> Committer:
        committer = Committer(
            BatchCommitter(database_urls.service, registry, ANSWERS, a_wrap(), SystemClock(), RandomIds())
        )
        committer.start()
        return committer

    def weigh(fact: Fact, registry: Registry) -> tuple[Any, ...]:
        stream_type = registry.stream_type("parcel")

        def handle(transaction: Transaction) -> Answer:
            transaction.append(stream_type.stream("p-1"), (fact,))
            seen.append(transaction.state(stream_type, "p-1"))
            return Answer(201, None)

        seen: list[Any] = []
        committer = committer_of(registry)
        committer.submit(a_command(handle, stream_type.stream("p-1"))).result()
        committer.stop()
        return tuple(seen[-1])

    weigh(WeighedOnce(weight=2), FIRST)
    (before,) = ledger_rows(database_urls.service)
    newest = Weighed(grams=5, scale="ours")
    assert weigh(newest, THIRD) == (Weighed(grams=2000, scale="unknown"), newest)
    rows = assert_sound(database_urls.service)
    assert rows[0] == before
    assert [(row.schema_version, row.state) for row in rows] == [
        (1, b'{"weight":2}'),
        (3, b'{"grams":5,"scale":"ours"}'),
    ]


@pytest.mark.parametrize(
    ("name", "schema_version"),
    [("parcel.lost", 1), ("os.system", 1), ("tests.support.facts:examples", 1), ("parcel.weighed", 4)],
)
def test_what_the_registry_does_not_list_is_refused(name: str, schema_version: int) -> None:
    with pytest.raises(UnknownEvent):
        LedgerMapper(THIRD).decode(PARCEL, Stored(name, schema_version, b"{}"))


def test_a_fact_of_an_unlisted_class_is_not_stored() -> None:
    with pytest.raises(UnknownEvent):
        LedgerMapper(THIRD).encode(PARCEL, WeighedOnce(weight=1), NoKeys())


SECRET = "Marigold Tansy-Okafor"


@pytest.mark.parametrize(
    ("schema_version", "state"),
    [
        (3, {"grams": SECRET, "scale": "x"}),
        (3, {"grams": 1, "scale": "x", SECRET: 1}),
        (2, {"grams": SECRET}),
        (1, {SECRET: 1}),
        (1, [SECRET]),
        (0, {"weight": SECRET}),
        (3, SECRET),
    ],
)
def test_an_unreadable_event_is_an_error_that_quotes_none_of_it(schema_version: int, state: Any) -> None:
    with pytest.raises(MapperDeserialisationError) as error:
        LedgerMapper(THIRD).decode(
            PARCEL, Stored("parcel.weighed", schema_version, json.dumps(state).encode())
        )
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize("state", [b"", b"{", b"\xff\xfe", b'{"grams":1,"scale":"x"} trailing'])
def test_bytes_that_are_not_json_are_an_error(state: bytes) -> None:
    for schema_version in (1, 3):
        with pytest.raises(MapperDeserialisationError):
            LedgerMapper(THIRD).decode(PARCEL, Stored("parcel.weighed", schema_version, state))


def test_the_library_stores_and_reads_facts_by_the_mapper(database_urls: LedgerUrls) -> None:
    mapper = LedgerMapper(THIRD)
    fact = StreamFact(
        originator_id=f"parcel:{uuid4()}", originator_version=1, fact=Weighed(grams=1, scale="s")
    )
    stored = mapper.to_stored_event(fact)
    assert (stored.topic, stored.state) == ("parcel.weighed", b'{"grams":1,"scale":"s"}')
    assert mapper.to_domain_event(stored) == fact
    with pytest.raises(UnknownEvent):
        mapper.to_stored_event(fact.fact)  # type: ignore[arg-type]
    old = StoredEvent("parcel:x", 1, "parcel.lost", b"{}")
    with pytest.raises(UnknownEvent):
        mapper.to_domain_event(old)
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        assert LedgerRecorder(connection).select_events("parcel:x") == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_never_stored_as_nothing(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"extra": [{"weight": value}]})
    assert canonical({"weight": None, "name": "null"}) == b'{"name":"null","weight":null}'
