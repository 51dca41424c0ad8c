"""Issuing documents on demand, voiding, replacing and crediting them (contract §6)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from litestar import Response
from pydantic import Field

from application.handlers.document_corrections import (
    CorrectionRequest,
    credit_document,
    replace_document,
    void_document,
)
from application.handlers.document_demands import (
    Demand,
    ProfileIncomplete,
    issue_for_invoice,
    issue_for_order,
)
from application.ledger import Handler
from application.operations.documents import (
    CREDIT_DOCUMENT,
    ISSUE_DOCUMENT,
    REPLACE_DOCUMENT,
    VOID_DOCUMENT,
)
from application.operations.operation import Operation
from application.validation import invalid_field
from domain.accounts.choices import ReasonCategory
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocType
from domain.documents.order_state import ORDER
from domain.invoicing.invoice import INVOICE
from domain.kernel.card_numbers import WITHOUT_CARD_DATA
from domain.kernel.facts import Identifier, Uuid
from interfaces.http.answers.documents import CommandedDocumentAnswer
from interfaces.http.asking import asking_of
from interfaces.http.bodies import (
    JSON,
    DryRun,
    ElevationToken,
    RequestBody,
    read_body,
    require_reason,
    schema_of,
)
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, desk_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.reading import DocumentId, recorded_time
from interfaces.http.routes import route


class IssueDocumentRequest(RequestBody):
    """Which document, of an order or of an invoice.

    `reasonCode` is the caller's own word for why. `asOf`, for a dry run, asks what policy said at that time.
    """

    order_id: Identifier | None = None
    invoice_id: Uuid | None = None
    doc_type: DocType
    reason_code: Annotated[Identifier | None, WITHOUT_CARD_DATA] = None
    as_of: str | None = None
    dry_run: DryRun = False


class CorrectDocumentRequest(RequestBody):
    """Why, and the approval of a second person."""

    reason_code: Identifier
    elevation_token: ElevationToken | None = Field(default=None, repr=False)
    dry_run: DryRun = False


@route(ISSUE_DOCUMENT, operation_class=describing_body({JSON: schema_of(IssueDocumentRequest)}))
async def issue_document(
    request: AnyRequest, idempotency_key: IdempotencyKey = None
) -> Response[CommandedDocumentAnswer]:
    """The document, drafted and numbered; its files follow within moments."""

    async def prepare() -> Prepared:
        body = await read_body(request, IssueDocumentRequest)
        demand = Demand(
            body.doc_type, desk_of(request), caller_of(request), explains=body.dry_run, as_of=_as_of(body)
        )
        if body.order_id is not None and body.invoice_id is None:
            handler, stream = issue_for_order(body.order_id, demand), ORDER.stream(body.order_id)
        elif body.invoice_id is not None and body.order_id is None:
            handler, stream = issue_for_invoice(body.invoice_id, demand), INVOICE.stream(body.invoice_id)
        else:
            raise invalid_field("orderId", "AMBIGUOUS", "Give orderId or invoiceId, one of them.")
        return Prepared(handler, frozenset({stream}), dry_run=body.dry_run)

    try:
        return await carry_out(request, ISSUE_DOCUMENT, idempotency_key, prepare)
    except ProfileIncomplete as blocked:
        if blocked.is_recorded:
            system_of(request).observer.blocked(blocked.country_code)
        raise


def _as_of(body: IssueDocumentRequest) -> datetime | None:
    if body.as_of is not None and not body.dry_run:
        raise invalid_field("asOf", "DRY_RUN_ONLY", "Only a dry run can ask what policy said in the past.")
    return recorded_time("asOf", body.as_of)


@route(VOID_DOCUMENT, operation_class=describing_body({JSON: schema_of(CorrectDocumentRequest)}))
async def void(
    request: AnyRequest, document_id: DocumentId, idempotency_key: IdempotencyKey = None
) -> Response[CommandedDocumentAnswer]:
    """The document once it is void."""
    return await _correct(request, VOID_DOCUMENT, document_id, idempotency_key, void_document, "VOID")


@route(REPLACE_DOCUMENT, operation_class=describing_body({JSON: schema_of(CorrectDocumentRequest)}))
async def replace(
    request: AnyRequest, document_id: DocumentId, idempotency_key: IdempotencyKey = None
) -> Response[CommandedDocumentAnswer]:
    """The document in its place."""
    return await _correct(request, REPLACE_DOCUMENT, document_id, idempotency_key, replace_document, "VOID")


@route(CREDIT_DOCUMENT, operation_class=describing_body({JSON: schema_of(CorrectDocumentRequest)}))
async def credit(
    request: AnyRequest, document_id: DocumentId, idempotency_key: IdempotencyKey = None
) -> Response[CommandedDocumentAnswer]:
    """The credit note."""
    return await _correct(request, CREDIT_DOCUMENT, document_id, idempotency_key, credit_document, "CREDIT")


async def _correct(
    request: AnyRequest,
    operation: Operation,
    document_id: str,
    idempotency_key: str | None,
    handler_of: Callable[[CorrectionRequest], Handler],
    category: ReasonCategory,
) -> Response[CommandedDocumentAnswer]:
    async def prepare() -> Prepared:
        body = await read_body(request, CorrectDocumentRequest)
        require_reason(category, body.reason_code)
        caller, system = caller_of(request), system_of(request)
        token = body.elevation_token
        elevation = None if token is None else system.elevations.read(caller, token)
        correction = CorrectionRequest(
            document_id, body.reason_code, elevation, asking_of(request), caller, str(system.ids.new())
        )
        elevations = () if elevation is None else (elevation,)
        streams = frozenset((DOCUMENT.stream(document_id), *(each.stream for each in elevations)))
        return Prepared(handler_of(correction), streams, dry_run=body.dry_run, elevations=elevations)

    return await carry_out(request, operation, idempotency_key, prepare)


HANDLERS = (issue_document, void, replace, credit)
