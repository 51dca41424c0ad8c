"""An invoice is drafted from a work order, issued, paid or voided (BILL-DEC-001).

Commands: draft, issue, reserve, release, apply and reverse payments, credit, void, note a rebill;
`STATE_TABLE` says which of them each status lets through. Once issued nothing of it changes: what is wrong is
set right by credits and another invoice.
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, assert_never

from pydantic import Field

from domain.invoicing.credits import CreditTotals, credit_totals, whole_invoice
from domain.invoicing.invoice_facts import (
    InvoiceCredited,
    InvoiceDrafted,
    InvoiceFact,
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
)
from domain.kernel.errors import DomainError
from domain.kernel.facts import Value
from domain.kernel.privacy import PersonalDataErased, without_personal_data
from domain.kernel.streams import EventType, StreamType
from domain.posting import PostingError

InvoiceStatus = Literal["DRAFT", "ISSUED", "PAID", "VOID"]
InvoiceCommand = Literal["issue", "reserve-payment", "reverse-payment", "credit", "void", "rebill"]

STATE_TABLE: Mapping[InvoiceCommand, frozenset[InvoiceStatus]] = MappingProxyType(
    {
        "issue": frozenset({"DRAFT"}),
        "reserve-payment": frozenset({"ISSUED"}),
        "reverse-payment": frozenset({"ISSUED", "PAID"}),
        "credit": frozenset({"ISSUED", "PAID"}),
        "void": frozenset({"DRAFT", "ISSUED"}),
        "rebill": frozenset({"ISSUED", "PAID", "VOID"}),
    }
)
"""In which statuses a command may take effect (BILL-DEC-001)."""

DRAFT_REVISION = 1
"""A draft is made once and never edited, so that its revision, `invoiceVersion`, is 1 for good."""


class Invoice(Value):
    """An invoice's state.

    By payment id, minor units: `payments` that stand, `reserved` for those to come, what was `remaining` due
    after each. `is_booked` once accounting has booked all that has happened so far.
    """

    drafted: InvoiceDrafted
    status: InvoiceStatus = "DRAFT"
    issued: InvoiceIssued | None = None
    payments: dict[str, int] = Field(default_factory=dict)
    reserved: dict[str, int] = Field(default_factory=dict)
    credits: tuple[InvoiceCredited, ...] = ()
    voided: InvoiceVoided | None = None
    rebilled_by: str | None = None
    remaining: dict[str, int] = Field(default_factory=dict)
    is_booked: bool = False
    posting_error: PostingError | None = None

    @property
    def paid(self) -> int:
        """The sum of the payments that stand, minor units."""
        return sum(self.payments.values())

    @property
    def credited(self) -> int:
        """The sum of the credits, minor units."""
        return sum(credit.totals.grand_total for credit in self.credits)

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Its documents: its own once it is issued, then those of its credits."""
        if self.issued is None:
            return ()
        return (self.issued.document_id, *(credit.document_id for credit in self.credits))

    @property
    def credited_quantities(self) -> dict[str, str]:
        """How much of each line has been credited, by line id."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for credit in self.credits:
            for line in credit.totals.lines:
                sums[line.line_id] += Decimal(line.quantity)
        return {line_id: f"{quantity:f}" for line_id, quantity in sums.items()}

    @property
    def balance_due(self) -> int:
        """What is still to be paid, minor units; nothing of a void invoice, and never below zero."""
        return balance_due(self.status, self.drafted.totals.grand_total, self.credited, self.paid)

    @property
    def payable(self) -> int:
        """What of the balance no payment under way has reserved, minor units."""
        return max(0, self.balance_due - sum(self.reserved.values()))


def draft(invoice: Invoice | None, drafted: InvoiceDrafted) -> tuple[InvoiceDrafted, ...]:
    """Drafts an invoice; one that exists stays as it is: ()."""
    return () if invoice is not None else (drafted,)


def refuse_drafting_again(invoice: Invoice) -> None:
    """Raises `INVOICE_ALREADY_FINALIZED` where a work order's invoice is a draft no more (BILL-DEC-002)."""
    if invoice.status != "DRAFT":
        raise DomainError(
            "INVOICE_ALREADY_FINALIZED",
            "The invoice of this work order is final.",
            reason_code=f"INVOICE_ALREADY_{invoice.status}",
        )


