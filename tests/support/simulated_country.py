"""Invoices of the simulated country: drafted, numbered and chained, without the flows that lead there."""

from functools import cached_property
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from application.handlers.chains import chain_link
from application.ledger import Answer, Handler, Transaction
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import ContentRef, DocType, DocumentDrafted, DocumentNumbered, SourceRef
from domain.documents.keys import document_id, document_key
from domain.fiscal.countries.simulated.driver import SIMULATED_COUNTRY
from domain.fiscal.registry import driver_for
from domain.invoicing.invoice import INVOICE
from domain.kernel.facts import Value
from domain.numbering.series import NUMBER_SERIES, assign_number, open_series, series_id
from tests.support import facts
from tests.support.invoicing_facts import PARTY_ID, invoice_credited, invoice_drafted, invoice_issued

ISSUER = "simulated-ltd"
ISSUER_TAX_ID = "XS-17"
DRIVER = driver_for(SIMULATED_COUNTRY)
_NAMESPACE = UUID("5f0f2a3c-0d6d-5f0e-9c55-1d2f3a4b5c6d")


class SimulatedInvoice(Value):
    """The invoice of that name, for who has that tax id."""

    name: str
    tax_id: str = "B-1"
    issuer: str = ISSUER
    doc_type: DocType = "FISCAL_INVOICE"

    @cached_property
    def invoice_id(self) -> str:
        """The invoice that it is made of."""
        return str(uuid5(_NAMESPACE, self.name))

    @cached_property
    def document_key(self) -> str:
        """Its key."""
        return document_key((self.invoice_id,), self.doc_type, self.issuer, 1)

    @cached_property
    def document_id(self) -> str:
        """Its id."""
        return document_id(self.document_key)

    def file_name(self, name: str) -> str:
        """The vault's name of one of its files."""
        return f"documents/{self.document_id}/{name}"

    def drafted(self) -> DocumentDrafted:
        """The draft, as the country's driver has it made."""
        is_credit = self.doc_type == "CREDIT_NOTE"
        return facts.drafted(
            document_key=self.document_key,
            doc_type=self.doc_type,
            source_ref=SourceRef(type="WORK_ORDER", id=self.name),
            content_ref=ContentRef(
                stream_type="invoice",
                stream_id=self.invoice_id,
                cause_id=_CREDIT.credit_id if is_credit else None,
            ),
            country_code=SIMULATED_COUNTRY,
            issuer_entity_id=self.issuer,
            buyer_id=PARTY_ID,
            currency_uom_id="EUR",
            template_version="credit-note/1" if is_credit else "fiscal-invoice/1",
            driver=DRIVER.name,
            driver_version=DRIVER.version,
        )


_CREDIT = invoice_credited()


def drafting(invoice: SimulatedInvoice) -> Handler:
    """Issues the invoice, drafts its document, gives it its number and its place in the issuer's chain."""

    def handle(transaction: Transaction) -> Answer:
        issued = invoice_issued()
        bill_to = issued.bill_to.model_copy(update={"tax_id": invoice.tax_id})
        issued = issued.model_copy(update={"bill_to": bill_to, "document_id": invoice.document_id})
        drafted = invoice.drafted()
        source = (invoice_drafted(issuer_entity_id=invoice.issuer), issued, _CREDIT)
        transaction.append(INVOICE.stream(invoice.invoice_id), source)
        numbered = _numbered(transaction, invoice, drafted)
        link = chain_link(transaction, DRIVER, invoice.document_id, drafted, numbered, ISSUER_TAX_ID)
        of_chain = numbered.model_copy(update={"chain": link})
        transaction.append(DOCUMENT.stream(invoice.document_id), (drafted, of_chain))
        return Answer(201, {"documentId": invoice.document_id})

    return handle


def _numbered(
    transaction: Transaction, invoice: SimulatedInvoice, drafted: DocumentDrafted
) -> DocumentNumbered:
    series = series_id(SIMULATED_COUNTRY, invoice.issuer, invoice.doc_type)
    stream = NUMBER_SERIES.stream(series)
    opened = open_series(
        transaction.state(NUMBER_SERIES, series),
        country_code=SIMULATED_COUNTRY,
        issuer_entity_id=invoice.issuer,
        doc_type=invoice.doc_type,
        number_format=DRIVER.number_format(invoice.doc_type),
        time_zone=DRIVER.time_zone(SIMULATED_COUNTRY),
    )
    transaction.append(stream, opened)
    state = transaction.state(NUMBER_SERIES, series)
    assert state is not None
    assigned = assign_number(state, "DOCUMENT", invoice.document_id, transaction.stamp.at)
    transaction.append(stream, (assigned,))
    return DocumentNumbered(
        series_id=series,
        number=assigned.number,
        issued_at=assigned.issued_at,
        issue_date=assigned.issued_at.astimezone(ZoneInfo(state.time_zone)).date(),
    )
