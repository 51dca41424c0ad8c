"""How far each projection has come: a row for each version of it, held while its rows are written."""

from typing import Any

import psycopg
from eventsourcing.persistence import Tracking
from psycopg import sql

from projections.projection import Projection
from projections.registry import PROJECTIONS_BY_NAME

_POSITION = "SELECT position FROM readmodel.tracking WHERE projection = %s AND version = %s"


def tracking_of(connection: psycopg.Connection[Any], projection: Projection, suffix: str = "") -> Tracking:
    """How far a projection has come; position 0 at the beginning. `suffix` tells side tables' from live."""
    name = projection.name + suffix
    row = connection.execute(_POSITION, (name, projection.version)).fetchone()
    return Tracking(name, 0 if row is None else row[0])


def start_tracking(connection: psycopg.Connection[Any], projection: Projection, suffix: str = "") -> None:
    """Puts a projection that has never been folded at position 0."""
    connection.execute(
        "INSERT INTO readmodel.tracking (projection, version, position) VALUES (%s, %s, 0)"
        " ON CONFLICT DO NOTHING",
        (projection.name + suffix, projection.version),
    )


def hold_tracking(
    connection: psycopg.Connection[Any], projection: Projection, suffix: str = ""
) -> psycopg.Cursor[tuple[int]]:
    """Asks for the position, and holds it until the transaction ends: nobody else folds meanwhile."""
    return connection.execute(f"{_POSITION} FOR UPDATE", (projection.name + suffix, projection.version))


def move_tracking(
    connection: psycopg.Connection[Any], projection: Projection, position: int, suffix: str = ""
) -> None:
    """Says, in the transaction that holds it, how far a projection has come."""
    connection.execute(
        "UPDATE readmodel.tracking SET position = %s WHERE projection = %s AND version = %s",
        (position, projection.name + suffix, projection.version),
    )


def position_expression(names: tuple[str, ...]) -> sql.Composable:
    """SQL for the position of the slowest of the projections of these names; 0 for none."""
    if not names:
        return sql.SQL("0::bigint")
    each = [
        sql.SQL(
            "coalesce((SELECT position FROM readmodel.tracking WHERE projection = {} AND version = {}), 0)"
        ).format(name, PROJECTIONS_BY_NAME[name].version)
        for name in names
    ]
    return sql.SQL("least({})").format(sql.SQL(", ").join(each))
