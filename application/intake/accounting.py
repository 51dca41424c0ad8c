"""What accounting says of invoices and of payments to vendors: booked, or why not (BILL-DEC-013, 014)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints

from application.intake.intake import Reading, WithoutDocuments, WithoutFiles
from application.ledger import Transaction
from application.validation import invalid_field, parse
from domain.inbound.inbound import Effect
from domain.invoicing.invoice import INVOICE
from domain.invoicing.invoice import take_answer as invoice_answered
from domain.invoicing.invoice_facts import InvoicePosted, InvoicePostFailed
from domain.kernel.errors import not_found
from domain.kernel.facts import Identifier, Uuid
from domain.kernel.streams import StreamId
from domain.payables.ap_payment import AP_PAYMENT, take_answer
from domain.payables.ap_payment_facts import GlAnswer
from domain.posting import PostingError
from domain.upstream import SnapshotValue


class AnswerData(SnapshotValue):
    """What every answer of accounting names: a payment to a vendor, or an invoice."""

    billing_payment_id: Uuid | None = None
    invoice_id: Uuid | None = None


class PostedData(AnswerData):
    """What `accounting.GL_POSTED` brings."""

    journal_entry_id: Identifier | None = None


class PostFailedData(AnswerData):
    """What `accounting.GL_POST_FAILED` brings."""

    error_code: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    error_detail: Annotated[str, StringConstraints(max_length=4000)] | None = None


@dataclass(frozen=True)
class InvoicePosting(WithoutFiles, WithoutDocuments):
    """`accounting.GL_POSTED` or `accounting.GL_POST_FAILED` of an invoice."""

    invoice_id: str
    fact: InvoicePosted | InvoicePostFailed
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The invoice."""
        return INVOICE.stream(self.invoice_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The invoice."""
        return frozenset((self.about,))

    def take(self, transaction: Transaction) -> Effect:
        """Records it. Raises `NOT_FOUND`."""
        invoice = transaction.state(INVOICE, self.invoice_id)
        if invoice is None:
            raise not_found("The invoice")
        facts = invoice_answered(invoice, self.fact)
        transaction.append(self.about, facts)
        return "ACCEPTED" if facts else "DUPLICATE"


@dataclass(frozen=True)
class ApPaymentPosting(WithoutFiles, WithoutDocuments):
    """`accounting.GL_POSTED` or `accounting.GL_POST_FAILED` of a payment to a vendor."""

    billing_payment_id: str
    answer: GlAnswer
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The payment."""
        return AP_PAYMENT.stream(self.billing_payment_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The payment."""
        return frozenset((self.about,))

    def take(self, transaction: Transaction) -> Effect:
        """Records it; before the gateway's success it waits. Raises `NOT_FOUND`, `PAYMENT_NOT_POSTABLE`."""
        payment = transaction.state(AP_PAYMENT, self.billing_payment_id)
        if payment is None:
            raise not_found("The payment")
        facts = take_answer(payment, self.answer)
        transaction.append(self.about, facts)
        if not facts:
            return "DUPLICATE"
        return "WAITING" if payment.is_at_gateway else "ACCEPTED"


def read_posted(data: dict[str, Any], _: Reading) -> InvoicePosting | ApPaymentPosting:
    """Reads `accounting.GL_POSTED`."""
    posted = parse(PostedData, data, "data")
    if (payment_id := _payment_of(posted)) is not None:
        return ApPaymentPosting(payment_id, GlAnswer(journal_entry_id=posted.journal_entry_id))
    return _of_invoice(posted, InvoicePosted(journal_entry_id=posted.journal_entry_id))


def read_post_failed(data: dict[str, Any], _: Reading) -> InvoicePosting | ApPaymentPosting:
    """Reads `accounting.GL_POST_FAILED`."""
    failed = parse(PostFailedData, data, "data")
    error = PostingError(code=failed.error_code, detail=failed.error_detail)
    if (payment_id := _payment_of(failed)) is not None:
        return ApPaymentPosting(payment_id, GlAnswer(posting_error=error))
    return _of_invoice(failed, InvoicePostFailed(posting_error=error))


def _payment_of(answer: AnswerData) -> str | None:
    """The payment that is meant; None for an invoice. Raises `VALIDATION_FAILED` for both or neither."""
    if (answer.billing_payment_id is None) == (answer.invoice_id is None):
        raise invalid_field("data", "AMBIGUOUS", "It names either a billingPaymentId or an invoiceId.")
    return answer.billing_payment_id


def _of_invoice(answer: AnswerData, fact: InvoicePosted | InvoicePostFailed) -> InvoicePosting:
    assert answer.invoice_id is not None, "it is of an invoice where it is of no payment"
    return InvoicePosting(answer.invoice_id, fact)
