"""Number series as they stand, and every number they handed out with its holder (S3 §6.4, contract §6)."""

from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.kernel.recorded import RecordedEvent
from domain.numbering.series import NumberAssigned, SeriesOpened
from projections.documents import DOCUMENT_TABLE
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

SERIES_TABLE = Table(
    "number_series_v1",
    METADATA,
    Column("series_id", Text, primary_key=True),
    Column("country_code", Text, nullable=False),
    Column("issuer_entity_id", Text, nullable=False),
    Column("doc_type", Text, nullable=False),
    Column("format", JSONB, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("lock_version", Integer, nullable=False),
)

NUMBER_TABLE = Table(
    "number_v1",
    METADATA,
    Column("series_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("number", Text, nullable=False),
    Column("holder_type", Text, nullable=False),
    Column("holder_id", Text, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
)
Index("number_v1_position", NUMBER_TABLE.c.series_id, NUMBER_TABLE.c.position)


def _opened(_: Row, event: RecordedEvent) -> Row:
    fact = cast(SeriesOpened, event.fact)
    return {
        "series_id": fact.series_id,
        "country_code": fact.country_code,
        "issuer_entity_id": fact.issuer_entity_id,
        "doc_type": fact.doc_type,
        "format": fact.format.model_dump(mode="json", by_alias=True),
        "time_zone": fact.time_zone,
        "next_number": 1,
        "lock_version": event.version,
    }


def _assigned(row: Row, event: RecordedEvent) -> Row:
    fact = cast(NumberAssigned, event.fact)
    return row | {"next_number": fact.sequence + 1, "lock_version": event.version}


def _number(_: Row | None, event: RecordedEvent) -> Row:
    fact = cast(NumberAssigned, event.fact)
    return {
        "series_id": event.stream.id,
        "year": fact.year,
        "sequence": fact.sequence,
        "number": fact.number,
        "holder_type": fact.holder_type,
        "holder_id": fact.holder_id,
        "issued_at": fact.issued_at,
        "position": event.position,
    }


def _series_key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


def _number_key(event: RecordedEvent) -> Key | None:
    if event.name != "number-series.number-assigned":
        return None
    fact = cast(NumberAssigned, event.fact)
    return (event.stream.id, fact.year, fact.sequence)


fold_series = fold_by_name({"number-series.opened": _opened, "number-series.number-assigned": _assigned})

SERIES = Projection(
    name="number-series",
    event_names=frozenset({"number-series.opened", "number-series.number-assigned"}),
    row_folds=(
        one_row(SERIES_TABLE, _series_key, fold_series),
        one_row(NUMBER_TABLE, _number_key, _number),
    ),
)


_OF_SERIES = bindparam("series_id", type_=Text)
_LIMIT = bindparam("limit", type_=Integer)


@cache
def _series(within_countries: bool) -> Select[Any]:
    series = SERIES_TABLE.c
    statement = select(SERIES_TABLE).where(series.series_id > bindparam("after_id", type_=Text))
    if within_countries:
        statement = statement.where(
            series.country_code == func.any(bindparam("countries", type_=ARRAY(Text)))
        )
    return statement.order_by(series.series_id).limit(_LIMIT)


def select_series(countries: frozenset[str] | None, after_id: str, limit: int) -> Query:
    """Series in the caller's countries, by id, behind a cursor's id."""
    parameters: dict[str, Any] = {"after_id": after_id, "limit": limit}
    if countries is not None:
        parameters["countries"] = sorted(countries)
    return Query(_series(countries is not None), parameters)


_ONE_SERIES = select(SERIES_TABLE).where(SERIES_TABLE.c.series_id == _OF_SERIES)


def select_one_series(series_id: str) -> Query:
    """One series."""
    return Query(_ONE_SERIES, {"series_id": series_id})


@cache
def _numbers(from_sequence: bool, to_sequence: bool) -> Select[Any]:
    number = NUMBER_TABLE.c
    statement = (
        select(NUMBER_TABLE, func.coalesce(DOCUMENT_TABLE.c.status, "DRAFT").label("status"))
        .outerjoin(DOCUMENT_TABLE, DOCUMENT_TABLE.c.document_id == number.holder_id)
        .where(
            number.series_id == _OF_SERIES,
            number.position > bindparam("after_position", type_=BigInteger),
        )
    )
    if from_sequence:
        statement = statement.where(number.sequence >= bindparam("from_sequence", type_=BigInteger))
    if to_sequence:
        statement = statement.where(number.sequence <= bindparam("to_sequence", type_=BigInteger))
    return statement.order_by(number.position).limit(_LIMIT)


def select_numbers(
    series_id: str, from_sequence: int | None, to_sequence: int | None, after_position: int, limit: int
) -> Query:
    """A series' numbers in the order they were given, with the status of the documents that hold them."""
    parameters = {"series_id": series_id, "after_position": after_position, "limit": limit}
    if from_sequence is not None:
        parameters["from_sequence"] = from_sequence
    if to_sequence is not None:
        parameters["to_sequence"] = to_sequence
    return Query(_numbers(from_sequence is not None, to_sequence is not None), parameters)


_ORDERED = (
    select(
        NUMBER_TABLE.c.year,
        NUMBER_TABLE.c.sequence,
        func.lag(NUMBER_TABLE.c.sequence, 1, 0)
        .over(partition_by=NUMBER_TABLE.c.year, order_by=NUMBER_TABLE.c.sequence)
        .label("before"),
    )
    .where(NUMBER_TABLE.c.series_id == _OF_SERIES)
    .subquery()
)
_GAPS = (
    select(_ORDERED.c.year, (_ORDERED.c.before + 1).label("first"), (_ORDERED.c.sequence - 1).label("last"))
    .where(_ORDERED.c.sequence > _ORDERED.c.before + 1)
    .order_by(_ORDERED.c.year, _ORDERED.c.sequence)
)


def select_gaps(series_id: str) -> Query:
    """The sequences of a series that nobody holds, a range a row; there are none."""
    return Query(_GAPS, {"series_id": series_id})
