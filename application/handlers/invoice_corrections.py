"""Setting an issued invoice right: credits, and another invoice in its place (BILL-DEC-001, contract §5)."""

from collections.abc import Mapping
from typing import Any

from application.handlers.document_demands import document_summary
from application.handlers.documents import (
    PlannedDocument,
    draft_with_number,
    existing,
    take_number,
    today_there,
)
from application.handlers.invoice_documents import planned_credit_note
from application.handlers.invoices import Asking, announce_paid, append_draft, detail_of, reachable, state_of
from application.ledger import Answer, Handler, Transaction
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
    today = today_there(transaction, invoice.drafted.country_code)
    plan = planned_credit_note(asking.desk, invoice_id, credit_id, invoice, totals, today)
    transaction.expect(plan.streams)
    credited = InvoiceCredited(
        credit_id=credit_id,
        document_id=plan.document_id,
        reason_code=reason_code,
        totals=totals,
        credited_by=asking.user_id,
    )
    transaction.append(INVOICE.stream(invoice_id), (credited,))
    announce_paid(transaction, invoice_id, invoice)
    draft_with_number(transaction, plan, take_number(transaction, plan, "DOCUMENT", plan.document_id))
    return plan


def credit_whole_invoice(
    transaction: Transaction, invoice_id: str, credit_id: str, reason_code: str, asking: Asking
) -> str:
    """Credits all that is left of an invoice; the id of its CREDIT_NOTE.

    Raises `NOT_FOUND`, `INVOICE_NOT_CREDITABLE`, `CREDIT_EXCEEDS_INVOICE`.
    """
    invoice = reachable(transaction, invoice_id, asking)
    return _credit(transaction, invoice_id, invoice, credit_id, reason_code, None, asking).document_id


def _credit_note(transaction: Transaction, invoice_id: str, plan: PlannedDocument) -> dict[str, Any]:
    document = existing(transaction, plan.document_id)
    return {**document_summary(plan.document_id, document), "invoiceId": invoice_id}
