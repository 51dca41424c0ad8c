"""A document is drafted, numbered, then issued sealed; nothing about it changes afterwards (S3 §5.2, §6.2).

Commands: draft, number, issue, fail, void. A voided one keeps its number; its content stays what it was.
"""

from datetime import date
from typing import Any, Literal, assert_never

from domain.documents.seal import Seal
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Fact, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits
from domain.kernel.streams import EventType, StreamId, StreamType

DocType = Literal[
    "RECEIPT",
    "FISCAL_INVOICE",
    "CREDIT_NOTE",
    "SELLER_STATEMENT",
    "PAYOUT_STATEMENT",
    "LEDGER_EVIDENCE_PACK",
    "AUDIT_EXPORT",
    "ADJUSTMENT_STATEMENT",
]
Status = Literal["DRAFT", "ISSUED", "VOIDED", "REPLACED"]
Language = Literal["en", "es"]
FailureReason = Literal["vault_unavailable", "vault_conflict", "render_failed", "seal_failed"]


class SourceRef(Value):
    """What the document is about."""

    type: Literal["ORDER", "WORK_ORDER"]
    id: str


class ContentRef(Value):
    """The history that the document's content is made of, and which cause within it (a credit's id)."""

    stream_type: Literal["order", "invoice"]
    stream_id: str
    cause_id: str | None = None

    @property
    def stream(self) -> StreamId:
        """That history."""
        return StreamId(self.stream_type, self.stream_id)


class LinkedDocument(Value):
    """Another document, and what this one is to it."""

    document_id: str
    doc_type: DocType
    relation: Literal["CORRECTS", "CORRECTED_BY"]


class Totals(Value):
    """What lists show of a document's amounts, minor units of its currency; copied from the snapshot."""

    items_subtotal: MinorUnits
    discount_total: MinorUnits
    fee_total: MinorUnits
    tax_total: MinorUnits
    grand_total: MinorUnits


class Retention(Value):
    """How long the vault keeps the document, and whether anybody could shorten that."""

    retention_class: str
    until: date
    mode: Literal["COMPLIANCE", "GOVERNANCE"]


class Verdict(Value):
    """Which policy, in which version, called for the document, and why."""

    policy: str
    version: str
    reason: str


class DocumentDrafted(Fact):
    """The document exists: what it is about and which snapshot, template, driver and policy make it."""

    document_key: str
    document_version: int
    doc_type: DocType
    source_ref: SourceRef
    content_ref: ContentRef
    snapshot_id: str
    country_code: CountryCode
    issuer_entity_id: str
    buyer_id: str
    seller_id: str
    language: Language
    currency_uom_id: CurrencyCode
    totals: Totals
    template_version: str
    driver: str
    driver_version: str
    verdict: Verdict
    linked_documents: tuple[LinkedDocument, ...] = ()


class DocumentNumbered(Fact):
    """A number and an issue time belong to the document for good. `issue_date` is in the issuer's zone."""

    series_id: str
    number: str
    issued_at: Utc
    issue_date: date


class DocumentIssued(Fact):
    """Its files are in the vault under these names, sealed; from now on everybody entitled may see it.

    `sealed_under` is the id of the reader's key, without which they do not open.
    """

    pdf_name: str
    json_name: str
    sealed_under: str | None = None
    seal: Seal
    retention: Retention


class DocumentIssueFailed(Fact):
    """An attempt to issue it failed; the worker tries again at `retry_at`. `attempt` counts from 1."""

    reason: FailureReason
    attempt: int
    retry_at: Utc


class DocumentLinked(Fact):
    """Another document came that has to do with this one."""

    linked_document: LinkedDocument


class DocumentVoided(Fact):
    """The document counts no more; its number and its files stay. `reason_code` is of the VOID reasons."""

    reason_code: str


class Document(Value):
    """A document's state."""

    drafted: DocumentDrafted
    status: Status = "DRAFT"
    numbered: DocumentNumbered | None = None
    issued: DocumentIssued | None = None
    failed_attempts: int = 0
    failure: DocumentIssueFailed | None = None
    linked_documents: tuple[LinkedDocument, ...] = ()


