"""Ledgers worth projecting, and read models as rows to compare."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.ledger import Command
from domain.kernel.recorded import RecordedEvent
from domain.streams import REGISTRY
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.readstore.rows import key_columns, table_identifier
from infrastructure.readstore.runner import catch_up_once
from projections.number_series import SERIES as SERIES_PROJECTION
from projections.projection import Key, Projection, Row, RowFold
from tests.support.desks import READING
from tests.support.folding import fold_into
from tests.support.ledger_fixtures import (
    AUDIT,
    SERIES,
    a_command,
    assigning,
    head_of,
    ledger_rows,
    running_committer,
)
from tests.support.snapshots import order_data
from tests.support.subject_keys import a_wrap

READER = EventReader(LedgerMapper(REGISTRY), a_wrap())


def give_numbers(service_url: str, count: int, name: str = "holder") -> None:
    """Gives numbers of one series to as many holders."""
    with running_committer(service_url) as committer:
        commands = [a_command(assigning(f"{name}/{number}"), SERIES) for number in range(count)]
        for future in [committer.submit(command) for command in commands]:
            future.result(timeout=60)


def pay_orders(service_url: str, order_ids: Iterable[str]) -> None:
    """Takes paid orders in; each leads to a receipt with a number."""
    envelope = {"specversion": "1.0", "source": "urn:t", "type": "orders.PAID_IN_ESCROW"}
    with running_committer(service_url) as committer:
        for order_id in order_ids:
            event = CloudEvent.model_validate({**envelope, "id": order_id, "data": order_data(order_id)})
            fact = read_fact(event, READING)
            command = Command(AUDIT, receive_fact(fact), fact.streams, subjects=fact.intake.subjects)
            committer.submit(command).result(timeout=60)


def catch_up(service_url: str, projection: Projection = SERIES_PROJECTION) -> None:
    """Folds all that there is."""
    with psycopg.connect(service_url, autocommit=True) as connection:
        while catch_up_once(connection, projection, READER):
            pass


def tracking(url: str, projection: Projection = SERIES_PROJECTION) -> int | None:
    """How far the projection says it has come."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT position FROM readmodel.tracking WHERE projection = %s AND version = %s",
            (projection.name, projection.version),
        ).fetchone()
    return None if row is None else row[0]


def caught_up(url: str, projection: Projection = SERIES_PROJECTION) -> bool:
    """Whether the projection has come to the head."""
    return tracking(url, projection) == head_of(url)


def live_rows(url: str, projection: Projection = SERIES_PROJECTION) -> dict[str, list[Row]]:
    """Each table's rows by its name, in the order of their keys."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return {
            table.name: connection.execute(
                sql.SQL("SELECT * FROM {} ORDER BY {}").format(
                    table_identifier(table), sql.SQL(", ").join(map(sql.Identifier, key_columns(table)))
                )
            ).fetchall()
            for table in projection.tables
        }


def fresh_rows(url: str, projection: Projection = SERIES_PROJECTION) -> dict[str, list[Row]]:
    """The same, folded event by event in memory from the whole ledger."""
    rows = [row for row in ledger_rows(url) if row.topic in projection.event_names]
    with psycopg.connect(url, autocommit=True) as connection:
        events = READER.read(connection, rows)
    return {row_fold.table.name: _folded(row_fold, events) for row_fold in projection.row_folds}


def _folded(row_fold: RowFold, events: list[RecordedEvent]) -> list[Row]:
    rows: dict[Key, Row] = {}
    for event in events:
        fold_into(rows, row_fold, event)
    return [rows[key] for key in sorted(rows)]
