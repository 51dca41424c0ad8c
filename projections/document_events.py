"""A document's audit timeline: what was done to it and with it, by whom (S3 §6.3).

From where it was taken is personal: it stays in the ledger, sealed, and whoever may see it reads it there.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.documents.access import DocumentDownloaded
from domain.documents.document import DocumentIssued, DocumentIssueFailed, DocumentLinked, DocumentVoided
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, one_row

DOCUMENT_EVENT_TABLE = Table(
    "document_event_v3",
    METADATA,
    # The ledger gives it; a sequence of its own would tie a rebuilt table to the live one.
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("document_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("timestamp_utc", DateTime(timezone=True), nullable=False),
    Column("metadata", JSONB, nullable=False),
)
Index(
    "document_event_v3_timeline",
    DOCUMENT_EVENT_TABLE.c.document_id,
    DOCUMENT_EVENT_TABLE.c.position,
)
Index(
    "document_event_v3_type",
    DOCUMENT_EVENT_TABLE.c.event_type,
    DOCUMENT_EVENT_TABLE.c.timestamp_utc,
)

_TYPES = {
    "document.issued": "ISSUED",
    "document.issue-failed": "ISSUE_FAILED",
    "document.linked": "LINKED",
    "document.voided": "VOIDED",
    "document-access.downloaded": "DOWNLOADED",
}


def _key(event: RecordedEvent) -> Key:
    return (event.position,)


def _fold(_: Row | None, event: RecordedEvent) -> Row:
    fact = event.fact
    return {
        "position": event.position,
        "document_id": fact.document_id if isinstance(fact, DocumentDownloaded) else event.stream.id,
        "event_type": _TYPES[event.name],
        "actor_id": event.actor,
        "actor_role": event.role,
        "timestamp_utc": event.recorded_at,
        "metadata": _metadata(event),
    }


def _metadata(event: RecordedEvent) -> dict[str, Any]:
    match event.fact:
        case DocumentIssued() as issued:
            return {"sha256Pdf": issued.seal.sha256_pdf, "sha256Json": issued.seal.sha256_json}
        case DocumentIssueFailed() as failed:
            return failed.model_dump(mode="json", by_alias=True)
        case DocumentLinked(linked_document=linked):
            return linked.model_dump(mode="json", by_alias=True)
        case DocumentVoided(reason_code=reason_code):
            return {"reasonCode": reason_code}
        case DocumentDownloaded() as downloaded:
            return {"format": downloaded.file_format}
        case _:
            raise ValueError(f"{event.name} is not part of a document's timeline")


DOCUMENT_EVENTS = Projection(
    name="document-events",
    event_names=frozenset(_TYPES),
    row_folds=(one_row(DOCUMENT_EVENT_TABLE, _key, _fold),),
    version=3,
)


_TIMELINE = (
    select(DOCUMENT_EVENT_TABLE)
    .where(
        DOCUMENT_EVENT_TABLE.c.document_id == bindparam("document_id", type_=Text),
        DOCUMENT_EVENT_TABLE.c.position > bindparam("after_position", type_=BigInteger),
    )
    .order_by(DOCUMENT_EVENT_TABLE.c.position)
    .limit(bindparam("limit", type_=Integer))
)


def select_timeline(document_id: str, after_position: int, limit: int) -> Query:
    """A document's timeline, oldest first, behind a cursor's position."""
    return Query(_TIMELINE, {"document_id": document_id, "after_position": after_position, "limit": limit})
