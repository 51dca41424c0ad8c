"""Receipts of captured payments: made, voided and corrected together with them (BILL-DEC-011, BILL-DEC-012).

Each of these is called within a payment's own transaction, and refuses nothing: the money has moved.
"""

from application.desk import Desk
from application.handlers.documents import draft_with_number, existing, take_number, today_there
from application.handlers.receipt_documents import planned_adjustment, planned_receipt
from application.ledger import Transaction
from domain.documents.delivery import first_delivery_id
from domain.documents.document import DOCUMENT
from domain.documents.document import void as void_document
from domain.invoicing.invoice import INVOICE, Invoice
from domain.kernel.streams import StreamId
from domain.receivables.payment import PAYMENT, Payment
from domain.receivables.receipt import RECEIPT, Receipt, adjust, generate, void
from domain.receivables.receipt_facts import (
    PaidBy,
    ReceiptAdjusted,
    ReceiptDeliveryRequested,
    ReceiptGenerated,
    ReceiptVoided,
)

PAYMENT_VOIDED = "PAYMENT_VOIDED"
"""Why a receipt is void whose payment was voided for no reason that somebody named."""


def append_receipt(transaction: Transaction, desk: Desk, billing_payment_id: str, receipt_id: str) -> None:
    """Makes the receipt of a payment whose capture was just recorded, with its document and its delivery.

    Without anybody's wish it waits to be delivered; with `noReceipt` nothing is ever sent by itself (B7).
    """
    payment = _payment(transaction, billing_payment_id)
    initiated, captured = payment.initiated, payment.captured
    assert captured is not None, "only a captured payment has a receipt"
    invoice = _invoice(transaction, initiated.invoice_id)
    drafted, issued = invoice.drafted, invoice.issued
    assert issued is not None, "only an issued invoice is paid"
    today = today_there(transaction, drafted.country_code)
    plan = planned_receipt(desk, receipt_id, drafted, issued, initiated.amount, today)
    transaction.expect(plan.streams)
    wanted = None if initiated.no_receipt else initiated.deliver
    generated = ReceiptGenerated(
        billing_payment_id=billing_payment_id,
        invoice_id=initiated.invoice_id,
        invoice_number=issued.number,
        invoice_date=issued.issue_date,
        work_order_id=drafted.work_order_id,
        customer_account_id=drafted.customer_account_id,
        issuer_entity_id=drafted.issuer_entity_id,
        country_code=drafted.country_code,
        currency_uom_id=initiated.currency_uom_id,
        amount=initiated.amount,
        payment_type=captured.payment_type,
        remaining_balance=captured.remaining_balance,
        captured_at=captured.captured_at,
        paid_by=PaidBy(party_id=issued.bill_to.party_id, name=issued.bill_to.name),
        delivery_suppressed=initiated.no_receipt,
        to_be_printed=wanted == "PRINT",
        document_id=plan.document_id,
    )
    stream = RECEIPT.stream(receipt_id)
    transaction.append(stream, generate(transaction.state(RECEIPT, receipt_id), generated))
    draft_with_number(transaction, plan, take_number(transaction, plan, "DOCUMENT", plan.document_id))
    if wanted == "EMAIL":
        requested = ReceiptDeliveryRequested(
            document_id=plan.document_id,
            delivery_id=first_delivery_id(plan.document_id),
            copy_number=0,
            waits_for_seal=True,
            requested_by=initiated.initiated_by,
            requested_at=transaction.stamp.at,
        )
        transaction.append(stream, (requested,))


def void_receipt(transaction: Transaction, billing_payment_id: str, reason_code: str | None) -> None:
    """Voids the receipt of a payment that was voided, and its document; where it has none, nothing.

    The receipt confirms what was undone, so no country's rule keeps its document from being voided.
    """
    captured = _payment(transaction, billing_payment_id).captured
    if captured is None:
        return
    receipt, reason = _receipt(transaction, captured.receipt_id), reason_code or PAYMENT_VOIDED
    transaction.append(RECEIPT.stream(captured.receipt_id), void(receipt, ReceiptVoided(reason_code=reason)))
    stream = _document_of(receipt)
    facts = void_document(existing(transaction, stream.id), reason)
    transaction.append(stream, facts)
    if facts:
        transaction.announce(stream, "docs.DocumentVoided")


def append_refund_document(
    transaction: Transaction, desk: Desk, billing_payment_id: str, refund_id: str
) -> str:
    """Drafts what shows a refund that succeeded, before the payment's fact names it; its document's id."""
    payment = _payment(transaction, billing_payment_id)
    assert payment.captured is not None, "only what was captured is given back"
    receipt_id, asked = payment.captured.receipt_id, payment.refunds[refund_id].asked
    receipt = _receipt(transaction, receipt_id)
    invoice = _invoice(transaction, payment.initiated.invoice_id)
    assert invoice.issued is not None, "only an issued invoice is paid"
    corrected = existing(transaction, receipt.generated.document_id)
    plan = planned_adjustment(
        desk,
        receipt_id,
        refund_id,
        invoice.drafted,
        invoice.issued,
        asked.amount,
        (receipt.generated.document_id, corrected),
        today_there(transaction, receipt.generated.country_code),
    )
    transaction.expect(plan.streams)
    adjusted = ReceiptAdjusted(
        refund_id=refund_id,
        document_id=plan.document_id,
        amount=asked.amount,
        left=payment.amount - payment.refunded - asked.amount,
        reason_code=asked.reason_code,
    )
    transaction.append(RECEIPT.stream(receipt_id), adjust(receipt, adjusted))
    draft_with_number(transaction, plan, take_number(transaction, plan, "DOCUMENT", plan.document_id))
    return plan.document_id


def _document_of(receipt: Receipt) -> StreamId:
    return DOCUMENT.stream(receipt.generated.document_id)


def _payment(transaction: Transaction, billing_payment_id: str) -> Payment:
    payment = transaction.state(PAYMENT, billing_payment_id)
    assert payment is not None, "it is being recorded"
    return payment


def _invoice(transaction: Transaction, invoice_id: str) -> Invoice:
    invoice = transaction.state(INVOICE, invoice_id)
    assert invoice is not None, "a payment is of an invoice"
    return invoice


def _receipt(transaction: Transaction, receipt_id: str) -> Receipt:
    receipt = transaction.state(RECEIPT, receipt_id)
    assert receipt is not None, "what was captured has a receipt"
    return receipt
