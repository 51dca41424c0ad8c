"""Open tasks: what waits for a person or a retry, its cause, and what resumes it (contract §6)."""

from typing import cast
from urllib.parse import quote

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    select,
    true,
)

from domain.documents.document import DocumentIssueFailed
from domain.documents.order import OrderRefunded, OrderRefundParked
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

TASK_TABLE = Table(
    "task_v1",
    METADATA,
    Column("task_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("next_retry_at", DateTime(timezone=True)),
    Column("resumed_by", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
)
Index("task_v1_open", TASK_TABLE.c.position, postgresql_where=TASK_TABLE.c.is_open == true())

_RETRIED_BY_ITSELF = "The worker retries by itself; `billing work` must be running."
_REFUND_RESUMED_BY = "The refund sent again, corrected, as a new event with a new snapshotId."


def _issue_failed(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentIssueFailed, event.fact)
    return {
        "task_id": f"document:{event.stream.id}",
        "type": "DOCUMENT_PARKED",
        "target_type": "document",
        "target_id": event.stream.id,
        "cause": fact.reason,
        "attempts": fact.attempt,
        "next_retry_at": fact.retry_at,
        "resumed_by": _RETRIED_BY_ITSELF,
        "is_open": True,
        "opened_at": row.get("opened_at") or event.recorded_at,
        "position": row.get("position") or event.position,
    }


def _refund_parked(_: Row, event: RecordedEvent) -> Row:
    fact = cast(OrderRefundParked, event.fact)
    return {
        "task_id": _refund_task_id(event, fact.refund_id),
        "type": "REFUND_PARKED",
        "target_type": "order",
        "target_id": event.stream.id,
        "cause": fact.code,
        "attempts": 1,
        "next_retry_at": None,
        "resumed_by": _REFUND_RESUMED_BY,
        "is_open": True,
        "opened_at": event.recorded_at,
        "position": event.position,
    }


def _done(row: Row, _: RecordedEvent) -> Row | None:
    return row | {"is_open": False, "next_retry_at": None} if row else None


def _key(event: RecordedEvent) -> Key | None:
    match event.fact:
        case OrderRefundParked(refund_id=refund_id):
            return (_refund_task_id(event, refund_id),)
        case OrderRefunded(refund=refund):
            return (_refund_task_id(event, refund.refund_id),)
        case _:
            return (f"document:{event.stream.id}",)


def _refund_task_id(event: RecordedEvent, refund_id: str) -> str:
    """Parts percent-encoded, for upstream's ids may hold slashes."""
    return f"refund:{quote(event.stream.id, safe='')}/{quote(refund_id, safe='')}"


_FOLDS = {
    "document.issue-failed": _issue_failed,
    "document.issued": _done,
    "order.refund-parked": _refund_parked,
    "order.refund-executed": _done,
}

TASKS = Projection(
    name="tasks",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(TASK_TABLE, _key, fold_by_name(_FOLDS)),),
)


_OPEN_TASKS = (
    select(TASK_TABLE)
    .where(
        TASK_TABLE.c.is_open == true(),
        TASK_TABLE.c.position > bindparam("after_position", type_=BigInteger),
    )
    .order_by(TASK_TABLE.c.position)
    .limit(bindparam("limit", type_=Integer))
)


def select_open_tasks(after_position: int, limit: int) -> Query:
    """Open tasks, oldest first, behind a cursor's position."""
    return Query(_OPEN_TASKS, {"after_position": after_position, "limit": limit})
