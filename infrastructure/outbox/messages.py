"""Makes messages of announced events: reads each one's stream up to it, folds it, writes its CloudEvent."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg

from application.outbound import Announced, cloud_event
from domain.kernel.registry import Registry
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.rows import SELECT_COLUMNS, row_from_columns
from infrastructure.outbox.delivery import Message

# One index range an announcement, its stream's events up to the announced one: the ordered lateral join keeps
# the planner from scanning.
_SELECT = f"""
SELECT o.event_id, o.type, {", ".join("h." + column for column in SELECT_COLUMNS.split(", "))}
FROM unnest(%s::bigint[]) AS wanted(position)
JOIN ledger.outbox AS o USING (position)
JOIN ledger.event AS e USING (position)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.event AS h
    WHERE h.stream_type = e.stream_type AND h.stream_id = e.stream_id AND h.version <= e.version
    ORDER BY h.version
) AS h
ORDER BY o.position, h.version
"""  # noqa: S608 - own names only


class Messages:
    """Reads messages from the ledger; they are made anew each time, always the same."""

    def __init__(self, reader: EventReader, registry: Registry, source: str) -> None:
        """`source` is the CloudEvents' `source`, a URI that names this installation."""
        self._reader = reader
        self._registry = registry
        self._source = source

    async def at(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], positions: Sequence[int]
    ) -> list[Message]:
        """The messages announced at these positions, in order. Raises what reading events raises."""
        cursor = await connection.execute(_SELECT.encode(), (list(positions),))
        found = await cursor.fetchall()
        events = await self._reader.read_async(connection, [row_from_columns(row[2:]) for row in found])
        messages = []
        announced = zip(((row[0], row[1]) for row in found), events, strict=True)
        for (event_id, fact_type), history in groupby(announced, key=lambda pair: pair[0]):
            messages.append(self._message(event_id, fact_type, [event for _, event in history]))
        return messages

    def _message(self, event_id: UUID, fact_type: str, history: Sequence[Any]) -> Message:
        last = history[-1]
        state = self._registry.fold(last.stream, (event.fact for event in history))
        announced = Announced(last.position, event_id, fact_type, last.stream, last.recorded_at, state)
        return Message(last.position, event_id, fact_type, cloud_event(announced, self._source))
