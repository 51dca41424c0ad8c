"""An invoice as clients see it (contract §5): one shape for commands and queries, made from states alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from application.payment_answers import payment_type
from domain.accounts.account import Account
from domain.accounts.billing_rules import RulesTerms
from domain.accounts.policies import IssuancePolicy
from domain.documents.document import Document
from domain.invoicing.invoice import DRAFT_REVISION, STATE_TABLE, Invoice, InvoiceCommand
from domain.invoicing.issuance import issuance_blockers, required_traceability
from domain.invoicing.traceability import TraceabilitySnapshot
from domain.kernel.facts import rfc3339
from domain.posting import posting_error_summary

_PERMISSION_FOR_ACTION: Mapping[InvoiceCommand, tuple[str, frozenset[str]]] = {
    "issue": ("ISSUE", frozenset({"billing:invoice:issue"})),
    "reserve-payment": ("PAY", frozenset({"billing:payment:capture"})),
    "void": ("VOID", frozenset({"billing:invoice:void"})),
    "credit": ("CREDIT", frozenset({"billing:invoice:void"})),
    "rebill": ("REBILL", frozenset({"billing:invoice:void", "billing:invoice:create-draft"})),
}
"""The action that a command is to clients, and every permission that it takes."""


@dataclass(frozen=True)
class Surroundings:
    """What besides a draft decides whether it can be issued, as it stands."""

    account: Account | None
    rules: RulesTerms
    policy: IssuancePolicy


@dataclass(frozen=True)
class DocumentOfInvoice:
    """A document that was made of the invoice."""

    document_id: str
    doc_type: str
    number: str
    status: str


def document_of_invoice(document_id: str, document: Document) -> DocumentOfInvoice:
    """What the detail shows of a document."""
    assert document.numbered is not None, "an invoice's documents are numbered with it"
    return DocumentOfInvoice(
        document_id, document.drafted.doc_type, document.numbered.number, document.status
    )


def invoice_detail(
    invoice_id: str,
    invoice: Invoice,
    surroundings: Surroundings | None,
    documents: tuple[DocumentOfInvoice, ...],
    permissions: frozenset[str],
) -> dict[str, Any]:
    """The detail for a caller with these permissions, JSON-ready. No personal datum is in it.

    `surroundings` matter until it is issued: None from then on.
    """
    detail = {
        "invoiceId": invoice_id,
        **_as_drafted(invoice),
        **_as_it_stands(invoice),
        **_terms(invoice, surroundings),
        "documents": [
            {
                "documentId": document.document_id,
                "docType": document.doc_type,
                "number": document.number,
                "status": document.status,
            }
            for document in documents
        ],
        "issuancePolicy": None,
        "issuanceBlockers": [],
        "links": _links(invoice, documents),
    }
    if "billing:traceability:view" in permissions:
        detail["traceability"] = _traceability(invoice.drafted.traceability)
    if "billing:posting-error:detail:view" in permissions and invoice.posting_error is not None:
        detail["postingErrorDetail"] = _json(invoice.posting_error)
    can_be_issued = False
    if invoice.status == "DRAFT" and surroundings is not None:
        blockers = issuance_blockers(
            invoice.drafted, surroundings.account, surroundings.rules, surroundings.policy
        )
        can_be_issued = all(blocker.overridable for blocker in blockers)
        detail["issuancePolicy"] = _json(
            required_traceability(invoice.drafted, surroundings.account, surroundings.policy)
        )
        detail["issuanceBlockers"] = [asdict(blocker) for blocker in blockers]
    detail["allowedActions"] = _allowed_actions(invoice, permissions, can_be_issued=can_be_issued)
    return detail


def _as_drafted(invoice: Invoice) -> dict[str, Any]:
    """What never changes again."""
    drafted, totals = invoice.drafted, invoice.drafted.totals
    return {
        "invoiceVersion": DRAFT_REVISION,
        "workOrderId": drafted.work_order_id,
        "customerAccountId": drafted.customer_account_id,
        "billableScopeSnapshotId": drafted.billable_scope_snapshot_id,
        "issuerEntityId": drafted.issuer_entity_id,
        "countryCode": drafted.country_code,
        "regionCode": drafted.region_code,
        "currencyUomId": drafted.currency_uom_id,
        "lines": [_json(line) for line in drafted.lines],
        "subtotal": totals.subtotal,
        "discountTotal": totals.discount_total,
        "taxTotal": totals.tax_total,
        "feeTotal": totals.fee_total,
        "grandTotal": totals.grand_total,
        "taxBreakdown": [_json(row) for row in totals.tax_breakdown],
        "feeBreakdown": [_json(row) for row in totals.fee_breakdown],
        "taxRuleVersion": totals.rule_version,
        "grouping": _json(drafted.grouping),
        "rebillOfInvoiceId": drafted.rebill_of,
    }


def _terms(invoice: Invoice, surroundings: Surroundings | None) -> dict[str, Any]:
    """How it goes to its account and is to be paid: frozen by the issue, before it what the rules say now."""
    issued = invoice.issued
    if issued is not None:
        method, terms = issued.delivery_method, issued.payment_terms_code
    else:
        assert surroundings is not None, "what is not issued stands in its surroundings"
        rules = surroundings.rules
        method, terms = rules.invoice_delivery_method, rules.payment_terms_code
    return {"deliveryPreferences": {"invoiceDeliveryMethod": method}, "paymentTermsCode": terms}


def _as_it_stands(invoice: Invoice) -> dict[str, Any]:
    """Status, balance and what the issue froze."""
    issued = invoice.issued
    return {
        "status": invoice.status,
        "invoiceNumber": issued and issued.number,
        "balanceDue": invoice.balance_due,
        "dueDate": issued and issued.due_date.isoformat(),
        "issuedAt": issued and rfc3339(issued.issued_at),
        "issueDate": issued and issued.issue_date.isoformat(),
        "issuedByUserId": issued and issued.issued_by_user_id,
        "payments": [
            {
                "billingPaymentId": payment_id,
                "amount": amount,
                "paymentType": payment_type(invoice.remaining[payment_id]),
                "remainingBalance": invoice.remaining[payment_id],
            }
            for payment_id, amount in invoice.payments.items()
        ],
        "creditedTotal": invoice.credited,
        "voidedReasonCode": invoice.voided and invoice.voided.reason_code,
        "rebilledByInvoiceId": invoice.rebilled_by,
        "postingErrorSummary": invoice.posting_error and posting_error_summary(invoice.posting_error),
    }


def _allowed_actions(invoice: Invoice, permissions: frozenset[str], *, can_be_issued: bool) -> list[str]:
    impossible: set[InvoiceCommand] = set() if can_be_issued else {"issue"}
    if not invoice.payable:
        impossible.add("reserve-payment")
    if invoice.paid or invoice.reserved or invoice.credits:
        impossible.add("void")
    if invoice.rebilled_by is not None:
        impossible.add("rebill")
    return [
        action
        for command, (action, needed) in _PERMISSION_FOR_ACTION.items()
        if invoice.status in STATE_TABLE[command] and command not in impossible and needed <= permissions
    ]


def _links(invoice: Invoice, documents: tuple[DocumentOfInvoice, ...]) -> list[dict[str, str]]:
    """Where things are, never how to get there (BILL-DEC-016)."""
    drafted, traced = invoice.drafted, invoice.drafted.traceability
    targets: list[tuple[str, str, str, str | None]] = [
        ("work-order", "workexec", "WorkOrder", drafted.work_order_id),
        ("account", "crm", "Account", drafted.customer_account_id),
        ("estimate", "workexec", "Estimate", traced.source_estimate_id),
        ("estimate-version", "workexec", "EstimateVersion", traced.source_estimate_version_id),
        *(("approval", "workexec", "Approval", approval) for approval in traced.source_approval_ids),
        *(("document", "billing", "Document", document.document_id) for document in documents),
        ("rebill-of", "billing", "Invoice", drafted.rebill_of),
        ("rebilled-by", "billing", "Invoice", invoice.rebilled_by),
    ]
    return [
        {"rel": rel, "targetDomain": domain, "targetType": kind, "targetId": target}
        for rel, domain, kind, target in targets
        if target is not None
    ]


def _traceability(snapshot: TraceabilitySnapshot) -> dict[str, Any]:
    """Without upstream's addresses, which may hold its keys: Billing hands contents out (BILL-DEC-005)."""
    shown = _json(snapshot)
    for ref in shown["artifactRefs"]:
        ref.pop("uri", None)
    return shown


def _json(value: Any) -> dict[str, Any]:
    content: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return content
