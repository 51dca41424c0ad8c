"""Finishes numbered documents: render, store, seal, ISSUED (architecture §4).

Every step gives the same bytes again, so that a crash anywhere is finished by doing it all once more. A
failure is recorded with the time of the next attempt; the number stays the document's.
"""

import asyncio
from datetime import timedelta

import structlog

from application.content import document_content, load_order
from application.handlers.documents import issue_document, record_failure
from application.ledger import Audit, Command, Handler, Ledger, LedgerUnavailable
from application.operations import ISSUE_NUMBERED_DOCUMENT
from application.ports import Clock, DocumentObserver, Renderer, WorkList
from application.signing import KeyUnusable, Signer
from application.vault import Vault, VaultError, VaultUnavailable
from domain.documents.document import DOCUMENT, Document, DocumentIssued, FailureReason
from domain.documents.seal import Seal, seal_payload
from domain.fiscal.registry import driver_for
from domain.kernel.canonical import sha256_hex
from domain.kernel.registry import Registry

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 3600


def retry_delay_seconds(attempt: int) -> int:
    """How long to wait after the attempt of that number (from 1): 1, 4, 16 … seconds, an hour at most."""
    return int(min(4 ** (attempt - 1), LONGEST_RETRY_SECONDS))


class Issuer:
    """Issues one numbered document at a time; any number of these may run side by side."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        vault: Vault,
        signer: Signer,
        renderer: Renderer,
        clock: Clock,
        observer: DocumentObserver,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._vault = vault
        self._signer = signer
        self._renderer = renderer
        self._clock = clock
        self._observer = observer

    async def issue(self, document_id: str) -> None:
        """Issues a document, or records why it could not be. Raises `LedgerUnavailable`."""
        stream = DOCUMENT.stream(document_id)
        events = await self._ledger.history(stream)
        document: Document | None = self._registry.fold(stream, [event.fact for event in events])
        if document is None or document.issued is not None or document.numbered is None:
            return
        if document.failure is not None and document.failure.retry_at > self._clock.now():
            # The work list is a read model: it may not know yet of an attempt that failed just now.
            return
        audit = Audit(
            tenant_id=events[0].tenant_id,
            actor="system:worker",
            role="SYSTEM",
            operation=ISSUE_NUMBERED_DOCUMENT,
            correlation_id=events[0].correlation_id,
            causation_id=str(events[0].position),
        )
        try:
            issued = await self._finished(document_id, document)
        except (VaultError, KeyUnusable, _RenderFailed) as error:
            handler = self._failure(document_id, document, error)
            await self._ledger.commit(Command(audit, handler, frozenset({stream})))
            return
        await self._ledger.commit(Command(audit, issue_document(document_id, issued), frozenset({stream})))
        self._observer.issued(document.drafted.doc_type, document.drafted.country_code)

    async def _finished(self, document_id: str, document: Document) -> DocumentIssued:
        drafted, numbered = document.drafted, document.numbered
        assert numbered is not None, "issue() leaves documents without a number alone"
        order = await load_order(self._ledger, self._registry, drafted.source_ref.id)
        content = document_content(document_id, document, order)
        try:
            pdf = await self._renderer.render(content)
        except Exception as error:
            # Whatever a template stumbles over parks this document and no other.
            raise _RenderFailed from error
        retention = driver_for(drafted.country_code).retention(drafted.doc_type, numbered.issue_date)
        names = {"document.json": content, "document.pdf": pdf}
        for name, data in names.items():
            await asyncio.to_thread(
                self._vault.put,
                f"documents/{document_id}/{name}",
                data,
                retention_class=retention.retention_class,
                retain_until=retention.until,
            )
        seal = await asyncio.to_thread(self._seal, document_id, document, pdf, content)
        return DocumentIssued(
            pdf_name=f"documents/{document_id}/document.pdf",
            json_name=f"documents/{document_id}/document.json",
            seal=seal,
            retention=retention,
        )

    def _seal(self, document_id: str, document: Document, pdf: bytes, content: bytes) -> Seal:
        assert document.numbered is not None, "only numbered documents get here"
        sha256_pdf, sha256_json = sha256_hex(pdf), sha256_hex(content)
        signature = self._signer.sign(
            seal_payload(
                document_id=document_id,
                document_key=document.drafted.document_key,
                number=document.numbered.number,
                sha256_pdf=sha256_pdf,
                sha256_json=sha256_json,
            )
        )
        return Seal(
            sha256_pdf=sha256_pdf,
            sha256_json=sha256_json,
            signature=signature.signature_base64,
            key_id=signature.key_id,
            algorithm=signature.algorithm,
        )

    def _failure(self, document_id: str, document: Document, error: Exception) -> Handler:
        reason = _failure_reason(error)
        attempt = document.failed_attempts + 1
        retry_at = self._clock.now() + timedelta(seconds=retry_delay_seconds(attempt))
        log.warning(
            "document-parked",
            documentId=document_id,
            reason=reason,
            cause=type(error.__cause__ or error).__name__,
            attempt=attempt,
            retryAt=retry_at.isoformat(),
        )
        self._observer.failed(reason, document.drafted.country_code)
        return record_failure(document_id, reason, retry_at)


class _RenderFailed(Exception):
    """The template could not draw the document."""


def _failure_reason(error: Exception) -> FailureReason:
    match error:
        case VaultUnavailable():
            return "vault_unavailable"
        case VaultError():
            return "vault_conflict"
        case KeyUnusable():
            return "seal_failed"
        case _:
            return "render_failed"


class IssuingLoop:
    """Keeps up to `concurrency` documents under way at once, for as long as it runs."""

    def __init__(self, issuer: Issuer, work: WorkList, *, concurrency: int = 16) -> None:
        self._issuer = issuer
        self._work = work
        self._concurrency = concurrency
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def step(self) -> int:
        """Starts what may be started; returns how many documents are under way."""
        free = self._concurrency - len(self._under_way)
        if free > 0:
            # Documents just finished stay listed until the read model has caught up: ask for more than free.
            for document_id in await self._work.documents_to_issue(self._concurrency * 4):
                if len(self._under_way) >= self._concurrency:
                    break
                if document_id not in self._under_way:
                    self._start(document_id)
        return len(self._under_way)

    async def drain(self) -> None:
        """Waits for what is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _start(self, document_id: str) -> None:
        task = asyncio.create_task(self._issuer.issue(document_id))
        self._under_way[document_id] = task
        task.add_done_callback(lambda done: self._finish(document_id, done))

    def _finish(self, document_id: str, task: "asyncio.Task[None]") -> None:
        del self._under_way[document_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            level = log.warning if isinstance(error, LedgerUnavailable) else log.error
            level("document-issue-interrupted", documentId=document_id, error=type(error).__name__)
