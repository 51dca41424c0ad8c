"""What all queries share: pages, cursors, read-your-writes and moments of the past (contract §2)."""

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
import pydantic_core
from litestar import MediaType, Response
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from pydantic import BaseModel

from application.operations.operation import Operation
from application.past import Moment
from application.ports import Found
from application.validation import invalid_field
from domain.kernel.errors import DomainError
from interfaces.http.guards import AnyRequest, system_of
from projections.projection import Query

LONGEST_WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
MAX_POSITION = 2**63 - 1

MOMENT_OR_DATE = "a time of issue (RFC 3339), or an issue date in the issuer's calendar; inclusive"

DocumentId = Annotated[str, PathParameter(name="documentId")]
InvoiceId = Annotated[str, PathParameter(name="invoiceId")]
BillingPaymentId = Annotated[str, PathParameter(name="billingPaymentId")]
ReceiptId = Annotated[str, PathParameter(name="receiptId")]
SeriesId = Annotated[str, PathParameter(name="seriesId")]

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200, description="items a page")]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", min_length=1, description="`nextCursor` of the page before")
]
AsOf = Annotated[
    str | None, QueryParameter(name="asOf", format="date-time", description="a recorded time (RFC 3339)")
]
_FROM_ZERO = {"minimum": 0}
"""Litestar checks `ge=0` and leaves it out of the document."""

AsOfPosition = Annotated[
    int | None, QueryParameter(name="asOfPosition", ge=0, le=MAX_POSITION, schema_extra=_FROM_ZERO)
]
MinPosition = Annotated[
    int | None,
    HeaderParameter(
        name="X-Min-Position",
        ge=0,
        le=MAX_POSITION,
        schema_extra=_FROM_ZERO,
        description="wait until this is shown",
    ),
]

ItemT = TypeVar("ItemT")


async def read(request: AnyRequest, operation: Operation, min_position: int | None, *queries: Query) -> Found:
    """Runs queries once the operation's projections show `X-Min-Position`. Raises `PROJECTION_BEHIND`."""
    store = system_of(request).read_store
    if min_position is None:
        return await store.fetch(operation.projections, *queries)
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while await store.wait_for(operation.projections, min_position, give_up_at - time.monotonic()):
        found = await store.fetch(operation.projections, *queries)
        # Read models lose their last moments when PostgreSQL crashes, and catch up again.
        if found.position >= min_position:
            return found
    raise _behind()


async def head_reached(request: AnyRequest, min_position: int | None) -> int:
    """The ledger's head, once it is at `X-Min-Position`. Raises `PROJECTION_BEHIND`."""
    ledger = system_of(request).ledger
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while (head := await ledger.head_position()) < (min_position or 0):
        if time.monotonic() >= give_up_at:
            raise _behind()
        await asyncio.sleep(_PAUSE_SECONDS)
    return head


def shown(body: Any, position: int, **options: Any) -> Response[Any]:
    """A query's answer with the position that it shows."""
    headers = {"X-Ledger-Position": str(position), **options.pop("headers", {})}
    if isinstance(body, BaseModel):
        # Litestar would make it a dict first, and ask Python for each of its values.
        body = body.model_dump_json(by_alias=True).encode()
        options.setdefault("media_type", MediaType.JSON)
    return Response(body, headers=headers, **options)


def encode_cursor(value: int | str) -> str:
    """An opaque cursor for the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps([value]).encode()).rstrip(b"=").decode()


def position_cursor(cursor: str | None) -> int | None:
    """The position in a cursor. Raises `VALIDATION_FAILED`."""
    value = _decoded(cursor)
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_POSITION):
        raise bad_cursor()
    return value


def text_cursor(cursor: str | None) -> str | None:
    """The text in a cursor. Raises `VALIDATION_FAILED`."""
    value = _decoded(cursor)
    if value is not None and not isinstance(value, str):
        raise bad_cursor()
    return value


def bad_cursor() -> DomainError:
    """What refuses a cursor that no page of the list gave."""
    return invalid_field("cursor", "INVALID", "This is not a cursor of this list.")


def page(
    rows: Sequence[dict[str, Any]],
    limit: int,
    item: Callable[[dict[str, Any]], ItemT],
    cursor_of: Callable[[dict[str, Any]], int | str],
) -> tuple[list[ItemT], str | None]:
    """The items of a page and the next cursor, from one row more than the page holds."""
    kept = rows[:limit]
    next_cursor = encode_cursor(cursor_of(kept[-1])) if len(rows) > limit else None
    return [item(row) for row in kept], next_cursor


def past_moment(as_of: str | None, as_of_position: int | None) -> Moment | None:
    """The moment asked for; None where none is. Raises `VALIDATION_FAILED` for two, or for no time."""
    if as_of is not None and as_of_position is not None:
        raise invalid_field("asOf", "AMBIGUOUS", "Give asOf or asOfPosition, not both.")
    moment = recorded_time("asOf", as_of)
    return None if moment is None and as_of_position is None else Moment(moment, as_of_position)


async def moment_to_show(
    request: AnyRequest, as_of: str | None, as_of_position: int | None, min_position: int | None
) -> tuple[Moment, int]:
    """The moment to show, which is the ledger's head where none is asked for, and where the head was."""
    past = past_moment(as_of, as_of_position)
    head = await head_reached(request, min_position)
    return past or Moment(position=head), head


def recorded_time(name: str, text: str | None) -> datetime | None:
    """A time with an offset, never a number of seconds. Raises `VALIDATION_FAILED`."""
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise invalid_field(name, "INVALID", "This is not an RFC 3339 time.") from None
    _require_aware(name, moment)
    return moment


def moment_or_date(name: str, text: str | None) -> datetime | date | None:
    """A time with an offset, or a calendar date. Raises `VALIDATION_FAILED`."""
    if text is None:
        return None
    try:
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_field(name, "INVALID", "This is neither an RFC 3339 time nor a date.") from None
    _require_aware(name, moment)
    return moment


def _require_aware(name: str, moment: datetime) -> None:
    if moment.tzinfo is None:
        raise invalid_field(name, "NO_OFFSET", "Times are RFC 3339 with an offset or Z.")


def _behind() -> DomainError:
    return DomainError("PROJECTION_BEHIND", "The read model has not reached X-Min-Position yet; try again.")


def _decoded(cursor: str | None) -> Any:
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        (value,) = pydantic_core.from_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise bad_cursor() from None
    if value is None or (isinstance(value, str) and "\x00" in value):
        raise bad_cursor()
    return value
