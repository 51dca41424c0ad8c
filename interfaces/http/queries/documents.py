"""The Document Center (S3 §6.2, §6.3; contract §6)."""

from functools import reduce
from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from application.caller import Caller
from application.ledger import EventFilter
from application.operations.documents import (
    GET_DOCUMENT,
    GET_DOCUMENT_BY_KEY,
    LIST_DOCUMENT_EVENTS,
    LIST_DOCUMENTS,
    VERIFY_DOCUMENT,
)
from application.operations.operation import Operation
from application.ports import Found
from domain.documents.access import DocumentDownloaded
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocType, Status
from domain.kernel.errors import not_found
from domain.kernel.facts import Value
from interfaces.http.answers.document_actions import Viewer
from interfaces.http.answers.documents import (
    DocumentDetail,
    DocumentPage,
    TimelinePage,
    document_detail,
    document_item,
    timeline_entry,
)
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    MOMENT_OR_DATE,
    AsOf,
    AsOfPosition,
    Cursor,
    DocumentId,
    Limit,
    MinPosition,
    moment_or_date,
    page,
    past_moment,
    position_cursor,
    read,
    shown,
)
from interfaces.http.routes import route
from projections.document_events import select_timeline
from projections.document_search import select_documents
from projections.documents import fold_document, select_document, select_document_by_key

Text = Annotated[str | None, QueryParameter(min_length=1, max_length=200)]


class CheckAnswer(Value):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


class VerificationAnswer(Value):
    """Whether a document is what was issued."""

    valid: bool
    checks: list[CheckAnswer]


