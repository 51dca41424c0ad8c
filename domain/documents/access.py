"""Who took a document or an artifact, and how it was sent: a stream of its own, a month each (S3 §10.2).

Neither touches the stream of what was taken or sent, so that its version moves only with its life.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, assert_never

from pydantic import Field

from domain.documents import delivery as deliveries
from domain.documents.delivery import (
    Delivery,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
)
from domain.kernel.facts import Fact, Utc, Value
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
    """How often it was taken in that month, the deliveries that began in it, and when it was resent."""

    downloads: int = 0
    deliveries: dict[str, Delivery] = Field(default_factory=dict)
    resends: tuple[Utc, ...] = ()


def access_stream(of_id: str, at: datetime) -> StreamId:
    """What was taken of a document, or of an invoice's artifacts, and sent, in the month of `at` (UTC)."""
    return DOCUMENT_ACCESS.stream(f"{of_id}/{at:%Y-%m}")


AccessFact = DocumentDownloaded | ArtifactDownloaded | AccessDataErased | deliveries.DeliveryFact


def _evolve(month: AccessMonth | None, fact: AccessFact) -> AccessMonth:
    month = month or AccessMonth()
    match fact:
        case DocumentDownloaded() | ArtifactDownloaded():
            return month.model_copy(update={"downloads": month.downloads + 1})
        case AccessDataErased():
            return month
        case DocumentResent():
            resent = _with_delivery(month, fact)
            return resent.model_copy(update={"resends": (*month.resends, fact.resent_at)})
        case (
            DeliveryStarted()
            | DocumentDelivered()
            | DeliveryFailed()
            | DeliveryUnconfirmed()
            | DeliveryBounced()
        ):
            return _with_delivery(month, fact)
        case _:
            assert_never(fact)


def _with_delivery(month: AccessMonth, fact: deliveries.DeliveryFact) -> AccessMonth:
    after = deliveries.evolve(month.deliveries.get(fact.delivery_id), fact)
    return month.model_copy(update={"deliveries": {**month.deliveries, fact.delivery_id: after}})


def _with_caller(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 left who it was to the event's actor."""
    return {**content, "caller": "unknown"}


DOCUMENT_ACCESS: StreamType[AccessMonth] = StreamType(
    "document-access",
    (
        EventType("document-access.downloaded", DocumentDownloaded, 2, {1: _with_caller}),
        EventType("document-access.artifact-downloaded", ArtifactDownloaded),
        EventType("document-access.resent", DocumentResent),
        EventType("document-access.delivery-started", DeliveryStarted),
        EventType("document-access.delivered", DocumentDelivered),
        EventType("document-access.delivery-failed", DeliveryFailed),
        EventType("document-access.delivery-unconfirmed", DeliveryUnconfirmed),
        EventType("document-access.delivery-bounced", DeliveryBounced),
        EventType("document-access.personal-data-erased", AccessDataErased),
    ),
    _evolve,
    state=AccessMonth,
)
