"""Invoices as clients see them (contract §5); amounts are minor units of `currencyUomId`."""

from datetime import date
from typing import Any

from domain.invoicing.invoice import balance_due
from domain.invoicing.issuance import RequiredTraceability
from domain.invoicing.lines import InvoiceLine
from domain.invoicing.totals import FeeRow, TaxRow
from domain.invoicing.traceability import TraceabilitySnapshot
from domain.kernel.facts import Utc, Value
from domain.receivables.payment_facts import PaymentType
from interfaces.http.answers.documents import CommandedDocumentAnswer
from interfaces.http.problems import ProblemBlocker


class DeliveryPreferences(Value):
    """How the invoice goes to its account."""

    invoice_delivery_method: str


class InvoicePayment(Value):
    """What of a payment stands against the invoice; its type and what it left due, at its capture."""

    billing_payment_id: str
    amount: int
    payment_type: PaymentType
    remaining_balance: int


class InvoiceDocument(Value):
    """A document that was made of the invoice."""

    document_id: str
    doc_type: str
    number: str
    status: str


class GroupingAnswer(Value):
    """Invoices of an account with the same key belong together."""

    strategy: str
    key: str


class InvoiceDetailAnswer(Value):
    """An invoice. `traceability` needs `billing:traceability:view`.

    `postingErrorDetail` needs `billing:posting-error:detail:view`, `issuancePolicy` is there for drafts.
    """

    invoice_id: str
    invoice_version: int
    invoice_number: str | None
    status: str
    work_order_id: str
    customer_account_id: str
    billable_scope_snapshot_id: str
    issuer_entity_id: str
    country_code: str
    region_code: str | None
    currency_uom_id: str
    lines: list[InvoiceLine]
    subtotal: int
    discount_total: int
    tax_total: int
    fee_total: int
    grand_total: int
    balance_due: int
    tax_breakdown: list[TaxRow]
    fee_breakdown: list[FeeRow]
    tax_rule_version: str
    grouping: GroupingAnswer
    traceability: TraceabilitySnapshot | None = None
    issuance_policy: RequiredTraceability | None
    issuance_blockers: list[ProblemBlocker]
    delivery_preferences: DeliveryPreferences
    payment_terms_code: str
    due_date: date | None
    issued_at: Utc | None
    issue_date: date | None
    issued_by_user_id: str | None
    payments: list[InvoicePayment]
    credited_total: int
    documents: list[InvoiceDocument]
    voided_reason_code: str | None
    rebill_of_invoice_id: str | None
    rebilled_by_invoice_id: str | None
    posting_error_summary: dict[str, str] | None
    posting_error_detail: dict[str, str] | None = None
    allowed_actions: list[str]
    links: list[dict[str, str]]


class InvoiceItem(Value):
    """A row of the list of invoices."""

    invoice_id: str
    invoice_number: str | None
    status: str
    work_order_id: str
    customer_account_id: str
    issuer_entity_id: str
    country_code: str
    currency_uom_id: str
    grand_total: int
    balance_due: int
    issued_at: Utc | None
    issue_date: date | None
    due_date: date | None


class InvoicePage(Value):
    """A page of invoices, newest first."""

    items: list[InvoiceItem]
    next_cursor: str | None


class CreditNoteAnswer(CommandedDocumentAnswer):
    """The CREDIT_NOTE that a credit becomes; its files follow within moments."""

    invoice_id: str


class RebillAnswer(InvoiceDetailAnswer):
    """The new draft; `creditNote` is null where the invoice was void or had been credited before."""

    credit_note: CreditNoteAnswer | None


def invoice_item(row: dict[str, Any]) -> InvoiceItem:
    """A row of the read model as an item."""
    shown = {name: row[name] for name in InvoiceItem.model_fields if name != "balance_due"}
    due = balance_due(row["status"], row["grand_total"], row["credited"], row["paid"])
    return InvoiceItem(**shown, balance_due=due)
