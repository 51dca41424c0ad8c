"""An outbox with facts in it, webhooks on it, relays that run; also a process that is one (`python -m`)."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from application.ledger import Answer, Transaction
from application.ports import Clock
from domain.documents.document import DOCUMENT
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.outbox.delivery import Message, Outcome, WebhookChannel
from infrastructure.outbox.messages import Messages
from infrastructure.outbox.relay import OutboxRelay
from infrastructure.outbox.schedule import Schedule
from infrastructure.outbox.subscribers import WEBHOOK, Webhooks
from infrastructure.outbox.target import TargetSeal
from infrastructure.outbox.turn import Delivery
from infrastructure.telemetry import configure_logging
from tests.support.facts import drafted, issued, numbered
from tests.support.ledger_fixtures import a_command, running_committer
from tests.support.subject_keys import a_wrap

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = "urn:test:billing"
SEAL = TargetSeal(bytes(range(32)))
GIVE_UP_AFTER = timedelta(hours=24)


def issue(committer: Committer, count: int, fact_type: str = "docs.DocumentIssued") -> list[str]:
    """Issues documents, each in a transaction of its own, and announces them; their ids in ledger order."""
    return [_issue_one(committer, fact_type) for _ in range(count)]


def _issue_one(committer: Committer, fact_type: str) -> str:
    document_id = str(uuid4())
    stream: StreamId = DOCUMENT.stream(document_id)

    def handle(transaction: Transaction) -> Answer:
        transaction.append(stream, (drafted(), numbered(), issued()))
        transaction.announce(stream, fact_type)
        return Answer(201, {})

    committer.submit(a_command(handle, stream)).result()
    return document_id


def issued_in(url: str, count: int) -> list[str]:
    """The same with a committer of its own."""
    with running_committer(url) as committer:
        return issue(committer, count)


@contextlib.contextmanager
def webhooks_of(url: str, clock: Clock | None = None) -> Iterator[Webhooks]:
    """The list of webhooks of a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield Webhooks(connection, SEAL, clock or SystemClock(), RandomIds())


def add_webhook(url: str, address: str, *types: str, after: int | None = 0) -> tuple[UUID, str]:
    """A new webhook, told of everything from the beginning unless said otherwise; its id and secret."""
    with webhooks_of(url) as webhooks:
        return webhooks.add(address, types, after)


def a_relay(
    url: str,
    clock: Clock | None = None,
    *,
    chance: Callable[[], float] = lambda: 1.0,
    give_up_after: timedelta = GIVE_UP_AFTER,
    after_delivery: Callable[[Message], None] = lambda _: None,
) -> OutboxRelay:
    """A relay, not started; `after_delivery` is called between a delivery and its record."""
    clock = clock or SystemClock()

    class Channel(WebhookChannel):
        async def deliver(self, subscriber_id: UUID, sealed: bytes, message: Message) -> Outcome:
            outcome = await super().deliver(subscriber_id, sealed, message)
            after_delivery(message)
            return outcome

    delivery = Delivery(
        messages=Messages(EventReader(LedgerMapper(REGISTRY), a_wrap()), REGISTRY, SOURCE),
        channels={WEBHOOK: Channel(SEAL, clock)},
        schedule=Schedule(give_up_after, chance),
        clock=clock,
        ids=RandomIds(),
    )
    return OutboxRelay(url, delivery)


@contextlib.contextmanager
def running(relay: OutboxRelay) -> Iterator[None]:
    """Runs a relay in a thread until the end of the block."""
    stopping = asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(relay.run(stopping),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def relay_process(url: str, *, dies_at: int = 0) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that relays; at its `dies_at`th delivery it kills itself before recording it."""
    command = [sys.executable, "-m", __name__, url, str(dies_at)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _main(url: str, dies_at: str) -> None:
    delivered: list[Message] = []

    def die_in_time(message: Message) -> None:
        delivered.append(message)
        if len(delivered) == int(dies_at):
            os.kill(os.getpid(), signal.SIGKILL)

    configure_logging("WARNING", "json")
    asyncio.run(a_relay(url, after_delivery=die_in_time).run(asyncio.Event()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
