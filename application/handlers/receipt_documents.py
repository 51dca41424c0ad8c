"""The documents of receipts: the RECEIPT of a payment, the ADJUSTMENT_STATEMENT of each of its refunds."""

from datetime import date
from typing import Any

from application.desk import Desk
from application.handlers.documents import PlannedDocument
from application.handlers.fiscal_parties import FiscalParties, issuer_party
from application.handlers.invoice_documents import ruling_on_invoice
from domain.documents.document import Document
from domain.documents.document_facts import (
    ContentRef,
    Corrected,
    DocumentDrafted,
    LinkedDocument,
    SourceRef,
)
from domain.documents.keys import document_key
from domain.documents.payment_receipt_content import moved_totals
from domain.documents.policy import Ruling
from domain.documents.templates import newest_template
from domain.fiscal.registry import driver_for
from domain.invoicing.invoice_facts import InvoiceDrafted, InvoiceIssued


def planned_receipt(
    desk: Desk, receipt_id: str, drafted: InvoiceDrafted, issued: InvoiceIssued, amount: int, on: date
) -> PlannedDocument:
    """The RECEIPT of a payment (minor units) on a day.

    How it is delivered is the receipt's own affair, so nothing goes out with the document itself.
    """
    ruling = ruling_on_invoice(desk, "RECEIPT", drafted, issued.bill_to, amount, on)
    document = DocumentDrafted(
        document_key=document_key((receipt_id,), "RECEIPT", ruling.issuer_entity_id, version=1),
        doc_type="RECEIPT",
        content_ref=ContentRef(stream_type="receipt", stream_id=receipt_id),
        delivery_method="PORTAL",
        **_common(drafted, ruling, amount),
        template_version=newest_template(
            "RECEIPT", "WORK_ORDER", ruling.audience, drafted.country_code, ruling.language
        ),
    )
    return _planned(document)


def planned_adjustment(
    desk: Desk,
    receipt_id: str,
    refund_id: str,
    drafted: InvoiceDrafted,
    issued: InvoiceIssued,
    amount: int,
    corrected: tuple[str, Document],
    on: date,
) -> PlannedDocument:
    """The ADJUSTMENT_STATEMENT of a refund (minor units), which goes out as the invoice did.

    `corrected` is the receipt's document, by its id.
    """
    ruling = ruling_on_invoice(desk, "ADJUSTMENT_STATEMENT", drafted, issued.bill_to, amount, on)
    document_id, receipt = corrected
    assert receipt.numbered is not None, "a receipt has its number from the beginning"
    key = document_key((receipt_id, refund_id), "ADJUSTMENT_STATEMENT", ruling.issuer_entity_id, version=1)
    document = DocumentDrafted(
        document_key=key,
        doc_type="ADJUSTMENT_STATEMENT",
        content_ref=ContentRef(stream_type="receipt", stream_id=receipt_id, cause_id=refund_id),
        delivery_method=issued.delivery_method,
        **_common(drafted, ruling, amount),
        template_version=newest_template(
            "ADJUSTMENT_STATEMENT", "WORK_ORDER", ruling.audience, drafted.country_code, ruling.language
        ),
        corrects=Corrected(
            doc_type="RECEIPT", number=receipt.numbered.number, issue_date=receipt.numbered.issue_date
        ),
        linked_documents=(LinkedDocument(document_id=document_id, doc_type="RECEIPT", relation="CORRECTS"),),
    )
    return _planned(document)


def _common(drafted: InvoiceDrafted, ruling: Ruling, amount: int) -> dict[str, Any]:
    driver = driver_for(drafted.country_code)
    return {
        "document_version": 1,
        "source_ref": SourceRef(type="WORK_ORDER", id=drafted.work_order_id),
        "snapshot_id": drafted.billable_scope_snapshot_id,
        "country_code": drafted.country_code,
        "issuer_entity_id": ruling.issuer_entity_id,
        "buyer_id": drafted.customer_party_id,
        "seller_id": drafted.issuer_entity_id,
        "language": ruling.language,
        "currency_uom_id": drafted.currency_uom_id,
        "totals": moved_totals(amount),
        "audience": ruling.audience,
        "driver": driver.name,
        "driver_version": driver.version,
        "verdict": ruling.verdict,
        "retention_class": ruling.retention_class,
    }


def _planned(drafted: DocumentDrafted) -> PlannedDocument:
    driver = driver_for(drafted.country_code)
    issuer = issuer_party(driver, drafted.country_code, drafted.issuer_entity_id, is_demanded=False)
    return PlannedDocument(drafted, driver, FiscalParties((issuer,)))
