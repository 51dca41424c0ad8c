"""An upstream event is received once per source and id; a refused one leaves its id free."""

import pytest
from hypothesis import assume
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.inbound.inbound import INBOUND, inbound_id, refuse, seen_before
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from tests.support.facts import received, refused
from tests.support.given import given, state_after

FINGERPRINT = received().data_fingerprint


def test_a_new_event_was_not_seen_before() -> None:
    assert not seen_before(None, FINGERPRINT)


def test_a_received_event_was_seen_before() -> None:
    assert seen_before(state_after(received()), FINGERPRINT)


def test_a_received_id_with_other_data_conflicts() -> None:
    with pytest.raises(DomainError) as refusal:
        seen_before(state_after(received()), "other")
    assert refusal.value.code == "EVENT_CONFLICT"


@pytest.mark.parametrize("fingerprint", [FINGERPRINT, "other"])
def test_a_refused_id_is_free(fingerprint: str) -> None:
    assert not seen_before(state_after(refused()), fingerprint)


def test_an_id_received_after_a_refusal_is_taken() -> None:
    assert seen_before(state_after(refused(), received()), FINGERPRINT)


def test_a_refusal_is_recorded_once() -> None:
    given().when(refuse, refused()).then(refused())
    given(refused()).when(refuse, refused()).then()


@pytest.mark.parametrize("changes", [{"data_fingerprint": "other"}, {"code": "SNAPSHOT_CONFLICT"}])
def test_another_refusal_under_the_same_id_is_recorded_too(changes: dict[str, str]) -> None:
    given(refused()).when(refuse, refused(**changes)).then(refused(**changes))


def test_a_conflict_under_a_received_id_is_recorded_and_the_id_stays_taken() -> None:
    conflict = refused(data_fingerprint="other", code="EVENT_CONFLICT")
    given(received()).when(refuse, conflict).then(conflict)
    assert seen_before(state_after(received(), conflict), FINGERPRINT)


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        INBOUND.evolve(None, Fact())


_events = st.tuples(*[st.text(st.characters(codec="utf-8"))] * 2)


@for_any(_events, _events)
def test_different_sources_and_ids_are_different_streams(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assume(one != other)
    assert inbound_id(*one) != inbound_id(*other)


def test_source_and_id_are_not_run_together() -> None:
    assert inbound_id("a:b", "c") != inbound_id("a", "b:c")
