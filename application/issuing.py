"""Finishes numbered documents: render, store, seal, ISSUED (architecture §4).

Every step gives the same bytes again, so that a crash anywhere is finished by doing it all once more. A
failure is recorded with the time of the next attempt; the number stays the document's. Documents go in
batches, because to read, store and record many costs little more than one; each stands and fails alone.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from application.content import document_content
from application.handlers.documents import issue_document, record_failure
from application.ledger import Audit, Command, Handler, Ledger, LedgerUnavailable
from application.operations.documents import ISSUE_NUMBERED_DOCUMENT
from application.ports import Clock, DocumentObserver, Renderer, SubjectSecrets, WorkList
from application.signing import KeyUnusable, Signer
from application.vault import (
    Deposit,
    StoredObject,
    SubjectSecret,
    Vault,
    VaultError,
    VaultUnavailable,
)
from domain.documents.document import DOCUMENT, Document, DocumentIssued, FailureReason, Retention
from domain.documents.seal import Seal, seal_payload
from domain.fiscal.registry import driver_for
from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 3600
REMEMBERED_ISSUED = 2_000
"""How many documents just issued are not looked at again while the read model still lists them as drafts."""


def retry_delay_seconds(attempt: int) -> int:
    """How long to wait after the attempt of that number (from 1): 1, 4, 16 … seconds, an hour at most."""
    return int(min(4 ** (attempt - 1), LONGEST_RETRY_SECONDS))


@dataclass(frozen=True)
class _Due:
    """A numbered document whose time has come, what it is made of, and its reader's key if there is one."""

    document_id: str
    document: Document
    source: Any
    reader_key: SubjectSecret | None
    audit: Audit


@dataclass(frozen=True)
class _Drawn:
    """Its files, ready to be stored."""

    due: _Due
    content: bytes
    pdf: bytes
    retention: Retention

    @property
    def deposits(self) -> tuple[Deposit, Deposit]:
        """The JSON and the PDF, as the vault takes them."""
        folder = f"documents/{self.due.document_id}"
        kept = (self.retention.retention_class, self.retention.until, self.due.reader_key)
        return (
            Deposit(f"{folder}/document.json", self.content, *kept),
            Deposit(f"{folder}/document.pdf", self.pdf, *kept),
        )


class _RenderFailed(Exception):
    """The template could not draw the document, because of `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.__cause__ = cause


_Failure = VaultError | KeyUnusable | _RenderFailed
"""What parks one document and no other."""


class Issuer:
    """Issues numbered documents; any number of these may run side by side."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        vault: Vault,
        secrets: SubjectSecrets,
        signer: Signer,
        renderer: Renderer,
        clock: Clock,
        observer: DocumentObserver,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._vault = vault
        self._secrets = secrets
        self._signer = signer
        self._renderer = renderer
        self._clock = clock
        self._observer = observer

    async def issue(self, document_ids: Sequence[str]) -> set[str]:
        """Issues documents, or records of each why it could not be; returns those that are issued now.

        Raises `LedgerUnavailable`.
        """
        histories = await self._ledger.histories([DOCUMENT.stream(each) for each in document_ids])
        documents = {stream: self._folded(stream, events) for stream, events in histories.items()}
        issued = {stream.id for stream, document in documents.items() if document.issued is not None}
        due = await self._with_sources(
            [
                (stream.id, document, _audit(histories[stream][0]))
                for stream, document in documents.items()
                if self._is_due(document)
            ]
        )
        drawn = [await self._drawn(each) for each in due]
        outcomes = await asyncio.to_thread(self._finished, drawn)
        await asyncio.gather(*map(self._record, due, outcomes))
        return issued.union(
            each.document_id
            for each, outcome in zip(due, outcomes, strict=True)
            if isinstance(outcome, DocumentIssued)
        )

    def _folded(self, stream: StreamId, events: Iterable[RecordedEvent]) -> Any:
        return self._registry.fold(stream, (event.fact for event in events))

    def _is_due(self, document: Document) -> bool:
        """The work list is a read model: it may not know yet of an issue or a failed attempt of just now."""
        if document.numbered is None or document.status != "DRAFT":
            return False
        return document.failure is None or document.failure.retry_at <= self._clock.now()

    async def _with_sources(self, documents: list[tuple[str, Document, Audit]]) -> list[_Due]:
        sources = {document.drafted.content_ref.stream for _, document, _ in documents}
        histories = await self._ledger.histories(sources)
        states = {stream: self._folded(stream, events) for stream, events in histories.items()}
        keys = {
            document_id: _key_of_reader(document, histories[document.drafted.content_ref.stream])
            for document_id, document, _ in documents
        }
        secrets = await self._secrets.by_id({key_id for key_id in keys.values() if key_id is not None})
        return [
            _Due(
                document_id,
                document,
                states[document.drafted.content_ref.stream],
                secrets.get(key_id) if (key_id := keys[document_id]) else None,
                audit,
            )
            for document_id, document, audit in documents
        ]

    async def _drawn(self, due: _Due) -> _Drawn | _Failure:
        drafted, numbered = due.document.drafted, due.document.numbered
        assert numbered is not None, "only numbered documents are due"
        content = document_content(due.document_id, due.document, due.source)
        try:
            pdf = await self._renderer.render(content)
        except Exception as error:
            # Whatever a template stumbles over parks this document and no other.
            return _RenderFailed(error)
        retention = driver_for(drafted.country_code).retention(drafted.doc_type, numbered.issue_date)
        return _Drawn(due, content, pdf, retention)

    def _finished(self, drawn: Sequence[_Drawn | _Failure]) -> list[DocumentIssued | _Failure]:
        """Stores what could be drawn and seals what could be stored. It waits for disks."""
        deposits = [deposit for each in drawn if isinstance(each, _Drawn) for deposit in each.deposits]
        stored = iter(self._vault.put_all(deposits))
        return [
            self._sealed(each, json_file=next(stored), pdf_file=next(stored))
            if isinstance(each, _Drawn)
            else each
            for each in drawn
        ]

    def _sealed(
        self, drawn: _Drawn, *, json_file: StoredObject | VaultError, pdf_file: StoredObject | VaultError
    ) -> DocumentIssued | _Failure:
        if isinstance(json_file, VaultError):
            return json_file
        if isinstance(pdf_file, VaultError):
            return pdf_file
        document = drawn.due.document
        assert document.numbered is not None, "only numbered documents are due"
        payload = seal_payload(
            document_id=drawn.due.document_id,
            document_key=document.drafted.document_key,
            number=document.numbered.number,
            sha256_pdf=pdf_file.sha256,
            sha256_json=json_file.sha256,
        )
        try:
            signature = self._signer.sign(payload)
        except KeyUnusable as error:
            return error
        seal = Seal(
            sha256_pdf=pdf_file.sha256,
            sha256_json=json_file.sha256,
            signature=signature.signature_base64,
            key_id=signature.key_id,
            algorithm=signature.algorithm,
        )
        return DocumentIssued(
            pdf_name=pdf_file.name,
            json_name=json_file.name,
            sealed_under=None if drawn.due.reader_key is None else str(drawn.due.reader_key.key_id),
            seal=seal,
            retention=drawn.retention,
        )

    async def _record(self, due: _Due, outcome: DocumentIssued | _Failure) -> None:
        drafted = due.document.drafted
        if isinstance(outcome, DocumentIssued):
            await self._commit(due, issue_document(due.document_id, outcome))
            self._observer.issued(drafted.doc_type, drafted.country_code)
            return
        reason = _failure_reason(outcome)
        attempt = due.document.failed_attempts + 1
        retry_at = self._clock.now() + timedelta(seconds=retry_delay_seconds(attempt))
        log.warning(
            "document-parked",
            documentId=due.document_id,
            reason=reason,
            cause=type(outcome.__cause__ or outcome).__name__,
            attempt=attempt,
            retryAt=retry_at.isoformat(),
        )
        self._observer.failed(reason, drafted.country_code)
        await self._commit(due, record_failure(due.document_id, reason, retry_at))

    async def _commit(self, due: _Due, handler: Handler) -> None:
        await self._ledger.commit(Command(due.audit, handler, frozenset({DOCUMENT.stream(due.document_id)})))


