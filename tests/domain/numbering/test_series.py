"""Number series: gapless, in order, anew each year of the issuer's calendar where the format says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.kernel.facts import Fact
from domain.numbering.series import (
    NUMBER_SERIES,
    NumberAssigned,
    NumberFormat,
    assign_number,
    open_series,
    series_id,
)
from tests.support.facts import DOCUMENT_ID, NOON, SERIES_ID, YEARLY, assigned, opened
from tests.support.given import given, state_after

CONTINUOUS = NumberFormat(prefix="GB/", padding=1, yearly_reset=False)
OPENING: dict[str, Any] = {
    "country_code": "GB",
    "issuer_entity_id": "platform-gb",
    "doc_type": "RECEIPT",
    "number_format": YEARLY,
    "time_zone": "Europe/London",
}


def _assign(history: tuple[Fact, ...], at: datetime) -> NumberAssigned:
    (fact,) = given(*history).when(assign_number, "DOCUMENT", DOCUMENT_ID, at).facts()
    assert isinstance(fact, NumberAssigned)
    return fact


def _numbers(history: list[Fact], times: list[datetime]) -> list[NumberAssigned]:
    state = state_after(*history)
    numbers = []
    for at in times:
        fact = assign_number(state, "DOCUMENT", DOCUMENT_ID, at)
        state = NUMBER_SERIES.evolve(state, fact)
        numbers.append(fact)
    return numbers


def test_a_series_opens_once() -> None:
    given().when(open_series, **OPENING).then(opened())
    given(opened()).when(open_series, **OPENING).then()


def test_an_open_series_keeps_its_format() -> None:
    given(opened()).when(open_series, **{**OPENING, "number_format": CONTINUOUS}).then_refused(
        "SERIES_EXISTS", "format"
    )


def test_the_id_of_a_series_keeps_its_parts_apart() -> None:
    assert SERIES_ID == "GB:platform-gb:RECEIPT"
    assert series_id("GB", "a:b/c d", "RECEIPT") == "GB:a%3Ab%2Fc%20d:RECEIPT"


def test_the_first_number_is_one() -> None:
    given(opened()).when(assign_number, "DOCUMENT", DOCUMENT_ID, NOON).then(assigned(1))


def test_the_next_number_follows_the_last() -> None:
    given(opened(), assigned(1), assigned(2)).when(assign_number, "DOCUMENT", DOCUMENT_ID, NOON).then(
        assigned(3)
    )


def test_issue_times_never_go_back() -> None:
    earlier = NOON - timedelta(hours=3)
    given(opened(), assigned(1)).when(assign_number, "DOCUMENT", DOCUMENT_ID, earlier).then(assigned(2))


def test_a_clock_that_went_back_over_new_year_stays_in_the_new_year() -> None:
    new_year = datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)
    history = (opened(), assigned(1, new_year, 2027))
    assert _assign(history, new_year - timedelta(seconds=5)) == assigned(2, new_year, 2027)


@pytest.mark.parametrize(
    ("zone", "midnight_utc"),
    [
        ("Europe/London", datetime(2027, 1, 1, 0, 0, tzinfo=UTC)),
        ("Europe/Madrid", datetime(2026, 12, 31, 23, 0, tzinfo=UTC)),
        ("America/Mexico_City", datetime(2027, 1, 1, 6, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 1, 1, 5, 0, tzinfo=UTC)),
        # Summer time is in force there at New Year.
        ("America/Santiago", datetime(2027, 1, 1, 3, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 12, 31, 11, 0, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 12, 31, 18, 15, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 12, 31, 10, 0, tzinfo=UTC)),
    ],
)
def test_the_year_turns_exactly_at_the_issuers_midnight(zone: str, midnight_utc: datetime) -> None:
    history = (opened(zone), assigned(1), assigned(2))
    before = _assign(history, midnight_utc - timedelta(microseconds=1))
    assert (before.number, before.sequence, before.year) == ("R-2026-000003", 3, 2026)
    after = _assign((*history, before), midnight_utc)
    assert (after.number, after.sequence, after.year) == ("R-2027-000001", 1, 2027)
    assert _assign((*history, before, after), midnight_utc).number == "R-2027-000002"


def test_a_series_that_slept_for_years_starts_anew_in_the_present_one() -> None:
    slept = _assign((opened(), assigned(7)), datetime(2031, 5, 1, tzinfo=UTC))
    assert slept.number == "R-2031-000001"


def test_a_series_without_reset_goes_on_over_new_year() -> None:
    history: list[Fact] = [opened(number_format=CONTINUOUS)]
    times = [NOON, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)]
    assert [fact.number for fact in _numbers(history, times)] == ["GB/1", "GB/2", "GB/3"]


@pytest.mark.parametrize(
    ("prefix", "padding", "sequence", "number"),
    [
        ("R-{year}-", 6, 1, "R-2026-000001"),
        ("R-{year}-", 6, 1_234_567, "R-2026-1234567"),
        ("", 1, 42, "42"),
        ("{year}/A.B_C-", 3, 7, "2026/A.B_C-007"),
        ("{year}{year}", 1, 1, "202620261"),
        ("F", 12, 1, "F000000000001"),
    ],
)
def test_numbers_are_written_as_the_format_says(
    prefix: str, padding: int, sequence: int, number: str
) -> None:
    assert NumberFormat(prefix=prefix, padding=padding, yearly_reset=False).write(sequence, 2026) == number


@pytest.mark.parametrize(
    "fields",
    [
        {"prefix": "lower-"},
        {"prefix": "A B"},
        {"prefix": "Ñ"},
        {"prefix": "{month}"},
        {"prefix": "{year"},
        {"prefix": "A\n"},
        {"prefix": "A" * 25},
        {"padding": 0},
        {"padding": 13},
        {"padding": "6"},
        {"padding": True},
        {"padding": 6.0},
        {"yearlyReset": 1},
        {"yearlyReset": "true"},
        {"yearlyReset": True, "prefix": "R-"},
        {"unknown": 1},
    ],
)
def test_a_malformed_format_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NumberFormat.model_validate({"prefix": "R-{year}-", "padding": 6, "yearlyReset": True, **fields})


def test_numbers_cannot_be_had_from_a_series_that_is_not_open() -> None:
    with pytest.raises(AssertionError):
        NUMBER_SERIES.evolve(None, assigned(1))


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        NUMBER_SERIES.evolve(state_after(opened()), Fact())


_times = st.lists(
    st.datetimes(
        datetime.fromisoformat("2025-12-30"), datetime.fromisoformat("2028-01-03"), timezones=st.just(UTC)
    ),
    max_size=30,
)
_zones = st.sampled_from(("UTC", "Europe/Madrid", "America/Mexico_City", "Pacific/Auckland"))


@for_any(_times, _zones)
def test_numbers_are_contiguous_within_each_year_whatever_the_clock_does(
    times: list[datetime], zone: str
) -> None:
    numbers = _numbers([opened(zone)], times)
    by_year: dict[int, list[int]] = {}
    for fact in numbers:
        by_year.setdefault(fact.year, []).append(fact.sequence)
    assert all(sequences == list(range(1, len(sequences) + 1)) for sequences in by_year.values())
    assert len({fact.number for fact in numbers}) == len(numbers)
    issue_times = [fact.issued_at for fact in numbers]
    assert issue_times == sorted(issue_times)
    assert [fact.year for fact in numbers] == sorted(fact.year for fact in numbers)


@for_any(_times, _zones)
def test_numbers_without_reset_are_contiguous_over_all_years(times: list[datetime], zone: str) -> None:
    numbers = _numbers([opened(zone, CONTINUOUS)], times)
    assert [fact.sequence for fact in numbers] == list(range(1, len(numbers) + 1))


@for_any(_times, st.data())
def test_a_series_folds_to_the_same_state_wherever_its_history_is_split(
    times: list[datetime], data: Any
) -> None:
    facts: list[Fact] = [opened()]
    facts += _numbers([opened()], times)
    split = data.draw(st.integers(0, len(facts)))
    state = state_after(*facts[:split])
    for fact in facts[split:]:
        state = NUMBER_SERIES.evolve(state, fact)
    assert state == state_after(*facts)
    assert state.assigned == len(times)
