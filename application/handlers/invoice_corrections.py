"""Setting an issued invoice right: credits, and another invoice in its place (BILL-DEC-001, contract §5)."""

from collections.abc import Mapping
from typing import Any

from application.handlers.documents import PlannedDocument, take_number
from application.handlers.invoice_documents import draft_numbered, planned_credit_note
from application.handlers.invoices import Asking, append_draft, detail_of, reachable, state_of
from application.ledger import Answer, Handler, Transaction
from domain.documents.document import DOCUMENT
from domain.invoicing.invoice import INVOICE, Invoice, credited_totals, is_taken_back, rebill, require
from domain.invoicing.invoice_facts import InvoiceCredited
from domain.invoicing.work_order import WORK_ORDER


def credit_invoice(
    invoice_id: str,
    credit_id: str,
    reason_code: str,
    quantities: Mapping[str, str | None] | None,
    asking: Asking,
) -> Handler:
    """Credits quantities by line id, or all that is left: 201 with the CREDIT_NOTE.

    Raises `INVOICE_NOT_CREDITABLE`, `CREDIT_EXCEEDS_INVOICE`.
    """

    def handle(transaction: Transaction) -> Answer:
        invoice = reachable(transaction, invoice_id, asking)
        plan = _credit(transaction, invoice_id, invoice, credit_id, reason_code, quantities, asking)
        return Answer(201, _credit_note(transaction, invoice_id, plan))

    return handle


def rebill_invoice(
    invoice_id: str,
    credit_id: str,
    fresh_invoice_id: str,
    reason_code: str,
    quantities: Mapping[str, str | None] | None,
    asking: Asking,
) -> Handler:
    """Credits what is left of an invoice and drafts another one of its work order: 201 with both.

    Quantities, where they are given, have to be all that is left, for the draft bills the whole work order.

    Raises `INVOICE_NOT_CREDITABLE`, `CREDIT_EXCEEDS_INVOICE`, `REBILL_INCOMPLETE`, `BILLING_DATA_INCOMPLETE`.
    """

    def handle(transaction: Transaction) -> Answer:
        invoice = reachable(transaction, invoice_id, asking)
        require(invoice, "rebill")
        credit_note = None
        if quantities is not None or not is_taken_back(invoice):
            plan = _credit(transaction, invoice_id, invoice, credit_id, reason_code, quantities, asking)
            credit_note = _credit_note(transaction, invoice_id, plan)
        work_order = transaction.state(WORK_ORDER, invoice.drafted.work_order_id)
        assert work_order is not None, "an invoice is drafted from a work order"
        noted = rebill(state_of(transaction, invoice_id), fresh_invoice_id)
        transaction.append(INVOICE.stream(invoice_id), noted)
        append_draft(transaction, work_order, fresh_invoice_id, rebill_of=invoice_id)
        draft = detail_of(transaction, fresh_invoice_id, asking)
        return Answer(201, {**draft, "creditNote": credit_note})

    return handle


def _credit(
    transaction: Transaction,
    invoice_id: str,
    invoice: Invoice,
    credit_id: str,
    reason_code: str,
    quantities: Mapping[str, str | None] | None,
    asking: Asking,
) -> PlannedDocument:
    totals = credited_totals(invoice, quantities)
    plan = planned_credit_note(invoice_id, credit_id, invoice, totals)
    credited = InvoiceCredited(
        credit_id=credit_id,
        document_id=plan.document_id,
        reason_code=reason_code,
        totals=totals,
        credited_by=asking.user_id,
    )
    transaction.append(INVOICE.stream(invoice_id), (credited,))
    draft_numbered(transaction, plan, take_number(transaction, plan, "DOCUMENT", plan.document_id))
    return plan


def _credit_note(transaction: Transaction, invoice_id: str, plan: PlannedDocument) -> dict[str, Any]:
    document = transaction.state(DOCUMENT, plan.document_id)
    assert document is not None and document.numbered is not None, "it was drafted and numbered just now"
    drafted = document.drafted
    return {
        "documentId": plan.document_id,
        "documentKey": drafted.document_key,
        "docType": drafted.doc_type,
        "status": document.status,
        "number": document.numbered.number,
        "seriesId": document.numbered.series_id,
        "issueDate": document.numbered.issue_date.isoformat(),
        "invoiceId": invoice_id,
        "sourceRef": drafted.source_ref.model_dump(mode="json", by_alias=True),
        "currencyUomId": drafted.currency_uom_id,
        "totals": drafted.totals.model_dump(mode="json", by_alias=True),
        "linkedDocuments": [link.model_dump(mode="json", by_alias=True) for link in drafted.linked_documents],
    }
