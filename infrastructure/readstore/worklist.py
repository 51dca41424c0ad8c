"""What the worker has to finish, from the Document Center's rows."""

from application.ports import Clock, ReadStoreUnavailable
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.readstore.compiling import compiled
from projections.documents import Shard, select_documents_to_issue


class DocumentWorkList:
    """`application.ports.WorkList` on the documents' read model; asked many times a second."""

    def __init__(self, pool: Pool, clock: Clock, shard: Shard) -> None:
        """`shard` is this process's part of the work."""
        self._pool = pool
        self._clock = clock
        self._shard = shard

    async def documents_to_issue(self, limit: int) -> list[str]:
        """Ids of numbered drafts whose time to be (re)tried has come, the longest due first."""
        query = select_documents_to_issue(self._shard, self._clock.now(), limit)
        statement = compiled(query.statement)
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            cursor = await connection.execute(statement.text, {**statement.constants, **query.parameters})
            return [document_id for (document_id,) in await cursor.fetchall()]
