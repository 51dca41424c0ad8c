"""Where subjects' data is: the keys under which a stream's events are sealed, for erasing to find them.

It looks at events as they are stored, so that it stands whatever becomes of the keys.
"""

import json
from datetime import date
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Column, Date, Index, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.documents.document_facts import DocType
from domain.fiscal.registry import day_there, driver_for
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, one_row

SUBJECT_STREAM_TABLE = Table(
    "subject_stream_v4",
    METADATA,
    Column("stream_type", Text, primary_key=True),
    Column("stream_id", Text, primary_key=True),
    Column("key_ids", JSONB, nullable=False),
    # Whose law wants this history, and the last day on which it does; null where none does.
    Column("country_code", Text),
    Column("retain_until", Date),
)
Index(
    "subject_stream_v4_keys",
    SUBJECT_STREAM_TABLE.c.key_ids,
    postgresql_using="gin",
    postgresql_ops={"key_ids": "jsonb_path_ops"},
)


_CALLING_FOR_MORE = frozenset({"invoice.credited", "order.document-drafted", "receipt.adjusted"})
"""Events with nothing sealed that call for another document of their history."""


def _key(event: RecordedEvent) -> Key | None:
    return tuple(event.stream) if event.sealed_for or event.name in _CALLING_FOR_MORE else None


def _fold(row: Row | None, event: RecordedEvent) -> Row:
    known: Row = {"key_ids": [], "country_code": None, "retain_until": None} if row is None else row
    country_code, until = _law(event, known["country_code"])
    return {
        "stream_type": event.stream.type,
        "stream_id": event.stream.id,
        "key_ids": sorted({*known["key_ids"], *(str(part.key_id) for part in event.sealed_for)}),
        "country_code": country_code,
        "retain_until": max(filter(None, (known["retain_until"], until)), default=None),
    }


def _law(event: RecordedEvent, country_code: str | None) -> tuple[str | None, date | None]:
    """Whose law it is, and until when that wants the document that the event calls for, if it does.

    The document shows whom it is for. `country_code` is what was known before the event.
    """
    # Every schema version stores what is read here under these names.
    match event.name:
        case "order.paid-in-escrow":
            country_code = str(from_json(event.state)["order"]["countryCode"])
            return country_code, _retain_until(
                "RECEIPT", country_code, day_there(country_code, event.recorded_at)
            )
        case "invoice.issued":
            issued = from_json(event.state)
            country_code = str(issued["seriesId"].partition(":")[0])
            issue_date = date.fromisoformat(issued["issueDate"])
            return country_code, _retain_until("FISCAL_INVOICE", country_code, issue_date)
        case "order.document-drafted" if country_code is not None:
            doc_type: DocType = from_json(event.state)["docType"]
            return country_code, _retain_until(
                doc_type, country_code, day_there(country_code, event.recorded_at)
            )
        case "invoice.credited" if country_code is not None:
            return country_code, _retain_until(
                "CREDIT_NOTE", country_code, day_there(country_code, event.recorded_at)
            )
        case "receipt.generated":
            country_code = str(from_json(event.state)["countryCode"])
            return country_code, _retain_until(
                "RECEIPT", country_code, day_there(country_code, event.recorded_at)
            )
        case "receipt.adjusted" if country_code is not None:
            return country_code, _retain_until(
                "ADJUSTMENT_STATEMENT", country_code, day_there(country_code, event.recorded_at)
            )
        case _:
            return country_code, None


def _retain_until(doc_type: DocType, country_code: str, issue_date: date) -> date:
    return driver_for(country_code).retention(doc_type, issue_date).until


SUBJECT_STREAMS = Projection(
    name="subject-streams",
    event_names=frozenset(
        {
            "order.paid-in-escrow",
            "order.document-drafted",
            "document-access.downloaded",
            "document-access.artifact-downloaded",
            "account.updated",
            "invoice.issued",
            "invoice.credited",
            "receipt.generated",
            "receipt.adjusted",
            "credential.added",
            "credential.changed",
            "credential.elevation-granted",
            "fiscal-profile.configured",
        }
    ),
    row_folds=(one_row(SUBJECT_STREAM_TABLE, _key, _fold),),
    version=4,
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
