"""Drafting, numbering and issuing documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from application.ledger import Answer, Handler, Transaction
from domain.documents.document import (
    DOCUMENT,
    ContentRef,
    DocType,
    DocumentDrafted,
    DocumentIssued,
    DocumentNumbered,
    FailureReason,
    SourceRef,
    Status,
    Totals,
    Verdict,
    draft,
    fail,
    issue,
    number,
)
from domain.documents.keys import document_id, document_key
from domain.documents.order_snapshot import OrderData
from domain.documents.receipt_content import receipt_totals
from domain.fiscal.driver import Called, CountryDriver
from domain.fiscal.registry import driver_for
from domain.kernel.facts import Utc
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES, HolderType, assign_number, open_series, series_id


@dataclass(frozen=True)
class PlannedDocument:
    """A document that facts call for, with everything that is known before it has a number."""

    drafted: DocumentDrafted
    driver: CountryDriver

    @cached_property
    def document_id(self) -> str:
        """Its id, derived from its key."""
        return document_id(self.drafted.document_key)

    @property
    def series_id(self) -> str:
        """The series that its number comes from."""
        return series_id(self.drafted.country_code, self.drafted.issuer_entity_id, self.drafted.doc_type)

    @property
    def streams(self) -> frozenset[StreamId]:
        """What drafting it reads."""
        return frozenset((DOCUMENT.stream(self.document_id), NUMBER_SERIES.stream(self.series_id)))


@dataclass(frozen=True)
class DocumentEntry:
    """How other answers point to a document. A parked one stays a draft until its cause is mended."""

    document_id: str
    document_key: str
    doc_type: DocType
    status: Status
    parked: bool = False


def document_entry(transaction: Transaction, plan: PlannedDocument) -> DocumentEntry:
    """A planned document as it stands."""
    document = transaction.state(DOCUMENT, plan.document_id)
    return DocumentEntry(
        document_id=plan.document_id,
        document_key=plan.drafted.document_key,
        doc_type=plan.drafted.doc_type,
        status="DRAFT" if document is None else document.status,
        parked=document is not None and document.failure is not None,
    )


def planned_documents(order: OrderData) -> tuple[PlannedDocument, ...]:
    """The documents that a paid order calls for, by the policy of its country's driver."""
    driver = driver_for(order.country_code)
    return tuple(_plan(order, called, driver) for called in driver.called_for_by_payment(order))


def _plan(order: OrderData, called: Called, driver: CountryDriver) -> PlannedDocument:
    snapshot = order.order_financial_snapshot
    drafted = DocumentDrafted(
        document_key=document_key((order.order_id,), called.doc_type, called.issuer_entity_id, version=1),
        document_version=1,
        doc_type=called.doc_type,
        source_ref=SourceRef(type="ORDER", id=order.order_id),
        content_ref=ContentRef(stream_type="order", stream_id=order.order_id),
        snapshot_id=snapshot.snapshot_id,
        country_code=order.country_code,
        issuer_entity_id=called.issuer_entity_id,
        buyer_id=order.order_party_snapshot.buyer.party_id,
        seller_id=order.order_party_snapshot.seller.party_id,
        language=driver.language(order.country_code),
        currency_uom_id=snapshot.currency_uom_id,
        totals=Totals.model_validate(receipt_totals(snapshot)),
        template_version=called.template_version,
        driver=driver.name,
        driver_version=driver.version,
        verdict=Verdict(policy=driver.name, version=driver.version, reason=called.reason),
    )
    return PlannedDocument(drafted, driver)


def draft_and_number(transaction: Transaction, planned: Iterable[PlannedDocument]) -> None:
    """Drafts and numbers each document in this one transaction; existing ones stay as they are."""
    for plan in planned:
        stream = DOCUMENT.stream(plan.document_id)
        transaction.append(stream, draft(transaction.state(DOCUMENT, plan.document_id), plan.drafted))
        document = transaction.state(DOCUMENT, plan.document_id)
        assert document is not None, "it was drafted one line above"
        if document.numbered is None:
            numbered = take_number(transaction, plan, "DOCUMENT", plan.document_id)
            transaction.append(stream, number(document, numbered))


def draft_with_number(transaction: Transaction, plan: PlannedDocument, numbered: DocumentNumbered) -> None:
    """Drafts a document with a number that was taken for it."""
    stream = DOCUMENT.stream(plan.document_id)
    transaction.append(stream, draft(transaction.state(DOCUMENT, plan.document_id), plan.drafted))
    document = transaction.state(DOCUMENT, plan.document_id)
    assert document is not None, "it was drafted one line above"
    transaction.append(stream, number(document, numbered))


def take_number(
    transaction: Transaction, plan: PlannedDocument, holder_type: HolderType, holder_id: str
) -> DocumentNumbered:
    """The next number of the document's series, for who holds it; a series opens on first use."""
    drafted, stream = plan.drafted, NUMBER_SERIES.stream(plan.series_id)
    series = transaction.state(NUMBER_SERIES, plan.series_id)
    if series is None:
        opened = open_series(
            None,
            country_code=drafted.country_code,
            issuer_entity_id=drafted.issuer_entity_id,
            doc_type=drafted.doc_type,
            number_format=plan.driver.number_format(drafted.doc_type),
            time_zone=plan.driver.time_zone(drafted.country_code),
        )
        transaction.append(stream, opened)
        series = transaction.state(NUMBER_SERIES, plan.series_id)
        assert series is not None, "it was opened one line above"
    assigned = assign_number(series, holder_type, holder_id, transaction.stamp.at)
    transaction.append(stream, (assigned,))
    return DocumentNumbered(
        series_id=series.series_id,
        number=assigned.number,
        issued_at=assigned.issued_at,
        issue_date=assigned.issued_at.astimezone(ZoneInfo(series.time_zone)).date(),
    )


def issue_document(document_identity: str, issued: DocumentIssued) -> Handler:
    """Records that a document's files are sealed and stored, and announces it (`docs.DocumentIssued`)."""

    def handle(transaction: Transaction) -> Answer:
        stream = DOCUMENT.stream(document_identity)
        facts = issue(transaction.state(DOCUMENT, document_identity), issued)
        transaction.append(stream, facts)
        if facts:
            transaction.announce(stream, "docs.DocumentIssued")
        return Answer(200, {"documentId": document_identity})

    return handle


def record_failure(document_identity: str, reason: FailureReason, retry_at: Utc) -> Handler:
    """Records that an attempt to issue a document failed, for its timeline and for the operator."""

    def handle(transaction: Transaction) -> Answer:
        document = transaction.state(DOCUMENT, document_identity)
        transaction.append(DOCUMENT.stream(document_identity), fail(document, reason, retry_at))
        return Answer(200, {"documentId": document_identity, "reason": reason})

    return handle
