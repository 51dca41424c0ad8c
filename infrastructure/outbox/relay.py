"""The relay: tells every subscriber of the outbound facts that it wants, in ledger order, until it has them.

Each subscriber has its own position and its own turn, so that one that is down holds up nobody else. A crash
between a delivery and its record repeats it under the same id: at least once on the wire, exactly once by id.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

import psycopg
import structlog

from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.looping import repeat, rest
from infrastructure.outbox.progress import Progress
from infrastructure.outbox.turn import Delivery, Turn
from infrastructure.readstore.ownership import Ownership
from infrastructure.telemetry import OUTBOX_OLDEST_PENDING

log = structlog.get_logger(__name__)

OWNERSHIP = "outbox"
POLL_SECONDS = 0.1
STANDBY_SECONDS = 0.25
UNREACHABLE_SECONDS = 0.25
GAUGE_SECONDS = 1.0
DEFECT_PAUSE_SECONDS = 10.0
STOPPING_SECONDS = 2.0
"""What is on the wire when the process shall end may take so long; then it is cut off, and repeated later."""


class OutboxRelay:
    """Delivers while this process owns the outbox; that of another process stands by and takes over."""

    def __init__(self, database_url: str, delivery: Delivery) -> None:
        self._database_url = database_url
        self._delivery = delivery
        self._ownership = Ownership(database_url, OWNERSHIP)
        self._turns: dict[UUID, asyncio.Task[None]] = {}
        self._paused_until: dict[UUID, float] = {}
        self._measured_at = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Delivers until `stopping` is set; survives lost connections and defects of single subscribers."""

        async def relay() -> float:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, **CONNECTION_OPTIONS
                ) as connection:
                    # Progress lost with the server means that facts are told twice, which they may be.
                    await connection.execute("SET synchronous_commit = off")
                    await self._relay(connection, stopping)
            finally:
                await self._end_turns(0)
            return 0

        await repeat("outbox", relay, stopping, again_seconds=UNREACHABLE_SECONDS)
        self._ownership.release()
        for channel in self._delivery.channels.values():
            await channel.close()

    async def _relay(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], stopping: asyncio.Event
    ) -> None:
        progress = Progress(connection)
        while not stopping.is_set():
            if not (self._ownership.held_lately or await asyncio.to_thread(self._ownership.held)):
                await self._end_turns(0)
                await rest(stopping, STANDBY_SECONDS)
                continue
            for due in await progress.due(self._delivery.clock.now()):
                if due.subscriber_id not in self._turns and self._may_go(due.subscriber_id):
                    turn = Turn(self._delivery, progress, connection, due, stopping)
                    self._turns[due.subscriber_id] = asyncio.create_task(turn.take())
            await self._measure(progress)
            await self._settle(stopping)
        await self._end_turns(STOPPING_SECONDS)

    def _may_go(self, subscriber_id: UUID) -> bool:
        return time.monotonic() >= self._paused_until.get(subscriber_id, 0.0)

    async def _settle(self, stopping: asyncio.Event) -> None:
        """Waits until a turn is over, or a moment. Raises what the connection's failing made a turn raise."""
        if self._turns:
            await asyncio.wait(
                self._turns.values(), timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await rest(stopping, POLL_SECONDS)
        for subscriber_id, turn in list(self._turns.items()):
            if turn.done():
                del self._turns[subscriber_id]
                self._take_note(subscriber_id, turn.exception())

    def _take_note(self, subscriber_id: UUID, error: BaseException | None) -> None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise error
        if error is not None:
            # A fact that cannot be told is not passed over: the subscriber waits until the defect is mended.
            log.error("outbox-turn-failed", subscriber=str(subscriber_id), exc_info=error)
            self._paused_until[subscriber_id] = time.monotonic() + DEFECT_PAUSE_SECONDS

    async def _end_turns(self, patience_seconds: float) -> None:
        turns = list(self._turns.values())
        self._turns.clear()
        if turns:
            await asyncio.wait(turns, timeout=patience_seconds)
            for turn in turns:
                turn.cancel()
            await asyncio.gather(*turns, return_exceptions=True)

    async def _measure(self, progress: Progress) -> None:
        if time.monotonic() - self._measured_at < GAUGE_SECONDS:
            return
        oldest = await progress.oldest_pending()
        OUTBOX_OLDEST_PENDING.set(0 if oldest is None else oldest.timestamp())
        self._measured_at = time.monotonic()
