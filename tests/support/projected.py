"""Ledgers worth projecting, and read models as rows to compare."""

from typing import Any

import psycopg
from psycopg import sql

from domain.kernel.recorded import RecordedEvent
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.reading import recorded
from infrastructure.readstore.runner import catch_up_once, table_identifier
from projections.number_series import SERIES as SERIES_PROJECTION
from projections.projection import Key, Projection, Row
from tests.support.ledger_fixtures import (
    SERIES,
    a_command,
    assigning,
    head_of,
    ledger_rows,
    running_committer,
)

MAPPER = LedgerMapper(REGISTRY)


def give_numbers(service_url: str, count: int, name: str = "holder") -> None:
    """Gives numbers of one series to as many holders."""
    with running_committer(service_url) as committer:
        commands = [a_command(assigning(f"{name}/{number}"), SERIES) for number in range(count)]
        for future in [committer.submit(command) for command in commands]:
            future.result(timeout=60)


def catch_up(service_url: str, projection: Projection = SERIES_PROJECTION) -> None:
    """Folds all that there is."""
    with psycopg.connect(service_url, autocommit=True) as connection:
        while catch_up_once(connection, projection, MAPPER):
            pass


def tracking(url: str, projection: Projection = SERIES_PROJECTION) -> int | None:
    """How far the projection says it has come."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT position FROM readmodel.tracking WHERE projection = %s", (projection.name,)
        ).fetchone()
    return None if row is None else row[0]


def caught_up(url: str, projection: Projection = SERIES_PROJECTION) -> bool:
    """Whether the projection has come to the head."""
    return tracking(url, projection) == head_of(url)


def live_rows(url: str, projection: Projection = SERIES_PROJECTION) -> dict[str, list[Row]]:
    """Each table's rows by its name, in the order of their keys."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return {
            row_fold.table.name: connection.execute(
                sql.SQL("SELECT * FROM {} ORDER BY {}").format(
                    table_identifier(row_fold),
                    sql.SQL(", ").join(sql.Identifier(column.name) for column in row_fold.table.primary_key),
                )
            ).fetchall()
            for row_fold in projection.row_folds
        }


def fresh_rows(url: str, projection: Projection = SERIES_PROJECTION) -> dict[str, list[Row]]:
    """The same, folded event by event in memory from the whole ledger."""
    events = [recorded(MAPPER, row) for row in ledger_rows(url) if row.topic in projection.event_names]
    return {row_fold.table.name: _folded(row_fold, events) for row_fold in projection.row_folds}


def _folded(row_fold: Any, events: list[RecordedEvent]) -> list[Row]:
    rows: dict[Key, Row] = {}
    for event in events:
        key = row_fold.key(event)
        row = None if key is None else row_fold.fold(rows.get(key), event)
        if row is not None:
            rows[key] = row
    return [rows[key] for key in sorted(rows)]
