"""The ledger as auditors read it: events in order, streams whole (contract §7)."""

import re
from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import PathParameter, QueryParameter

from application.caller import require_whole
from application.ledger import EventFilter
from application.operations.audit import GET_STREAM, SEARCH_EVENTS
from application.operations.documents import LIST_DOCUMENTS
from application.validation import invalid_field
from domain.documents.document import DOCUMENT
from domain.documents.order_state import ORDER
from domain.invoicing.invoice import INVOICE
from domain.kernel.errors import not_found
from domain.kernel.facts import Utc, Value
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    AsOf,
    Cursor,
    Limit,
    MinPosition,
    encode_cursor,
    head_reached,
    position_cursor,
    read,
    recorded_time,
    shown,
)
from interfaces.http.routes import route
from projections.documents import select_document_ids_of_source


class AuditEvent(Value):
    """One event of the ledger; `leafHash` is hex."""

    position: int
    stream_type: str
    stream_id: str
    version: int
    type: str
    schema_version: int
    recorded_at: Utc
    transaction_id: str
    actor: str
    actor_role: str
    on_behalf_of: str | None
    operation: str
    correlation_id: str
    causation_id: str | None
    data: dict[str, Any]
    leaf_hash: str


class AuditEventPage(Value):
    """A page of the ledger."""

    items: list[AuditEvent]
    next_cursor: str | None


class StreamAnswer(Value):
    """A stream's history up to a moment and the state it folds to."""

    stream_type: str
    stream_id: str
    version: int
    events: list[AuditEvent]
    state: dict[str, Any]


@route(SEARCH_EVENTS)
async def search_events(
    request: AnyRequest,
    recorded_from: Annotated[str | None, QueryParameter(name="from", format="date-time")] = None,
    recorded_to: Annotated[str | None, QueryParameter(name="to", format="date-time")] = None,
    event_type: Annotated[list[str] | None, QueryParameter(name="type")] = None,
    actor: Annotated[str | None, QueryParameter(name="actor")] = None,
    stream: Annotated[str | None, QueryParameter(name="stream", description="`type/id`, or a type")] = None,
    order_id: Annotated[str | None, QueryParameter(name="orderId", max_length=64)] = None,
    invoice_id: Annotated[str | None, QueryParameter(name="invoiceId", max_length=64)] = None,
    order: Annotated[Literal["asc", "desc"], QueryParameter(name="order")] = "asc",
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[AuditEventPage]:
    """Events in position order, newest last unless `order=desc`."""
    require_whole(caller_of(request))
    first, last = recorded_time("from", recorded_from), recorded_time("to", recorded_to)
    stream_type, stream_id = _stream_filter(stream)
    source = _source_filter(order_id, invoice_id)
    ledger = system_of(request).ledger
    head = await head_reached(request, min_position)
    events = await ledger.search(
        EventFilter(
            recorded_from=first,
            recorded_to=last,
            names=event_type or (),
            actor=actor,
            stream=StreamId(stream_type, stream_id) if stream_type and stream_id else None,
            stream_type=stream_type if not stream_id else None,
            streams=await _streams_of_source(request, source, min_position) if source is not None else (),
            after_position=position_cursor(cursor),
            descending=order == "desc",
            limit=limit + 1,
        )
    )
    items = [_audit_event(event) for event in events[:limit]]
    next_cursor = encode_cursor(items[-1].position) if len(events) > limit else None
    return shown(AuditEventPage(items=items, next_cursor=next_cursor), head)


@route(GET_STREAM)
async def get_stream(
    request: AnyRequest,
    stream_type: Annotated[str, PathParameter(name="streamType")],
    stream_id: Annotated[str, PathParameter(name="streamId")],
    at_version: Annotated[int | None, QueryParameter(name="atVersion", ge=1, le=2**31 - 1)] = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response[StreamAnswer]:
    """A stream's whole history and state, up to a version or moment."""
    require_whole(caller_of(request))
    moment = recorded_time("asOf", as_of)
    if at_version is not None and as_of is not None:
        raise invalid_field("asOf", "AMBIGUOUS", "Give asOf or atVersion, not both.")
    system = system_of(request)
    stream = StreamId(stream_type, stream_id.removeprefix("/"))
    if not system.registry.has_stream_type(stream_type):
        raise not_found("The stream")
    head = await head_reached(request, min_position)
    events = await system.ledger.history(stream, up_to_version=at_version, as_of=moment)
    if not events:
        raise not_found("The stream")
    state = system.registry.fold(stream, [event.fact for event in events])
    answer = StreamAnswer(
        stream_type=stream.type,
        stream_id=stream.id,
        version=events[-1].version,
        events=[_audit_event(event) for event in events],
        state=state.model_dump(mode="json", by_alias=True, exclude_none=True),
    )
    return shown(answer, head)


def _stream_filter(stream: str | None) -> tuple[str | None, str | None]:
    if stream is None:
        return None, None
    # The first of either parts type from id, for ids may hold both.
    stream_type, *stream_id = re.split("[/:]", stream, maxsplit=1)
    if not stream_type:
        raise invalid_field("stream", "INVALID", "A stream is `type/id`.")
    return stream_type, "".join(stream_id) or None


def _source_filter(order_id: str | None, invoice_id: str | None) -> StreamId | None:
    """The order or invoice that is asked for. Raises `VALIDATION_FAILED`."""
    if order_id is not None and invoice_id is not None:
        raise invalid_field("invoiceId", "AMBIGUOUS", "Give orderId or invoiceId, not both.")
    if order_id is not None:
        return ORDER.stream(order_id)
    return None if invoice_id is None else INVOICE.stream(invoice_id)


async def _streams_of_source(
    request: AnyRequest, source: StreamId, min_position: int | None
) -> list[StreamId]:
    """The order or invoice, and its documents."""
    found = await read(request, LIST_DOCUMENTS, min_position, select_document_ids_of_source(source))
    return [source, *(DOCUMENT.stream(row["document_id"]) for row in found.results[0])]


def _audit_event(event: RecordedEvent) -> AuditEvent:
    return AuditEvent(
        position=event.position,
        stream_type=event.stream.type,
        stream_id=event.stream.id,
        version=event.version,
        type=event.name,
        schema_version=event.schema_version,
        recorded_at=event.recorded_at,
        transaction_id=str(event.transaction_id),
        actor=event.actor,
        actor_role=event.role,
        on_behalf_of=event.on_behalf_of,
        operation=event.operation,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        data=event.data,
        leaf_hash=event.leaf_hash.hex(),
    )


HANDLERS = (search_events, get_stream)
