"""The closed registry: every stored name is known, and nothing is known twice."""

import re
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.kernel.facts import Fact
from domain.kernel.registry import Registry, UnknownEvent
from domain.kernel.streams import EventType, StreamId, StreamType
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper, Stored
from tests.support.fact_examples import examples
from tests.support.facts import a_refund, paid, refunded
from tests.support.snapshots import order_data, orders
from tests.support.subject_keys import MemoryKeys

MAPPER = LedgerMapper(REGISTRY)
LAMP = StreamId("lamp", "l-1")


class _Lit(Fact):
    brightness: int


class _Dimmed(Fact):
    pass


class _LitBrightly(_Lit):
    pass


def _lamp(*event_types: EventType, name: str = "lamp") -> StreamType[Any]:
    return StreamType(name, event_types, lambda state, fact: (*(state or ()), fact))


LIT = EventType("lamp.lit", _Lit)


def test_facts_are_found_by_name_and_by_class() -> None:
    registry = Registry((_lamp(LIT),))
    assert registry.by_name("lamp.lit") is registry.by_fact(_Lit(brightness=1)) is LIT
    assert registry.has_stream_type("lamp")
    assert not registry.has_stream_type("candle")


def test_what_is_not_listed_is_unknown() -> None:
    registry = Registry((_lamp(LIT),))
    for look_up in (
        lambda: registry.by_name("lamp.dimmed"),
        lambda: registry.by_fact(_Dimmed()),
        lambda: registry.by_fact(_LitBrightly(brightness=9)),
        lambda: registry.stream_type("candle"),
    ):
        with pytest.raises(UnknownEvent):
            look_up()


@pytest.mark.parametrize(
    "stream_types",
    [
        (_lamp(LIT), _lamp(EventType("lamp.dimmed", _Dimmed))),
        (_lamp(LIT, EventType("lamp.lit", _Dimmed)),),
        (_lamp(LIT, EventType("lamp.lit-again", _Lit)),),
        (_lamp(EventType("candle.lit", _Lit)),),
        (_lamp(EventType("lamp.lit", _Lit, schema_version=2)),),
        (_lamp(EventType("lamp.lit", _Lit, upcasters={1: dict})),),
        (_lamp(EventType("lamp.lit", _Lit, schema_version=3, upcasters={1: dict, 3: dict})),),
    ],
)
def test_a_contradictory_registry_is_refused(stream_types: tuple[StreamType[Any], ...]) -> None:
    with pytest.raises(UnknownEvent):
        Registry(stream_types)


def test_folding_goes_from_oldest_to_newest() -> None:
    registry = Registry((_lamp(LIT),))
    facts = (_Lit(brightness=1), _Lit(brightness=2))
    stream = registry.stream_type("lamp").stream("l-1")
    assert registry.fold(stream, facts) == facts
    assert registry.fold(stream, facts[1:], registry.evolve(stream, None, facts[0])) == facts


def test_older_schema_versions_are_lifted_step_by_step() -> None:
    upcasters = {
        1: lambda content: {"lumen": content["candles"] * 12},
        2: lambda content: {"brightness": content["lumen"]},
    }
    mapper = LedgerMapper(Registry((_lamp(EventType("lamp.lit", _Lit, 3, upcasters)),)))
    assert mapper.decode(LAMP, Stored("lamp.lit", 1, b'{"candles":2}')) == _Lit(brightness=24)
    assert mapper.decode(LAMP, Stored("lamp.lit", 2, b'{"lumen":5}')) == _Lit(brightness=5)
    assert mapper.decode(LAMP, Stored("lamp.lit", 3, b'{"brightness":7}')) == _Lit(brightness=7)


def test_there_is_an_example_of_every_stored_event() -> None:
    names = [REGISTRY.by_fact(fact).name for fact in examples()]
    assert sorted(names) == [event_type.name for event_type in REGISTRY.event_types()]


@pytest.mark.parametrize("fact", examples(), ids=lambda fact: type(fact).__name__)
def test_every_stored_event_is_read_back_as_it_was(fact: Fact) -> None:
    _assert_round_trip(fact)


@pytest.mark.parametrize("fact", examples(), ids=lambda fact: type(fact).__name__)
def test_every_stored_event_can_do_without_its_optional_fields(fact: Fact) -> None:
    needed = {
        name: getattr(fact, name) for name, field in type(fact).model_fields.items() if field.is_required()
    }
    _assert_round_trip(type(fact)(**needed))


def test_no_required_field_of_a_stored_event_may_be_none() -> None:
    """Stored JSON leaves out what is None, so that such a field could never be read back."""
    for event_type in REGISTRY.event_types():
        for name, field in event_type.fact.model_fields.items():
            assert not (field.is_required() and "None" in str(field.annotation)), f"{event_type.name}.{name}"


_extra_keys = st.one_of(
    st.sampled_from(("paid_at", "order_id", "country_code", "references_", "model_config", "self")),
    st.from_regex(re.compile(r"[a-z]{1,6}_?[A-Za-z]{0,6}", re.ASCII), fullmatch=True),
)
_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffe\uffff"), max_size=9)
_extra_values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        _text,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
_extras = st.dictionaries(_extra_keys.filter(lambda key: key not in order_data()), _extra_values, max_size=3)


@for_any(orders(), _extras)
def test_any_order_with_any_extra_fields_is_read_back_as_it_was(order: Any, extras: dict[str, Any]) -> None:
    data = {**order.model_dump(mode="json", by_alias=True), **extras}
    _assert_round_trip(paid(type(order).model_validate(data, by_alias=True, by_name=False)))


@for_any(st.integers(0, 2**53 - 1), st.text("abcñ:/ ", min_size=1, max_size=20))
def test_any_refund_is_read_back_as_it_was(amount: int, refund_id: str) -> None:
    _assert_round_trip(refunded(a_refund(refund_id, amount)))


def _assert_round_trip(fact: Fact) -> None:
    keys = MemoryKeys()
    stored = MAPPER.encode(LAMP, fact, keys)
    again = MAPPER.decode(LAMP, stored, keys)
    assert again == fact
    assert MAPPER.encode(LAMP, again, MemoryKeys()) == stored
