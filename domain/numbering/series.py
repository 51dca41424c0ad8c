"""A number series hands out gapless numbers in order, one series per country, issuer and document type.

Commands: open, assign. Number, issue time and series year are set together, in the transaction that commits
the holder's claim to them (S3 §5.7, §7.2; contract §6).
"""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, assert_never
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import CountryCode, Fact, Identifier, Utc, Value
from domain.kernel.streams import EventType, StreamType

HolderType = Literal["DOCUMENT", "INVOICE"]


class NumberFormat(Value):
    """How a sequence number is written: `prefix` (may hold `{year}`), then at least `padding` digits.

    With `yearly_reset` the sequence starts at 1 each year of the issuer's calendar, so that the prefix must
    tell the year.
    """

    prefix: Annotated[str, StringConstraints(max_length=24, pattern=r"^([A-Z0-9/._-]|\{year\})*$")]
    padding: Annotated[int, Field(strict=True, ge=1, le=12)]
    yearly_reset: Annotated[bool, Field(strict=True)]

    @model_validator(mode="after")
    def _reset_shows_year(self) -> "NumberFormat":
        if self.yearly_reset and "{year}" not in self.prefix:
            raise ValueError("a series that resets yearly needs {year} in its prefix")
        return self

    def write(self, sequence: int, year: int) -> str:
        """The number as printed."""
        return f"{self.prefix.replace('{year}', str(year))}{sequence:0{self.padding}d}"


class SeriesOpened(Fact):
    """A series exists from now on. `time_zone` is the issuer's (IANA name)."""

    series_id: str
    country_code: CountryCode
    issuer_entity_id: Identifier
    doc_type: str
    format: NumberFormat
    time_zone: str


class NumberAssigned(Fact):
    """A number belongs to its holder for good. `year` is that of the issue date in the issuer's zone.

    `chain_hash` is the holder's hash where the series is a chain (`application/handlers/chains.py`).
    """

    number: str
    sequence: int
    year: int
    holder_type: HolderType
    holder_id: str
    issued_at: Utc
    chain_hash: str | None = None


class NumberSeries(Value):
    """A series as it stands. `next_sequence` counts within `year`; `assigned` counts all its numbers.

    `last_holder_id` and `last_chain_hash` are of its newest number.
    """

    series_id: str
    country_code: CountryCode
    issuer_entity_id: str
    doc_type: str
    format: NumberFormat
    time_zone: str
    year: int = 0
    next_sequence: int = 1
    assigned: int = 0
    last_issued_at: Utc | None = None
    last_holder_id: str | None = None
    last_chain_hash: str | None = None


@lru_cache(maxsize=1024)
def series_id(country_code: str, issuer_entity_id: str, doc_type: str) -> str:
    """The id of the series of a country, issuer and document type; parts percent-encoded."""
    return ":".join(quote(part, safe="") for part in (country_code, issuer_entity_id, doc_type))


def open_series(
    series: NumberSeries | None,
    *,
    country_code: str,
    issuer_entity_id: str,
    doc_type: str,
    number_format: NumberFormat,
    time_zone: str,
) -> tuple[SeriesOpened, ...]:
    """Opens a series. Raises `SERIES_EXISTS` where it is open with another format; the same again is ()."""
    if series is not None:
        if series.format != number_format:
            raise DomainError(
                "SERIES_EXISTS",
                "This series is open with another format.",
                field_errors=(FieldError("format", "FIXED", "A series keeps its format for good."),),
            )
        return ()
    opened = SeriesOpened(
        series_id=series_id(country_code, issuer_entity_id, doc_type),
        country_code=country_code,
        issuer_entity_id=issuer_entity_id,
        doc_type=doc_type,
        format=number_format,
        time_zone=time_zone,
    )
    return (opened,)


def assign_number(
    series: NumberSeries, holder_type: HolderType, holder_id: str, at: datetime
) -> NumberAssigned:
    """The series' next number, with an issue time (UTC) never before the series' last one."""
    issued_at = at if series.last_issued_at is None else max(at, series.last_issued_at)
    year = issued_at.astimezone(ZoneInfo(series.time_zone)).year
    starts_anew = series.format.yearly_reset and year != series.year
    sequence = 1 if starts_anew else series.next_sequence
    return NumberAssigned(
        number=series.format.write(sequence, year),
        sequence=sequence,
        year=year,
        holder_type=holder_type,
        holder_id=holder_id,
        issued_at=issued_at,
    )


def _evolve(series: NumberSeries | None, fact: SeriesOpened | NumberAssigned) -> NumberSeries:
    match fact:
        case SeriesOpened():
            return NumberSeries(
                series_id=fact.series_id,
                country_code=fact.country_code,
                issuer_entity_id=fact.issuer_entity_id,
                doc_type=fact.doc_type,
                format=fact.format,
                time_zone=fact.time_zone,
            )
        case NumberAssigned():
            assert series is not None, "a series is opened before it hands out numbers"
            return series.model_copy(
                update={
                    "year": fact.year,
                    "next_sequence": fact.sequence + 1,
                    "assigned": series.assigned + 1,
                    "last_issued_at": fact.issued_at,
                    "last_holder_id": fact.holder_id,
                    "last_chain_hash": fact.chain_hash,
                }
            )
        case _:
            assert_never(fact)


def _in_no_chain(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew no chains."""
    return content


NUMBER_SERIES: StreamType[NumberSeries] = StreamType(
    "number-series",
    (
        EventType("number-series.opened", SeriesOpened),
        EventType("number-series.number-assigned", NumberAssigned, 2, {1: _in_no_chain}),
    ),
    _evolve,
    state=NumberSeries,
)
