"""Who took a document, when and from where: a stream of its own, a month each (S3 §10.2).

Downloads do not touch the document's own stream, so that its version moves only with its life.
"""

from datetime import datetime
from typing import Literal

from domain.kernel.facts import Fact, Value
from domain.kernel.streams import EventType, StreamId, StreamType

FileFormat = Literal["PDF", "JSON", "FISCAL"]


class DocumentDownloaded(Fact):
    """A sealed file of the document was handed out. `ip` and `device` are what the request showed."""

    document_id: str
    file_format: FileFormat
    ip: str | None = None
    device: str | None = None


class AccessMonth(Value):
    """How often the document was taken in that month."""

    downloads: int


def access_stream(document_id: str, at: datetime) -> StreamId:
    """The stream of a document's accesses in the month of `at` (UTC)."""
    return DOCUMENT_ACCESS.stream(f"{document_id}/{at:%Y-%m}")


def _evolve(month: AccessMonth | None, _: DocumentDownloaded) -> AccessMonth:
    return AccessMonth(downloads=1 if month is None else month.downloads + 1)


DOCUMENT_ACCESS: StreamType[AccessMonth] = StreamType(
    "document-access", (EventType("document-access.downloaded", DocumentDownloaded),), _evolve
)
