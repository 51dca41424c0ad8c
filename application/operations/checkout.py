"""Checkout: what an account's rules ask of it, its purchase order, overriding that (BILL-DEC-009)."""

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import OPTIONAL_KEY, Operation

_CASHIERS = frozenset({"billing:checkout:po:capture"})

EVALUATE_CHECKOUT = Operation(
    name="checkout.evaluate",
    kind="query",
    method="POST",
    path="/v1/billing/checkout/{checkoutId:str}/evaluate",
    summary="What an account's rules ask of a checkout and what its credit allows, as the ledger stands",
    permissions=_CASHIERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "CURRENCY_MISMATCH"),
)

CAPTURE_PO = Operation(
    name="checkout.capture-po",
    kind="command",
    method="POST",
    path="/v1/billing/checkout/{checkoutId:str}/po",
    summary="Records a checkout's purchase order, once",
    permissions=_CASHIERS,
    success="The purchase order is recorded for the checkout (201), or was before (200)",
    statuses=(201, 200),
    ownership=ACCOUNT_OWNERSHIP,
    idempotency=OPTIONAL_KEY,
    audit_event="checkout.po-captured",
    errors=(
        "NOT_FOUND",
        "PO_ALREADY_CAPTURED",
        "PO_ALREADY_OVERRIDDEN",
        "PO_NOT_UNIQUE",
        "PO_FORMAT_INVALID",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

OVERRIDE_PO = Operation(
    name="checkout.override-po",
    kind="command",
    method="POST",
    path="/v1/billing/checkout/{checkoutId:str}/po-override",
    summary="Lets a checkout go on without a purchase order, by approval",
    permissions=frozenset({"billing:checkout:po:override"}),
    success="The override is recorded with who approved it (201), or was before (200)",
    statuses=(201, 200),
    ownership=ACCOUNT_OWNERSHIP,
    idempotency=OPTIONAL_KEY,
    audit_event="checkout.po-overridden",
    redaction=("elevationToken", "secondApproverToken"),
    errors=(
        "CARD_DATA_REFUSED",
        "NOT_FOUND",
        "PO_ALREADY_CAPTURED",
        "PO_ALREADY_OVERRIDDEN",
        "OVERRIDE_NOT_ALLOWED",
        "REASON_CODE_REQUIRED",
        "SECOND_APPROVER_REQUIRED",
        "ELEVATION_INVALID",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)
