"""A migrated PostgreSQL database a test, committers on it, and what tests ask of any ledger."""

import atexit
import contextlib
import functools
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import psycopg

from application.ledger import Answer, Audit, Command, Handler, IdempotencyClaim, Transaction
from application.ports import Clock
from domain.documents.access import DOCUMENT_ACCESS, DocumentDownloaded
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES, NumberFormat, assign_number, open_series
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.proof import LedgerWalk
from infrastructure.eventstore.recorder import LedgerRecorder
from infrastructure.eventstore.rows import EventRow
from infrastructure.migrations import migrate
from tests.support.postgres_server import (
    database_name,
    drop_database,
    fresh_database,
    service_url_for,
    shared_test_server,
)
from tests.support.subject_keys import a_wrap

T = TypeVar("T")

ANSWERS = AnswerSeal(bytes(range(32)))
AUDIT = Audit(
    tenant_id="default", actor="ana", role="SYSTEM", operation="numbers.assign", correlation_id="4bf92f35"
)
SERIES = NUMBER_SERIES.stream("GB:platform-gb:RECEIPT")
DEADLINE_SECONDS = 120.0
"""Long after what is waited for comes on a busy machine."""


@dataclass(frozen=True)
class LedgerUrls:
    """One migrated database, as the superuser and as the service."""

    admin: str
    service: str


@contextlib.contextmanager
def migrated_database() -> Iterator[LedgerUrls]:
    """A fresh migrated database on the shared test server, dropped afterwards."""
    server = shared_test_server()
    admin = fresh_database(server, template=_migrated_template(server))
    try:
        yield LedgerUrls(admin, service_url_for(admin))
    finally:
        drop_database(server, admin)


@functools.cache
def _migrated_template(server: str) -> str:
    """The name of a migrated database that this process copies, in a quarter of the time of migrating."""
    admin = fresh_database(server)
    atexit.register(drop_database, server, admin)
    migrate(admin)
    return database_name(admin)


@contextlib.contextmanager
def running_committer(
    service_url: str, *, clock: Clock | None = None, patience_seconds: float = 30.0
) -> Iterator[Committer]:
    """A committer that is started, and stopped afterwards."""
    batches = BatchCommitter(service_url, REGISTRY, ANSWERS, a_wrap(), clock or SystemClock(), RandomIds())
    committer = Committer(batches, patience_seconds=patience_seconds)
    committer.start()
    try:
        yield committer
    finally:
        committer.stop()


def a_command(
    handler: Handler,
    *streams: StreamId,
    claim: IdempotencyClaim | None = None,
    audit: Audit = AUDIT,
) -> Command:
    """A command that names these streams."""
    return Command(audit, handler, frozenset(streams), claim)


def a_claim(request: bytes = b"request", *, never_expires: bool = False) -> IdempotencyClaim:
    """A key that nobody has used."""
    return IdempotencyClaim(uuid4().bytes * 2, request.ljust(32), never_expires)


def assigning(holder: str, series: StreamId = SERIES) -> Handler:
    """Gives the series' next number to the holder, opening the series first if need be; answers it."""

    def handle(transaction: Transaction) -> Answer:
        _, issuer, doc_type = series.id.split(":")
        number_format = NumberFormat(prefix="R-", padding=6, yearly_reset=False)
        opened = open_series(
            transaction.state(NUMBER_SERIES, series.id),
            country_code="GB",
            issuer_entity_id=issuer,
            doc_type=doc_type,
            number_format=number_format,
            time_zone="Europe/London",
        )
        transaction.append(series, opened)
        state = transaction.state(NUMBER_SERIES, series.id)
        assert state is not None
        assigned = assign_number(state, "DOCUMENT", holder, transaction.stamp.at)
        transaction.append(series, (assigned,))
        return Answer(201, {"sequence": assigned.sequence})

    return handle


def downloading(document_id: str, times: int = 1) -> tuple[Handler, StreamId]:
    """Records downloads in a stream of the document's own; answers how many there are then."""
    stream = DOCUMENT_ACCESS.stream(document_id)

    def handle(transaction: Transaction) -> Answer:
        fact = DocumentDownloaded(document_id=document_id, caller="ana", file_format="PDF")
        transaction.append(stream, [fact] * times)
        return Answer(201, {"downloads": transaction.version(stream)})

    return handle, stream


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """What `work(0)` … `work(count - 1)` give, each in a thread of its own, begun together."""
    together = threading.Barrier(count)

    def begin(number: int) -> T:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def eventually(look: Callable[[], T], *, seconds: float = DEADLINE_SECONDS) -> T:
    """What `look` gives once it is true; an assertion fails where that never comes."""
    give_up_at = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up_at, "what was waited for did not come"
        time.sleep(0.01)
    return found


def ledger_rows(url: str) -> list[EventRow]:
    """Every stored event, in position order."""
    with psycopg.connect(url, autocommit=True) as connection:
        return list(LedgerRecorder(connection).select_notifications(None, 1_000_000))


def head_of(url: str) -> int:
    """The last committed position."""
    with psycopg.connect(url, autocommit=True) as connection:
        return LedgerRecorder(connection).max_notification_id() or 0


def assert_sound(url: str) -> list[EventRow]:
    """Positions without gap, versions without gap, times that never fall, hashes that hold; the rows."""
    walk = LedgerWalk()
    rows = ledger_rows(url)
    for row in rows:
        walk.take(row)
    walk.finish(head_of(url))
    assert walk.problems == []
    for _, events in itertools.groupby(rows, key=lambda row: row.transaction_id):
        assert len({row.recorded_at for row in events}) == 1
    transactions = [key for key, _ in itertools.groupby(rows, key=lambda row: row.transaction_id)]
    assert len(transactions) == len(set(transactions)), "the events of a command stand together"
    return rows


def holders(rows: Iterable[EventRow]) -> list[str]:
    """Who holds a number, in the order in which they were given."""
    return [json.loads(row.state)["holderId"] for row in rows if row.topic == "number-series.number-assigned"]


def one(connection: psycopg.Connection[tuple[Any, ...]], statement: str, *parameters: Any) -> Any:
    """The only column of the only row."""
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]
