"""What happens to an invoice, as it is stored; `invoice.py` says when (BILL-DEC-001)."""

from datetime import date
from typing import Annotated, ClassVar

from domain.accounts.account import Classification
from domain.accounts.choices import DeliveryMethod
from domain.invoicing.credits import CreditTotals
from domain.invoicing.grouping import Grouping
from domain.invoicing.lines import InvoiceLine
from domain.invoicing.totals import InvoiceTotals
from domain.invoicing.traceability import TraceabilitySnapshot
from domain.kernel.facts import CountryCode, Fact, Identifier, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits
from domain.kernel.privacy import ERASED_TEXT, PersonalData, PersonalDataErased, Pii
from domain.posting import PostingError
from domain.upstream import Address, Email, Name, TaxId


class BillTo(Value):
    """Whom an invoice is for, as CRM told of the account when it was issued."""

    personal: ClassVar[PersonalData] = PersonalData("party", "party_id", unknown_fields="CONTACT")

    party_id: str
    classification: Classification
    name: Annotated[Name, Pii("FISCAL", erased=ERASED_TEXT)]
    tax_id: Annotated[TaxId | None, Pii("FISCAL")] = None
    address: Annotated[Address | None, Pii("FISCAL")] = None
    email: Annotated[Email | None, Pii("CONTACT")] = None


class InvoiceDrafted(Fact):
    """The invoice exists: lines, totals and traceability, all frozen. Amounts in minor units.

    `customer_party_id` is the account's party, the reader of its documents. `rebill_of` is the invoice whose
    place it takes.
    """

    work_order_id: str
    customer_account_id: str
    customer_party_id: str
    billable_scope_snapshot_id: str
    issuer_entity_id: Identifier
    country_code: CountryCode
    region_code: str | None = None
    currency_uom_id: CurrencyCode
    lines: tuple[InvoiceLine, ...]
    totals: InvoiceTotals
    traceability: TraceabilitySnapshot
    grouping: Grouping
    rebill_of: str | None = None


class Override(Value):
    """A blocker that a manager set aside."""

    code: str
    approver: str


class InvoiceIssued(Fact):
    """The invoice is final: number, moment, due date and customer are set with it, for good (BILL-DEC-001).

    `invoice_version` is the revision of the draft that was issued. `issue_date` is in the issuer's zone.
    """

    invoice_version: int
    series_id: str
    number: str
    issued_at: Utc
    issue_date: date
    due_date: date
    payment_terms_code: str
    delivery_method: DeliveryMethod
    issued_by_user_id: str
    policy_version: str
    overrides: tuple[Override, ...] = ()
    bill_to: BillTo
    document_id: str


class InvoicePaymentReserved(Fact):
    """A payment of that amount (minor units) is under way; nobody else may pay that part of the balance."""

    billing_payment_id: str
    amount: MinorUnits


class InvoicePaymentReleased(Fact):
    """A payment that was under way takes nothing of the balance."""

    billing_payment_id: str


class InvoicePaymentApplied(Fact):
    """A payment of that amount (minor units) stands against the invoice."""

    billing_payment_id: str
    amount: MinorUnits


class InvoicePaymentReversed(Fact):
    """A payment, or a part of it, was voided or refunded; that amount (minor units) is due again."""

    billing_payment_id: str
    amount: MinorUnits


class InvoiceCredited(Fact):
    """A credit note takes these lines and totals (positive amounts) back."""

    credit_id: str
    document_id: str
    reason_code: str
    totals: CreditTotals
    credited_by: str


class InvoiceVoided(Fact):
    """The invoice counts no more; its number stays its own. `approver` is who set a rule aside, if any."""

    reason_code: str
    reason_notes: str | None = None
    voided_by: str
    approver: str | None = None


class InvoiceRebilled(Fact):
    """Another invoice of the work order takes the place of this one."""

    invoice_id: str


class InvoicePosted(Fact):
    """Accounting booked the invoice."""

    journal_entry_id: str | None = None


class InvoicePostFailed(Fact):
    """Accounting could not book the invoice. The detail is for who may see posting errors (BILL-DEC-014)."""

    posting_error: PostingError


class InvoicePersonalDataErased(PersonalDataErased):
    """Whom the invoice was for is erased; its amounts stay."""


InvoiceFact = (
    InvoiceDrafted
    | InvoiceIssued
    | InvoicePaymentReserved
    | InvoicePaymentReleased
    | InvoicePaymentApplied
    | InvoicePaymentReversed
    | InvoiceCredited
    | InvoiceVoided
    | InvoiceRebilled
    | InvoicePosted
    | InvoicePostFailed
    | InvoicePersonalDataErased
)
"""Everything that an invoice's history may hold."""
