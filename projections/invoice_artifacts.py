"""Which invoices refer to an artifact, for who asks for it by its own id alone (BILL-DEC-005)."""

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from sqlalchemy import BigInteger, Column, Index, Select, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.invoicing.invoice_facts import InvoiceDrafted
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, RowFold

INVOICE_ARTIFACT_TABLE = Table(
    "invoice_artifact_v1",
    METADATA,
    Column("artifact_ref_id", Text, primary_key=True),
    Column("invoice_id", Text, primary_key=True),
    Column("customer_account_id", Text, nullable=False),
    Column("drafted_position", BigInteger, nullable=False),
)
Index(
    "invoice_artifact_v1_newest",
    INVOICE_ARTIFACT_TABLE.c.artifact_ref_id,
    INVOICE_ARTIFACT_TABLE.c.drafted_position,
)


def _keys(event: RecordedEvent) -> Iterable[Key]:
    refs = cast(InvoiceDrafted, event.fact).traceability.artifact_refs
    return [(ref.artifact_ref_id, event.stream.id) for ref in refs]


def _fold(_: Row | None, event: RecordedEvent, key: Key) -> Row:
    return {
        "artifact_ref_id": key[0],
        "invoice_id": key[1],
        "customer_account_id": cast(InvoiceDrafted, event.fact).customer_account_id,
        "drafted_position": event.position,
    }


INVOICE_ARTIFACTS = Projection(
    name="invoice-artifacts",
    event_names=frozenset({"invoice.drafted"}),
    row_folds=(RowFold(INVOICE_ARTIFACT_TABLE, _keys, _fold),),
)


@cache
def _newest(names: frozenset[str]) -> Select[Any]:
    columns = INVOICE_ARTIFACT_TABLE.c
    statement = select(columns.invoice_id).where(
        columns.artifact_ref_id == bindparam("artifact_ref_id", type_=Text)
    )
    if "invoice_id" in names:
        statement = statement.where(columns.invoice_id == bindparam("invoice_id", type_=Text))
    if "accounts" in names:
        statement = statement.where(
            columns.customer_account_id == func.any(bindparam("accounts", type_=ARRAY(Text)))
        )
    return statement.order_by(columns.drafted_position.desc()).limit(1)


def select_invoice_of_artifact(
    artifact_ref_id: str, invoice_id: str | None, accounts: list[str] | None
) -> Query:
    """The invoice that referred to an artifact last; of these accounts only, or that one invoice if named."""
    parameters: dict[str, Any] = {"artifact_ref_id": artifact_ref_id}
    if invoice_id is not None:
        parameters["invoice_id"] = invoice_id
    if accounts is not None:
        parameters["accounts"] = accounts
    return Query(_newest(frozenset(parameters)), parameters)
