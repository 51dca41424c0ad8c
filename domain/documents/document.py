"""A document is drafted, numbered, then issued sealed; nothing about it changes afterwards (S3 §5.2, §6.2).

Commands: draft, number, issue, fail. Void and replace need a country driver that allows them.
"""

from datetime import date
from typing import Any, Literal, assert_never

from domain.documents.seal import Seal
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Fact, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits
from domain.kernel.streams import EventType, StreamType

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


class Document(Value):
    """A document's state."""

    drafted: DocumentDrafted
    status: Status = "DRAFT"
    numbered: DocumentNumbered | None = None
    issued: DocumentIssued | None = None
    failed_attempts: int = 0
    failure: DocumentIssueFailed | None = None


def draft(document: Document | None, drafted: DocumentDrafted) -> tuple[DocumentDrafted, ...]:
    """Drafts a document; where its key has one already, ()."""
    return () if document is not None else (drafted,)


def number(document: Document, numbered: DocumentNumbered) -> tuple[DocumentNumbered, ...]:
    """Gives a draft its number; a document that has one keeps it: ()."""
    return () if document.numbered is not None else (numbered,)


def issue(document: Document | None, issued: DocumentIssued) -> tuple[DocumentIssued, ...]:
    """Issues a numbered draft. The same files again: (). Raises `DOCUMENT_NOT_DRAFT` for other ones."""
    if document is None or document.numbered is None:
        raise DomainError("DOCUMENT_NOT_DRAFT", "Only a numbered draft can be issued.")
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


DocumentFact = DocumentDrafted | DocumentNumbered | DocumentIssued | DocumentIssueFailed


def evolve(document: Document | None, fact: DocumentFact) -> Document:
    """Folds one fact of a document."""
    if isinstance(fact, DocumentDrafted):
        return Document(drafted=fact)
    assert document is not None, "a document begins with its draft"
    match fact:
        case DocumentNumbered():
            return document.model_copy(update={"numbered": fact})
        case DocumentIssued():
            return document.model_copy(update={"issued": fact, "status": "ISSUED", "failure": None})
        case DocumentIssueFailed():
            return document.model_copy(update={"failed_attempts": fact.attempt, "failure": fact})
        case _:
            assert_never(fact)


def _openly_stored(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew no files that open with a person's key only."""
    return content


DOCUMENT: StreamType[Document] = StreamType(
    "document",
    (
        EventType("document.drafted", DocumentDrafted),
        EventType("document.numbered", DocumentNumbered),
        EventType("document.issued", DocumentIssued, 2, {1: _openly_stored}),
        EventType("document.issue-failed", DocumentIssueFailed),
    ),
    evolve,
)
