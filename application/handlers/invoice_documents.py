"""The documents of invoices, drafted and numbered in the transaction of the issue or credit they show."""

from datetime import date

from application.desk import Desk
from application.handlers.documents import PlannedDocument, existing, require_allowed
from application.handlers.fiscal_parties import FiscalParties, issuer_party
from application.invoice_detail import DocumentOfInvoice, document_of_invoice
from application.ledger import Transaction
from domain.accounts.choices import DeliveryMethod
from domain.documents.document import DOCUMENT, void
from domain.documents.document_facts import (
    ContentRef,
    DocType,
    DocumentDrafted,
    LinkedDocument,
    SourceRef,
    Totals,
)
from domain.documents.keys import document_key
from domain.documents.policy import Occasion, Ruling
from domain.documents.templates import newest_template
from domain.fiscal.registry import driver_for
from domain.invoicing.credits import CreditTotals
from domain.invoicing.invoice import Invoice
from domain.invoicing.invoice_facts import BillTo, InvoiceDrafted
from domain.invoicing.totals import InvoiceTotals


def planned_fiscal_invoice(
    desk: Desk, invoice_id: str, drafted: InvoiceDrafted, bill_to: BillTo, method: DeliveryMethod, on: date
) -> PlannedDocument:
    """The FISCAL_INVOICE that the invoice becomes on a day, going out by its account's method."""
    ruling = ruling_on_invoice(desk, "FISCAL_INVOICE", drafted, bill_to, drafted.totals.grand_total, on)
    return _planned(invoice_id, None, drafted, "FISCAL_INVOICE", ruling, method, drafted.totals)


def planned_credit_note(
    desk: Desk, invoice_id: str, credit_id: str, invoice: Invoice, totals: CreditTotals, on: date
) -> PlannedDocument:
    """The CREDIT_NOTE of a credit, which corrects the invoice's document and goes out as that did."""
    assert invoice.issued is not None, "only what was issued is credited"
    drafted, issued = invoice.drafted, invoice.issued
    ruling = ruling_on_invoice(desk, "CREDIT_NOTE", drafted, issued.bill_to, totals.grand_total, on)
    corrects = LinkedDocument(
        document_id=invoice.issued.document_id, doc_type="FISCAL_INVOICE", relation="CORRECTS"
    )
    method = issued.delivery_method
    return _planned(invoice_id, credit_id, drafted, "CREDIT_NOTE", ruling, method, totals, corrects)


def ruling_on_invoice(
    desk: Desk, doc_type: DocType, drafted: InvoiceDrafted, bill_to: BillTo, total: int, on: date
) -> Ruling:
    """What policies say on a day of a document about an invoice; `total` (minor units) is the document's."""
    occasion = Occasion(
        tenant=desk.tenant,
        country_code=drafted.country_code,
        source="WORK_ORDER",
        doc_type=doc_type,
        seller_id=drafted.issuer_entity_id,
        buyer_type=bill_to.classification,
        currency_uom_id=drafted.currency_uom_id,
        grand_total=total,
        line_kinds=frozenset(
            "GOODS" if line.kind == "PART" else "SERVICE" for line in drafted.lines if line.kind != "DISCOUNT"
        ),
        on=on,
        fiscal_invoice_issued=doc_type != "FISCAL_INVOICE",
    )
    return desk.policies.rule_on(occasion)


def _planned(
    invoice_id: str,
    credit_id: str | None,
    drafted: InvoiceDrafted,
    doc_type: DocType,
    ruling: Ruling,
    method: DeliveryMethod,
    totals: InvoiceTotals | CreditTotals,
    *links: LinkedDocument,
) -> PlannedDocument:
    country_code, issuer, audience = drafted.country_code, ruling.issuer_entity_id, ruling.audience
    driver = driver_for(country_code)
    source_ids = (invoice_id,) if credit_id is None else (invoice_id, credit_id)
    document = DocumentDrafted(
        document_key=document_key(source_ids, doc_type, issuer, version=1),
        document_version=1,
        doc_type=doc_type,
        source_ref=SourceRef(type="WORK_ORDER", id=drafted.work_order_id),
        content_ref=ContentRef(stream_type="invoice", stream_id=invoice_id, cause_id=credit_id),
        snapshot_id=drafted.billable_scope_snapshot_id,
        country_code=country_code,
        issuer_entity_id=issuer,
        buyer_id=drafted.customer_party_id,
        seller_id=drafted.issuer_entity_id,
        language=ruling.language,
        currency_uom_id=drafted.currency_uom_id,
        totals=Totals(
            items_subtotal=totals.subtotal - totals.discount_total,
            discount_total=totals.discount_total,
            fee_total=totals.fee_total,
            tax_total=totals.tax_total,
            grand_total=totals.grand_total,
        ),
        audience=audience,
        delivery_method=method,
        template_version=newest_template(doc_type, "WORK_ORDER", audience, country_code, ruling.language),
        driver=driver.name,
        driver_version=driver.version,
        verdict=ruling.verdict,
        retention_class=ruling.retention_class,
        linked_documents=links,
    )
    parties = FiscalParties((issuer_party(driver, country_code, issuer, is_demanded=False),))
    return PlannedDocument(document, driver, parties)


def void_own_document(
    transaction: Transaction, document_identity: str, reason_code: str, approver: str | None
) -> None:
    """Voids an invoice's document, an issued one as its driver allows. Raises `DRIVER_FORBIDS`."""
    document = existing(transaction, document_identity)
    if document.status == "ISSUED":
        require_allowed(transaction, document, "VOID")
    stream = DOCUMENT.stream(document_identity)
    facts = void(document, reason_code, approver)
    transaction.append(stream, facts)
    if facts:
        transaction.announce(stream, "docs.DocumentVoided")


def documents_of(transaction: Transaction, invoice: Invoice) -> tuple[DocumentOfInvoice, ...]:
    """The documents that were made of an invoice, as they stand."""
    return tuple(
        document_of_invoice(identity, existing(transaction, identity)) for identity in invoice.document_ids
    )
