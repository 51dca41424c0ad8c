"""Customers' payments, and which of them hang at the gateway, or may: the cashier's work list."""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, Table, Text, bindparam, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.kernel.recorded import RecordedEvent
from domain.receivables.payment import PAYMENT, Payment
from projections.projection import METADATA, Key, Projection, Query, Row, one_row

PAYMENT_TABLE = Table(
    "payment_v1",
    METADATA,
    Column("billing_payment_id", Text, primary_key=True),
    # What is left to do is for the payment's own rules to say.
    Column("payment", JSONB, nullable=False),
    Column("is_due", Boolean, nullable=False),
    # While nobody has answered who asked, it is in the hands of the process that they asked.
    Column("in_hand", Boolean, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
)
_payment = PAYMENT_TABLE.c
Index("payment_v1_due", _payment.due_at, postgresql_where=_payment.is_due)


def _fold(row: Row | None, event: RecordedEvent) -> Row:
    before = None if row is None else Payment.model_validate(row["payment"])
    payment = PAYMENT.evolve(before, event.fact)
    deferred = payment.gateway_deferred
    return {
        "billing_payment_id": event.stream.id,
        "payment": payment.model_dump(mode="json", by_alias=True),
        "is_due": payment.next_step is not None,
        "in_hand": payment.is_in_hand,
        "due_at": event.recorded_at if deferred is None else deferred.retry_at,
    }


def _key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


PAYMENTS = Projection(
    name="payments",
    event_names=frozenset(each.name for each in PAYMENT.event_types),
    row_folds=(one_row(PAYMENT_TABLE, _key, _fold),),
)

_DUE = (
    select(_payment.billing_payment_id)
    .where(
        _payment.is_due,
        _payment.due_at <= bindparam("now", type_=DateTime(timezone=True)),
        or_(~_payment.in_hand, _payment.due_at <= bindparam("left_alone", type_=DateTime(timezone=True))),
    )
    .order_by(_payment.due_at)
    .limit(bindparam("limit", type_=Integer))
)


def select_due_payments(now: datetime, in_hand: timedelta, limit: int) -> Query:
    """Payments that the gateway has to be asked about, the longest due first.

    `in_hand` is how long those that nobody was answered about yet are left alone.
    """
    return Query(_DUE, {"now": now, "left_alone": now - in_hand, "limit": limit})
