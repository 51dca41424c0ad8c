"""A garage's invoice in facts: drafted from a work order, issued, paid in part, credited, voided."""

from datetime import date
from typing import Any
from uuid import UUID

from application.tax_tables import tax_rules_for
from domain.documents.keys import document_id, document_key
from domain.fiscal.taxes.rules import Customer
from domain.invoicing.grouping import Grouping
from domain.invoicing.invoice import Invoice, credited_totals
from domain.invoicing.invoice_facts import (
    BillTo,
    InvoiceCredited,
    InvoiceDrafted,
    InvoiceIssued,
    InvoicePaymentApplied,
    InvoicePaymentReleased,
    InvoicePaymentReserved,
    InvoicePaymentReversed,
    InvoicePersonalDataErased,
    InvoicePosted,
    InvoicePostFailed,
    InvoiceRebilled,
    InvoiceVoided,
    Override,
)
from domain.invoicing.lines import price_lines
from domain.invoicing.totals import compute_totals
from domain.invoicing.traceability import traceability_of
from domain.invoicing.work_order import WorkOrderData, WorkOrderInvoiceDrafted, WorkOrderReported
from domain.kernel.canonical import sha256_hex
from domain.kernel.facts import Fact
from domain.posting import PostingError
from domain.upstream import Address
from tests.support.account_facts import NOON
from tests.support.work_orders import a_line, a_work_order

ACCOUNT_ID = "7a3e8c40-0000-7000-8000-000000000001"
WORK_ORDER_ID = "7a3e8c40-0000-7000-8000-000000000002"
INVOICE_ID = "7a3e8c40-0000-7000-8000-000000000003"
CREDIT_ID = "7a3e8c40-0000-7000-8000-000000000004"
REBILL_ID = "7a3e8c40-0000-7000-8000-000000000005"
SCOPE_ID = "7a3e8c40-0000-7000-8000-000000000006"
ESTIMATE_ID = "7a3e8c40-0000-7000-8000-000000000007"
APPROVAL_ID = "7a3e8c40-0000-7000-8000-000000000008"
PARTY_ID = "party-nandu"
ISSUER = "garage-madrid"
FISCAL_INVOICE_ID = document_id(document_key((INVOICE_ID,), "FISCAL_INVOICE", ISSUER, 1))
SERIES = f"ES:{ISSUER}:FISCAL_INVOICE"
PRICE_OF_ALL = 20569
"""Labor 120.00 and a part 49.99 with 21 % IVA, in cents."""


def work_order_data(**changes: Any) -> WorkOrderData:
    """A completed work order with everything optional."""
    data = a_work_order(
        ACCOUNT_ID,
        WORK_ORDER_ID,
        {"billableScopeSnapshotId": SCOPE_ID, "issuerEntityId": ISSUER},
        vehicleId="VIN-1",
        estimateId=ESTIMATE_ID,
        estimateVersionId=ESTIMATE_ID,
        approvalIds=[APPROVAL_ID],
        artifactRefs=[
            {
                "artifactRefId": "artifact-1",
                "type": "APPROVAL",
                "displayName": "Approval of the estimate",
                "contentType": "application/pdf",
                "sizeBytes": 1234,
                "createdAt": "2026-03-13T10:00:00Z",
                "sha256": sha256_hex(b"approval"),
                "uri": "https://files.example/approval.pdf",
            }
        ],
    )
    return WorkOrderData.model_validate({**data, **changes})


def reported(**changes: Any) -> WorkOrderReported:
    """Work Execution told of the work order."""
    return WorkOrderReported(work_order=work_order_data(**changes), snapshot_fingerprint=sha256_hex(b"scope"))


def invoice_drafted(*lines: dict[str, Any], **changes: Any) -> InvoiceDrafted:
    """The invoice was drafted, of these lines or of the usual two."""
    data = work_order_data()
    scope = data.billable_scope_snapshot
    if lines:
        scope = type(scope).model_validate(
            {**scope.model_dump(mode="json", by_alias=True, exclude_none=True), "lines": list(lines)}
        )
    priced = price_lines(scope)
    rules = tax_rules_for("ES", None, date(2026, 3, 14))
    business = Customer(classification="B2B", tax_id_present=True, country_code="ES")
    fields: dict[str, Any] = {
        "work_order_id": WORK_ORDER_ID,
        "customer_account_id": ACCOUNT_ID,
        "customer_party_id": PARTY_ID,
        "billable_scope_snapshot_id": SCOPE_ID,
        "issuer_entity_id": ISSUER,
        "country_code": "ES",
        "region_code": "ES-MD",
        "currency_uom_id": "EUR",
        "lines": priced,
        "totals": compute_totals(priced, rules, business, "EUR"),
        "traceability": traceability_of(data),
        "grouping": Grouping(strategy="PER_WORKORDER", key=f"work-order:{WORK_ORDER_ID}"),
        "rebill_of": REBILL_ID,
    }
    return InvoiceDrafted(**{**fields, **changes})


