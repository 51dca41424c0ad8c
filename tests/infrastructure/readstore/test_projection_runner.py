"""A projection moves in whole batches under one owner, whatever is killed: its rows equal a fresh fold."""

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from domain.kernel.recorded import RecordedEvent
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.embedded_postgres.places import places_of
from infrastructure.migrations import migrate
from infrastructure.readstore import runner as runner_module
from infrastructure.readstore.ownership import TRANSACTION_LEASE
from infrastructure.readstore.runner import BATCH_EVENTS, ProjectionRunner, catch_up_once
from projections.number_series import SERIES as PROJECTION
from projections.projection import Key, Projection, Row, RowFold
from tests.support.ledger_fixtures import LedgerUrls, eventually, head_of, ledger_rows, one
from tests.support.ledger_workers import worker
from tests.support.postgres_processes import postmaster_pid_or_none, supervising_process
from tests.support.projected import READER, catch_up, caught_up, fresh_rows, give_numbers, live_rows, tracking

OWNED = (
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
)


@pytest.mark.slow
def test_rows_equal_a_fresh_fold_over_several_batches(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, BATCH_EVENTS * 2 + 7)
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        moves = []
        while moved := catch_up_once(connection, PROJECTION, READER):
            moves.append(moved)
            assert live_rows(database_urls.admin)["number_series_v1"][0]["next_number"] == sum(moves)
    assert moves == [BATCH_EVENTS, BATCH_EVENTS, 8]
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


def test_two_versions_of_a_projection_are_owned_apart(database_urls: LedgerUrls) -> None:
    """During a deployment the old workers and the new ones run side by side."""
    give_numbers(database_urls.service, 3)
    tables = tuple(RowFold(fold.table, lambda _: (), fold.fold) for fold in PROJECTION.row_folds)
    bumped = Projection(PROJECTION.name, PROJECTION.event_names, tables, version=2)
    runners = [ProjectionRunner(database_urls.service, each, READER) for each in (PROJECTION, bumped)]
    for running in runners:
        running.start()
    eventually(lambda: all(caught_up(database_urls.service, each) for each in (PROJECTION, bumped)))
    for running in runners:
        running.stop()


def test_events_of_no_concern_move_the_position_too(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 3)
    uninterested = Projection("uninterested", frozenset({"order.paid-in-escrow"}), PROJECTION.row_folds)
    catch_up(database_urls.service, uninterested)
    assert tracking(database_urls.admin, uninterested) == 4
    assert live_rows(database_urls.admin)["number_v1"] == []


def test_rows_and_position_are_committed_together_or_not_at_all(database_urls: LedgerUrls) -> None:
    def stumble(row: object, event: object, key: object) -> None:
        raise ZeroDivisionError

    give_numbers(database_urls.service, 3)
    first, second = PROJECTION.row_folds
    defective = Projection(
        PROJECTION.name, PROJECTION.event_names, (first, RowFold(second.table, second.keys, stumble))
    )
    with (
        psycopg.connect(database_urls.service, autocommit=True) as connection,
        pytest.raises(ZeroDivisionError),
    ):
        catch_up_once(connection, defective, READER)
    assert not any(live_rows(database_urls.admin).values())
    assert not tracking(database_urls.admin)


def test_an_event_concerns_several_rows_and_a_fold_can_delete_them(database_urls: LedgerUrls) -> None:
    """Here a number replaces the one before it, so that there is one row for each of the two last."""

    def keys(event: RecordedEvent) -> list[Key]:
        number = numbers.keys(event)
        return [(series, year, sequence - step) for series, year, sequence in number for step in (2, 0)]

    def fold(row: Row | None, event: RecordedEvent, key: Key) -> Row | None:
        return numbers.fold(row, event, key) if key in numbers.keys(event) else None

    numbers = PROJECTION.row_folds[1]
    last_two = Projection("last-two", PROJECTION.event_names, (RowFold(numbers.table, keys, fold),))
    give_numbers(database_urls.service, 7)
    catch_up(database_urls.service, last_two)
    assert [row["sequence"] for row in live_rows(database_urls.admin)["number_v1"]] == [6, 7]
    give_numbers(database_urls.service, 1, "later")
    catch_up(database_urls.service, last_two)
    assert live_rows(database_urls.admin, last_two) == fresh_rows(database_urls.service, last_two)
    assert [row["sequence"] for row in live_rows(database_urls.admin)["number_v1"]] == [7, 8]


