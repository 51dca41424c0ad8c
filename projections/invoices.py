"""Invoices as lists show them; none of these columns is personal (contract §5).

It looks at events as they are stored: every schema version stores what is read here under these names.
"""

from datetime import date, datetime
from functools import cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from domain.invoicing.invoice import status_once_settled
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

INVOICE_TABLE = Table(
    "invoice_v1",
    METADATA,
    Column("invoice_id", Text, primary_key=True),
    Column("invoice_number", Text),
    Column("status", Text, nullable=False),
    Column("work_order_id", Text, nullable=False),
    Column("customer_account_id", Text, nullable=False),
    Column("issuer_entity_id", Text, nullable=False),
    Column("country_code", Text, nullable=False),
    Column("currency_uom_id", Text, nullable=False),
    # Minor units, as all amounts here.
    Column("grand_total", BigInteger, nullable=False),
    Column("paid", BigInteger, nullable=False),
    Column("credited", BigInteger, nullable=False),
    Column("issued_at", DateTime(timezone=True)),
    Column("issue_date", Date),
    Column("due_date", Date),
    Column("drafted_position", BigInteger, nullable=False),
)
Index("invoice_v1_newest", INVOICE_TABLE.c.drafted_position)
for _name in ("work_order_id", "customer_account_id", "issuer_entity_id", "country_code", "status"):
    Index(f"invoice_v1_{_name}", INVOICE_TABLE.c[_name], INVOICE_TABLE.c.drafted_position)


def _drafted(_: Row, event: RecordedEvent) -> Row:
    stored = from_json(event.state)
    return {
        "invoice_id": event.stream.id,
        "invoice_number": None,
        "status": "DRAFT",
        "work_order_id": stored["workOrderId"],
        "customer_account_id": stored["customerAccountId"],
        "issuer_entity_id": stored["issuerEntityId"],
        "country_code": stored["countryCode"],
        "currency_uom_id": stored["currencyUomId"],
        "grand_total": stored["totals"]["grandTotal"],
        "paid": 0,
        "credited": 0,
        "issued_at": None,
        "issue_date": None,
        "due_date": None,
        "drafted_position": event.position,
    }


def _issued(row: Row, event: RecordedEvent) -> Row:
    stored = from_json(event.state)
    return row | {
        "status": "ISSUED",
        "invoice_number": stored["number"],
        "issued_at": datetime.fromisoformat(stored["issuedAt"]),
        "issue_date": date.fromisoformat(stored["issueDate"]),
        "due_date": date.fromisoformat(stored["dueDate"]),
    }


def _applied(row: Row, event: RecordedEvent) -> Row:
    return _settled(row | {"paid": row["paid"] + from_json(event.state)["amount"]})


def _reversed(row: Row, event: RecordedEvent) -> Row:
    return _settled(row | {"paid": row["paid"] - from_json(event.state)["amount"]})


def _credited(row: Row, event: RecordedEvent) -> Row:
    credit = from_json(event.state)["totals"]["grandTotal"]
    return _settled(row | {"credited": row["credited"] + credit})


def _settled(row: Row) -> Row:
    return row | {"status": status_once_settled(row["grand_total"], row["credited"], row["paid"])}


def _voided(row: Row, _: RecordedEvent) -> Row:
    return row | {"status": "VOID"}


_FOLDS = {
    "invoice.drafted": _drafted,
    "invoice.issued": _issued,
    "invoice.payment-applied": _applied,
    "invoice.payment-reversed": _reversed,
    "invoice.credited": _credited,
    "invoice.voided": _voided,
}


def _key(event: RecordedEvent) -> Key:
    return (event.stream.id,)


INVOICES = Projection(
    name="invoices",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(INVOICE_TABLE, _key, fold_by_name(_FOLDS)),),
    opens=False,
)

_ONE_OF = {"accounts": INVOICE_TABLE.c.customer_account_id}
_EQUAL = {
    "status": INVOICE_TABLE.c.status,
    "workOrderId": INVOICE_TABLE.c.work_order_id,
    "issuerEntityId": INVOICE_TABLE.c.issuer_entity_id,
    "countryCode": INVOICE_TABLE.c.country_code,
}


@cache
def _list(names: frozenset[str]) -> Select[Any]:
    statement = select(INVOICE_TABLE).where(
        INVOICE_TABLE.c.drafted_position < bindparam("before_position", type_=BigInteger)
    )
    for name, column in _EQUAL.items():
        if name in names:
            statement = statement.where(column == bindparam(name, type_=Text))
    for name, column in _ONE_OF.items():
        if name in names:
            statement = statement.where(column == func.any(bindparam(name, type_=ARRAY(Text))))
    return statement.order_by(INVOICE_TABLE.c.drafted_position.desc()).limit(
        bindparam("limit", type_=Integer)
    )


def select_invoices(
    filters: dict[str, str | None], accounts: list[str] | None, before_position: int, limit: int
) -> Query:
    """Invoices newest first, before a position, by filters and of these accounts only (None: of all)."""
    parameters: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    if accounts is not None:
        parameters["accounts"] = accounts
    statement = _list(frozenset(parameters))
    return Query(
        statement, {**parameters, "before_position": before_position, "limit": limit}, one_plan=False
    )
