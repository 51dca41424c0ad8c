"""What a payment's receipt and the adjustments of its refunds show their reader: the content that is sealed.

Everything comes from what the receipt froze when the payment was captured or refunded. What the money was
taken from is nobody's business here, and nothing of it is kept.
"""

from typing import Any

from domain.documents.content_parts import DocumentIdentity, identity_content, present
from domain.documents.document_facts import Corrected, Totals
from domain.kernel.facts import rfc3339
from domain.kernel.privacy import ERASED_TEXT, subject_of
from domain.receivables.receipt import Receipt
from domain.receivables.receipt_facts import ReceiptGenerated


def payment_receipt_content(receipt: Receipt, identity: DocumentIdentity) -> dict[str, Any]:
    """The content of a RECEIPT, ready for `canonical_json`. `remainingBalance` is what was due after it."""
    generated = receipt.generated
    return {
        **_common(generated, identity),
        "amount": generated.amount,
        "paymentType": generated.payment_type,
        "remainingBalance": generated.remaining_balance,
        "capturedAt": rfc3339(generated.captured_at),
    }


def payment_adjustment_content(
    receipt: Receipt, refund_id: str, corrects: Corrected, identity: DocumentIdentity
) -> dict[str, Any]:
    """The content of an ADJUSTMENT_STATEMENT: what was given back, and what is left of the payment.

    Raises `ValueError` where the receipt knows no such refund.
    """
    adjusted = next((each for each in receipt.adjustments if each.refund_id == refund_id), None)
    if adjusted is None:
        raise ValueError("the receipt has no such adjustment")
    return {
        **_common(receipt.generated, identity),
        "corrects": corrects.model_dump(mode="json", by_alias=True),
        "refundId": refund_id,
        "paidAmount": receipt.generated.amount,
        "amount": adjusted.amount,
        "leftOfPayment": adjusted.left,
        **present({"reasonCode": adjusted.reason_code}),
    }


def moved_totals(amount: int) -> Totals:
    """The five totals of a document that shows one amount of money, minor units."""
    return Totals(items_subtotal=amount, discount_total=0, fee_total=0, tax_total=0, grand_total=amount)


def payment_receipt_names(generated: ReceiptGenerated) -> tuple[tuple[str, str], ...]:
    """Subject and name of whom a receipt is for, by which it is found; not of those who are erased."""
    paid_by = generated.paid_by
    return () if paid_by.name == ERASED_TEXT else ((subject_of(paid_by), paid_by.name),)


def _common(generated: ReceiptGenerated, identity: DocumentIdentity) -> dict[str, Any]:
    return {
        **identity_content(identity),
        "issuer": {"legalName": generated.issuer_entity_id},
        "billTo": {"legalName": generated.paid_by.name},
        "invoiceId": generated.invoice_id,
        "invoiceNumber": generated.invoice_number,
        "invoiceDate": generated.invoice_date.isoformat(),
        "workOrderId": generated.work_order_id,
        "billingPaymentId": generated.billing_payment_id,
        "currencyUomId": generated.currency_uom_id,
    }