def test_a_defect_stops_its_projection_and_skips_nothing(
    database_urls: LedgerUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read model stands still until the defect is mended, then goes on where it stood."""
    mended = threading.Event()
    stumbled = threading.Event()
    first, second = PROJECTION.row_folds

    def fold(row: object, event: object, key: object) -> object:
        if not mended.is_set():
            stumbled.set()
            raise ZeroDivisionError
        return first.fold(row, event, key)  # type: ignore[arg-type]

    monkeypatch.setattr(runner_module, "LONGEST_PAUSE_SECONDS", 0.1)
    defective = Projection(
        PROJECTION.name,
        PROJECTION.event_names,
        (RowFold(first.table, first.keys, fold), second),  # type: ignore[arg-type]
    )
    give_numbers(database_urls.service, 3)
    running = ProjectionRunner(database_urls.service, defective, READER)
    running.start()
    assert stumbled.wait(30)
    assert not tracking(database_urls.admin)
    mended.set()
    eventually(lambda: caught_up(database_urls.service))
    running.stop()
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


@pytest.mark.slow
def test_events_that_take_longer_than_the_lease_are_folded_in_smaller_batches(
    database_urls: LedgerUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them at once would lose the owner its session, again and again."""
    monkeypatch.setitem(TRANSACTION_LEASE, "transaction_timeout", "150")
    monkeypatch.setattr(runner_module, "LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(runner_module, "BATCH_EVENTS", 30)
    first, second = PROJECTION.row_folds

    def fold(row: Row | None, event: RecordedEvent, key: Key) -> Row | None:
        time.sleep(0.01)
        return first.fold(row, event, key)

    slow = Projection(
        PROJECTION.name, PROJECTION.event_names, (RowFold(first.table, first.keys, fold), second)
    )
    give_numbers(database_urls.service, 29)
    running = ProjectionRunner(database_urls.service, slow, READER)
    running.start()
    eventually(lambda: caught_up(database_urls.service))
    running.stop()
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


@pytest.mark.slow
def test_of_two_processes_one_owns_the_projection_and_the_other_takes_over_when_it_is_killed(
    database_urls: LedgerUrls,
) -> None:
    with contextlib.ExitStack() as running, psycopg.connect(database_urls.admin, autocommit=True) as admin:
        first = running.enter_context(worker("project", database_urls.service, PROJECTION.name))
        eventually(lambda: one(admin, OWNED) == 1)
        running.enter_context(worker("project", database_urls.service, PROJECTION.name))
        give_numbers(database_urls.service, 5)
        eventually(lambda: caught_up(database_urls.service))
        assert one(admin, OWNED) == 1
        first.kill()
        first.wait()
        give_numbers(database_urls.service, 5, "later")
        eventually(lambda: caught_up(database_urls.service))
        assert one(admin, OWNED) == 1
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


@pytest.mark.slow
def test_kill_9_during_catch_up_again_and_again_leaves_the_rows_of_a_fresh_fold(
    database_urls: LedgerUrls,
) -> None:
    give_numbers(database_urls.service, 12_000)
    dice = random.Random(20260316)
    deaths = 0
    while not caught_up(database_urls.service):
        with worker("project", database_urls.service, PROJECTION.name) as process:
            before = tracking(database_urls.admin) or 0
            eventually(
                lambda before=before: (
                    (tracking(database_urls.admin) or 0) > before or caught_up(database_urls.service)
                )
            )
            threading.Event().wait(dice.uniform(0, 0.1))
            process.kill()
        deaths += 1
        position = tracking(database_urls.admin) or 0
        (series,) = live_rows(database_urls.admin)["number_series_v1"]
        numbers = live_rows(database_urls.admin)["number_v1"]
        assert len(numbers) == series["next_number"] - 1 <= position
    assert deaths > 2
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


@pytest.mark.slow
def test_a_runner_goes_on_after_postgresql_was_killed(tmp_path: Path) -> None:
    with supervising_process(tmp_path):
        migrate(admin_url(tmp_path))
        url = service_url(tmp_path)
        running = ProjectionRunner(url, PROJECTION, READER)
        running.start()
        for number in range(3):
            give_numbers(url, 20, str(number))
            eventually(lambda: caught_up(url))
            pid = postmaster_pid_or_none(places_of(tmp_path).cluster)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: postmaster_pid_or_none(places_of(tmp_path).cluster) not in {pid, None})
        give_numbers(url, 20, "last")
        eventually(lambda: caught_up(url))
        running.stop()
        assert live_rows(url) == fresh_rows(url)
        assert head_of(url) == len(ledger_rows(url)) == 81
