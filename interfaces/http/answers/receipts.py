"""Receipts as clients see them (contract §5); amounts are minor units of `currencyUomId`."""

from domain.kernel.facts import Utc, Value
from domain.receivables.payment_facts import PaymentType, ReceiptChannel
from domain.receivables.receipt import ReceiptAction, ReceiptDeliveryStatus, Reprints


class ReceiptDeliveryItem(Value):
    """How one way stands; `copyNumber` 0 is the original. `reason` is why it failed, or came back."""

    channel: ReceiptChannel
    status: ReceiptDeliveryStatus
    delivery_id: str | None
    copy_number: int
    reason: str | None
    next_retry_at: Utc | None


class AdjustmentItem(Value):
    """A refund of the payment, the document that shows it, and what was left then."""

    refund_id: str
    document_id: str
    amount: int
    left_of_payment: int


class ReceiptAnswer(Value):
    """A receipt. `remainingBalance` is what was due of the invoice after the payment.

    `deliveryStatus` is that of what was asked for last, null while nobody has asked for a delivery.
    """

    receipt_id: str
    status: str
    voided_reason_code: str | None
    billing_payment_id: str
    invoice_id: str
    invoice_number: str
    work_order_id: str
    customer_account_id: str
    amount: int
    currency_uom_id: str
    payment_type: PaymentType
    remaining_balance: int
    number: str
    issued_at: Utc
    document_id: str
    document_status: str
    delivery_status: ReceiptDeliveryStatus | None
    delivery_suppressed: bool
    deliveries: list[ReceiptDeliveryItem]
    adjustments: list[AdjustmentItem]
    reprint_policy: Reprints
    allowed_actions: list[ReceiptAction]
    links: list[dict[str, str]]


class ReceiptsOfInvoice(Value):
    """The receipts of an invoice's payments, oldest first."""

    items: list[ReceiptAnswer]


class HandedOverAnswer(Value):
    """What was handed over: PRINT brings `content` for the till's printer, EMAIL a `deliveryId`.

    `copyNumber` 0 is the original.
    """

    receipt_id: str
    channel: ReceiptChannel
    copy_number: int
    delivery_id: str | None
    delivery_status: ReceiptDeliveryStatus | None
    content: str | None
    content_type: str | None
