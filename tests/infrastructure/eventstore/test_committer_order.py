"""However many commit at once, positions are in commit order and everybody decides on the newest state."""

import contextlib
import json
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from application.ledger import Answer, Transaction
from domain.documents.access import DOCUMENT_ACCESS
from tests.support.clocks import SetClock
from tests.support.ledger_fixtures import (
    SERIES,
    LedgerUrls,
    a_command,
    assert_sound,
    assigning,
    downloading,
    eventually,
    head_of,
    holders,
    in_threads,
    ledger_rows,
    one,
    running_committer,
)
from tests.support.ledger_workers import go, next_line, worker

pytestmark = pytest.mark.slow


def assert_numbers_are_gapless(urls: LedgerUrls, told: dict[str, int]) -> None:
    """Every holder has the number that it was told, and the numbers are 1, 2, 3 … in ledger order."""
    assert sorted(told.values()) == list(range(1, len(told) + 1))
    assert holders(assert_sound(urls.service)) == sorted(told, key=told.__getitem__)


def test_two_processes_alternating_on_a_series_give_every_number_once(database_urls: LedgerUrls) -> None:
    with contextlib.ExitStack() as running:
        workers = [
            running.enter_context(worker("assign_numbers", database_urls.service, name, 8, 125))
            for name in ("one", "other")
        ]
        for process in workers:
            go(process)
        told = {holder: n for process in workers for holder, n in json.loads(next_line(process)).items()}
    assert len(told) == 2000
    assert_numbers_are_gapless(database_urls, told)


def test_recorded_time_never_falls_though_clocks_differ_by_hours_and_jump(database_urls: LedgerUrls) -> None:
    with contextlib.ExitStack() as running:
        shifts = (("0",), ("-3600",), ("0", "120", "-7200"))
        workers = [
            running.enter_context(worker("assign_numbers", database_urls.service, index, 4, 50, *shift))
            for index, shift in enumerate(shifts)
        ]
        for process in workers:
            go(process)
        told = {holder: n for process in workers for holder, n in json.loads(next_line(process)).items()}
    assert_numbers_are_gapless(database_urls, told)
    rows = ledger_rows(database_urls.service)
    assert rows[-1].recorded_at > datetime.now(UTC) + timedelta(seconds=30), "the fast clock was followed"


def test_commands_that_wait_together_share_transactions(database_urls: LedgerUrls) -> None:
    with running_committer(database_urls.service) as committer:

        def work(thread: int) -> None:
            for turn in range(20):
                handler, stream = downloading(f"document-{thread}-{turn}", times=2)
                committer.submit(a_command(handler, stream)).result()

        in_threads(32, work)
    rows = assert_sound(database_urls.service)
    assert len(rows) == 32 * 20 * 2
    assert len({row.transaction_id for row in rows}) == 32 * 20
    with psycopg.connect(database_urls.admin) as connection:
        transactions = one(connection, "SELECT count(DISTINCT xmin::text) FROM ledger.event")
    assert transactions < 32 * 20 / 3


def test_a_position_is_visible_only_when_all_before_it_are(database_urls: LedgerUrls) -> None:
    with contextlib.ExitStack() as running:
        workers = [
            running.enter_context(worker("assign_numbers", database_urls.service, name, 8, 60))
            for name in ("one", "other")
        ]
        reader = running.enter_context(psycopg.connect(database_urls.service, autocommit=True))
        for process in workers:
            go(process)
        seen = 0
        while seen < 2 * 8 * 60 + 1:
            count, last = reader.execute(
                "SELECT count(*), coalesce(max(position), 0) FROM ledger.event"
            ).fetchone() or (0, 0)
            assert count == last >= seen
            seen = last


def test_a_committer_refreshes_what_another_one_appended(database_urls: LedgerUrls) -> None:
    with (
        running_committer(database_urls.service) as one_committer,
        running_committer(database_urls.service) as other,
    ):
        told = [
            (one_committer, other)[turn % 2].submit(a_command(assigning(str(turn)), SERIES)).result()
            for turn in range(40)
        ]
    assert [committed.answer.body["sequence"] for committed in told] == list(range(1, 41))
    assert_sound(database_urls.service)