@route(LIST_DOCUMENTS)
async def list_documents(
    request: AnyRequest,
    order_id: Annotated[str | None, QueryParameter(name="orderId", max_length=64)] = None,
    doc_type: Annotated[DocType | None, QueryParameter(name="docType")] = None,
    status: Annotated[Status | None, QueryParameter(name="status")] = None,
    country_code: Annotated[str | None, QueryParameter(name="countryCode", pattern="^[A-Z]{2}$")] = None,
    issuer_entity_id: Annotated[str | None, QueryParameter(name="issuerEntityId", max_length=64)] = None,
    buyer_id: Annotated[str | None, QueryParameter(name="buyerId", max_length=64)] = None,
    seller_id: Annotated[str | None, QueryParameter(name="sellerId", max_length=64)] = None,
    issued_from: Annotated[str | None, QueryParameter(name="issuedFrom", description=MOMENT_OR_DATE)] = None,
    issued_to: Annotated[str | None, QueryParameter(name="issuedTo", description=MOMENT_OR_DATE)] = None,
    q: Text = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[DocumentPage]:
    """Documents in the caller's scope, newest first."""
    filters: dict[str, Any] = {
        "orderId": order_id,
        "docType": doc_type,
        "status": status,
        "countryCode": country_code,
        "issuerEntityId": issuer_entity_id,
        "buyerId": buyer_id,
        "sellerId": seller_id,
        "issuedFrom": moment_or_date("issuedFrom", issued_from),
        "issuedTo": moment_or_date("issuedTo", issued_to),
        "q": q,
    }
    scope = caller_of(request).document_scope()
    statement = select_documents(scope, filters, position_cursor(cursor), limit + 1)
    found = await read(request, LIST_DOCUMENTS, min_position, statement)
    viewer = _viewer(request)
    items, next_cursor = page(
        found.results[0],
        limit,
        lambda row: document_item(row, viewer),
        lambda row: row["drafted_position"],
    )
    return shown(DocumentPage(items=items, next_cursor=next_cursor), found.position)


@route(GET_DOCUMENT)
async def get_document(
    request: AnyRequest,
    document_id: DocumentId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[DocumentDetail]:
    """One document, now or in the past."""
    found = await read(request, GET_DOCUMENT, min_position, select_document(document_id))
    return await _now_or_then(request, found, as_of, as_of_position)


@route(GET_DOCUMENT_BY_KEY)
async def get_document_by_key(
    request: AnyRequest,
    document_key: Annotated[str, QueryParameter(name="documentKey", min_length=1, max_length=4000)],
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[DocumentDetail]:
    """The document of a key, now or in the past."""
    found = await read(request, GET_DOCUMENT_BY_KEY, min_position, select_document_by_key(document_key))
    return await _now_or_then(request, found, as_of, as_of_position)


@route(LIST_DOCUMENT_EVENTS)
async def list_document_events(
    request: AnyRequest,
    document_id: DocumentId,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[TimelinePage]:
    """A document's audit timeline, oldest first."""
    found = await read(
        request,
        LIST_DOCUMENT_EVENTS,
        min_position,
        select_document(document_id),
        select_timeline(document_id, position_cursor(cursor) or 0, limit + 1),
    )
    caller = caller_of(request)
    visible_row(found, caller)
    downloads = await _downloads(request, found.results[1]) if "docs.audit.read" in caller.permissions else {}
    items, next_cursor = page(
        found.results[1],
        limit,
        lambda row: timeline_entry(row, downloads.get(row["position"])),
        lambda row: row["position"],
    )
    return shown(TimelinePage(items=items, next_cursor=next_cursor), found.position)


async def _downloads(request: AnyRequest, rows: list[dict[str, Any]]) -> dict[int, DocumentDownloaded]:
    """The downloads among a timeline's rows as the ledger has them, by position."""
    positions = [row["position"] for row in rows if row["event_type"] == "DOWNLOADED"]
    if not positions:
        return {}
    wanted = EventFilter(positions=positions, limit=len(positions))
    events = await system_of(request).ledger.search(wanted)
    return {event.position: event.fact for event in events if isinstance(event.fact, DocumentDownloaded)}


@route(VERIFY_DOCUMENT)
async def verify_document(
    request: AnyRequest, document_id: DocumentId, min_position: MinPosition = None
) -> Response[VerificationAnswer]:
    """Whether a document's bytes, seal, template and ledger entries agree."""
    found = await read(request, VERIFY_DOCUMENT, min_position, select_document(document_id))
    visible_row(found, caller_of(request))
    verification = await system_of(request).verifier.verify(document_id)
    checks = [CheckAnswer(name=check.name, ok=check.ok, detail=check.detail) for check in verification.checks]
    return shown(VerificationAnswer(valid=verification.valid, checks=checks), found.position)


def visible_row(found: Found, caller: Caller) -> dict[str, Any]:
    """The row asked for, if the caller may know of it. Raises `NOT_FOUND`."""
    rows = found.results[0]
    if not rows or not _shows(rows[0], caller):
        raise not_found("The document")
    return rows[0]


async def document_in_scope(
    request: AnyRequest, operation: Operation, document_id: str, min_position: int | None
) -> tuple[dict[str, Any], int]:
    """The row of a document that the caller may know of, and the position shown. Raises `NOT_FOUND`."""
    found = await read(request, operation, min_position, select_document(document_id))
    return visible_row(found, caller_of(request)), found.position


def _shows(row: dict[str, Any], caller: Caller) -> bool:
    return caller.document_scope().shows(
        buyer_id=row["buyer_id"],
        seller_id=row["seller_id"],
        audience=row["audience"],
        country_code=row["country_code"],
        was_issued=row["issued"] is not None,
    )


async def _now_or_then(
    request: AnyRequest, found: Found, as_of: str | None, as_of_position: int | None
) -> Response[DocumentDetail]:
    """The document found, as it is or, by the same fold over its events, as it stood then."""
    row = visible_row(found, caller_of(request))
    moment = past_moment(as_of, as_of_position)
    if moment is None:
        return _detail(request, row, found.position)
    stream = DOCUMENT.stream(row["document_id"])
    events = await system_of(request).ledger.history(
        stream, as_of=moment.as_of, up_to_position=moment.position
    )
    past = reduce(fold_document, events, None)
    if past is None or not _shows(past, caller_of(request)):
        raise not_found("The document")
    return _detail(request, past, events[-1].position)


def _detail(request: AnyRequest, row: dict[str, Any], position: int) -> Response[DocumentDetail]:
    detail = document_detail(row, _viewer(request))
    return shown(detail, position, headers={"ETag": etag(row["stream_version"])})


def _viewer(request: AnyRequest) -> Viewer:
    return Viewer(caller_of(request).permissions, system_of(request).clock.now())


HANDLERS = (list_documents, get_document, get_document_by_key, list_document_events, verify_document)
