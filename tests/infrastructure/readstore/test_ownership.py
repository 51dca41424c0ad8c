"""One process at a time owns a thing; when it dies or loses its connection, another may have it."""

import contextlib
import time

import psycopg
import pytest

from infrastructure.readstore.ownership import LEASE, Ownership
from tests.support.ledger_fixtures import LedgerUrls, eventually
from tests.support.ledger_workers import next_line, worker

pytestmark = pytest.mark.slow


def end_sessions(urls: LedgerUrls) -> None:
    """Ends every session of the service in this database."""
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE usename = 'billing_service' AND datname = current_database()"
        )


def test_of_two_processes_one_owns_and_the_other_follows_when_it_is_killed(database_urls: LedgerUrls) -> None:
    with contextlib.ExitStack() as running:
        first = running.enter_context(worker("own", database_urls.service, "issuing"))
        assert next_line(first) == "owned"
        second = running.enter_context(worker("own", database_urls.service, "issuing"))
        other = running.enter_context(worker("own", database_urls.service, "another thing"))
        assert next_line(other) == "owned"
        mine = Ownership(database_urls.service, "issuing")
        assert not mine.held()
        first.kill()
        first.wait()
        assert next_line(second) == "owned"
        assert not mine.held()
        mine.release()


def test_ownership_ends_with_the_connection_and_can_be_had_again(database_urls: LedgerUrls) -> None:
    one, other = (Ownership(database_urls.service, "issuing") for _ in range(2))
    assert one.held()
    assert not other.held()
    end_sessions(database_urls)
    assert _eventually_says_lost(one)
    with contextlib.suppress(psycopg.OperationalError):
        other.held()
    assert other.held()
    assert not one.held()
    other.release()
    # The server hears of a closed connection a moment later.
    assert eventually(one.held)
    one.release()
    one.release()


def test_an_owner_that_asks_nothing_for_a_while_loses_what_it_owns(database_urls: LedgerUrls) -> None:
    stopped, other = (Ownership(database_urls.service, "issuing") for _ in range(2))
    assert stopped.held()
    assert eventually(other.held)
    assert _eventually_says_lost(stopped)
    lease_seconds = int(LEASE["idle_session_timeout"]) / 1000
    asks_until = time.monotonic() + 2 * lease_seconds
    while time.monotonic() < asks_until:
        assert other.held(), "one that keeps asking keeps it"
        assert not stopped.held()
        time.sleep(0.1)
    other.release()
    stopped.release()


def _eventually_says_lost(ownership: Ownership) -> bool:
    """`held` may repeat what it knew for a moment; then it asks the server."""

    def lost() -> bool:
        try:
            ownership.held()
        except psycopg.OperationalError:
            return True
        return False

    return eventually(lost)


def test_a_server_that_cannot_be_reached_gives_nothing(database_urls: LedgerUrls) -> None:
    nowhere = psycopg.conninfo.make_conninfo(database_urls.service, host="/nowhere")
    with pytest.raises(psycopg.OperationalError):
        Ownership(nowhere, "issuing").held()
