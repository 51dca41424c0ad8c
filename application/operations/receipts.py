"""Receipts of payments: seen, handed over by print or e-mail, reprinted (BILL-DEC-011, contract §5)."""

from dataclasses import replace

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import REQUIRED_KEY, Operation

_VIEWERS = frozenset({"billing:receipt:view"})
_HANDED_OVER = (
    "NOT_FOUND",
    "IDEMPOTENCY_KEY_REQUIRED",
    "REPRINT_NOT_ALLOWED",
    "RECIPIENT_MISSING",
    "IDEMPOTENCY_KEY_REUSED",
)

GET_RECEIPT = Operation(
    name="receipts.get",
    kind="query",
    method="GET",
    path="/v1/billing/receipts/{receiptId:str}",
    summary="One receipt, now or as of a moment or position, and what may be done with it",
    permissions=_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

LIST_RECEIPTS_OF_INVOICE = Operation(
    name="receipts.list-by-invoice",
    kind="query",
    method="GET",
    path="/v1/billing/receipts/by-invoice/{invoiceId:str}",
    summary="The receipts of an invoice's payments, oldest first",
    permissions=_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

DELIVER_RECEIPT = Operation(
    name="receipts.deliver",
    kind="command",
    method="POST",
    path="/v1/billing/receipts/{receiptId:str}/deliver",
    summary="Hands the original over: as text for a till, or as PDF by e-mail, also again where that failed",
    permissions=frozenset({"billing:receipt:deliver"}),
    success="The text to print is handed out and that is recorded, or the e-mail is recorded as due",
    ownership=ACCOUNT_OWNERSHIP,
    classification=("external_effect",),
    idempotency=replace(REQUIRED_KEY, some_go_without=True),
    audit_event="receipt.delivery-requested",
    redaction=("content",),
    errors=_HANDED_OVER,
)

REPRINT_RECEIPT = Operation(
    name="receipts.reprint",
    kind="command",
    method="POST",
    path="/v1/billing/receipts/{receiptId:str}/reprint",
    summary="Makes a copy, as the account's reprint policy lets: as text for a till, or as PDF by e-mail",
    permissions=frozenset({"billing:receipt:reprint"}),
    success="The copy is recorded with its reason, and counted: handed out as text, or due as an e-mail",
    ownership=ACCOUNT_OWNERSHIP,
    classification=("external_effect",),
    idempotency=REQUIRED_KEY,
    audit_event="receipt.reprinted",
    redaction=("content", "elevationToken"),
    errors=(
        *_HANDED_OVER,
        "CARD_DATA_REFUSED",
        "REASON_CODE_REQUIRED",
        "DOCUMENT_NOT_ISSUED",
        "ELEVATION_INVALID",
    ),
)
