"""Statements that read the ledger for people: a stream as of a moment, a search by auditors."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from application.ledger import EventFilter
from domain.kernel.streams import StreamId
from infrastructure.eventstore.rows import SELECT_COLUMNS

_SELECT: LiteralString = "SELECT " + SELECT_COLUMNS + " FROM ledger.event"  # noqa: S608 - own names only


def stream_statement(
    stream: StreamId,
    up_to_version: int | None,
    up_to_position: int | None,
    as_of: datetime | None,
) -> tuple[sql.Composed, list[Any]]:
    """A stream's events in order, up to a version, position or recorded time (inclusive).

    Events of one transaction are recorded at one moment; a position inside a transaction is lifted to the
    transaction's end, so that half of it is never shown.
    """
    conditions = [sql.SQL("stream_type = %s"), sql.SQL("stream_id = %s")]
    parameters: list[Any] = [stream.type, stream.id]
    if up_to_version is not None:
        conditions.append(sql.SQL("version <= %s"))
        parameters.append(up_to_version)
    if up_to_position is not None:
        conditions.append(
            sql.SQL(
                "(position <= %s OR transaction_id ="
                " (SELECT transaction_id FROM ledger.event WHERE position = %s))"
            )
        )
        parameters += [up_to_position, up_to_position]
    if as_of is not None:
        conditions.append(sql.SQL("recorded_at <= %s"))
        parameters.append(as_of)
    return _ordered(conditions, "version"), parameters


def streams_statement(streams: Iterable[StreamId]) -> tuple[sql.Composed, list[Any]]:
    """The events of several streams, each stream's in order."""
    wanted = list(streams)
    condition = sql.SQL("(stream_type, stream_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))")
    statement = _ordered([condition], "position")
    return statement, [[stream.type for stream in wanted], [stream.id for stream in wanted]]


def search_statement(wanted: EventFilter) -> tuple[sql.Composed, list[Any]]:
    """Events in position order, newest last unless `descending`."""
    conditions: list[sql.Composable] = [sql.SQL("true")]
    parameters: list[Any] = []

    def only(condition: LiteralString, *values: Any) -> None:
        conditions.append(sql.SQL(condition))
        parameters.extend(values)

    if wanted.recorded_from is not None:
        only("recorded_at >= %s", wanted.recorded_from)
    if wanted.recorded_to is not None:
        only("recorded_at <= %s", wanted.recorded_to)
    if wanted.names:
        only("name = ANY(%s)", list(wanted.names))
    if wanted.actor is not None:
        only("actor = %s", wanted.actor)
    if wanted.stream_type is not None:
        only("stream_type = %s", wanted.stream_type)
    if wanted.stream is not None:
        only("stream_type = %s AND stream_id = %s", wanted.stream.type, wanted.stream.id)
    if wanted.streams:
        only(
            "(stream_type, stream_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            [stream.type for stream in wanted.streams],
            [stream.id for stream in wanted.streams],
        )
    if wanted.positions:
        only("position = ANY(%s)", list(wanted.positions))
    if wanted.after_position is not None:
        only("position < %s" if wanted.descending else "position > %s", wanted.after_position)
    statement = _ordered(conditions, "position", descending=wanted.descending)
    return statement + sql.SQL(" LIMIT %s"), [*parameters, wanted.limit]


def _ordered(
    conditions: Iterable[sql.Composable], column: LiteralString, *, descending: bool = False
) -> sql.Composed:
    return (
        sql.SQL(_SELECT)
        + sql.SQL(" WHERE ")
        + sql.SQL(" AND ").join(conditions)
        + sql.SQL(" ORDER BY ")
        + sql.SQL(column)
        + (sql.SQL(" DESC") if descending else sql.SQL(""))
    )
