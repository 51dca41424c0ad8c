"""A document is drafted, numbered, then issued sealed; nothing about it changes afterwards (S3 §5.2, §6.2).

Commands: draft, number, stamp, issue, fail, ask again, void, replace. A voided or replaced one keeps its
number; its content stays what it was.
"""

from typing import Any, assert_never

from domain.documents.document_facts import (
    DocumentDrafted,
    DocumentIssued,
    DocumentIssueFailed,
    DocumentLinked,
    DocumentNumbered,
    DocumentReplaced,
    DocumentRetryAsked,
    DocumentStamped,
    DocumentVoided,
    FailureReason,
    FiscalStamp,
    LinkedDocument,
    MissingProfile,
    Status,
)
from domain.kernel.errors import DomainError
from domain.kernel.facts import Utc, Value
from domain.kernel.streams import EventType, StreamType


class Document(Value):
    """A document's state. `retry_at` is when the worker may try (again) to issue it."""

    drafted: DocumentDrafted
    status: Status = "DRAFT"
    numbered: DocumentNumbered | None = None
    stamped: DocumentStamped | None = None
    issued: DocumentIssued | None = None
    failed_attempts: int = 0
    failure: DocumentIssueFailed | None = None
    retry_at: Utc | None = None
    linked_documents: tuple[LinkedDocument, ...] = ()

    @property
    def is_blocked(self) -> bool:
        """Whether it has no number because a fiscal profile lacks something."""
        return self.status == "DRAFT" and self.numbered is None

    @property
    def replaced_by(self) -> str | None:
        """The id of what stands in its place."""
        by = (linked.document_id for linked in self.linked_documents if linked.relation == "REPLACED_BY")
        return next(by, None)


def draft(document: Document | None, drafted: DocumentDrafted) -> tuple[DocumentDrafted, ...]:
    """Drafts a document; where its key has one already, ()."""
    return () if document is not None else (drafted,)


def number(document: Document, numbered: DocumentNumbered) -> tuple[DocumentNumbered, ...]:
    """Gives a draft its number; a document that has one, or was voided before it had one: ()."""
    return () if document.numbered is not None or document.status != "DRAFT" else (numbered,)


def stamp(document: Document | None, given: FiscalStamp) -> tuple[DocumentStamped, ...]:
    """Records what the authority gave; the same again: ().

    One that was voided meanwhile keeps its stamp too, for the authority has it. Raises `DOCUMENT_NOT_DRAFT`
    for another stamp than it has, or where it was issued without.
    """
    if document is None or document.numbered is None or (document.issued and not document.stamped):
        raise DomainError("DOCUMENT_NOT_DRAFT", "Only a numbered draft can be stamped.")
    if document.stamped is not None:
        if document.stamped.stamp != given:
            raise DomainError("DOCUMENT_NOT_DRAFT", "The document has another stamp.")
        return ()
    return (DocumentStamped(stamp=given),)


def issue(document: Document | None, issued: DocumentIssued) -> tuple[DocumentIssued, ...]:
    """Issues a numbered draft. The same files again, or one voided meanwhile: ().

    Raises `DOCUMENT_NOT_DRAFT` for other files than it was issued with.
    """
    if document is None or document.numbered is None:
        raise DomainError("DOCUMENT_NOT_DRAFT", "Only a numbered draft can be issued.")
    if document.issued is not None:
        same = (document.issued.seal.sha256_pdf, document.issued.seal.sha256_json)
        if same != (issued.seal.sha256_pdf, issued.seal.sha256_json):
            raise DomainError("DOCUMENT_NOT_DRAFT", "The document was issued with other files.")
        return ()
    return () if document.status != "DRAFT" else (issued,)


def fail(
    document: Document | None,
    reason: FailureReason,
    *,
    retry_at: Utc | None,
    missing_profiles: tuple[MissingProfile, ...] = (),
    authority_code: str | None = None,
) -> tuple[DocumentIssueFailed, ...]:
    """Records that an attempt to issue failed; a document issued or voided meanwhile: ()."""
    if document is None or document.status != "DRAFT":
        return ()
    failed = DocumentIssueFailed(
        reason=reason,
        attempt=document.failed_attempts + 1,
        retry_at=retry_at,
        missing_profiles=missing_profiles,
        authority_code=authority_code,
    )
    return (failed,)


