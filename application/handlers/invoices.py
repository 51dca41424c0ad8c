"""Drafting, issuing and voiding invoices (BILL-DEC-001, 002, 003; contract §5)."""

from dataclasses import dataclass, replace
from typing import Any

from application.desk import Desk
from application.elevation import Approver, use_elevation
from application.handlers.accounts import account_state, is_within_reach
from application.handlers.billing_rules import rules_of
from application.handlers.documents import draft_with_number, take_number, today_there
from application.handlers.invoice_documents import (
    documents_of,
    planned_fiscal_invoice,
    void_own_document,
)
from application.handlers.policies import issuance_policy_of
from application.invoice_detail import Surroundings, invoice_detail
from application.ledger import Answer, Handler, Transaction
from application.ports import ElevationClaims
from application.tax_tables import tax_rules_for
from domain.accounts.account import Account
from domain.accounts.billing_rules import effective_rules
from domain.accounts.payment_terms import due_date
from domain.accounts.policies import DEFAULT, POLICY, policy_id
from domain.fiscal.taxes.rules import Customer
from domain.invoicing.grouping import grouping_of
from domain.invoicing.invoice import (
    DRAFT_REVISION,
    INVOICE,
    Invoice,
    as_issued,
    draft,
    issue,
    refuse_drafting_again,
    require,
    void,
    was_issued_as,
)
from domain.invoicing.invoice_facts import BillTo, InvoiceDrafted, InvoiceIssued, InvoiceVoided, Override
from domain.invoicing.issuance import issuance_blockers, require_issuable
from domain.invoicing.lines import price_lines
from domain.invoicing.totals import compute_totals
from domain.invoicing.traceability import traceability_of
from domain.invoicing.work_order import (
    WORK_ORDER,
    WorkOrder,
    WorkOrderInvoiceDrafted,
    require_ready,
)
from domain.kernel.errors import DomainError, not_found
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class Asking:
    """Who asks for something of an invoice: `granted` are the accounts of their token, None for all.

    `desk` says by whose policies its documents are made.
    """

    subject: str
    on_behalf_of: str | None
    permissions: frozenset[str]
    granted: frozenset[str] | None
    desk: Desk

    @property
    def user_id(self) -> str:
        """Who is recorded as having done it."""
        return self.on_behalf_of or self.subject


def draft_streams(work_order_id: str) -> frozenset[StreamId]:
    """What drafting reads, as far as known beforehand."""
    return frozenset({WORK_ORDER.stream(work_order_id), POLICY.stream(policy_id("issuance", DEFAULT))})


def draft_invoice(work_order_id: str, fresh_invoice_id: str, asking: Asking) -> Handler:
    """Drafts the work order's invoice: 201; 200 with the draft that there is.

    Raises `WORK_ORDER_UNKNOWN`, `WORK_ORDER_NOT_READY`, `INVOICE_ALREADY_FINALIZED`,
    `BILLING_DATA_INCOMPLETE`.
    """

    def handle(transaction: Transaction) -> Answer:
        work_order = transaction.state(WORK_ORDER, work_order_id)
        if work_order is None or not is_within_reach(
            transaction, work_order.data.customer_account_id, asking.granted
        ):
            raise DomainError("WORK_ORDER_UNKNOWN", "Work Execution has not told of this work order.")
        primary = work_order.primary_invoice_id
        if primary is None:
            append_draft(transaction, require_ready(work_order), fresh_invoice_id)
            return Answer(201, detail_of(transaction, fresh_invoice_id, asking))
        refuse_drafting_again(state_of(transaction, primary))
        return Answer(200, detail_of(transaction, primary, asking))

    return handle