def draft(document: Document | None, drafted: DocumentDrafted) -> tuple[DocumentDrafted, ...]:
    """Drafts a document; where its key has one already, ()."""
    return () if document is not None else (drafted,)


def number(document: Document, numbered: DocumentNumbered) -> tuple[DocumentNumbered, ...]:
    """Gives a draft its number; a document that has one keeps it: ()."""
    return () if document.numbered is not None else (numbered,)


def issue(document: Document | None, issued: DocumentIssued) -> tuple[DocumentIssued, ...]:
    """Issues a numbered draft. The same files again, or one voided meanwhile: ().

    Raises `DOCUMENT_NOT_DRAFT` for other files than it was issued with.
    """
    if document is None or document.numbered is None:
        raise DomainError("DOCUMENT_NOT_DRAFT", "Only a numbered draft can be issued.")
    if document.status == "VOIDED":
        return ()
    if document.issued is not None:
        same = (document.issued.seal.sha256_pdf, document.issued.seal.sha256_json)
        if same != (issued.seal.sha256_pdf, issued.seal.sha256_json):
            raise DomainError("DOCUMENT_NOT_DRAFT", "The document was issued with other files.")
        return ()
    return (issued,)


def fail(document: Document | None, reason: FailureReason, retry_at: Utc) -> tuple[DocumentIssueFailed, ...]:
    """Records that an attempt to issue failed; a document issued meanwhile: ()."""
    if document is None or document.status != "DRAFT":
        return ()
    return (DocumentIssueFailed(reason=reason, attempt=document.failed_attempts + 1, retry_at=retry_at),)


def void(document: Document, reason_code: str) -> tuple[DocumentVoided, ...]:
    """Voids a document; a void one: (). One that is still being made is not made any more."""
    return () if document.status == "VOIDED" else (DocumentVoided(reason_code=reason_code),)


def link(document: Document, linked: LinkedDocument) -> tuple[DocumentLinked, ...]:
    """Tells a document of another one; what it knows of already: ()."""
    return () if linked in document.linked_documents else (DocumentLinked(linked_document=linked),)


DocumentFact = (
    DocumentDrafted
    | DocumentNumbered
    | DocumentIssued
    | DocumentIssueFailed
    | DocumentLinked
    | DocumentVoided
)


def evolve(document: Document | None, fact: DocumentFact) -> Document:
    """Folds one fact of a document."""
    if isinstance(fact, DocumentDrafted):
        return Document(drafted=fact, linked_documents=fact.linked_documents)
    assert document is not None, "a document begins with its draft"
    match fact:
        case DocumentNumbered():
            return document.model_copy(update={"numbered": fact})
        case DocumentIssued():
            return document.model_copy(update={"issued": fact, "status": "ISSUED", "failure": None})
        case DocumentIssueFailed():
            return document.model_copy(update={"failed_attempts": fact.attempt, "failure": fact})
        case DocumentLinked():
            return document.model_copy(
                update={"linked_documents": (*document.linked_documents, fact.linked_document)}
            )
        case DocumentVoided():
            return document.model_copy(update={"status": "VOIDED", "failure": None})
        case _:
            assert_never(fact)


def _made_of_an_order(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew only documents of orders, and no links."""
    order = {"streamType": "order", "streamId": content["sourceRef"]["id"]}
    return {**content, "contentRef": order}


def _openly_stored(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew no files that open with a person's key only."""
    return content


DOCUMENT: StreamType[Document] = StreamType(
    "document",
    (
        EventType("document.drafted", DocumentDrafted, 2, {1: _made_of_an_order}),
        EventType("document.numbered", DocumentNumbered),
        EventType("document.issued", DocumentIssued, 2, {1: _openly_stored}),
        EventType("document.issue-failed", DocumentIssueFailed),
        EventType("document.linked", DocumentLinked),
        EventType("document.voided", DocumentVoided),
    ),
    evolve,
)
