"""Outbound facts: what the world outside is told of an event, small and free of personal data (contract §9).

A handler announces an event under one of these names. The relay tells it as a CloudEvent that is made from
the ledger alone, so that it is the same, byte for byte, however often and to whomever it is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.documents.document import Document
from domain.invoicing.invoice import DRAFT_REVISION, Invoice
from domain.kernel.canonical import canonical_json
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId
from domain.payables.ap_payment import ApPayment, on_account
from domain.receivables.payment import Payment

CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True)
class Announced:
    """An announced event: its place, its moment (UTC), and its stream's state right after it."""

    position: int
    event_id: UUID
    fact_type: str
    stream: StreamId
    recorded_at: datetime
    state: Any


def _document_issued(document_id: str, document: Document) -> dict[str, Any]:
    drafted, numbered, issued = document.drafted, document.numbered, document.issued
    assert numbered is not None and issued is not None, "it is announced when it is issued"
    return {
        "documentId": document_id,
        "documentKey": drafted.document_key,
        "documentVersion": drafted.document_version,
        "docType": drafted.doc_type,
        "status": document.status,
        "number": numbered.number,
        "seriesId": numbered.series_id,
        "issuedAt": rfc3339(numbered.issued_at),
        "issueDate": numbered.issue_date.isoformat(),
        "sourceRef": drafted.source_ref.model_dump(by_alias=True),
        "countryCode": drafted.country_code,
        "issuerEntityId": drafted.issuer_entity_id,
        "currencyUomId": drafted.currency_uom_id,
        "totals": drafted.totals.model_dump(by_alias=True),
        "seal": {"sha256Pdf": issued.seal.sha256_pdf, "sha256Json": issued.seal.sha256_json},
    }


def _document_voided(document_id: str, document: Document) -> dict[str, Any]:
    drafted, numbered = document.drafted, document.numbered
    return {
        "documentId": document_id,
        "documentKey": drafted.document_key,
        "documentVersion": drafted.document_version,
        "docType": drafted.doc_type,
        "status": document.status,
        "number": numbered and numbered.number,
        "sourceRef": drafted.source_ref.model_dump(by_alias=True),
        "countryCode": drafted.country_code,
        "issuerEntityId": drafted.issuer_entity_id,
    }


def _document_replaced(document_id: str, document: Document) -> dict[str, Any]:
    return {**_document_voided(document_id, document), "replacedByDocumentId": document.replaced_by}


def _invoice(invoice_id: str, invoice: Invoice) -> dict[str, Any]:
    drafted, issued, totals = invoice.drafted, invoice.issued, invoice.drafted.totals
    return {
        "invoiceId": invoice_id,
        "invoiceVersion": DRAFT_REVISION,
        "invoiceNumber": issued and issued.number,
        "status": invoice.status,
        "workOrderId": drafted.work_order_id,
        "customerAccountId": drafted.customer_account_id,
        "issuerEntityId": drafted.issuer_entity_id,
        "countryCode": drafted.country_code,
        "currencyUomId": drafted.currency_uom_id,
        "subtotal": totals.subtotal,
        "discountTotal": totals.discount_total,
        "taxTotal": totals.tax_total,
        "feeTotal": totals.fee_total,
        "grandTotal": totals.grand_total,
        "balanceDue": invoice.balance_due,
        "issuedAt": issued and rfc3339(issued.issued_at),
        "issueDate": issued and issued.issue_date.isoformat(),
        "dueDate": issued and issued.due_date.isoformat(),
        "documentId": issued and issued.document_id,
        "reasonCode": invoice.voided and invoice.voided.reason_code,
    }


def _payment_captured(billing_payment_id: str, payment: Payment) -> dict[str, Any]:
    initiated, captured = payment.initiated, payment.captured
    assert captured is not None, "it is announced when it is captured"
    return {
        "billingPaymentId": billing_payment_id,
        "invoiceId": initiated.invoice_id,
        "amount": initiated.amount,
        "currencyUomId": initiated.currency_uom_id,
        "paymentType": captured.payment_type,
        "remainingBalance": captured.remaining_balance,
        "receiptId": captured.receipt_id,
        "capturedAt": rfc3339(captured.captured_at),
    }


def _ap_payment_succeeded(billing_payment_id: str, payment: ApPayment) -> dict[str, Any]:
    asked = payment.asked
    return {
        "billingPaymentId": billing_payment_id,
        "paymentRef": asked.payment_ref,
        "vendorId": asked.vendor_id,
        "grossAmount": asked.gross_amount,
        "currencyUomId": asked.currency_uom_id,
        "allocations": [allocation.model_dump(by_alias=True) for allocation in asked.allocations],
        "onAccountAmount": on_account(asked),
        "gateway": {"name": payment.gateway, "reference": payment.reference},
    }


OUTBOUND_FACTS: Mapping[str, Callable[[str, Any], dict[str, Any]]] = {
    "docs.DocumentIssued": _document_issued,
    "docs.DocumentVoided": _document_voided,
    "docs.DocumentReplaced": _document_replaced,
    "billing.InvoiceIssued": _invoice,
    "billing.InvoicePaid": _invoice,
    "billing.InvoiceVoided": _invoice,
    "billing.PaymentCaptured": _payment_captured,
    "billing.ApPaymentSucceeded": _ap_payment_succeeded,
}
"""By type: what the event's `data` holds, of the stream's id and its state."""


def cloud_event(announced: Announced, source: str) -> bytes:
    """The CloudEvent 1.0 in structured JSON (RFC 8785). `source` is a URI that names this installation.

    `sequence` is the ledger position, padded so that it sorts as text. Raises KeyError for a type that
    `OUTBOUND_FACTS` does not list.
    """
    stream = announced.stream
    return canonical_json(
        {
            "specversion": "1.0",
            "id": str(announced.event_id),
            "source": source,
            "type": announced.fact_type,
            "subject": f"{stream.type}/{stream.id}",
            "time": rfc3339(announced.recorded_at),
            "datacontenttype": "application/json",
            "sequence": f"{announced.position:020d}",
            "data": OUTBOUND_FACTS[announced.fact_type](stream.id, announced.state),
        }
    )