def _key_of_reader(document: Document, history: Iterable[RecordedEvent]) -> UUID | None:
    """Under which key the source's history keeps who it is for, so that both are erased together."""
    reader = f"party:{document.drafted.buyer_id}"
    parts = (part for event in history for part in event.sealed_for)
    return next((p.key_id for p in parts if p.subject == reader and p.retention_class == "FISCAL"), None)


def _audit(first: RecordedEvent) -> Audit:
    """The worker acts within the trace in which the document was drafted."""
    return Audit(
        tenant_id=first.tenant_id,
        actor="system:worker",
        role="SYSTEM",
        operation=ISSUE_NUMBERED_DOCUMENT,
        correlation_id=first.correlation_id,
        causation_id=str(first.position),
    )


def _failure_reason(error: _Failure) -> FailureReason:
    match error:
        case VaultUnavailable():
            return "vault_unavailable"
        case VaultError():
            return "vault_conflict"
        case KeyUnusable():
            return "seal_failed"
        case _RenderFailed():
            return "render_failed"


class IssuingLoop:
    """Keeps up to `batches` batches of up to `batch_size` documents under way, for as long as it runs.

    While one batch waits for disks, the next is drawn.
    """

    def __init__(self, issuer: Issuer, work: WorkList, *, batches: int = 3, batch_size: int = 16) -> None:
        self._issuer = issuer
        self._work = work
        self._batches = batches
        self._batch_size = batch_size
        self._under_way: dict[asyncio.Task[None], Sequence[str]] = {}
        self._issued: deque[str] = deque(maxlen=REMEMBERED_ISSUED)

    async def step(self) -> int:
        """Starts what may be started; returns how many documents are under way."""
        if len(self._under_way) < self._batches:
            # Documents just finished stay listed until the read model has caught up: ask for more than free.
            listed = await self._work.documents_to_issue(self._batches * self._batch_size * 4)
            taken = set(self._issued).union(*self._under_way.values())
            waiting = [document_id for document_id in listed if document_id not in taken]
            while waiting and len(self._under_way) < self._batches:
                self._start(waiting[: self._batch_size])
                del waiting[: self._batch_size]
        return sum(map(len, self._under_way.values()))

    async def drain(self) -> None:
        """Waits for what is under way."""
        await asyncio.gather(*self._under_way)

    def _start(self, document_ids: Sequence[str]) -> None:
        task = asyncio.create_task(self._issue(document_ids))
        self._under_way[task] = document_ids
        task.add_done_callback(self._under_way.pop)

    async def _issue(self, document_ids: Sequence[str]) -> None:
        try:
            self._issued.extend(await self._issuer.issue(document_ids))
        except LedgerUnavailable as error:
            log.warning("documents-issue-interrupted", documentIds=document_ids, error=type(error).__name__)
        except Exception:
            if len(document_ids) == 1:
                log.exception("document-issue-interrupted", documentId=document_ids[0])
                return
            # Whatever is wrong with one document must not hold up the others.
            for document_id in document_ids:
                await self._issue([document_id])