def append_draft(
    transaction: Transaction,
    work_order: WorkOrder,
    invoice_id: str,
    *,
    rebill_of: str | None = None,
) -> None:
    """Drafts an invoice from the work order as it stands. Raises `BILLING_DATA_INCOMPLETE`."""
    data, scope = work_order.data, work_order.data.billable_scope_snapshot
    known = account_state(transaction, data.customer_account_id)
    if known is None or known[1].data is None:
        raise DomainError(
            "BILLING_DATA_INCOMPLETE",
            "CRM has not told of this work order's account, on which its taxes depend.",
            missing_fields=("customerAccount",),
        )
    account_id, account = known
    rules = effective_rules(rules_of(transaction, account_id), account)
    today = today_there(transaction, scope.country_code)
    lines = price_lines(scope)
    tax_rules = tax_rules_for(scope.country_code, scope.region_code, today)
    drafted = InvoiceDrafted(
        work_order_id=data.work_order_id,
        customer_account_id=data.customer_account_id,
        customer_party_id=account.party_id,
        billable_scope_snapshot_id=scope.billable_scope_snapshot_id,
        issuer_entity_id=scope.issuer_entity_id,
        country_code=scope.country_code,
        region_code=scope.region_code,
        currency_uom_id=scope.currency_uom_id,
        lines=lines,
        totals=compute_totals(lines, tax_rules, _customer(account), scope.currency_uom_id),
        traceability=traceability_of(data),
        grouping=grouping_of(rules.invoice_grouping_strategy, account_id, data),
        rebill_of=rebill_of,
    )
    transaction.append(INVOICE.stream(invoice_id), draft(None, drafted))
    noted = WorkOrderInvoiceDrafted(invoice_id=invoice_id)
    transaction.append(WORK_ORDER.stream(data.work_order_id), (noted,))


def issue_invoice(
    invoice_id: str, invoice_version: int | None, elevation: ElevationClaims | None, asking: Asking
) -> Handler:
    """Issues a draft: number, date, customer and document in one transaction.

    The same revision again answers what the first issue did, byte for byte.
    Raises `ISSUANCE_BLOCKED`, `INVOICE_NOT_DRAFT`, `STALE_ETAG`, `ELEVATION_INVALID`.
    """

    def handle(transaction: Transaction) -> Answer:
        invoice = reachable(transaction, invoice_id, asking)
        if was_issued_as(invoice, invoice_version):
            return Answer(200, _detail_as_issued(transaction, invoice_id, asking))
        require(invoice, "issue")
        around = _surroundings(transaction, invoice)
        blockers = issuance_blockers(invoice.drafted, around.account, around.rules, around.policy)
        approver: Approver | None = None
        if blockers and elevation is not None:
            approver = use_elevation(
                transaction,
                elevation,
                purpose="INVOICE_ISSUE",
                target_id=invoice_id,
                requester=asking.subject,
            )
        set_aside = require_issuable(blockers, approved=approver is not None)
        bill_to = _bill_to(invoice.drafted, around.account)
        method = around.rules.invoice_delivery_method
        today = today_there(transaction, invoice.drafted.country_code)
        plan = planned_fiscal_invoice(asking.desk, invoice_id, invoice.drafted, bill_to, method, today)
        transaction.expect(plan.streams)
        # The invoice and its document carry the same number.
        numbered = take_number(transaction, plan, "INVOICE", invoice_id)
        issued = InvoiceIssued(
            invoice_version=DRAFT_REVISION if invoice_version is None else invoice_version,
            series_id=numbered.series_id,
            number=numbered.number,
            issued_at=numbered.issued_at,
            issue_date=numbered.issue_date,
            due_date=due_date(around.rules.payment_terms_code, numbered.issue_date),
            payment_terms_code=around.rules.payment_terms_code,
            delivery_method=method,
            issued_by_user_id=asking.user_id,
            policy_version=around.policy.policy_version,
            overrides=tuple(
                Override(code=code, approver=approver.credential_id) for code in set_aside if approver
            ),
            bill_to=bill_to,
            document_id=plan.document_id,
        )
        stream = INVOICE.stream(invoice_id)
        transaction.append(stream, issue(invoice, issued))
        transaction.announce(stream, "billing.InvoiceIssued")
        draft_with_number(transaction, plan, numbered)
        return Answer(200, _detail_as_issued(transaction, invoice_id, asking))

    return handle


