"""Numbers the documents that a fiscal profile had blocked, once somebody has set it (S3 §4.2)."""

from collections.abc import Iterable

import structlog

from application.desk import Desk
from application.handlers.document_demands import resume_document
from application.handlers.documents import DocumentEntry
from application.ledger import Command, Ledger, LedgerUnavailable, worker_audit
from application.operations.unrouted import RESUME_DOCUMENT
from application.ports import BlockedDocuments, DocumentObserver
from domain.accounts.fiscal_profile import FISCAL_PROFILE
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentIssueFailed, MissingProfile
from domain.documents.policy import DocumentPolicies
from domain.kernel.recorded import RecordedEvent

log = structlog.get_logger(__name__)

DOCUMENTS_A_STEP = 100


class Resumer:
    """Any number of these may run side by side: what two of them resume at once is resumed once."""

    def __init__(
        self,
        ledger: Ledger,
        blocked: BlockedDocuments,
        policies: DocumentPolicies,
        observer: DocumentObserver,
    ) -> None:
        self._observer = observer
        self._ledger = ledger
        self._blocked = blocked
        self._policies = policies

    async def step(self) -> int:
        """Resumes what may be resumed, the oldest first; returns how many documents it tried.

        Raises `LedgerUnavailable`, `ReadStoreUnavailable`.
        """
        tried = 0
        for document_id in await self._blocked.documents_to_resume(DOCUMENTS_A_STEP):
            try:
                tried += await self._resume(document_id)
            except LedgerUnavailable:
                raise
            except Exception:
                # Whatever is wrong with one document must not hold up the others.
                log.exception("document-resume-interrupted", documentId=document_id)
        return tried

    async def _resume(self, document_id: str) -> bool:
        """Resumes it, unless its newest failure has seen its profiles as they are: the list may be behind."""
        stream = DOCUMENT.stream(document_id)
        history = await self._ledger.history(stream)
        failed_at, missing = _newest_failure(history)
        profiles = await self._ledger.histories([FISCAL_PROFILE.stream(each.profile_id) for each in missing])
        if not any(events[-1].position > failed_at for events in profiles.values()):
            return False
        first = history[0]
        audit = worker_audit(first, RESUME_DOCUMENT)
        handler = resume_document(document_id, Desk(self._policies, first.tenant_id))
        committed = await self._ledger.commit(Command(audit, handler, frozenset({stream})))
        entry: DocumentEntry = committed.answer.body
        if entry.blocked:
            self._observer.blocked(entry.country_code)
        return True


def _newest_failure(history: Iterable[RecordedEvent]) -> tuple[int, tuple[MissingProfile, ...]]:
    """Where an attempt failed last, and for want of which profiles."""
    found: tuple[int, tuple[MissingProfile, ...]] = (0, ())
    for event in history:
        if isinstance(event.fact, DocumentIssueFailed):
            found = (event.position, event.fact.missing_profiles)
    return found
