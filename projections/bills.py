"""Vendors' bills as lists show them (BILL-DEC-013; contract §5).

It looks at events as they are stored: every schema version stores what is read here under these names.
"""

from datetime import date
from functools import cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    select,
    tuple_,
)

from domain.kernel.recorded import RecordedEvent
from domain.payables.bill import BillStatus, bill_status
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

BILL_TABLE = Table(
    "bill_v1",
    METADATA,
    Column("bill_id", Text, primary_key=True),
    Column("vendor_id", Text, nullable=False),
    Column("bill_number", Text, nullable=False),
    Column("currency_uom_id", Text, nullable=False),
    # Minor units, as all amounts here.
    Column("total_amount", BigInteger, nullable=False),
    Column("paid_amount", BigInteger, nullable=False),
    Column("reserved_amount", BigInteger, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
)
_bill = BILL_TABLE.c
Index("bill_v1_vendor", _bill.vendor_id, _bill.due_date, _bill.bill_id)
Index("bill_v1_status", _bill.vendor_id, _bill.status, _bill.due_date, _bill.bill_id)


def _approved(_: Row, event: RecordedEvent) -> Row:
    told = from_json(event.state)["bill"]
    return _standing(
        {
            "bill_id": event.stream.id,
            "vendor_id": told["vendorId"],
            "bill_number": told["billNumber"],
            "currency_uom_id": told["currencyUomId"],
            "total_amount": told["totalAmount"],
            "paid_amount": 0,
            "reserved_amount": 0,
            "is_cancelled": False,
            "due_date": date.fromisoformat(told["dueDate"]),
            "approved_at": event.recorded_at,
        }
    )


def _cancelled(row: Row, _: RecordedEvent) -> Row:
    return _standing(row | {"is_cancelled": True})


def _reserved(row: Row, event: RecordedEvent) -> Row:
    return row | {"reserved_amount": row["reserved_amount"] + _amount(event)}


def _applied(row: Row, event: RecordedEvent) -> Row:
    return _standing(_released(row, event) | {"paid_amount": row["paid_amount"] + _amount(event)})


def _released(row: Row, event: RecordedEvent) -> Row:
    return row | {"reserved_amount": row["reserved_amount"] - _amount(event)}


def _amount(event: RecordedEvent) -> int:
    amount: int = from_json(event.state)["amount"]
    return amount


def _standing(row: Row) -> Row:
    status = bill_status(total=row["total_amount"], paid=row["paid_amount"], cancelled=row["is_cancelled"])
    return row | {"status": status}


_FOLDS = {
    "bill.approved": _approved,
    "bill.cancelled": _cancelled,
    "bill.payment-reserved": _reserved,
    "bill.payment-applied": _applied,
    "bill.payment-released": _released,
}


def _key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


BILLS = Projection(
    name="bills",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(BILL_TABLE, _key, fold_by_name(_FOLDS)),),
    opens=False,
)


@cache
def _list(*, of_status: bool, from_place: bool) -> Select[Any]:
    statement = select(BILL_TABLE).where(_bill.vendor_id == bindparam("vendor_id", type_=Text))
    if of_status:
        statement = statement.where(_bill.status == bindparam("status", type_=Text))
    if from_place:
        place = tuple_(bindparam("after_due_date", type_=Date), bindparam("after_bill_id", type_=Text))
        statement = statement.where(tuple_(_bill.due_date, _bill.bill_id) > place)
    return statement.order_by(_bill.due_date, _bill.bill_id).limit(bindparam("limit", type_=Integer))


def select_bills(
    vendor_id: str, status: BillStatus | None, after: tuple[date, str] | None, limit: int
) -> Query:
    """A vendor's bills (None: in any status), the first due first, behind a bill's due date and id."""
    parameters: dict[str, Any] = {"vendor_id": vendor_id, "limit": limit}
    if status is not None:
        parameters["status"] = status
    if after is not None:
        parameters |= {"after_due_date": after[0], "after_bill_id": after[1]}
    statement = _list(of_status=status is not None, from_place=after is not None)
    return Query(statement, parameters, one_plan=False)
