"""Each projection from nothing to the head, against a hand-written COPY of the same rows."""

import time
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.harness import Bench, Ledger
from benchmarks.ledgers import (
    EVENTS_PER_INVOICE,
    EVENTS_PER_ORDER,
    EVENTS_PER_PAYMENTS,
    head_of,
    invoice_work_orders,
    pay_invoices_and_bills,
    pay_orders,
)
from benchmarks.references.copying import copy_projection
from benchmarks.results import Result, Target, side_by_side
from infrastructure.database import as_service
from infrastructure.eventstore.sealing import OpeningKeys
from infrastructure.eventstore.subject_keys import SubjectKeyWrap
from infrastructure.keys.store import KeyStore
from infrastructure.readstore.runner import catch_up_once
from interfaces.bootstrap import event_reader
from projections.accounts import ACCOUNTS
from projections.ap_payments_due import AP_PAYMENTS_DUE
from projections.bills import BILLS
from projections.invoice_artifacts import INVOICE_ARTIFACTS
from projections.invoices import INVOICES
from projections.payments import PAYMENTS
from projections.projection import Projection
from projections.registry import PROJECTIONS

OF_INVOICES = frozenset({ACCOUNTS.name, INVOICES.name, INVOICE_ARTIFACTS.name})
"""What a ledger of invoiced work orders fills; the others are measured on one of paid orders."""


OF_PAYMENTS = frozenset({PAYMENTS.name, BILLS.name, AP_PAYMENTS_DUE.name})
"""What a ledger of paid invoices and bills fills."""


def measure_projections(bench: Bench) -> list[Result]:
    """Events of the ledger passed a second, one projection in one process at a time."""
    orders, invoices, payments = map(bench.ledger, ("projected", "projected-invoices", "projected-payments"))
    pay_orders(orders, bench.scale.projected_events // EVENTS_PER_ORDER)
    invoice_work_orders(invoices, bench.scale.projected_events // EVENTS_PER_INVOICE)
    pay_invoices_and_bills(payments, bench.scale.projected_events // EVENTS_PER_PAYMENTS)
    filled_by = {**dict.fromkeys(OF_INVOICES, invoices), **dict.fromkeys(OF_PAYMENTS, payments)}
    for ledger in (orders, invoices, payments):
        with ledger.connect() as connection:
            connection.execute("VACUUM (ANALYZE) ledger.event")
    return [
        _measured(filled_by.get(projection.name, orders), projection, min(3, bench.scale.rounds))
        for projection in PROJECTIONS
    ]


def _measured(ledger: Ledger, projection: Projection, rounds: int) -> Result:
    events = head_of(ledger)
    measured = side_by_side(
        lambda: events / _caught_up_seconds(ledger, projection),
        lambda: events / _copied_seconds(ledger, projection),
        rounds,
    )
    _require_equal(ledger, projection)
    return measured.result(
        f"projection-{projection.name}",
        f"projection `{projection.name}` through {events:,} events, one process",
        "events/s",
        "COPY by hand of the same rows",
        targets=(Target("value", "≥", 100_000), Target("ratio", "≥", 0.5)),
    )


def _caught_up_seconds(ledger: Ledger, projection: Projection) -> float:
    with ledger.connect() as connection:
        for table in projection.tables:
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("readmodel", table.name)))
        connection.execute("DELETE FROM readmodel.tracking WHERE projection = %s", (projection.name,))
    reader = event_reader(ledger.settings)
    with psycopg.connect(as_service(ledger.admin_url), autocommit=True) as connection:
        started = time.perf_counter()
        while catch_up_once(connection, projection, reader):
            pass
        return time.perf_counter() - started


def _copied_seconds(ledger: Ledger, projection: Projection) -> float:
    with ledger.connect() as connection:
        started = time.perf_counter()
        copy_projection(connection, projection, _keys(ledger, connection))
        return time.perf_counter() - started


def _keys(ledger: Ledger, connection: psycopg.Connection[Any]) -> OpeningKeys:
    wrap = SubjectKeyWrap(KeyStore(ledger.data_dir / "keys").subjects)
    return wrap.opening(
        connection.execute("SELECT key_id, master_key_id, wrapped_key FROM ledger.subject_key").fetchall()
    )


def _require_equal(ledger: Ledger, projection: Projection) -> None:
    """Fails unless subject and reference wrote the same rows: else one of them did less."""
    with ledger.connect() as connection:
        for table in projection.tables:
            names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
            difference = sql.SQL(
                "SELECT count(*) FROM ((SELECT {names} FROM {live} EXCEPT SELECT {names} FROM {twin})"
                " UNION ALL (SELECT {names} FROM {twin} EXCEPT SELECT {names} FROM {live})) AS d"
            ).format(
                names=names,
                live=sql.Identifier("readmodel", table.name),
                twin=sql.Identifier("bench", table.name),
            )
            assert connection.execute(difference).fetchone() == (0,), f"{table.name} differs from its twin"
