"""Number series as they stand, and every number they handed out with its holder (S3 §6.4, contract §6)."""

from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    ScalarSelect,
    Select,
    Subquery,
    Table,
    Text,
    UnaryExpression,
    and_,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.kernel.recorded import RecordedEvent
from domain.numbering.series import NumberAssigned, SeriesOpened
from projections.documents import DOCUMENT_TABLE
from projections.invoices import INVOICE_TABLE
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


LAST_SEQUENCE = 2**53 - 1
"""No sequence lies beyond it: the greatest integer that every reader of JSON takes exactly."""

_YEAR, _SEQUENCE = NUMBER_TABLE.c.year, NUMBER_TABLE.c.sequence
_AFTER_YEAR = bindparam("after_year", type_=Integer)
_AFTER_SEQUENCE = bindparam("after_sequence", type_=BigInteger)


def _year_at(end: UnaryExpression[int]) -> ScalarSelect[int]:
    """The series' first or last year behind the cursor: one look at an end of the primary key."""
    of_series = (NUMBER_TABLE.c.series_id == _OF_SERIES, _YEAR >= _AFTER_YEAR)
    return select(_YEAR).where(*of_series).order_by(end).limit(1).scalar_subquery()


def _page() -> Subquery:
    """The numbers of a page. In each year that is left the primary key is read from where the page begins."""
    between = func.generate_series(_year_at(_YEAR.asc()), _year_at(_YEAR.desc()))
    years = between.table_valued("year").render_derived("years")
    behind_cursor = case((years.c.year == _AFTER_YEAR, _AFTER_SEQUENCE + 1), else_=1)
    of_year = (
        select(NUMBER_TABLE)
        .where(
            NUMBER_TABLE.c.series_id == _OF_SERIES,
            years.c.year == _YEAR,
            func.greatest(bindparam("from_sequence", type_=BigInteger), behind_cursor) <= _SEQUENCE,
            bindparam("to_sequence", type_=BigInteger) >= _SEQUENCE,
        )
        .order_by(_SEQUENCE)
        .limit(_LIMIT)
        .lateral("of_year")
    )
    return (
        select(of_year)
        .select_from(years.join(of_year, true()))
        .order_by(of_year.c.year, of_year.c.sequence)
        .limit(_LIMIT)
        .subquery("page")
    )


def _numbers() -> Select[Any]:
    shown, other = _page(), NUMBER_TABLE.alias("other")
    before = (
        select(other.c.year, other.c.sequence)
        .where(
            other.c.series_id == shown.c.series_id,
            tuple_(other.c.year, other.c.sequence) < tuple_(shown.c.year, shown.c.sequence),
        )
        .order_by(other.c.year.desc(), other.c.sequence.desc())
        .limit(1)
        .lateral("before")
    )
    resets_yearly = SERIES_TABLE.c.format["yearlyReset"].as_boolean()
    counts_on = or_(before.c.year == shown.c.year, not_(resets_yearly))
    due = case((counts_on, func.coalesce(before.c.sequence, 0) + 1), else_=1)
    is_invoices = shown.c.holder_type == "INVOICE"
    of_invoice = case((INVOICE_TABLE.c.status == "VOID", "VOIDED"), else_="ISSUED")
    of_document = func.coalesce(DOCUMENT_TABLE.c.status, "DRAFT")
    return (
        select(
            shown,
            case((is_invoices, of_invoice), else_=of_document).label("status"),
            due.label("due_sequence"),
        )
        # The series first: a rebuild locks tables in the order of their names, a statement as it names them.
        .select_from(SERIES_TABLE.join(shown, SERIES_TABLE.c.series_id == shown.c.series_id))
        .outerjoin(before, true())
        .outerjoin(DOCUMENT_TABLE, and_(not_(is_invoices), DOCUMENT_TABLE.c.document_id == shown.c.holder_id))
        .outerjoin(INVOICE_TABLE, and_(is_invoices, INVOICE_TABLE.c.invoice_id == shown.c.holder_id))
        .order_by(shown.c.year, shown.c.sequence)
    )


_NUMBERS = _numbers()


def select_numbers(
    series_id: str,
    from_sequence: int | None,
    to_sequence: int | None,
    after: tuple[int, int] | None,
    limit: int,
) -> Query:
    """A series' numbers in the order they were given, behind a year and sequence.

    Each comes with the status of what holds it, in the words of documents: an invoice with a number was
    issued, and is VOIDED once it is void. And with the sequence that was due there: where that is smaller
    than the number's own, nobody holds those in between. What it costs grows with the page and with the years
    that the series counts, not with its numbers.
    """
    after_year, after_sequence = after or (0, 0)
    parameters = {
        "series_id": series_id,
        "from_sequence": from_sequence or 1,
        "to_sequence": to_sequence or LAST_SEQUENCE,
        "after_year": after_year,
        "after_sequence": after_sequence,
        "limit": limit,
    }
    return Query(_NUMBERS, parameters)
