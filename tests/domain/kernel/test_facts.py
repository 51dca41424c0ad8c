"""What every stored fact has in common: closed fields, camelCase names, times in RFC 3339."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.kernel.facts import CountryCode, Fact, Identifier, UpstreamValue, Utc, Value, rfc3339


class _Happened(Fact):
    happened_at: Utc


class _Told(UpstreamValue):
    told_by: Identifier
    country_code: CountryCode = "GB"


def _happened(at: Any) -> _Happened:
    return _Happened.model_validate({"happenedAt": at})


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-03-14T09:26:53Z", "2026-03-14T09:26:53.000000Z"),
        ("2026-03-14T09:26:53.5Z", "2026-03-14T09:26:53.500000Z"),
        ("2026-03-14T09:26:53.123456789Z", "2026-03-14T09:26:53.123456Z"),
        ("2026-03-14t09:26:53z", "2026-03-14T09:26:53.000000Z"),
        ("2026-03-14T09:26:53+05:45", "2026-03-14T03:41:53.000000Z"),
        ("2026-12-31T23:30:00-06:00", "2027-01-01T05:30:00.000000Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_rfc_3339_times_are_read_and_stored_in_utc_with_z(text: str, stored: str) -> None:
    assert _happened(text).model_dump(mode="json", by_alias=True) == {"happenedAt": stored}


@pytest.mark.parametrize(
    "value",
    [
        1773480413,
        1773480413.5,
        "1773480413",
        "1773480413.5",
        True,
        None,
        "",
        "2026-03-14",
        "2026-03-14T09:26:53",
        "2026-03-14T09:26Z",
        "2026-03-14 09:26:53Z",
        "2026-02-30T09:26:53Z",
        "2026-03-14T24:00:01Z",
        "2026-03-14T09:26:53Z\n",
        "٢٠٢٦-03-14T09:26:53Z",
        "20260314T092653Z",
        datetime(2026, 3, 14, 9, 26, 53),  # noqa: DTZ001 - a naive time is what is refused
    ],
)
def test_numbers_naive_times_and_other_spellings_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        _happened(value)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_that_utc_cannot_express_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="years 1 to 9999"):
        _happened(text)


_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@for_any(
    st.datetimes(
        datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30"), timezones=_offsets
    )
)
def test_any_time_is_read_back_from_what_is_stored(at: datetime) -> None:
    stored = _happened(at)
    assert _Happened.model_validate_json(stored.model_dump_json(by_alias=True)) == stored
    assert stored.happened_at == at
    assert datetime.fromisoformat(rfc3339(at)).astimezone(UTC) == at


def test_facts_refuse_unknown_fields() -> None:
    with pytest.raises(ValidationError):
        _Happened.model_validate({"happenedAt": "2026-03-14T09:26:53Z", "other": 1})


def test_facts_and_values_are_immutable() -> None:
    fact = _happened("2026-03-14T09:26:53Z")
    with pytest.raises(ValidationError):
        fact.happened_at = datetime(2026, 1, 1, tzinfo=UTC)  # type: ignore[misc]
    assert issubclass(Fact, Value)


def test_extra_fields_of_upstream_are_kept() -> None:
    told = _Told.model_validate({"toldBy": "crm", "mood": {"calm": [1, None]}})
    assert told.model_dump(by_alias=True)["mood"] == {"calm": [1, None]}


@pytest.mark.parametrize("identifier", ["", "x" * 65, 7, None])
def test_an_identifier_is_a_string_of_1_to_64_characters(identifier: Any) -> None:
    assert _Told(told_by="ñ" * 64).told_by == "ñ" * 64
    with pytest.raises(ValidationError):
        _Told(told_by=identifier)


@pytest.mark.parametrize("code", ["gb", "GBR", "G", "G1", "GB\n", ""])
def test_a_country_is_two_capitals(code: str) -> None:
    with pytest.raises(ValidationError):
        _Told(told_by="crm", country_code=code)
