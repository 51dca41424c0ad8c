"""The documents of invoices, drafted and numbered in the transaction of the issue or credit they show."""

from application.handlers.documents import PlannedDocument, draft_with_number
from application.invoice_detail import DocumentOfInvoice, document_of_invoice
from application.ledger import Transaction
from domain.documents.document import (
    DOCUMENT,
    ContentRef,
    Document,
    DocumentDrafted,
    DocumentNumbered,
    LinkedDocument,
    SourceRef,
    Totals,
    Verdict,
    link,
    void,
)
from domain.documents.keys import document_key
from domain.fiscal.driver import Called
from domain.fiscal.registry import driver_for
from domain.invoicing.credits import CreditTotals
from domain.invoicing.invoice import Invoice
from domain.invoicing.invoice_facts import InvoiceDrafted
from domain.invoicing.totals import InvoiceTotals
from domain.kernel.errors import DomainError


def planned_fiscal_invoice(invoice_id: str, drafted: InvoiceDrafted) -> PlannedDocument:
    """The FISCAL_INVOICE that the invoice becomes."""
    called = driver_for(drafted.country_code).fiscal_invoice(drafted.issuer_entity_id)
    return _planned(invoice_id, None, drafted, called, drafted.totals)


def planned_credit_note(
    invoice_id: str, credit_id: str, invoice: Invoice, totals: CreditTotals
) -> PlannedDocument:
    """The CREDIT_NOTE of a credit, which corrects the invoice's own document."""
    assert invoice.issued is not None, "only what was issued is credited"
    drafted = invoice.drafted
    called = driver_for(drafted.country_code).credit_note(drafted.issuer_entity_id)
    corrects = LinkedDocument(
        document_id=invoice.issued.document_id, doc_type="FISCAL_INVOICE", relation="CORRECTS"
    )
    return _planned(invoice_id, credit_id, drafted, called, totals, corrects)


def _planned(
    invoice_id: str,
    credit_id: str | None,
    drafted: InvoiceDrafted,
    called: Called,
    totals: InvoiceTotals | CreditTotals,
    *links: LinkedDocument,
) -> PlannedDocument:
    driver = driver_for(drafted.country_code)
    source_ids = (invoice_id,) if credit_id is None else (invoice_id, credit_id)
    document = DocumentDrafted(
        document_key=document_key(source_ids, called.doc_type, called.issuer_entity_id, version=1),
        document_version=1,
        doc_type=called.doc_type,
        source_ref=SourceRef(type="WORK_ORDER", id=drafted.work_order_id),
        content_ref=ContentRef(stream_type="invoice", stream_id=invoice_id, cause_id=credit_id),
        snapshot_id=drafted.billable_scope_snapshot_id,
        country_code=drafted.country_code,
        issuer_entity_id=called.issuer_entity_id,
        buyer_id=drafted.customer_party_id,
        seller_id=drafted.issuer_entity_id,
        language=driver.language(drafted.country_code),
        currency_uom_id=drafted.currency_uom_id,
        totals=Totals(
            items_subtotal=totals.subtotal - totals.discount_total,
            discount_total=totals.discount_total,
            fee_total=totals.fee_total,
            tax_total=totals.tax_total,
            grand_total=totals.grand_total,
        ),
        template_version=called.template_version,
        driver=driver.name,
        driver_version=driver.version,
        verdict=Verdict(policy=driver.name, version=driver.version, reason=called.reason),
        linked_documents=links,
    )
    return PlannedDocument(document, driver)


def draft_numbered(transaction: Transaction, plan: PlannedDocument, numbered: DocumentNumbered) -> None:
    """Drafts the document with a number that is its own already, and tells those that it names of it."""
    draft_with_number(transaction, plan, numbered)
    for linked in plan.drafted.linked_documents:
        corrected = _existing(transaction, linked.document_id)
        back = LinkedDocument(
            document_id=plan.document_id, doc_type=plan.drafted.doc_type, relation="CORRECTED_BY"
        )
        transaction.append(DOCUMENT.stream(linked.document_id), link(corrected, back))


def void_document(transaction: Transaction, document_identity: str, reason_code: str) -> None:
    """Voids an invoice's document, as its country's driver allows. Raises `DRIVER_FORBIDS`."""
    document = _existing(transaction, document_identity)
    if not driver_for(document.drafted.country_code).may_void(document.drafted.doc_type):
        raise DomainError("DRIVER_FORBIDS", "The law of this country does not let this document be voided.")
    stream = DOCUMENT.stream(document_identity)
    facts = void(document, reason_code)
    transaction.append(stream, facts)
    if facts:
        transaction.announce(stream, "docs.DocumentVoided")


def documents_of(transaction: Transaction, invoice: Invoice) -> tuple[DocumentOfInvoice, ...]:
    """The documents that were made of an invoice, as they stand."""
    return tuple(
        document_of_invoice(identity, _existing(transaction, identity)) for identity in invoice.document_ids
    )


def _existing(transaction: Transaction, document_id: str) -> Document:
    document = transaction.state(DOCUMENT, document_id)
    assert document is not None, "an invoice and a document name only documents that exist"
    return document