def was_issued_as(invoice: Invoice, invoice_version: int | None) -> bool:
    """Whether this very revision was issued before, so that issuing it again answers the same."""
    return invoice.issued is not None and invoice.issued.invoice_version == invoice_version


def as_issued(invoice: Invoice) -> Invoice:
    """The invoice as its issue left it, whatever came after."""
    assert invoice.issued is not None, "only what was issued was left so"
    return Invoice(drafted=invoice.drafted, status="ISSUED", issued=invoice.issued)


def issue(invoice: Invoice, issued: InvoiceIssued) -> tuple[InvoiceIssued, ...]:
    """Makes the draft final. Raises `INVOICE_NOT_DRAFT`, `STALE_ETAG` for another revision than there is."""
    require(invoice, "issue")
    if issued.invoice_version != DRAFT_REVISION:
        raise DomainError("STALE_ETAG", "The draft has no such invoiceVersion.")
    return (issued,)


def reserve_payment(
    invoice: Invoice, billing_payment_id: str, amount: int, *, partial_allowed: bool
) -> tuple[InvoicePaymentReserved, ...]:
    """Reserves a part of the balance for a payment; the same again: () (BILL-DEC-012).

    Raises `INVOICE_NOT_PAYABLE`, also where nothing is due, `PAYMENT_EXCEEDS_BALANCE` for more than is due
    and not reserved, `PARTIAL_PAYMENTS_DISABLED`.
    """
    if billing_payment_id in invoice.reserved or billing_payment_id in invoice.payments:
        return ()
    require(invoice, "reserve-payment")
    if invoice.balance_due == 0:
        raise _refusal("reserve-payment")
    if amount > invoice.payable:
        raise DomainError("PAYMENT_EXCEEDS_BALANCE", "The payment exceeds what is due and not being paid.")
    if amount < invoice.balance_due and not partial_allowed:
        raise DomainError("PARTIAL_PAYMENTS_DISABLED", "This account pays its invoices as a whole.")
    return (InvoicePaymentReserved(billing_payment_id=billing_payment_id, amount=amount),)


def release_payment(invoice: Invoice, billing_payment_id: str) -> tuple[InvoicePaymentReleased, ...]:
    """Lets go of what a payment had reserved; where it had nothing: ()."""
    if billing_payment_id not in invoice.reserved:
        return ()
    return (InvoicePaymentReleased(billing_payment_id=billing_payment_id),)


def apply_payment(invoice: Invoice, billing_payment_id: str) -> tuple[InvoicePaymentApplied, ...]:
    """Lets stand what a payment had reserved, for its money has moved; the same again: ().

    A credit may have come between: what then is too much is given back by a refund.
    """
    amount = invoice.reserved.get(billing_payment_id)
    if amount is None:
        return ()
    return (InvoicePaymentApplied(billing_payment_id=billing_payment_id, amount=amount),)


def reverse_payment(
    invoice: Invoice, billing_payment_id: str, amount: int
) -> tuple[InvoicePaymentReversed, ...]:
    """Takes a payment back, or a part of it. Raises `INVOICE_NOT_PAYABLE` for more than stands."""
    require(invoice, "reverse-payment")
    if amount > invoice.payments.get(billing_payment_id, 0):
        raise _refusal("reverse-payment")
    return (InvoicePaymentReversed(billing_payment_id=billing_payment_id, amount=amount),)


def credited_totals(invoice: Invoice, quantities: Mapping[str, str | None] | None) -> CreditTotals:
    """What a credit of these quantities, by line id, takes back; None: everything that is left.

    A quantity of None is what is left of that line.

    Raises `INVOICE_NOT_CREDITABLE`, `CREDIT_EXCEEDS_INVOICE`, `VALIDATION_FAILED`.
    """
    require(invoice, "credit")
    lines, before = invoice.drafted.lines, invoice.credited_quantities
    left = _left(whole_invoice(lines), before)
    to_credit = left if quantities is None else _named(quantities, left)
    if not to_credit:
        raise DomainError("CREDIT_EXCEEDS_INVOICE", "All of the invoice has been credited.")
    return credit_totals(lines, invoice.drafted.totals, before, to_credit)


