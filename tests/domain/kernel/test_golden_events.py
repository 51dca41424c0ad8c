"""The stored form of every event, byte for byte; `make golden` rewrites the files for review."""

from functools import cache

import pytest

from domain.kernel.facts import Fact
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper, Stored
from tests.support.fact_examples import examples
from tests.support.golden import EVENTS, EXAMPLE_STREAM, golden_events
from tests.support.subject_keys import MemoryKeys

MAPPER = LedgerMapper(REGISTRY)


def _read(event_name: str, version: int, state: bytes) -> Fact:
    return MAPPER.decode(EXAMPLE_STREAM, Stored(event_name, version, state), _keys_of_examples())


@cache
def _keys_of_examples() -> MemoryKeys:
    keys = MemoryKeys()
    for fact in examples():
        MAPPER.encode(EXAMPLE_STREAM, fact, keys)
    return keys


@pytest.mark.parametrize("name", sorted(golden_events()))
def test_an_event_is_stored_as_it_always_was(name: str) -> None:
    assert golden_events()[name] == (EVENTS / name).read_bytes()


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.glob("*.json")))
def test_every_form_ever_stored_is_still_read(name: str) -> None:
    event_name, _, version = name.removesuffix(".json").rpartition(".v")
    _read(event_name, int(version), (EVENTS / name).read_bytes())


@pytest.mark.parametrize("fact", examples(), ids=lambda fact: type(fact).__name__)
def test_the_newest_form_is_read_into_the_example(fact: object) -> None:
    name = next(name for name, example in zip(golden_events(), examples(), strict=True) if example == fact)
    event_name, _, version = name.removesuffix(".json").rpartition(".v")
    assert _read(event_name, int(version), (EVENTS / name).read_bytes()) == fact


def test_every_schema_version_has_its_file() -> None:
    expected = {
        f"{event_type.name}.v{version}.json"
        for event_type in REGISTRY.event_types()
        for version in range(1, event_type.schema_version + 1)
    }
    assert {path.name for path in EVENTS.iterdir()} == expected
