"""Where subjects' data is: the keys under which a stream's events are sealed, for erasing to find them.

It looks at events as they are stored, so that it stands whatever becomes of the keys.
"""

import json
from datetime import date
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Column, Date, Index, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.fiscal.registry import driver_for
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, one_row

SUBJECT_STREAM_TABLE = Table(
    "subject_stream_v2",
    METADATA,
    Column("stream_type", Text, primary_key=True),
    Column("stream_id", Text, primary_key=True),
    Column("key_ids", JSONB, nullable=False),
    # The last day on which the law wants this history; null where it does not care.
    Column("retain_until", Date),
)
Index(
    "subject_stream_v2_keys",
    SUBJECT_STREAM_TABLE.c.key_ids,
    postgresql_using="gin",
    postgresql_ops={"key_ids": "jsonb_path_ops"},
)


def _key(event: RecordedEvent) -> Key | None:
    return tuple(event.stream) if event.sealed_for else None


def _fold(row: Row | None, event: RecordedEvent) -> Row:
    known = [] if row is None else row["key_ids"]
    until = [date.min if row is None else row["retain_until"] or date.min, _retain_until(event) or date.min]
    return {
        "stream_type": event.stream.type,
        "stream_id": event.stream.id,
        "key_ids": sorted({*known, *(str(part.key_id) for part in event.sealed_for)}),
        "retain_until": None if max(until) == date.min else max(until),
    }


def _retain_until(event: RecordedEvent) -> date | None:
    # Every schema version stores what is read here under these names.
    match event.name:
        case "order.paid-in-escrow":
            driver = driver_for(from_json(event.state)["order"]["countryCode"])
            return driver.retention("RECEIPT", event.recorded_at.date()).until
        case "invoice.issued":
            issued = from_json(event.state)
            driver = driver_for(issued["seriesId"].partition(":")[0])
            return driver.retention("FISCAL_INVOICE", date.fromisoformat(issued["issueDate"])).until
        case _:
            return None


SUBJECT_STREAMS = Projection(
    name="subject-streams",
    event_names=frozenset(
        {
            "order.paid-in-escrow",
            "document-access.downloaded",
            "document-access.artifact-downloaded",
            "account.updated",
            "invoice.issued",
            "credential.added",
            "credential.changed",
            "credential.elevation-granted",
        }
    ),
    row_folds=(one_row(SUBJECT_STREAM_TABLE, _key, _fold),),
    version=2,
    opens=False,
)


_UNDER_KEY = SUBJECT_STREAM_TABLE.c.key_ids.contains(bindparam("key_ids", type_=JSONB))
_STREAMS = select(SUBJECT_STREAM_TABLE.c.stream_type, SUBJECT_STREAM_TABLE.c.stream_id).where(_UNDER_KEY)
_RETAIN_UNTIL = select(func.max(SUBJECT_STREAM_TABLE.c.retain_until).label("retain_until")).where(_UNDER_KEY)


def select_streams_of_key(key_id: UUID) -> Query:
    """The streams that hold something sealed under a key."""
    return Query(_STREAMS, {"key_ids": json.dumps([str(key_id)])})


def select_retain_until(key_id: UUID) -> Query:
    """The last day on which the law wants a history with something sealed under a key, in one row."""
    return Query(_RETAIN_UNTIL, {"key_ids": json.dumps([str(key_id)])})