def test_a_command_stamped_by_a_slow_clock_is_recorded_at_the_last_time(database_urls: LedgerUrls) -> None:
    clock = SetClock()
    handler, stream = downloading("document-1")
    with running_committer(database_urls.service, clock=clock) as committer:
        for seconds in (0, -3600, 7200, -60):
            clock.move(seconds)
            committer.submit(a_command(handler, stream)).result()
    times = [row.recorded_at for row in assert_sound(database_urls.service)]
    start = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
    assert times == [start, start, start + timedelta(hours=1), start + timedelta(hours=1)]


def test_a_caller_who_no_longer_waits_takes_back_only_what_is_not_begun(database_urls: LedgerUrls) -> None:
    """And whoever shares the transaction is told of it all the same."""
    handler, stream = downloading("document-1")
    entered, gathered = threading.Event(), threading.Event()
    taken_back: list[bool] = []

    def wait(_: Transaction) -> Answer:
        entered.set()
        gathered.wait(30)
        return Answer(200, None)

    def take_back(_: Transaction) -> Answer:
        taken_back.append(begun.cancel())
        return Answer(200, None)

    with running_committer(database_urls.service) as committer:
        committer.submit(a_command(wait))
        assert entered.wait(30)
        queued = committer.submit(a_command(handler, stream))
        neighbour = committer.submit(a_command(take_back))
        begun = committer.submit(a_command(handler, stream))
        assert queued.cancel()
        gathered.set()
        assert begun.result(timeout=60).answer.body == {"downloads": 1}
        assert neighbour.result(timeout=60).answer.status == 200
    assert taken_back == [False]
    assert len(assert_sound(database_urls.service)) == 1


def test_a_command_that_only_reads_waits_for_the_head_like_any_other(database_urls: LedgerUrls) -> None:
    """Else it could answer or refuse by what somebody is just about to change."""
    handler, stream = downloading("document-1")
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND usename = 'billing_service'"
    )
    with (
        running_committer(database_urls.service) as committer,
        psycopg.connect(database_urls.admin, autocommit=True) as admin,
        psycopg.connect(database_urls.admin) as holder,
    ):
        committer.submit(a_command(handler, stream)).result()
        holder.execute("SELECT ledger.lock_head()")
        reading = committer.submit(a_command(lambda t: Answer(200, t.version(stream)), stream))
        eventually(lambda: one(admin, waits) == 1)
        assert not reading.done()
        holder.rollback()
        assert reading.result(timeout=60).answer.body == 1


def test_stopping_finishes_what_is_queued_and_refuses_what_comes_later(database_urls: LedgerUrls) -> None:
    handler, stream = downloading("document-1")
    with running_committer(database_urls.service) as committer:
        futures = [committer.submit(a_command(handler, stream)) for _ in range(600)]
        committer.stop()
        late = committer.submit(a_command(handler, stream))
        assert all(future.done() for future in futures)
    assert [future.result().answer.body["downloads"] for future in futures] == list(range(1, 601))
    with pytest.raises(Exception, match="stopping"):
        late.result(timeout=1)


def test_slow_decisions_are_spread_over_transactions_that_keep_the_lock(database_urls: LedgerUrls) -> None:
    def slow(transaction: Transaction) -> Answer:
        """Reads and writes for a while, as a command of many lines does."""
        end = datetime.now(UTC) + timedelta(milliseconds=40)
        while datetime.now(UTC) < end:
            transaction.state(DOCUMENT_ACCESS, stream.id)
        return handler(transaction)

    handler, stream = downloading("document-1")
    with running_committer(database_urls.service) as committer:
        # Together they take longer than a transaction may be idle.
        futures = [committer.submit(a_command(slow, stream)) for _ in range(80)]
        told = [future.result().answer.body["downloads"] for future in futures]
    assert told == list(range(1, 81))
    assert head_of(database_urls.service) == 80
