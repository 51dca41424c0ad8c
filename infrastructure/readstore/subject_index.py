"""Where subjects' data is, from the read model that knows it."""

from datetime import date
from uuid import UUID

from application.ports import ReadStore
from domain.kernel.streams import StreamId
from projections.subject_streams import SUBJECT_STREAMS, select_retain_until, select_streams_of_key

_PATIENCE_SECONDS = 5.0
_NAMES = (SUBJECT_STREAMS.name,)


class ReadModelSubjectIndex:
    """`application.erasure.SubjectIndex` on the read models."""

    def __init__(self, read_store: ReadStore) -> None:
        self._read_store = read_store

    async def shows(self, position: int) -> bool:
        """Whether it knows all that was recorded up to a position; waits for it up to five seconds."""
        return await self._read_store.wait_for(_NAMES, position, _PATIENCE_SECONDS)

    async def streams_of(self, key_id: UUID) -> list[StreamId]:
        """The streams that hold something sealed under a key."""
        found = await self._read_store.fetch(_NAMES, select_streams_of_key(key_id))
        return [StreamId(row["stream_type"], row["stream_id"]) for row in found.results[0]]

    async def retain_until(self, key_id: UUID) -> date | None:
        """The last day on which the law still wants what a key sealed; None where it wants none of it."""
        found = await self._read_store.fetch(_NAMES, select_retain_until(key_id))
        until: date | None = found.results[0][0]["retain_until"]
        return until
