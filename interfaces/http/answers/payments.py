"""Payments as clients see them (contract §5); amounts are minor units of `currencyUomId`."""

from domain.kernel.facts import Utc, Value
from domain.receivables.payment_facts import PaymentType


class GatewayAnswer(Value):
    """Which gateway a payment goes by, and what it calls it."""

    name: str
    reference: str | None


class RefundAnswer(Value):
    """Money given back of a payment; `documentId` shows it once it is."""

    refund_id: str
    amount: int
    status: str
    reason_code: str | None
    document_id: str | None
    refunded_at: Utc | None


class PaymentFailureAnswer(Value):
    """Why no money has moved; `code` is the gateway's own word."""

    reason: str
    code: str | None


class PaymentAnswer(Value):
    """A payment as it stands.

    Until it is captured, type and remaining balance are as it would leave them; null where it never will be.
    """

    billing_payment_id: str
    invoice_id: str
    customer_account_id: str
    status: str
    amount: int
    currency_uom_id: str
    payment_type: PaymentType | None
    remaining_balance: int | None
    receipt_id: str | None
    gateway: GatewayAnswer
    initiated_at: Utc
    captured_at: Utc | None
    refunded_amount: int
    refunds: list[RefundAnswer]
    void_status: str | None
    failure: PaymentFailureAnswer | None


class PaymentLink(Value):
    """Where something is that belongs to a payment (BILL-DEC-016)."""

    rel: str
    target_domain: str
    target_type: str
    target_id: str


class PaymentDetailAnswer(PaymentAnswer):
    """A payment, what the caller may do with it, and where its invoice, receipt and documents are."""

    allowed_actions: list[str]
    links: list[PaymentLink]
