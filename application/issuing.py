"""Finishes numbered documents: render, store, seal, ISSUED (architecture §4).

Every step gives the same bytes again, so that a crash anywhere is finished by doing it all once more. A
failure is recorded with the time of the next attempt; the number stays the document's. Documents go in
batches, because to read, store and record many costs little more than one; each stands and fails alone.
What wants an authority's stamp is finished once it has that (`application/stamping_work.py`).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from application.due_documents import DueDocument, DueDocuments
from application.handlers.documents import issue_document
from application.ledger import Ledger, LedgerUnavailable
from application.ports import Clock, DocumentObserver, Renderer, SubjectSecrets, WorkList
from application.signing import KeyUnusable, Signer
from application.vault import Deposit, StoredObject, Vault, VaultError, VaultUnavailable
from domain.documents.document_facts import DocumentIssued, FailureReason
from domain.documents.seal import Seal, seal_payload
from domain.kernel.registry import Registry

log = structlog.get_logger(__name__)

REMEMBERED_ISSUED = 2_000
"""How many documents just issued are not looked at again while the read model still lists them as drafts."""


@dataclass(frozen=True)
class _Drawn:
    """Its files, ready to be stored."""

    due: DueDocument
    content: bytes
    pdf: bytes

    @property
    def deposits(self) -> tuple[Deposit, Deposit]:
        """The JSON and the PDF, as the vault takes them."""
        return (
            self.due.deposit("document.json", self.content),
            self.due.deposit("document.pdf", self.pdf),
        )


class _RenderFailed(Exception):
    """The document's content could not be made, or its template could not draw it, because of `cause`."""

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
        self._documents = DueDocuments(ledger, registry, secrets, clock, observer)
        self._vault = vault
        self._signer = signer
        self._renderer = renderer
        self._observer = observer

    async def issue(self, document_ids: Sequence[str]) -> set[str]:
        """Issues documents, or records of each why it could not be; returns those that are issued now.

        What wants a stamp and has none is left alone. Raises `LedgerUnavailable`.
        """
        loaded, issued = await self._documents.load(document_ids)
        due = [each for each in loaded if each.stamping is None]
        drawn = [await self._drawn(each) for each in due]
        outcomes = await asyncio.to_thread(self._finished, drawn)
        await asyncio.gather(*map(self._record, due, outcomes))
        return issued.union(
            each.document_id
            for each, outcome in zip(due, outcomes, strict=True)
            if isinstance(outcome, DocumentIssued)
        )

    async def _drawn(self, due: DueDocument) -> _Drawn | _Failure:
        try:
            content = due.content()
            pdf = await self._renderer.render(content)
        except Exception as error:
            # Whatever its source lacks, or a template stumbles over, parks this document and no other.
            return _RenderFailed(error)
        return _Drawn(due, content, pdf)

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
        due, stamped = drawn.due, drawn.due.document.stamped
        sha256_fiscal = None if stamped is None else stamped.stamp.sha256
        payload = seal_payload(
            document_id=due.document_id,
            document_key=due.document.drafted.document_key,
            number=due.numbered.number,
            sha256_pdf=pdf_file.sha256,
            sha256_json=json_file.sha256,
            sha256_fiscal=sha256_fiscal,
        )
        try:
            signature = self._signer.sign(payload)
        except KeyUnusable as error:
            return error
        seal = Seal(
            sha256_pdf=pdf_file.sha256,
            sha256_json=json_file.sha256,
            sha256_fiscal=sha256_fiscal,
            signature=signature.signature_base64,
            key_id=signature.key_id,
            algorithm=signature.algorithm,
        )
        return DocumentIssued(
            pdf_name=pdf_file.name,
            json_name=json_file.name,
            sealed_under=None if due.reader_key is None else str(due.reader_key.key_id),
            seal=seal,
            retention=due.retention,
        )

    async def _record(self, due: DueDocument, outcome: DocumentIssued | _Failure) -> None:
        drafted = due.document.drafted
        if isinstance(outcome, DocumentIssued):
            await self._documents.commit(due, issue_document(due.document_id, outcome))
            self._observer.issued(drafted.doc_type, drafted.country_code)
        else:
            await self._documents.park(due, _failure_reason(outcome), outcome)


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
