"""Numbered documents whose time has come: what they are made of, and how they are parked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from application.content import content_streams, document_content, named_profiles
from application.handlers.documents import record_failure
from application.ledger import Audit, Command, Handler, Ledger, worker_audit
from application.operations.unrouted import ISSUE_NUMBERED_DOCUMENT
from application.ports import Clock, DocumentObserver, SubjectSecrets
from application.vault import Deposit, SubjectSecret
from domain.accounts.fiscal_profile import ProfileContent
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import DocumentNumbered, FailureReason, Retention
from domain.fiscal.driver import Stamping
from domain.fiscal.registry import driver_for, stamping_of
from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 3600

_TO_DO: dict[FailureReason, str] = {
    "driver_timeout": "Nothing: the authority is asked again, and answers the stamp that it may have given.",
    "driver_unavailable": "See to the authority or to its address; it is asked again by itself.",
    "driver_rejected": "Mend what the code names and POST /v1/documents/issue, or void the document.",
}
"""What operators do about what an authority says; the rest is retried by itself."""


def retry_delay_seconds(attempt: int) -> int:
    """How long to wait after the attempt of that number (from 1): 1, 4, 16 … seconds, an hour at most."""
    return int(min(4 ** (attempt - 1), LONGEST_RETRY_SECONDS))


@dataclass(frozen=True)
class DueDocument:
    """A numbered document whose time has come, what it is made of, and its reader's key if there is one."""

    document_id: str
    document: Document
    source: Any
    profiles: Mapping[str, ProfileContent]
    reader_key: SubjectSecret | None
    audit: Audit

    @property
    def numbered(self) -> DocumentNumbered:
        """Its number and issue time."""
        assert self.document.numbered is not None, "only numbered documents are due"
        return self.document.numbered

    @property
    def stamping(self) -> Stamping | None:
        """The stamp that it wants and does not have yet."""
        return stamping_of(self.document.drafted) if self.document.stamped is None else None

    @property
    def retention(self) -> Retention:
        """How long the vault keeps its files: as the law wants, under policy's class if it has one."""
        drafted = self.document.drafted
        lawful = driver_for(drafted.country_code).retention(drafted.doc_type, self.numbered.issue_date)
        return lawful.model_copy(
            update={"retention_class": drafted.retention_class or lawful.retention_class}
        )

    def content(self) -> bytes:
        """Its canonical JSON as it stands now. Raises `ValueError` where its source does not hold it."""
        return document_content(self.document_id, self.document, self.source, self.profiles)

    def deposit(self, file_name: str, content: bytes) -> Deposit:
        """One of its files as the vault takes it, sealed for its reader."""
        retention = self.retention
        return Deposit(
            f"documents/{self.document_id}/{file_name}",
            content,
            retention.retention_class,
            retention.until,
            self.reader_key,
        )


class DueDocuments:
    """Loads them, and records what becomes of them."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        secrets: SubjectSecrets,
        clock: Clock,
        observer: DocumentObserver,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._secrets = secrets
        self._clock = clock
        self._observer = observer

    async def load(self, document_ids: Sequence[str]) -> tuple[list[DueDocument], set[str]]:
        """Those of the documents that are due, and the ids of those that are issued already.

        The work list is a read model: it may not know yet of what became of a document just now.
        """
        histories = await self._ledger.histories([DOCUMENT.stream(each) for each in document_ids])
        documents = {stream: self._folded(stream, events) for stream, events in histories.items()}
        issued = {stream.id for stream, document in documents.items() if document.issued is not None}
        due = [
            (stream.id, document, worker_audit(histories[stream][0], ISSUE_NUMBERED_DOCUMENT))
            for stream, document in documents.items()
            if self._is_due(document)
        ]
        return await self._with_sources(due), issued

    async def commit(self, due: DueDocument, handler: Handler) -> None:
        """Records something of the document. Raises `LedgerUnavailable`, `DomainError`."""
        streams = frozenset({DOCUMENT.stream(due.document_id)})
        await self._ledger.commit(Command(due.audit, handler, streams))

    async def park(
        self,
        due: DueDocument,
        reason: FailureReason,
        cause: BaseException,
        *,
        authority_code: str | None = None,
        needs_person: bool = False,
    ) -> None:
        """Records that an attempt failed, and when the next one is; of none where it `needs_person`."""
        attempt = due.document.failed_attempts + 1
        delay = timedelta(seconds=retry_delay_seconds(attempt))
        retry_at = None if needs_person else self._clock.now() + delay
        told = {"authorityCode": authority_code, "toDo": _TO_DO.get(reason)}
        log.warning(
            "document-parked",
            documentId=due.document_id,
            reason=reason,
            cause=type(cause.__cause__ or cause).__name__,
            attempt=attempt,
            retryAt=None if retry_at is None else retry_at.isoformat(),
            **{name: value for name, value in told.items() if value is not None},
        )
        self._observer.failed(reason, due.document.drafted.country_code)
        await self.commit(due, record_failure(due.document_id, reason, retry_at, authority_code))

    def _folded(self, stream: StreamId, events: Iterable[RecordedEvent]) -> Any:
        return self._registry.fold(stream, (event.fact for event in events))

    def _is_due(self, document: Document) -> bool:
        if document.numbered is None or document.status != "DRAFT":
            return False
        return document.retry_at is not None and document.retry_at <= self._clock.now()

    async def _with_sources(self, documents: list[tuple[str, Document, Audit]]) -> list[DueDocument]:
        streams = {stream for _, document, _ in documents for stream in content_streams(document)}
        histories = await self._ledger.histories(streams)
        facts = {stream: [event.fact for event in events] for stream, events in histories.items()}
        sources = {document.drafted.content_ref.stream for _, document, _ in documents}
        states = {stream: self._registry.fold(stream, facts[stream]) for stream in sources}
        keys = {
            document_id: _key_of_reader(document, histories[document.drafted.content_ref.stream])
            for document_id, document, _ in documents
        }
        secrets = await self._secrets.by_id({key_id for key_id in keys.values() if key_id is not None})
        return [
            DueDocument(
                document_id,
                document,
                states[document.drafted.content_ref.stream],
                named_profiles(self._registry, document, facts),
                secrets.get(key_id) if (key_id := keys[document_id]) else None,
                audit,
            )
            for document_id, document, audit in documents
        ]


def _key_of_reader(document: Document, history: Iterable[RecordedEvent]) -> UUID | None:
    """Under which key the source's history keeps who it is for, so that both are erased together."""
    drafted = document.drafted
    reader = f"party:{drafted.seller_id if drafted.audience == 'SELLER' else drafted.buyer_id}"
    parts = (part for event in history for part in event.sealed_for)
    return next((p.key_id for p in parts if p.subject == reader and p.retention_class == "FISCAL"), None)
