"""Who took a document or an artifact, when and from where: a stream of its own, a month each (S3 §10.2).

Downloads do not touch the stream of what was taken, so that its version moves only with its life.
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


class ArtifactDownloaded(Fact):
    """The content of an invoice's artifact was handed out, once for its token (BILL-DEC-005)."""

    personal: ClassVar[PersonalData] = PersonalData("user", "caller", unknown_fields="ACCESS")

    invoice_id: str
    artifact_ref_id: str
    sha256: str
    caller: str
    ip: Annotated[str | None, Pii("ACCESS")] = None
    device: Annotated[str | None, Pii("ACCESS")] = None


class AccessDataErased(PersonalDataErased):
    """Where a user took it from is erased; that they did stays."""


class AccessMonth(Value):
    """How often it was taken in that month."""

    downloads: int


def access_stream(of_id: str, at: datetime) -> StreamId:
    """The accesses of a document, or of an invoice's artifacts, in the month of `at` (UTC), by its id."""
    return DOCUMENT_ACCESS.stream(f"{of_id}/{at:%Y-%m}")


def _evolve(
    month: AccessMonth | None, fact: DocumentDownloaded | ArtifactDownloaded | AccessDataErased
) -> AccessMonth:
    downloads = 0 if month is None else month.downloads
    match fact:
        case DocumentDownloaded() | ArtifactDownloaded():
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
        EventType("document-access.artifact-downloaded", ArtifactDownloaded),
        EventType("document-access.personal-data-erased", AccessDataErased),
    ),
    _evolve,
    state=AccessMonth,
)
