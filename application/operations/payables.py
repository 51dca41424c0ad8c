"""Vendors' bills and payments to vendors (BILL-DEC-013; contract §5)."""

from application.operations.operation import Idempotency, Operation

_VIEWERS = frozenset({"billing:ap:payment:view"})

LIST_BILLS = Operation(
    name="ap-bills.list",
    kind="query",
    method="GET",
    path="/v1/billing/ap/vendors/{vendorId:str}/bills",
    summary="A vendor's bills, the first due first, and what is open of each",
    permissions=frozenset({"billing:ap:bill:view"}),
    errors=("PROJECTION_BEHIND",),
    projections=("bills",),
)

EXECUTE_AP_PAYMENT = Operation(
    name="ap-payments.execute",
    kind="command",
    method="POST",
    path="/v1/billing/ap/payments",
    summary="Pays a vendor: reserves what it is for and lets the worker have the money moved",
    permissions=frozenset({"billing:ap:payment:execute"}),
    success="The payment is on record with what it reserves (201; 200 again); the worker has it made",
    statuses=(201, 200),
    classification=("external_effect", "irreversible"),
    idempotency=Idempotency(
        required=True, source="paymentRef", replay="the same payment", inflight="the payment as it stands"
    ),
    audit_event="ap-payment.initiated",
    errors=(
        "PAYMENT_REF_CONFLICT",
        "GROSS_AMOUNT_NOT_POSITIVE",
        "ALLOCATIONS_EXCEED_GROSS",
        "BILL_NOT_PAYABLE",
        "CURRENCY_MISMATCH",
        "ALLOCATION_EXCEEDS_OPEN_AMOUNT",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

GET_AP_PAYMENT_BY_REF = Operation(
    name="ap-payments.get-by-ref",
    kind="query",
    method="GET",
    path="/v1/billing/ap/payments/by-ref/{paymentRef:path}",
    summary="The payment that a paymentRef names, now or as of a moment or position",
    permissions=_VIEWERS,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
)

GET_AP_PAYMENT = Operation(
    name="ap-payments.get",
    kind="query",
    method="GET",
    path="/v1/billing/ap/payments/{billingPaymentId:str}",
    summary="One payment to a vendor, now or as of a moment or position",
    permissions=_VIEWERS,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
)
