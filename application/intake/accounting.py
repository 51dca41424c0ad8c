"""What accounting says of invoices: booked, or why not (BILL-DEC-014)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints

from application.handlers.documents import PlannedDocument
from application.intake.intake import WithoutFiles
from application.ledger import Transaction
from application.ports import Fingerprint
from application.validation import parse
from domain.inbound.inbound import Effect
from domain.invoicing.invoice import INVOICE
from domain.invoicing.invoice_facts import InvoicePosted, InvoicePostFailed
from domain.invoicing.posting import PostingError
from domain.kernel.errors import not_found
from domain.kernel.facts import Identifier, Uuid
from domain.kernel.streams import StreamId
from domain.upstream import SnapshotValue


class PostedData(SnapshotValue):
    """What `accounting.GL_POSTED` brings."""

    invoice_id: Uuid
    journal_entry_id: Identifier | None = None


class PostFailedData(SnapshotValue):
    """What `accounting.GL_POST_FAILED` brings."""

    invoice_id: Uuid
    error_code: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    error_detail: Annotated[str, StringConstraints(max_length=4000)] | None = None


@dataclass(frozen=True)
class InvoicePosting(WithoutFiles):
    """`accounting.GL_POSTED` or `accounting.GL_POST_FAILED` of an invoice."""

    invoice_id: str
    fact: InvoicePosted | InvoicePostFailed
    subjects: frozenset[str] = frozenset()
    planned: tuple[PlannedDocument, ...] = ()

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
        if transaction.state(INVOICE, self.invoice_id) is None:
            raise not_found("The invoice")
        transaction.append(self.about, (self.fact,))
        return "ACCEPTED"


def read_posted(data: dict[str, Any], _: Fingerprint) -> InvoicePosting:
    """Reads `accounting.GL_POSTED`."""
    posted = parse(PostedData, data, "data")
    return InvoicePosting(posted.invoice_id, InvoicePosted(journal_entry_id=posted.journal_entry_id))


def read_post_failed(data: dict[str, Any], _: Fingerprint) -> InvoicePosting:
    """Reads `accounting.GL_POST_FAILED`."""
    failed = parse(PostFailedData, data, "data")
    error = PostingError(code=failed.error_code, detail=failed.error_detail)
    return InvoicePosting(failed.invoice_id, InvoicePostFailed(posting_error=error))
