"""Drafting, issuing, voiding, crediting and rebilling invoices (contract §5)."""

from typing import Annotated

from litestar import Response
from pydantic import Field

from application.handlers.invoice_corrections import credit_invoice, rebill_invoice
from application.handlers.invoices import draft_invoice, draft_streams, issue_invoice, void_invoice
from application.ledger import Handler
from application.operations.invoices import (
    CREDIT_INVOICE,
    DRAFT_INVOICE,
    ISSUE_INVOICE,
    REBILL_INVOICE,
    VOID_INVOICE,
)
from application.ports import ElevationClaims
from application.validation import invalid_field
from domain.invoicing.invoice import INVOICE
from domain.kernel.errors import DomainError
from domain.kernel.facts import Identifier, Uuid
from domain.kernel.money import DecimalString
from interfaces.http.answers.invoices import CreditNoteAnswer, InvoiceDetailAnswer, RebillAnswer
from interfaces.http.asking import asking_of
from interfaces.http.bodies import (
    JSON,
    DryRun,
    ElevationToken,
    Notes,
    RequestBody,
    read_body,
    require_reason,
    schema_of,
)
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.reading import InvoiceId
from interfaces.http.routes import route

MOST_CREDITED_LINES = 2_000


class DraftRequest(RequestBody):
    """Which work order to invoice."""

    work_order_id: Uuid
    dry_run: DryRun = False


class IssueRequest(RequestBody):
    """Which revision of the draft is meant, and a manager's approval of what stands in the way."""

    invoice_version: Annotated[int, Field(strict=True, ge=1)] | None = None
    elevation_token: ElevationToken | None = Field(default=None, repr=False)
    dry_run: DryRun = False


class VoidRequest(RequestBody):
    """Why, and a manager's approval where there is one."""

    reason_code: Identifier
    reason_notes: Notes | None = None
    elevation_token: ElevationToken | None = Field(default=None, repr=False)
    dry_run: DryRun = False


class LineToCredit(RequestBody):
    """What of a line is taken back; without a quantity, all of it."""

    line_id: Identifier
    quantity: DecimalString | None = None


class CreditRequest(RequestBody):
    """Why, and which lines; without lines all that is left. A rebill has to take back all of it."""

    reason_code: Identifier
    lines: Annotated[list[LineToCredit], Field(min_length=1, max_length=MOST_CREDITED_LINES)] | None = None
    dry_run: DryRun = False


@route(DRAFT_INVOICE, operation_class=describing_body({JSON: schema_of(DraftRequest)}))
async def draft(request: AnyRequest, idempotency_key: IdempotencyKey = None) -> Response[InvoiceDetailAnswer]:
    """The work order's draft: 201 if it is new."""

    async def prepare() -> Prepared:
        body = await read_body(request, DraftRequest)
        fresh = str(system_of(request).ids.new())
        handler = draft_invoice(body.work_order_id, fresh, asking_of(request))
        streams = draft_streams(body.work_order_id) | {INVOICE.stream(fresh)}
        return Prepared(handler, streams, dry_run=body.dry_run)

    return await carry_out(request, DRAFT_INVOICE, idempotency_key, prepare)


@route(ISSUE_INVOICE, operation_class=describing_body({JSON: schema_of(IssueRequest)}))
async def issue(
    request: AnyRequest, invoice_id: InvoiceId, idempotency_key: IdempotencyKey = None
) -> Response[InvoiceDetailAnswer]:
    """The invoice once it is issued."""

    async def prepare() -> Prepared:
        body = await read_body(request, IssueRequest)
        elevations = _elevations(request, body.elevation_token)
        elevation = elevations[0] if elevations else None
        handler = issue_invoice(invoice_id, body.invoice_version, elevation, asking_of(request))
        return _prepared(invoice_id, handler, elevations, dry_run=body.dry_run)

    return await carry_out(request, ISSUE_INVOICE, idempotency_key, prepare)


@route(VOID_INVOICE, operation_class=describing_body({JSON: schema_of(VoidRequest)}))
async def void(
    request: AnyRequest, invoice_id: InvoiceId, idempotency_key: IdempotencyKey = None
) -> Response[InvoiceDetailAnswer]:
    """The invoice once it is void."""

    async def prepare() -> Prepared:
        body = await read_body(request, VoidRequest)
        require_reason("VOID", body.reason_code)
        elevations = _elevations(request, body.elevation_token)
        elevation = elevations[0] if elevations else None
        handler = void_invoice(invoice_id, body.reason_code, body.reason_notes, elevation, asking_of(request))
        return _prepared(invoice_id, handler, elevations, dry_run=body.dry_run)

    return await carry_out(request, VOID_INVOICE, idempotency_key, prepare)


@route(CREDIT_INVOICE, operation_class=describing_body({JSON: schema_of(CreditRequest)}))
async def credit(
    request: AnyRequest, invoice_id: InvoiceId, idempotency_key: IdempotencyKey = None
) -> Response[CreditNoteAnswer]:
    """The credit note."""

    async def prepare() -> Prepared:
        body = await read_body(request, CreditRequest)
        require_reason("CREDIT", body.reason_code)
        credit_id = str(system_of(request).ids.new())
        handler = credit_invoice(
            invoice_id, credit_id, body.reason_code, _quantities(body.lines), asking_of(request)
        )
        return _prepared(invoice_id, handler, (), dry_run=body.dry_run)

    return await carry_out(request, CREDIT_INVOICE, idempotency_key, prepare)


@route(REBILL_INVOICE, operation_class=describing_body({JSON: schema_of(CreditRequest)}))
async def rebill(
    request: AnyRequest, invoice_id: InvoiceId, idempotency_key: IdempotencyKey = None
) -> Response[RebillAnswer]:
    """The new draft, with the credit note for what was taken back."""

    async def prepare() -> Prepared:
        body = await read_body(request, CreditRequest)
        require_reason("CREDIT", body.reason_code)
        asking = asking_of(request)
        if "billing:invoice:create-draft" not in asking.permissions:
            raise DomainError("PERMISSION_DENIED", "Rebilling drafts an invoice, which needs its permission.")
        credit_id, fresh = (str(system_of(request).ids.new()) for _ in range(2))
        handler = rebill_invoice(
            invoice_id, credit_id, fresh, body.reason_code, _quantities(body.lines), asking
        )
        return _prepared(invoice_id, handler, (), dry_run=body.dry_run)

    return await carry_out(request, REBILL_INVOICE, idempotency_key, prepare)


def _elevations(request: AnyRequest, token: str | None) -> tuple[ElevationClaims, ...]:
    """What an approval stands for, if there is one. Raises `ELEVATION_INVALID`."""
    if token is None:
        return ()
    return (system_of(request).elevations.read(caller_of(request), token),)


def _prepared(
    invoice_id: str, handler: Handler, elevations: tuple[ElevationClaims, ...], *, dry_run: bool
) -> Prepared:
    streams = frozenset((INVOICE.stream(invoice_id), *(each.stream for each in elevations)))
    return Prepared(handler, streams, dry_run=dry_run, elevations=elevations)


def _quantities(lines: list[LineToCredit] | None) -> dict[str, str | None] | None:
    """The quantities by line id, None for all that is left of it. Raises `VALIDATION_FAILED`."""
    if lines is None:
        return None
    quantities = {line.line_id: line.quantity for line in lines}
    if len(quantities) < len(lines):
        raise invalid_field("lines", "LINE_ID_REPEATED", "A line is named once.")
    return quantities


HANDLERS = (draft, issue, void, credit, rebill)