def _left(whole: Mapping[str, str], credited: Mapping[str, str]) -> dict[str, str]:
    left = {line_id: Decimal(text) - Decimal(credited.get(line_id, "0")) for line_id, text in whole.items()}
    return {line_id: f"{quantity:f}" for line_id, quantity in left.items() if quantity}


def _named(quantities: Mapping[str, str | None], left: Mapping[str, str]) -> dict[str, str]:
    return {
        line_id: left.get(line_id, "0") if quantity is None else quantity
        for line_id, quantity in quantities.items()
    }


def void(invoice: Invoice, voided: InvoiceVoided) -> tuple[InvoiceVoided, ...]:
    """Voids it; a void one: ().

    Raises `INVOICE_NOT_VOIDABLE` once a payment or a credit stands, or a payment is under way.
    """
    if invoice.status == "VOID":
        return ()
    require(invoice, "void")
    if invoice.paid or invoice.reserved or invoice.credits:
        raise _refusal("void")
    return (voided,)


def is_taken_back(invoice: Invoice) -> bool:
    """Whether nothing of it is billed any more: it is void, or credits took all of it back."""
    return invoice.status == "VOID" or invoice.credited == invoice.drafted.totals.grand_total


def rebill(invoice: Invoice, invoice_id: str) -> tuple[InvoiceRebilled, ...]:
    """Notes which invoice takes its place.

    Raises `INVOICE_NOT_CREDITABLE` for drafts and a second time, `REBILL_INCOMPLETE` while it still bills a
    part of what the other one will bill as a whole.
    """
    require(invoice, "rebill")
    if invoice.rebilled_by is not None:
        raise DomainError("INVOICE_NOT_CREDITABLE", "Another invoice has taken its place already.")
    if not is_taken_back(invoice):
        raise DomainError("REBILL_INCOMPLETE", "The new invoice bills all of it, so all has to be credited.")
    return (InvoiceRebilled(invoice_id=invoice_id),)


def take_answer(
    invoice: Invoice, answer: InvoicePosted | InvoicePostFailed
) -> tuple[InvoicePosted | InvoicePostFailed, ...]:
    """Records what accounting answers; () for what is known, or was overtaken by the booking.

    Answers come repeated and in any order: once accounting has booked all that happened so far, a refusal is
    an older one (BILL-DEC-014).
    """
    is_known = not isinstance(answer, InvoicePosted) and answer.posting_error == invoice.posting_error
    return () if invoice.is_booked or is_known else (answer,)


def require(invoice: Invoice, command: InvoiceCommand) -> None:
    """Raises the command's refusal where the invoice's status does not let it through."""
    if invoice.status not in STATE_TABLE[command]:
        raise _refusal(command)


def _refusal(command: InvoiceCommand) -> DomainError:
    match command:
        case "issue":
            return DomainError("INVOICE_NOT_DRAFT", "Only a draft can be issued.")
        case "reserve-payment":
            return DomainError("INVOICE_NOT_PAYABLE", "Only an issued invoice with a balance can be paid.")
        case "reverse-payment":
            return DomainError("INVOICE_NOT_PAYABLE", "No such payment stands against this invoice.")
        case "credit":
            return DomainError("INVOICE_NOT_CREDITABLE", "Only an issued invoice can be credited.")
        case "void":
            return DomainError(
                "INVOICE_NOT_VOIDABLE",
                "Once a payment or credit stands, or is under way, it cannot be voided.",
            )
        case "rebill":
            return DomainError("INVOICE_NOT_CREDITABLE", "A draft needs no other invoice in its place.")
        case _:
            assert_never(command)


