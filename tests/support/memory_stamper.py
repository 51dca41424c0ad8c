"""An authority in memory that keeps the port's promises, and fails as tests want it to."""

import hashlib
from collections.abc import Callable
from uuid import UUID, uuid5

from application.stamping import StampAnswer, StampFailed, StampRequest
from tests.support.facts import NOON

_NAMESPACE = UUID("2b1f7b54-7d0e-5d7c-8f14-6f0c9a5f3f10")

Failing = Callable[[StampRequest], StampFailed | None]
"""What goes wrong with a document, if anything does."""


def nothing(_: StampRequest) -> None:
    """All goes well."""


class MemoryStamper:
    """Satisfies `application.stamping.Stamper`.

    `before` goes wrong without a stamp, `after` once the document has one. `asked` counts by document.
    """

    def __init__(self) -> None:
        self.before: Failing = nothing
        self.after: Failing = nothing
        self.asked: dict[str, int] = {}
        self._stamps: dict[str, StampAnswer] = {}

    async def stamp(self, request: StampRequest) -> StampAnswer:
        """Its stamp, the same each time."""
        self.asked[request.document_id] = self.asked.get(request.document_id, 0) + 1
        if (failed := self.before(request)) is not None:
            raise failed
        answer = self._stamps.setdefault(request.document_id, _stamp(request))
        if (failed := self.after(request)) is not None:
            raise failed
        return answer

    async def close(self) -> None:
        """Nothing is held."""


def _stamp(request: StampRequest) -> StampAnswer:
    stamp_id = str(uuid5(_NAMESPACE, request.document_id))
    content_hash = hashlib.sha256(request.content_json).hexdigest()
    file = f"<stamp uuid='{stamp_id}' content='{content_hash}'/>".encode()
    return StampAnswer(uuid=stamp_id, stamped_at=NOON, qr=f"urn:stamp:{stamp_id}", file=file)
