"""The rows of tasks: the table, and how a task is opened."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Table, Text, true
from sqlalchemy.dialects.postgresql import JSONB

from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Row

TASK_TABLE = Table(
    "task_v3",
    METADATA,
    Column("task_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    # Whose it is to do, where it is a party's.
    Column("owner_type", Text),
    Column("owner_id", Text),
    Column("cause", Text, nullable=False),
    Column("authority_code", Text),
    # What a profile was asked for, and what of that it lacks.
    Column("demanded_fields", JSONB, nullable=False),
    Column("missing_fields", JSONB, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("next_retry_at", DateTime(timezone=True)),
    Column("resumed_by", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
)
_task = TASK_TABLE.c
Index("task_v3_open", _task.position, postgresql_where=_task.is_open == true())
Index(
    "task_v3_own", _task.owner_type, _task.owner_id, _task.position, postgresql_where=_task.is_open == true()
)


def opened(row: Row, event: RecordedEvent, task_id: str, **columns: Any) -> Row:
    """An open task; one that was open keeps its place in the list."""
    was_open = bool(row) and row["is_open"]
    return {
        "task_id": task_id,
        "owner_type": None,
        "owner_id": None,
        "authority_code": None,
        "demanded_fields": [],
        "missing_fields": [],
        "attempts": 1,
        "next_retry_at": None,
        "is_open": True,
        "opened_at": row["opened_at"] if was_open else event.recorded_at,
        "position": row["position"] if was_open else event.position,
        **columns,
    }
