"""Invoices: drafted, issued, voided, credited, rebilled; seen one by one and in lists (contract §5)."""

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import OPTIONAL_KEY, Idempotency, Operation

_VIEWERS = frozenset({"billing:invoice:view"})
_BY_WORK_ORDER = Idempotency(
    required=True, source="workOrderId", replay="the draft that there is", inflight="waits for the first"
)
_BY_VERSION = Idempotency(
    required=True, source="id and version", replay="the same result", inflight="waits for the first"
)

DRAFT_INVOICE = Operation(
    name="invoices.draft",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/draft",
    summary="Drafts the invoice of a completed work order",
    permissions=frozenset({"billing:invoice:create-draft"}),
    success="The draft is recorded with its lines and totals (201), or there is one (200)",
    statuses=(201, 200),
    ownership=ACCOUNT_OWNERSHIP,
    idempotency=_BY_WORK_ORDER,
    audit_event="invoice.drafted",
    errors=(
        "WORK_ORDER_UNKNOWN",
        "WORK_ORDER_NOT_READY",
        "INVOICE_ALREADY_FINALIZED",
        "BILLING_DATA_INCOMPLETE",
        "SNAPSHOT_INCONSISTENT",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

ISSUE_INVOICE = Operation(
    name="invoices.issue",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/{invoiceId:str}/issue",
    summary="Issues a draft: number, date and document in one transaction",
    permissions=frozenset({"billing:invoice:issue"}),
    success="The invoice is ISSUED: number, date and its document's draft are recorded in one transaction",
    ownership=ACCOUNT_OWNERSHIP,
    classification=("irreversible",),
    idempotency=_BY_VERSION,
    audit_event="invoice.issued",
    redaction=("elevationToken",),
    errors=(
        "NOT_FOUND",
        "INVOICE_NOT_DRAFT",
        "STALE_ETAG",
        "ISSUANCE_BLOCKED",
        "ELEVATION_INVALID",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

VOID_INVOICE = Operation(
    name="invoices.void",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/{invoiceId:str}/void",
    summary="Voids an invoice on which no payment stands, and its document",
    permissions=frozenset({"billing:invoice:void"}),
    success="The invoice is VOID and so is its document; its number stays taken",
    ownership=ACCOUNT_OWNERSHIP,
    classification=("irreversible",),
    idempotency=_BY_VERSION,
    audit_event="invoice.voided",
    redaction=("elevationToken",),
    errors=(
        "CARD_DATA_REFUSED",
        "NOT_FOUND",
        "INVOICE_NOT_VOIDABLE",
        "DRIVER_FORBIDS",
        "ELEVATION_INVALID",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

CREDIT_INVOICE = Operation(
    name="invoices.credit",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/{invoiceId:str}/credit",
    summary="Takes lines of an issued invoice back by a credit note, or all that is left",
    permissions=frozenset({"billing:invoice:void"}),
    success="The credit note is drafted and numbered, and what it takes back is off the invoice",
    statuses=(201,),
    ownership=ACCOUNT_OWNERSHIP,
    classification=("irreversible",),
    idempotency=OPTIONAL_KEY,
    audit_event="invoice.credited",
    errors=("NOT_FOUND", "INVOICE_NOT_CREDITABLE", "CREDIT_EXCEEDS_INVOICE", "IDEMPOTENCY_KEY_REUSED"),
)

REBILL_INVOICE = Operation(
    name="invoices.rebill",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/{invoiceId:str}/rebill",
    summary="Credits what is left of an invoice and drafts another one of its work order",
    permissions=frozenset({"billing:invoice:void"}),
    success="The credit note is drafted and numbered, and so is a new draft of the same work order",
    statuses=(201,),
    ownership=f"{ACCOUNT_OWNERSHIP}; billing:invoice:create-draft too",
    classification=("irreversible",),
    idempotency=OPTIONAL_KEY,
    audit_event="invoice.rebilled",
    errors=(
        "NOT_FOUND",
        "INVOICE_NOT_CREDITABLE",
        "CREDIT_EXCEEDS_INVOICE",
        "REBILL_INCOMPLETE",
        "BILLING_DATA_INCOMPLETE",
        "SNAPSHOT_INCONSISTENT",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

GET_INVOICE = Operation(
    name="invoices.get",
    kind="query",
    method="GET",
    path="/v1/billing/invoices/{invoiceId:str}",
    summary="One invoice, now or as of a moment or position",
    permissions=_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

GET_INVOICE_BY_WORK_ORDER = Operation(
    name="invoices.get-by-workorder",
    kind="query",
    method="GET",
    path="/v1/billing/invoices/by-workorder/{workOrderId:str}",
    summary="The primary invoice of a work order, now or as of a moment or position",
    permissions=_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

LIST_INVOICES = Operation(
    name="invoices.list",
    kind="query",
    method="GET",
    path="/v1/billing/invoices",
    summary="Invoices by filter, newest first",
    permissions=_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("PROJECTION_BEHIND",),
    projections=("invoices", "accounts"),
)
