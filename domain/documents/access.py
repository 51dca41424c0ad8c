"""Who took a document, when and from where: a stream of its own, a month each (S3 §10.2).

Downloads do not touch the document's own stream, so that its version moves only with its life.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, assert_never

from domain.kernel.facts import Fact, Value
from domain.kernel.privacy import PersonalData, PersonalDataErased, Pii
from domain.kernel.streams import EventType, StreamId, StreamType

FileFormat = Literal["PDF", "JSON", "FISCAL"]


class DocumentDownloaded(Fact):
    """A sealed file of the document was handed out. `ip` and `device` are what the request showed."""

    personal: ClassVar[PersonalData] = PersonalData("user", "caller", unknown_fields="ACCESS")

    document_id: str
    caller: str
    file_format: FileFormat
    ip: Annotated[str | None, Pii("ACCESS")] = None
    device: Annotated[str | None, Pii("ACCESS")] = None


class AccessDataErased(PersonalDataErased):
    """Where a user took the document from is erased; that they did stays."""


class AccessMonth(Value):
    """How often the document was taken in that month."""

    downloads: int


def access_stream(document_id: str, at: datetime) -> StreamId:
    """The stream of a document's accesses in the month of `at` (UTC)."""
    return DOCUMENT_ACCESS.stream(f"{document_id}/{at:%Y-%m}")


def _evolve(month: AccessMonth | None, fact: DocumentDownloaded | AccessDataErased) -> AccessMonth:
    downloads = 0 if month is None else month.downloads
    match fact:
        case DocumentDownloaded():
            return AccessMonth(downloads=downloads + 1)
        case AccessDataErased():
            return AccessMonth(downloads=downloads)
        case _:
            assert_never(fact)


def _with_caller(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 left who it was to the event's actor."""
    return {**content, "caller": "unknown"}


DOCUMENT_ACCESS: StreamType[AccessMonth] = StreamType(
    "document-access",
    (
        EventType("document-access.downloaded", DocumentDownloaded, 2, {1: _with_caller}),
        EventType("document-access.personal-data-erased", AccessDataErased),
    ),
    _evolve,
    state=AccessMonth,
)