def invoice_issued(**changes: Any) -> InvoiceIssued:
    """It was issued."""
    fields: dict[str, Any] = {
        "invoice_version": 1,
        "series_id": SERIES,
        "number": "F-2026-000001",
        "issued_at": NOON,
        "issue_date": date(2026, 3, 14),
        "due_date": date(2026, 4, 13),
        "payment_terms_code": "NET30",
        "delivery_method": "EMAIL",
        "issued_by_user_id": "ana",
        "policy_version": "issuance/built-in@1",
        "overrides": (Override(code="MISSING_APPROVAL", approver=str(UUID(int=7))),),
        "bill_to": BillTo(
            party_id=PARTY_ID,
            classification="B2B",
            name="Talleres Ñandú S.A.",
            tax_id="A58818501",
            address=Address(line1="Calle Mayor 1", city="Madrid", postal_code="28013", country_code="ES"),
            email="facturas@nandu.example",
        ),
        "document_id": FISCAL_INVOICE_ID,
    }
    return InvoiceIssued(**{**fields, **changes})


def reserved(amount: int, payment_id: str = "pay-1") -> InvoicePaymentReserved:
    """A payment is under way."""
    return InvoicePaymentReserved(billing_payment_id=payment_id, amount=amount)


def released(payment_id: str = "pay-1") -> InvoicePaymentReleased:
    """A payment that was under way takes nothing."""
    return InvoicePaymentReleased(billing_payment_id=payment_id)


def paid_in_part(amount: int, payment_id: str = "pay-1") -> InvoicePaymentApplied:
    """A payment stands."""
    return InvoicePaymentApplied(billing_payment_id=payment_id, amount=amount)


def taken_back(amount: int, payment_id: str = "pay-1") -> InvoicePaymentReversed:
    """A payment, or a part of it, was taken back."""
    return InvoicePaymentReversed(billing_payment_id=payment_id, amount=amount)


def invoice_credited(of: Invoice | None = None, credit_id: str = CREDIT_ID) -> InvoiceCredited:
    """Everything that is left of the invoice was credited."""
    invoice = of or Invoice(drafted=invoice_drafted(), status="ISSUED", issued=invoice_issued())
    return InvoiceCredited(
        credit_id=credit_id,
        document_id=document_id(document_key((INVOICE_ID, credit_id), "CREDIT_NOTE", ISSUER, 1)),
        reason_code="ERROR",
        totals=credited_totals(invoice, None),
        credited_by="ana",
    )


def invoice_voided() -> InvoiceVoided:
    """It counts no more."""
    return InvoiceVoided(
        reason_code="DUPLICATE", reason_notes="Made twice.", voided_by="ana", approver=str(UUID(int=7))
    )


def invoicing_examples() -> tuple[Fact, ...]:
    """One full example of every stored event of work orders and invoices."""
    taxed_line = a_line(
        exemptionReasonCode="VATEX-EU-132", classifications=[{"scheme": "UNSPSC", "code": "7"}]
    )
    return (
        reported(),
        WorkOrderInvoiceDrafted(invoice_id=INVOICE_ID),
        invoice_drafted(taxed_line),
        invoice_issued(),
        reserved(10_000),
        released(),
        paid_in_part(10_000),
        taken_back(4_000),
        invoice_credited(),
        invoice_voided(),
        InvoiceRebilled(invoice_id=REBILL_ID),
        InvoicePosted(journal_entry_id="je-1"),
        InvoicePostFailed(posting_error=PostingError(code="PERIOD_CLOSED", detail="Account 4300 is closed.")),
        InvoicePersonalDataErased(
            subject=f"party:{PARTY_ID}", retention_class="CONTACT", key_id=str(UUID(int=19)), positions=(3,)
        ),
    )