def ask_again(document: Document, at: Utc) -> tuple[DocumentRetryAsked, ...]:
    """Lets the worker try again at once what failed; what has not failed, or has no number: ()."""
    waits = document.status == "DRAFT" and document.numbered is not None and document.failure is not None
    return (DocumentRetryAsked(retry_at=at),) if waits else ()


def void(document: Document, reason_code: str, approver: str | None = None) -> tuple[DocumentVoided, ...]:
    """Voids a document; a void one: (). One that is still being made is not made any more.

    Raises `DOCUMENT_NOT_CORRECTABLE` for one that was replaced.
    """
    if document.status == "VOIDED":
        return ()
    if document.status == "REPLACED":
        raise DomainError("DOCUMENT_NOT_CORRECTABLE", "The document was replaced; void what replaced it.")
    return (DocumentVoided(reason_code=reason_code, approver=approver),)


def replace(document: Document, replaced: DocumentReplaced) -> tuple[DocumentReplaced, ...]:
    """Lets another version stand in the place of an issued document; the same again: ().

    Raises `DOCUMENT_NOT_CORRECTABLE` for one that is not issued, or was replaced by something else.
    """
    if document.status == "REPLACED" and document.replaced_by == replaced.replaced_by_document_id:
        return ()
    if document.status != "ISSUED":
        raise DomainError("DOCUMENT_NOT_CORRECTABLE", "Only an issued document can be replaced.")
    return (replaced,)


def link(document: Document, linked: LinkedDocument) -> tuple[DocumentLinked, ...]:
    """Tells a document of another one; what it knows of already: ()."""
    return () if linked in document.linked_documents else (DocumentLinked(linked_document=linked),)


DocumentFact = (
    DocumentDrafted
    | DocumentNumbered
    | DocumentStamped
    | DocumentIssued
    | DocumentIssueFailed
    | DocumentRetryAsked
    | DocumentLinked
    | DocumentVoided
    | DocumentReplaced
)


def evolve(document: Document | None, fact: DocumentFact) -> Document:
    """Folds one fact of a document."""
    if isinstance(fact, DocumentDrafted):
        return Document(drafted=fact, linked_documents=fact.linked_documents)
    assert document is not None, "a document begins with its draft"
    return document.model_copy(update=_changes(document, fact))


def _changes(document: Document, fact: DocumentFact) -> dict[str, Any]:
    match fact:
        case DocumentNumbered():
            return {"numbered": fact, "failure": None, "retry_at": fact.issued_at}
        case DocumentStamped():
            return {"stamped": fact}
        case DocumentIssued():
            return {"issued": fact, "status": "ISSUED", "failure": None, "retry_at": None}
        case DocumentIssueFailed():
            return {"failed_attempts": fact.attempt, "failure": fact, "retry_at": fact.retry_at}
        case DocumentRetryAsked():
            return {"retry_at": fact.retry_at}
        case DocumentLinked():
            return {"linked_documents": (*document.linked_documents, fact.linked_document)}
        case DocumentVoided():
            return {"status": "VOIDED", "failure": None, "retry_at": None}
        case DocumentReplaced():
            return {"status": "REPLACED"}
        case DocumentDrafted():
            raise AssertionError("a document is drafted once")
        case _:
            assert_never(fact)


def _made_of_an_order(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew only documents of orders, and no links."""
    order = {"streamType": "order", "streamId": content["sourceRef"]["id"]}
    return {**content, "contentRef": order}


def _for_its_buyer(content: dict[str, Any]) -> dict[str, Any]:
    """Versions 1 and 2 knew only documents for buyers, which nobody sent anywhere."""
    return {**content, "audience": "BUYER", "deliveryMethod": "PORTAL"}


def _without_more(content: dict[str, Any]) -> dict[str, Any]:
    """The version before knew less, and what it did not know is left out."""
    return content


DOCUMENT: StreamType[Document] = StreamType(
    "document",
    (
        EventType("document.drafted", DocumentDrafted, 3, {1: _made_of_an_order, 2: _for_its_buyer}),
        EventType("document.numbered", DocumentNumbered, 2, {1: _without_more}),
        EventType("document.stamped", DocumentStamped),
        EventType("document.issued", DocumentIssued, 2, {1: _without_more}),
        EventType("document.issue-failed", DocumentIssueFailed, 2, {1: _without_more}),
        EventType("document.retry-asked", DocumentRetryAsked),
        EventType("document.linked", DocumentLinked),
        EventType("document.voided", DocumentVoided, 2, {1: _without_more}),
        EventType("document.replaced", DocumentReplaced),
    ),
    evolve,
)
