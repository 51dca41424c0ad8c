"""Which payments to vendors the gateway has to be asked about, and when: the payer's work list."""

from datetime import datetime
from typing import cast

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, bindparam, select

from domain.kernel.recorded import RecordedEvent
from domain.payables.ap_payment_facts import ApPaymentGatewayDeferred
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

AP_PAYMENT_DUE_TABLE = Table(
    "ap_payment_due_v1",
    METADATA,
    Column("billing_payment_id", Text, primary_key=True),
    # One under way is somebody's, or was left by who died on the way; taking it up twice does no harm.
    Column("due_at", DateTime(timezone=True), nullable=False),
)
_payment = AP_PAYMENT_DUE_TABLE.c
Index("ap_payment_due_v1_due", _payment.due_at)


def _due_now(_: Row, event: RecordedEvent) -> Row:
    return {"billing_payment_id": event.stream.id, "due_at": event.recorded_at}


def _deferred(row: Row, event: RecordedEvent) -> Row:
    return row | {"due_at": cast(ApPaymentGatewayDeferred, event.fact).retry_at}


def _settled(_: Row, __: RecordedEvent) -> None:
    return None


_FOLDS = {
    "ap-payment.initiated": _due_now,
    "ap-payment.gateway-awaited": _due_now,
    "ap-payment.gateway-deferred": _deferred,
    "ap-payment.gateway-succeeded": _settled,
    "ap-payment.gateway-failed": _settled,
}


def _key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


AP_PAYMENTS_DUE = Projection(
    name="ap-payments-due",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(AP_PAYMENT_DUE_TABLE, _key, fold_by_name(_FOLDS)),),
)

_DUE = (
    select(_payment.billing_payment_id)
    .where(_payment.due_at <= bindparam("now", type_=DateTime(timezone=True)))
    .order_by(_payment.due_at)
    .limit(bindparam("limit", type_=Integer))
)


def select_due_ap_payments(now: datetime, limit: int) -> Query:
    """Payments that the gateway has to be asked about at that time, the longest due first."""
    return Query(_DUE, {"now": now, "limit": limit})
