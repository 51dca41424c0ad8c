"""One turn of one subscriber: at most one dead letter, then the next facts in order until one fails."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from application.ports import Clock, Ids
from infrastructure.outbox.delivery import Channel, Delivered, Failed, Gone, Message, Outcome
from infrastructure.outbox.messages import Messages
from infrastructure.outbox.progress import DeadLetter, Due, Failure, Progress
from infrastructure.outbox.schedule import Schedule
from infrastructure.telemetry import OUTBOX_DEAD_LETTERS, OUTBOX_DELIVERED, OUTBOX_FAILED

log = structlog.get_logger(__name__)

TURN_FACTS = 100


@dataclass(frozen=True)
class Delivery:
    """What delivering takes: messages, a channel for each kind of subscriber, a schedule, time and ids."""

    messages: Messages
    channels: Mapping[str, Channel]
    schedule: Schedule
    clock: Clock
    ids: Ids


@dataclass(frozen=True)
class Turn:
    """A subscriber's turn. Logs name the subscriber by its id, never by its address."""

    delivery: Delivery
    progress: Progress
    connection: psycopg.AsyncConnection[tuple[Any, ...]]
    due: Due
    stopping: asyncio.Event

    async def take(self) -> None:
        """Sends and records, one message after the other. Raises what reading and recording raise."""
        if self.due.dead_letter is not None:
            await self._retry(self.due.dead_letter)
        if self.due.has_next:
            await self._go_on()

    async def _retry(self, dead: DeadLetter) -> None:
        (message,) = await self.delivery.messages.at(self.connection, [dead.position])
        match await self._deliver(message):
            case Delivered():
                await self.progress.revive(dead)
            case Gone():
                await self._disable()
            case Failed(failure):
                await self.progress.leave_dead(dead, failure)

    async def _go_on(self) -> None:
        facts = await self.progress.next_facts(self.due.position, TURN_FACTS)
        wanted = [position for position, fact_type in facts if self.due.wants(fact_type)]
        start, failure = self.due.position, self.due.failure
        for message in await self.delivery.messages.at(self.connection, wanted):
            if self.stopping.is_set():
                return
            outcome = await self._deliver(message)
            if not await self._record(start, message, outcome, failure):
                return
            start, failure = message.position, None
        if facts and facts[-1][0] > start:
            await self.progress.move(self.due.subscriber_id, start, facts[-1][0])

    async def _deliver(self, message: Message) -> Outcome:
        channel = self.delivery.channels[self.due.kind]
        outcome = await channel.deliver(self.due.subscriber_id, self.due.sealed, message)
        counter = OUTBOX_DELIVERED if isinstance(outcome, Delivered) else OUTBOX_FAILED
        counter.labels(str(self.due.subscriber_id)).inc()
        return outcome

    async def _record(self, start: int, message: Message, outcome: Outcome, before: Failure | None) -> bool:
        """Writes down what became of a message; False where the turn is over."""
        match outcome:
            case Delivered():
                return await self.progress.move(self.due.subscriber_id, start, message.position)
            case Gone():
                await self._disable()
                return False
            case Failed():
                return await self._fail(start, message, outcome, before)

    async def _fail(self, start: int, message: Message, failed: Failed, before: Failure | None) -> bool:
        now = self.delivery.clock.now()
        failure = Failure(
            attempts=before.attempts + 1 if before else 1,
            since=before.since if before else now,
            last=failed.failure,
        )
        until = self.delivery.schedule.next_attempt(failure.attempts, failure.since, now, failed.retry_at)
        said = {
            "subscriber": str(self.due.subscriber_id),
            "message": str(message.event_id),
            "failure": failure.last,
            "attempts": failure.attempts,
        }
        if until is not None:
            await self.progress.postpone(self.due.subscriber_id, start, failure, until)
            log.warning("outbox-delivery-failed", **said, retryAt=until.isoformat())
            return False
        dead = DeadLetter(self.delivery.ids.new(), message.position)
        if not await self.progress.give_up(self.due.subscriber_id, start, dead, failure, now):
            return False
        OUTBOX_DEAD_LETTERS.labels(str(self.due.subscriber_id)).inc()
        log.error("outbox-dead-letter", **said, deadLetter=str(dead.dead_letter_id))
        return True

    async def _disable(self) -> None:
        await self.progress.disable(self.due.subscriber_id)
        log.error("outbox-subscriber-gone", subscriber=str(self.due.subscriber_id))
