"""Number series and every number they handed out (contract §6)."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from application.caller import Caller
from application.operations.number_series import GET_SERIES, LIST_NUMBERS, LIST_SERIES
from application.ports import Found
from domain.documents.document_facts import Status
from domain.kernel.errors import not_found
from domain.kernel.facts import Utc, Value
from domain.numbering.series import NumberFormat
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of
from interfaces.http.reading import (
    Cursor,
    Limit,
    MinPosition,
    SeriesId,
    bad_cursor,
    page,
    read,
    shown,
    text_cursor,
)
from interfaces.http.routes import route
from projections.number_series import LAST_SEQUENCE, select_numbers, select_one_series, select_series

_CURSOR = re.compile(r"([0-9]{1,4})/([0-9]{1,16})")


class SeriesAnswer(Value):
    """A number series; `nextNumber` is the next sequence, `lockVersion` the series' version."""

    series_id: str
    country_code: str
    issuer_entity_id: str
    doc_type: str
    format: NumberFormat
    time_zone: str
    next_number: int
    lock_version: int


class SeriesPage(Value):
    """A page of series."""

    items: list[SeriesAnswer]
    next_cursor: str | None


class NumberAnswer(Value):
    """A number and its holder, with the holder's status: an invoice's is ISSUED, or VOIDED once void."""

    number: str
    sequence: int
    year: int
    document_id: str | None
    invoice_id: str | None
    status: Status
    issued_at: Utc
    position: int


class Gap(Value):
    """Sequences of a year that nobody holds: `first` to `last`, inclusive."""

    year: int
    first: int
    last: int


class NumberPage(Value):
    """A page of numbers, and the gaps right before each of them."""

    items: list[NumberAnswer]
    gaps: list[Gap]
    next_cursor: str | None


def series_answer(row: dict[str, Any]) -> SeriesAnswer:
    """A row of the read model as an answer."""
    return SeriesAnswer(**row)


@route(LIST_SERIES)
async def list_series(
    request: AnyRequest, limit: Limit = 50, cursor: Cursor = None, min_position: MinPosition = None
) -> Response[SeriesPage]:
    """Series by id, in the caller's countries."""
    statement = select_series(caller_of(request).countries, text_cursor(cursor) or "", limit + 1)
    found = await read(request, LIST_SERIES, min_position, statement)
    items, next_cursor = page(found.results[0], limit, series_answer, lambda row: row["series_id"])
    return shown(SeriesPage(items=items, next_cursor=next_cursor), found.position)


@route(GET_SERIES)
async def get_series(
    request: AnyRequest, series_id: SeriesId, min_position: MinPosition = None
) -> Response[SeriesAnswer]:
    """One series."""
    found = await read(request, GET_SERIES, min_position, select_one_series(series_id))
    row = _visible(found, caller_of(request))
    return shown(series_answer(row), found.position, headers={"ETag": etag(row["lock_version"])})


@route(LIST_NUMBERS)
async def list_numbers(
    request: AnyRequest,
    series_id: SeriesId,
    from_sequence: Annotated[int | None, QueryParameter(name="from", ge=1, le=LAST_SEQUENCE)] = None,
    to_sequence: Annotated[int | None, QueryParameter(name="to", ge=1, le=LAST_SEQUENCE)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[NumberPage]:
    """Numbers in the order they were given, from and to a sequence, with the gaps before each of them."""
    found = await read(
        request,
        LIST_NUMBERS,
        min_position,
        select_one_series(series_id),
        select_numbers(series_id, from_sequence, to_sequence, _last_shown(cursor), limit + 1),
    )
    _visible(found, caller_of(request))
    rows = found.results[1]
    items, next_cursor = page(rows, limit, _number_answer, lambda row: f"{row['year']}/{row['sequence']}")
    answer = NumberPage(items=items, gaps=_gaps(rows[:limit]), next_cursor=next_cursor)
    return shown(answer, found.position)


def _last_shown(cursor: str | None) -> tuple[int, int] | None:
    """The year and sequence in a cursor. Raises `VALIDATION_FAILED`."""
    text = text_cursor(cursor)
    if text is None:
        return None
    last = _CURSOR.fullmatch(text)
    if last is None:
        raise bad_cursor()
    return int(last[1]), int(last[2])


def _gaps(rows: Iterable[dict[str, Any]]) -> list[Gap]:
    return [
        Gap(year=row["year"], first=row["due_sequence"], last=row["sequence"] - 1)
        for row in rows
        if row["due_sequence"] < row["sequence"]
    ]


def _visible(found: Found, caller: Caller) -> dict[str, Any]:
    rows = found.results[0]
    if not rows or not caller.sees_country(rows[0]["country_code"]):
        raise not_found("The number series")
    return rows[0]


def _number_answer(row: dict[str, Any]) -> NumberAnswer:
    holds = row["holder_type"]
    return NumberAnswer(
        number=row["number"],
        sequence=row["sequence"],
        year=row["year"],
        document_id=row["holder_id"] if holds == "DOCUMENT" else None,
        invoice_id=row["holder_id"] if holds == "INVOICE" else None,
        status=row["status"],
        issued_at=row["issued_at"],
        position=row["position"],
    )


HANDLERS = (list_series, get_series, list_numbers)