def evolve(invoice: Invoice | None, fact: InvoiceFact) -> Invoice:
    """Folds one fact of an invoice."""
    if isinstance(fact, InvoiceDrafted):
        return Invoice(drafted=fact)
    assert invoice is not None, "an invoice begins with its draft"
    match fact:
        case InvoiceIssued():
            return invoice.model_copy(update={"status": "ISSUED", "issued": fact, "is_booked": False})
        case InvoicePaymentReserved():
            reserved = {**invoice.reserved, fact.billing_payment_id: fact.amount}
            return invoice.model_copy(update={"reserved": reserved})
        case InvoicePaymentReleased():
            return _without_reservation(invoice, fact.billing_payment_id)
        case InvoicePaymentApplied():
            standing = invoice.payments.get(fact.billing_payment_id, 0) + fact.amount
            settled = _without_reservation(invoice, fact.billing_payment_id)
            paid = _with_payment(settled, fact.billing_payment_id, standing)
            remaining = {**invoice.remaining, fact.billing_payment_id: paid.balance_due}
            return paid.model_copy(update={"remaining": remaining})
        case InvoicePaymentReversed():
            standing = invoice.payments.get(fact.billing_payment_id, 0) - fact.amount
            return _with_payment(invoice, fact.billing_payment_id, standing)
        case InvoiceCredited():
            credited = (*invoice.credits, fact)
            return _settled(invoice.model_copy(update={"credits": credited, "is_booked": False}))
        case InvoiceVoided():
            return invoice.model_copy(update={"status": "VOID", "voided": fact, "is_booked": False})
        case InvoiceRebilled():
            return invoice.model_copy(update={"rebilled_by": fact.invoice_id})
        case InvoicePosted():
            return invoice.model_copy(update={"posting_error": None, "is_booked": True})
        case InvoicePostFailed():
            return invoice.model_copy(update={"posting_error": fact.posting_error})
        case InvoicePersonalDataErased():
            return invoice.model_copy(update={"issued": invoice.issued and _erased(invoice.issued, fact)})
        case _:
            assert_never(fact)


def _without_reservation(invoice: Invoice, billing_payment_id: str) -> Invoice:
    reserved = {each: amount for each, amount in invoice.reserved.items() if each != billing_payment_id}
    return invoice.model_copy(update={"reserved": reserved})


def _with_payment(invoice: Invoice, billing_payment_id: str, standing: int) -> Invoice:
    payments = {**invoice.payments, billing_payment_id: standing}
    return _settled(invoice.model_copy(update={"payments": payments, "is_booked": False}))


def _settled(invoice: Invoice) -> Invoice:
    status = status_once_settled(invoice.drafted.totals.grand_total, invoice.credited, invoice.paid)
    return invoice.model_copy(update={"status": status})


def status_once_settled(grand_total: int, credited: int, paid: int) -> InvoiceStatus:
    """PAID is what money has settled; credits alone leave an invoice ISSUED with nothing due."""
    return "PAID" if paid > 0 and balance_due("ISSUED", grand_total, credited, paid) == 0 else "ISSUED"


def balance_due(status: InvoiceStatus, grand_total: int, credited: int, paid: int) -> int:
    """What is still to be paid, minor units; nothing of a void invoice, and never below zero."""
    return 0 if status == "VOID" else max(0, grand_total - credited - paid)


def _erased(issued: InvoiceIssued, fact: PersonalDataErased) -> InvoiceIssued:
    bill_to = without_personal_data(issued.bill_to, fact.subject, fact.retention_class)
    return issued.model_copy(update={"bill_to": bill_to})


INVOICE: StreamType[Invoice] = StreamType(
    "invoice",
    (
        EventType("invoice.drafted", InvoiceDrafted),
        EventType("invoice.issued", InvoiceIssued),
        EventType("invoice.payment-reserved", InvoicePaymentReserved),
        EventType("invoice.payment-released", InvoicePaymentReleased),
        EventType("invoice.payment-applied", InvoicePaymentApplied),
        EventType("invoice.payment-reversed", InvoicePaymentReversed),
        EventType("invoice.credited", InvoiceCredited),
        EventType("invoice.voided", InvoiceVoided),
        EventType("invoice.rebilled", InvoiceRebilled),
        EventType("invoice.gl-posted", InvoicePosted),
        EventType("invoice.gl-post-failed", InvoicePostFailed),
        EventType("invoice.personal-data-erased", InvoicePersonalDataErased),
    ),
    evolve,
)
