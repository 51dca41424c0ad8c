"""Drafting, numbering, blocking and issuing documents, whatever they are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from application.handlers.chains import chain_link, chain_stream
from application.handlers.fiscal_parties import FiscalParties
from application.ledger import Answer, Handler, Transaction
from domain.accounts.fiscal_profile import FISCAL_PROFILE
from domain.documents.document import DOCUMENT, Document, draft, fail, issue, link, number, stamp
from domain.documents.document_facts import (
    DocType,
    DocumentDrafted,
    DocumentIssued,
    DocumentNumbered,
    FailureReason,
    FiscalStamp,
    LinkedDocument,
    NamedProfile,
    Status,
)
from domain.documents.keys import document_id
from domain.fiscal.driver import Correction, CountryDriver
from domain.fiscal.registry import day_there, driver_for
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Utc
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES, HolderType, assign_number, open_series, series_id

_BACK = {"CORRECTS": "CORRECTED_BY", "REPLACES": "REPLACED_BY"}
"""What a document is to one that corrects or replaces it."""


@dataclass(frozen=True)
class PlannedDocument:
    """A document that facts call for, with everything that is known before it has a number.

    `parties` are whose fiscal profiles it names, or needs.
    """

    drafted: DocumentDrafted
    driver: CountryDriver
    parties: FiscalParties

    @cached_property
    def document_id(self) -> str:
        """Its id, derived from its key."""
        return document_id(self.drafted.document_key)

    @property
    def series_id(self) -> str:
        """The series that its number comes from."""
        return series_id(self.drafted.country_code, self.drafted.issuer_entity_id, self.drafted.doc_type)

    @cached_property
    def streams(self) -> frozenset[StreamId]:
        """What drafting it reads."""
        linked = (DOCUMENT.stream(each.document_id) for each in self.drafted.linked_documents)
        own = (DOCUMENT.stream(self.document_id), NUMBER_SERIES.stream(self.series_id))
        chain = chain_stream(self.driver, self.drafted)
        return frozenset((*own, *linked, *self.parties.streams, *((chain,) if chain else ())))


@dataclass(frozen=True)
class DocumentEntry:
    """How other answers point to a document. A parked one stays a draft until its cause is mended.

    A blocked one is parked, and has no number before somebody has completed a fiscal profile.
    """

    document_id: str
    document_key: str
    doc_type: DocType
    country_code: CountryCode
    status: Status
    parked: bool = False
    blocked: bool = False


def document_entry(transaction: Transaction, document_identity: str) -> DocumentEntry:
    """A document as it stands."""
    document = existing(transaction, document_identity)
    return DocumentEntry(
        document_id=document_identity,
        document_key=document.drafted.document_key,
        doc_type=document.drafted.doc_type,
        country_code=document.drafted.country_code,
        status=document.status,
        parked=document.failure is not None,
        blocked=document.is_blocked,
    )


def existing(transaction: Transaction, document_identity: str) -> Document:
    """A document that is known to exist."""
    document = transaction.state(DOCUMENT, document_identity)
    assert document is not None, "only documents that exist are named"
    return document


def today_there(transaction: Transaction, country_code: str) -> date:
    """The day it is for an issuer there."""
    return day_there(country_code, transaction.stamp.at)


def require_allowed(transaction: Transaction, document: Document, correction: Correction) -> None:
    """Raises `DRIVER_FORBIDS` where its country's law does not let a document be corrected so today."""
    drafted, numbered = document.drafted, document.numbered
    assert numbered is not None, "what is issued has a number"
    today = today_there(transaction, drafted.country_code)
    driver = driver_for(drafted.country_code)
    if not driver.allows(correction, drafted.doc_type, numbered.issue_date, today):
        raise DomainError("DRIVER_FORBIDS", "The law of this country does not let it be corrected so.")


def draft_document(transaction: Transaction, plan: PlannedDocument) -> None:
    """Drafts a document and numbers it, unless a fiscal profile lacks something: then it is blocked."""
    append_draft(transaction, plan)
    number_or_block(transaction, plan)


def append_draft(transaction: Transaction, plan: PlannedDocument) -> None:
    """Drafts a document, and tells those that it names of it."""
    stream = DOCUMENT.stream(plan.document_id)
    transaction.append(stream, draft(transaction.state(DOCUMENT, plan.document_id), plan.drafted))
    for linked in plan.drafted.linked_documents:
        back = LinkedDocument.model_validate(
            {
                "document_id": plan.document_id,
                "doc_type": plan.drafted.doc_type,
                "relation": _BACK[linked.relation],
            },
            by_name=True,
        )
        other = existing(transaction, linked.document_id)
        transaction.append(DOCUMENT.stream(linked.document_id), link(other, back))


def number_or_block(transaction: Transaction, plan: PlannedDocument) -> None:
    """Gives a draft its number, or records whose profile lacks what; no number is taken then (S3 §4.2)."""
    stream = DOCUMENT.stream(plan.document_id)
    document = existing(transaction, plan.document_id)
    if not document.is_blocked:
        return
    if missing := plan.parties.missing(transaction):
        reason: FailureReason = "issue_failed_profile_missing"
        transaction.append(stream, fail(document, reason, retry_at=None, missing_profiles=missing))
        return
    numbered = take_number(transaction, plan, "DOCUMENT", plan.document_id)
    transaction.append(stream, number(document, numbered))


def draft_with_number(transaction: Transaction, plan: PlannedDocument, numbered: DocumentNumbered) -> None:
    """Drafts a document with a number that was taken for it."""
    append_draft(transaction, plan)
    document = existing(transaction, plan.document_id)
    transaction.append(DOCUMENT.stream(plan.document_id), number(document, numbered))


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
    numbered = DocumentNumbered(
        series_id=series.series_id,
        number=assigned.number,
        issued_at=assigned.issued_at,
        issue_date=assigned.issued_at.astimezone(ZoneInfo(series.time_zone)).date(),
        profiles=_named(transaction, plan),
    )
    tax_id = plan.parties.issuer_tax_id(transaction)
    link = chain_link(transaction, plan.driver, plan.document_id, drafted, numbered, tax_id)
    return numbered if link is None else numbered.model_copy(update={"chain": link})


def _named(transaction: Transaction, plan: PlannedDocument) -> tuple[NamedProfile, ...]:
    return tuple(
        NamedProfile(
            role=role,
            profile_id=owner.profile_id,
            version=transaction.version(FISCAL_PROFILE.stream(owner.profile_id)),
        )
        for role, owner in plan.parties.named(transaction)
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


def stamp_document(document_identity: str, given: FiscalStamp) -> Handler:
    """Records what an authority gave for a document."""

    def handle(transaction: Transaction) -> Answer:
        facts = stamp(transaction.state(DOCUMENT, document_identity), given)
        transaction.append(DOCUMENT.stream(document_identity), facts)
        return Answer(200, {"documentId": document_identity})

    return handle


def record_failure(
    document_identity: str, reason: FailureReason, retry_at: Utc | None, authority_code: str | None = None
) -> Handler:
    """Records that an attempt to issue a document failed, for its timeline and for the operator."""

    def handle(transaction: Transaction) -> Answer:
        document = transaction.state(DOCUMENT, document_identity)
        facts = fail(document, reason, retry_at=retry_at, authority_code=authority_code)
        transaction.append(DOCUMENT.stream(document_identity), facts)
        return Answer(200, {"documentId": document_identity, "reason": reason})

    return handle


def streams_of(plans: Iterable[PlannedDocument]) -> frozenset[StreamId]:
    """What drafting all of them reads."""
    return frozenset[StreamId]().union(*(plan.streams for plan in plans))
