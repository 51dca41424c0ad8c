"""What the worker has to finish, from the Document Center's rows."""

from application.ports import Clock
from infrastructure.readstore.store import PostgresReadStore
from projections.documents import select_documents_to_issue


class DocumentWorkList:
    """`application.ports.WorkList` on the documents' read model."""

    def __init__(self, store: PostgresReadStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def documents_to_issue(self, limit: int) -> list[str]:
        """Ids of numbered drafts whose time to be (re)tried has come, oldest first."""
        found = await self._store.fetch((), select_documents_to_issue(self._clock.now(), limit))
        return [row["document_id"] for row in found.results[0]]
