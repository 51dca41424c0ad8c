"""Number series as they stand, and every number they handed out with its holder (S3 §6.4, contract §6)."""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Select, Table, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.kernel.recorded import RecordedEvent
from domain.numbering.series import NumberAssigned, SeriesOpened
from projections.documents import DOCUMENT_TABLE
from projections.projection import METADATA, Key, Projection, Row, RowFold, fold_by_name

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
        RowFold(SERIES_TABLE, _series_key, fold_series),
        RowFold(NUMBER_TABLE, _number_key, _number),
    ),
)


def select_series(countries: frozenset[str] | None, after_id: str, limit: int) -> Select[Any]:
    """Series in the caller's countries, by id, behind a cursor's id."""
    series = SERIES_TABLE.c
    statement = select(SERIES_TABLE).where(series.series_id > after_id)
    if countries is not None:
        statement = statement.where(series.country_code.in_(sorted(countries)))
    return statement.order_by(series.series_id).limit(limit)


def select_one_series(series_id: str) -> Select[Any]:
    """One series."""
    return select(SERIES_TABLE).where(SERIES_TABLE.c.series_id == series_id)


def select_numbers(
    series_id: str, from_sequence: int | None, to_sequence: int | None, after_position: int, limit: int
) -> Select[Any]:
    """A series' numbers in the order they were given, with the status of the documents that hold them."""
    number = NUMBER_TABLE.c
    statement = (
        select(NUMBER_TABLE, func.coalesce(DOCUMENT_TABLE.c.status, "DRAFT").label("status"))
        .outerjoin(DOCUMENT_TABLE, DOCUMENT_TABLE.c.document_id == number.holder_id)
        .where(number.series_id == series_id, number.position > after_position)
    )
    if from_sequence is not None:
        statement = statement.where(number.sequence >= from_sequence)
    if to_sequence is not None:
        statement = statement.where(number.sequence <= to_sequence)
    return statement.order_by(number.position).limit(limit)


def select_gaps(series_id: str) -> Select[Any]:
    """The sequences of a series that nobody holds, a range a row; there are none."""
    number = NUMBER_TABLE.c
    ordered = (
        select(
            number.year,
            number.sequence,
            func.lag(number.sequence, 1, 0)
            .over(partition_by=number.year, order_by=number.sequence)
            .label("before"),
        )
        .where(number.series_id == series_id)
        .subquery()
    )
    return (
        select(ordered.c.year, (ordered.c.before + 1).label("first"), (ordered.c.sequence - 1).label("last"))
        .where(ordered.c.sequence > ordered.c.before + 1)
        .order_by(ordered.c.year, ordered.c.sequence)
    )
