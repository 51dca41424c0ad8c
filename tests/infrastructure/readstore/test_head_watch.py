"""Those who wait for the ledger's head are woken by news, whoever commits it, and by nothing else."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from infrastructure.readstore.head import HeadWatch
from tests.support.ledger_fixtures import LedgerUrls, eventually, head_of
from tests.support.projected import give_numbers


@pytest.fixture
def watch(database_urls: LedgerUrls) -> Iterator[HeadWatch]:
    watch = HeadWatch(database_urls.service)
    watch.join()
    yield watch
    watch.leave()


def waiting(watch: HeadWatch, position: int) -> threading.Thread:
    """Somebody who waits for long."""
    thread = threading.Thread(target=watch.wait_beyond, args=(position, 60), daemon=True)
    thread.start()
    return thread


def test_all_who_wait_are_woken_and_those_who_wait_for_more_are_not(
    watch: HeadWatch, database_urls: LedgerUrls
) -> None:
    early = [waiting(watch, 0) for _ in range(3)]
    late = waiting(watch, 100)
    give_numbers(database_urls.service, 3)
    for thread in early:
        thread.join(30)
        assert not thread.is_alive()
    assert late.is_alive()
    give_numbers(database_urls.service, 100, "later")
    late.join(30)
    assert not late.is_alive()


def test_who_is_behind_does_not_wait(watch: HeadWatch, database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 3)
    watch.wait_beyond(3, 60)
    began = time.monotonic()
    watch.wait_beyond(2, 60)
    watch.wait_beyond(head_of(database_urls.service), 0)
    assert time.monotonic() - began < 30


def test_a_lost_connection_is_replaced(watch: HeadWatch, database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 1)
    watch.wait_beyond(0, 60)
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE usename = 'billing_service' AND datname = current_database()"
        )
    thread = waiting(watch, 2)
    give_numbers(database_urls.service, 3, "later")
    thread.join(30)
    assert not thread.is_alive()


def test_a_database_that_is_migrated_later_is_watched_from_then_on(database_urls: LedgerUrls) -> None:
    """As by a worker that is started before `billing migrate`."""
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute("ALTER SCHEMA ledger RENAME TO not_yet")
        watch = HeadWatch(database_urls.service)
        watch.join()
        assert watch.wait_beyond(0, 1) == 0
        admin.execute("ALTER SCHEMA not_yet RENAME TO ledger")
    give_numbers(database_urls.service, 1)
    assert watch.wait_beyond(0, 60) == head_of(database_urls.service)
    watch.leave()


def test_it_runs_while_anybody_has_joined(database_urls: LedgerUrls) -> None:
    def connections() -> int:
        with psycopg.connect(database_urls.admin) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE usename = 'billing_service' AND datname = current_database()"
            ).fetchone()
        return row[0] if row else 0

    watch = HeadWatch(database_urls.service)
    for _ in range(2):
        watch.join()
        watch.join()
        assert eventually(lambda: connections() == 1)
        watch.leave()
        give_numbers(database_urls.service, 1, f"number {time.monotonic_ns()}")
        watch.wait_beyond(0, 60)
        watch.leave()
        assert eventually(lambda: connections() == 0)