def void_invoice(
    invoice_id: str,
    reason_code: str,
    reason_notes: str | None,
    elevation: ElevationClaims | None,
    asking: Asking,
) -> Handler:
    """Voids an invoice and its document; a void one answers as it is. Raises `INVOICE_NOT_VOIDABLE`."""

    def handle(transaction: Transaction) -> Answer:
        invoice = reachable(transaction, invoice_id, asking)
        approver = None
        if elevation is not None and invoice.status != "VOID":
            approver = use_elevation(
                transaction,
                elevation,
                purpose="INVOICE_VOID",
                target_id=invoice_id,
                requester=asking.subject,
            )
        voided = InvoiceVoided(
            reason_code=reason_code,
            reason_notes=reason_notes,
            voided_by=asking.user_id,
            approver=approver and approver.credential_id,
        )
        append_void(transaction, invoice_id, voided)
        return Answer(200, detail_of(transaction, invoice_id, asking))

    return handle


def append_void(transaction: Transaction, invoice_id: str, voided: InvoiceVoided) -> None:
    """Voids an invoice and its document; a void one stays as it is. Raises `INVOICE_NOT_VOIDABLE`."""
    invoice = state_of(transaction, invoice_id)
    facts = void(invoice, voided)
    if facts and invoice.issued is not None:
        void_own_document(transaction, invoice.issued.document_id, voided.reason_code, voided.approver)
    stream = INVOICE.stream(invoice_id)
    transaction.append(stream, facts)
    if facts:
        transaction.announce(stream, "billing.InvoiceVoided")


def reachable(transaction: Transaction, invoice_id: str, asking: Asking) -> Invoice:
    """The invoice, for who may know of it. Raises `NOT_FOUND`."""
    invoice = transaction.state(INVOICE, invoice_id)
    if invoice is None or not is_within_reach(
        transaction, invoice.drafted.customer_account_id, asking.granted
    ):
        raise not_found("The invoice")
    return invoice


def announce_paid(transaction: Transaction, invoice_id: str, before: Invoice) -> None:
    """Tells of an invoice that nothing is due of any more, since money came and perhaps a credit."""
    if before.status != "PAID" and state_of(transaction, invoice_id).status == "PAID":
        transaction.announce(INVOICE.stream(invoice_id), "billing.InvoicePaid")


def state_of(transaction: Transaction, invoice_id: str) -> Invoice:
    """An invoice that is known to exist."""
    invoice = transaction.state(INVOICE, invoice_id)
    assert invoice is not None, "it was drafted"
    return invoice


def detail_of(transaction: Transaction, invoice_id: str, asking: Asking) -> dict[str, Any]:
    """The detail as it stands now, for who asks."""
    invoice = state_of(transaction, invoice_id)
    around = _surroundings(transaction, invoice) if invoice.issued is None else None
    documents = documents_of(transaction, invoice)
    return invoice_detail(invoice_id, invoice, around, documents, asking.permissions)


def _detail_as_issued(transaction: Transaction, invoice_id: str, asking: Asking) -> dict[str, Any]:
    """The detail as the issue left it: neither payments nor the sealing of its document are in it."""
    invoice = as_issued(state_of(transaction, invoice_id))
    documents = tuple(replace(document, status="DRAFT") for document in documents_of(transaction, invoice))
    return invoice_detail(invoice_id, invoice, None, documents, asking.permissions)


def _surroundings(transaction: Transaction, invoice: Invoice) -> Surroundings:
    name = invoice.drafted.customer_account_id
    known = account_state(transaction, name)
    account = None if known is None else known[1]
    rules = effective_rules(rules_of(transaction, name), account)
    return Surroundings(account, rules, issuance_policy_of(transaction, name))


def _customer(account: Account) -> Customer:
    data = account.data
    assert data is not None, "taxes depend on what CRM told"
    return Customer(
        classification=data.classification,
        tax_id_present=bool(data.tax_id),
        country_code=data.billing_address and data.billing_address.country_code,
    )


def _bill_to(drafted: InvoiceDrafted, account: Account | None) -> BillTo:
    assert account is not None and account.data is not None, "an invoice is drafted for a known account"
    data = account.data
    return BillTo(
        party_id=drafted.customer_party_id,
        classification=data.classification,
        name=data.display_name,
        tax_id=data.tax_id,
        address=data.billing_address,
        email=account.email,
    )
