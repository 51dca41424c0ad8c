"""Customers' payments: taken, voided, refunded and seen; gateways' notices of them (contract §5, S2)."""

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import (
    ANY_CALLER,
    Classification,
    Idempotency,
    Operation,
)

_BY_KEY = Idempotency(
    required=True, source="header", replay="stored answer", inflight="409 IDEMPOTENCY_IN_FLIGHT"
)
_MONEY_MOVES: tuple[Classification, ...] = ("external_effect", "irreversible")
_COMMON = ("NOT_FOUND", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_IN_FLIGHT")
_REFUNDERS = frozenset({"billing:payment:refund"})

PAY_INVOICE = Operation(
    name="payments.pay",
    kind="command",
    method="POST",
    path="/v1/billing/invoices/{invoiceId:str}/payments",
    summary="Takes a payment of an issued invoice",
    permissions=frozenset({"billing:payment:capture"}),
    success="The money has moved, and the receipt is drafted and numbered (201); or nobody knows yet (202)",
    statuses=(201, 202),
    ownership=ACCOUNT_OWNERSHIP,
    classification=_MONEY_MOVES,
    idempotency=_BY_KEY,
    audit_event="payment.captured",
    redaction=("paymentMethodToken",),
    errors=(
        *_COMMON,
        "CARD_DATA_REFUSED",
        "PAYMENT_DECLINED",
        "INVOICE_NOT_PAYABLE",
        "PAYMENT_EXCEEDS_BALANCE",
        "PARTIAL_PAYMENTS_DISABLED",
        "CURRENCY_MISMATCH",
        "GATEWAY_UNAVAILABLE",
    ),
)

VOID_PAYMENT = Operation(
    name="payments.void",
    kind="command",
    method="POST",
    path="/v1/billing/payments/{billingPaymentId:str}/void",
    summary="Takes a whole payment back of which nothing was refunded",
    success="The gateway has let go of the money, which is due again (200); or nobody knows yet (202)",
    permissions=_REFUNDERS,
    statuses=(200, 202),
    ownership=ACCOUNT_OWNERSHIP,
    classification=_MONEY_MOVES,
    idempotency=_BY_KEY,
    audit_event="payment.voided",
    errors=(*_COMMON, "CARD_DATA_REFUSED", "PAYMENT_NOT_VOIDABLE", "GATEWAY_UNAVAILABLE"),
)

REFUND_PAYMENT = Operation(
    name="payments.refund",
    kind="command",
    method="POST",
    path="/v1/billing/payments/{billingPaymentId:str}/refund",
    summary="Gives a part of a captured payment back, or all that is left of it",
    success="The money is on its way back, due again and documented (200); or nobody knows yet (202)",
    permissions=_REFUNDERS,
    statuses=(200, 202),
    ownership=ACCOUNT_OWNERSHIP,
    classification=_MONEY_MOVES,
    idempotency=_BY_KEY,
    audit_event="payment.refunded",
    errors=(
        *_COMMON,
        "CARD_DATA_REFUSED",
        "CURRENCY_MISMATCH",
        "PAYMENT_NOT_REFUNDABLE",
        "REFUND_EXCEEDS_PAID",
        "GATEWAY_UNAVAILABLE",
    ),
)

GET_PAYMENT = Operation(
    name="payments.get",
    kind="query",
    method="GET",
    path="/v1/billing/payments/{billingPaymentId:str}",
    summary="One payment, now or as of a moment or position",
    permissions=frozenset({"billing:payment:view"}),
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

NOTIFY_PAYMENT = Operation(
    name="payments.notify",
    kind="command",
    method="POST",
    path="/v1/billing/gateways/{gateway:str}/notices",
    summary="A gateway's signed notice that something became of a payment, which is then asked for",
    success="How the payment stands at the gateway is recorded, and what it waited for is done",
    permissions=ANY_CALLER,
    ownership="who signs with the gateway's secret",
    classification=("external_effect",),
    idempotency=Idempotency(
        required=True,
        source="id and version",
        replay="how the payment stands is asked for again; no step is taken twice",
        inflight="each step has a key of the payment's own",
    ),
    audit_event="payment.captured",
    redaction=("body", "signature"),
    errors=("NOT_FOUND", "NOTICE_REFUSED"),
    authenticated=False,
)
