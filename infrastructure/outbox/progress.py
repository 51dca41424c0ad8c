"""How far each subscriber has come: what the relay reads and writes, one statement a step.

Every step names the position it starts from and does nothing where another process moved the subscriber in
the meantime, so that two relays that both think they are the owner cannot undo each other's work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

GONE = "gone"

_DUE = """
SELECT subscriber_id, kind, sealed, types, s.position, attempts, failed_since, last_failure,
    s.position < last.position AND coalesce(next_attempt_at <= %(now)s, true) AS has_next,
    retry.dead_letter_id, retry.position
FROM ledger.subscriber AS s
CROSS JOIN (SELECT coalesce(max(position), 0) AS position FROM ledger.outbox) AS last
LEFT JOIN LATERAL (
    SELECT dead_letter_id, d.position FROM ledger.dead_letter AS d
    WHERE d.subscriber_id = s.subscriber_id AND retry_requested ORDER BY d.position LIMIT 1
) AS retry ON true
WHERE enabled AND (
    s.position < last.position AND coalesce(next_attempt_at <= %(now)s, true)
    OR retry.dead_letter_id IS NOT NULL
)
"""

_NEXT = "SELECT position, type FROM ledger.outbox WHERE position > %s ORDER BY position LIMIT %s"

_MOVE = """
UPDATE ledger.subscriber
SET position = %s, attempts = 0, failed_since = NULL, next_attempt_at = NULL, last_failure = NULL
WHERE subscriber_id = %s AND position = %s RETURNING enabled
"""

_POSTPONE = """
UPDATE ledger.subscriber
SET attempts = %s, failed_since = %s, next_attempt_at = %s, last_failure = %s
WHERE subscriber_id = %s AND position = %s
"""

_GIVE_UP = f"""
WITH moved AS ({_MOVE})
INSERT INTO ledger.dead_letter
    (dead_letter_id, subscriber_id, position, attempts, last_failure, failed_since, given_up_at)
SELECT %s, %s, %s, %s, %s, %s, %s FROM moved
"""  # noqa: S608 - own statements only

_DISABLE = """
UPDATE ledger.subscriber SET enabled = false, disabled_reason = %s WHERE subscriber_id = %s
"""

_RETRIED = """
UPDATE ledger.dead_letter
SET attempts = attempts + 1, last_failure = %s, retry_requested = false WHERE dead_letter_id = %s
"""

_OLDEST_PENDING = """
SELECT min(e.recorded_at) FROM ledger.subscriber AS s
CROSS JOIN LATERAL (
    SELECT position FROM ledger.outbox AS o
    WHERE o.position > s.position AND (s.types = '{}' OR o.type = ANY(s.types))
    ORDER BY o.position LIMIT 1
) AS pending
JOIN ledger.event AS e ON e.position = pending.position
WHERE s.enabled
"""


@dataclass(frozen=True)
class DeadLetter:
    """A message to be sent again because an operator asked for it."""

    dead_letter_id: UUID
    position: int


@dataclass(frozen=True)
class Failure:
    """A failure as it is kept: how many attempts there were, since when (UTC), and the last one's word."""

    attempts: int
    since: datetime
    last: str


@dataclass(frozen=True)
class Due:
    """A subscriber for whom there is something to do now: the next facts, a dead letter, or both.

    `failure` is what has become of the fact right behind `position` so far.
    """

    subscriber_id: UUID
    kind: str
    sealed: bytes
    types: frozenset[str]
    position: int
    failure: Failure | None
    has_next: bool
    dead_letter: DeadLetter | None

    def wants(self, fact_type: str) -> bool:
        """Whether facts of that type are for this subscriber."""
        return not self.types or fact_type in self.types


class Progress:
    """The relay's statements over one connection in autocommit mode, which several tasks may share."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def due(self, now: datetime) -> list[Due]:
        """The enabled subscribers for whom there is something to do."""
        cursor = await self._connection.execute(_DUE, {"now": now})
        return [
            Due(
                subscriber_id=row[0],
                kind=row[1],
                sealed=bytes(row[2]),
                types=frozenset(row[3]),
                position=row[4],
                failure=Failure(*row[5:8]) if row[5] else None,
                has_next=row[8],
                dead_letter=None if row[9] is None else DeadLetter(row[9], row[10]),
            )
            for row in await cursor.fetchall()
        ]

    async def next_facts(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Positions and types of the facts behind a position, of whatever type."""
        cursor = await self._connection.execute(_NEXT, (after, limit))
        return [(position, fact_type) for position, fact_type in await cursor.fetchall()]

    async def move(self, subscriber_id: UUID, start: int, to: int) -> bool:
        """Everything up to `to` is done; False where the relay shall stop with this subscriber for now."""
        cursor = await self._connection.execute(_MOVE, (to, subscriber_id, start))
        return await cursor.fetchone() == (True,)

    async def postpone(self, subscriber_id: UUID, start: int, failure: Failure, until: datetime) -> None:
        """The fact behind `start` failed and is tried again later."""
        await self._connection.execute(
            _POSTPONE, (failure.attempts, failure.since, until, failure.last, subscriber_id, start)
        )

    async def give_up(
        self, subscriber_id: UUID, start: int, dead: DeadLetter, failure: Failure, now: datetime
    ) -> bool:
        """The fact becomes a dead letter, and the subscriber moves on behind it; False where it was moved."""
        moving = (dead.position, subscriber_id, start)
        letter = (dead.dead_letter_id, subscriber_id, dead.position)
        kept = (failure.attempts, failure.last, failure.since, now)
        cursor = await self._connection.execute(_GIVE_UP, (*moving, *letter, *kept))
        return cursor.rowcount == 1

    async def disable(self, subscriber_id: UUID) -> None:
        """Nothing more is sent until an operator enables the subscriber again."""
        await self._connection.execute(_DISABLE, (GONE, subscriber_id))

    async def revive(self, dead: DeadLetter) -> None:
        """A dead letter was delivered."""
        await self._connection.execute(
            "DELETE FROM ledger.dead_letter WHERE dead_letter_id = %s", (dead.dead_letter_id,)
        )

    async def leave_dead(self, dead: DeadLetter, failure: str) -> None:
        """A dead letter was tried once more, in vain."""
        await self._connection.execute(_RETRIED, (failure, dead.dead_letter_id))

    async def oldest_pending(self) -> datetime | None:
        """When the oldest fact was recorded that an enabled subscriber waits for; None if there is none."""
        cursor = await self._connection.execute(_OLDEST_PENDING)
        row = await cursor.fetchone()
        return None if row is None else row[0]
