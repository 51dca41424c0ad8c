"""Has documents stamped before they are drawn: ask the authority, keep the file, record `document.stamped`.

Every step gives the same again, so that a crash anywhere is finished by doing it all once more: the authority
answers the same stamp, the vault keeps the same object. What was recorded is not asked for again.
"""

import asyncio
import time
from collections import deque

import structlog

from application.due_documents import DueDocument, DueDocuments
from application.handlers.documents import stamp_document
from application.ledger import Ledger, LedgerUnavailable
from application.ports import Clock, DocumentObserver, StampWorkList, SubjectSecrets
from application.stamping import (
    STAMP_FILE_NAME,
    StampAnswer,
    Stamper,
    StampFailed,
    StampRejected,
    StampRequest,
    StampTimeout,
)
from application.vault import Vault, VaultError, VaultUnavailable
from domain.documents.document_facts import FiscalStamp
from domain.fiscal.driver import Stamping
from domain.kernel.registry import Registry

log = structlog.get_logger(__name__)

REMEMBERED_STAMPED = 2_000
"""How many documents just stamped are not looked at again while the read model lists them as before."""

STAMPED_AT_ONCE = 32
"""How many documents of one authority a process asks for at the same time."""


class StampOffice:
    """Has documents stamped by one authority; any number of these may run side by side."""

    def __init__(
        self,
        stamper: Stamper,
        ledger: Ledger,
        registry: Registry,
        vault: Vault,
        secrets: SubjectSecrets,
        clock: Clock,
        observer: DocumentObserver,
    ) -> None:
        self._stamper = stamper
        self._documents = DueDocuments(ledger, registry, secrets, clock, observer)
        self._vault = vault
        self._observer = observer

    async def stamp(self, document_id: str) -> bool:
        """Has a document stamped, or records why it could not be; whether it has its stamp now.

        What is not due, wants no stamp or has one already is left alone. Raises `LedgerUnavailable`.
        """
        loaded, issued = await self._documents.load([document_id])
        if not loaded:
            return document_id in issued
        (due,) = loaded
        stamping = due.stamping
        if stamping is None:
            return True
        try:
            answer = await self._asked(due, stamping)
            given = await asyncio.to_thread(self._kept, due, stamping, answer)
        except StampRejected as error:
            await self._documents.park(
                due, "driver_rejected", error, authority_code=error.code, needs_person=True
            )
        except StampTimeout as error:
            await self._documents.park(due, "driver_timeout", error)
        except StampFailed as error:
            await self._documents.park(due, "driver_unavailable", error)
        except ValueError as error:
            await self._documents.park(due, "render_failed", error)
        except VaultUnavailable as error:
            await self._documents.park(due, "vault_unavailable", error)
        except VaultError as error:
            await self._documents.park(due, "vault_conflict", error)
        else:
            await self._documents.commit(due, stamp_document(document_id, given))
            return True
        return False

    async def _asked(self, due: DueDocument, stamping: Stamping) -> StampAnswer:
        """What the authority answers within its time."""
        drafted = due.document.drafted
        request = StampRequest(
            document_id=due.document_id,
            country_code=drafted.country_code,
            doc_type=drafted.doc_type,
            number=due.numbered.number,
            content_json=due.content(),
        )
        began = time.monotonic()
        try:
            async with asyncio.timeout(stamping.timeout_seconds):
                return await self._stamper.stamp(request)
        except TimeoutError as error:
            raise StampTimeout("The authority has not answered in time.") from error
        finally:
            self._observer.authority_took(drafted.country_code, time.monotonic() - began)

    def _kept(self, due: DueDocument, stamping: Stamping, answer: StampAnswer) -> FiscalStamp:
        """The stamp, once its file is in the vault. It waits for disks."""
        stored = self._vault.put(due.deposit(f"{STAMP_FILE_NAME}.{answer.file_type}", answer.file))
        return FiscalStamp(
            authority=stamping.authority,
            uuid=answer.uuid,
            stamped_at=answer.stamped_at,
            qr=answer.qr,
            file_name=stored.name,
            sha256=stored.sha256,
        )


class StampingLoop:
    """Keeps documents on their way to one authority, each by itself, for as long as it runs.

    A slow authority fills this loop and no other: documents that want no stamp, or another authority's, are
    neither listed nor counted here.
    """

    def __init__(
        self, authority: str, office: StampOffice, work: StampWorkList, *, at_once: int = STAMPED_AT_ONCE
    ) -> None:
        self._authority = authority
        self._office = office
        self._work = work
        self._at_once = at_once
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._stamped: deque[str] = deque(maxlen=REMEMBERED_STAMPED)

    async def step(self) -> int:
        """Starts what may be started; returns how many documents that were."""
        free = self._at_once - len(self._under_way)
        if free <= 0:
            return 0
        # Documents under way or just stamped stay listed until the read model has caught up.
        taken = set(self._stamped).union(self._under_way.values())
        listed = await self._work.documents_to_stamp(self._authority, self._at_once * 4)
        waiting = [document_id for document_id in listed if document_id not in taken][:free]
        for document_id in waiting:
            task = asyncio.create_task(self._stamp(document_id))
            self._under_way[task] = document_id
            task.add_done_callback(self._under_way.pop)
        return len(waiting)

    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    async def drain(self) -> None:
        """Lets go of what is under way, for an authority may take long; it is asked again another time."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _stamp(self, document_id: str) -> None:
        try:
            if await self._office.stamp(document_id):
                self._stamped.append(document_id)
        except LedgerUnavailable as error:
            log.warning("document-stamp-interrupted", documentId=document_id, error=type(error).__name__)
        except Exception:
            # Whatever is wrong with one document must not hold up the others.
            log.exception("document-stamp-interrupted", documentId=document_id)
