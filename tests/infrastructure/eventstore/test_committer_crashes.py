"""Whatever is killed, cut or stopped while commands are committed: each takes effect once or not at all."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import get_args

import psycopg
import pytest

from application.ledger import LedgerUnavailable
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.embedded_postgres.places import places_of
from infrastructure.eventstore.committer import Committer
from infrastructure.migrations import migrate
from tests.support.cutting_proxy import Moment, cutting_proxy
from tests.support.ledger_fixtures import (
    SERIES,
    LedgerUrls,
    a_claim,
    a_command,
    assert_sound,
    assigning,
    downloading,
    eventually,
    holders,
    in_threads,
    ledger_rows,
    running_committer,
)
from tests.support.ledger_workers import next_line, worker
from tests.support.postgres_processes import postmaster_pid_or_none, supervising_process


@pytest.mark.parametrize("moment", get_args(Moment))
def test_a_commit_whose_answer_is_lost_is_acknowledged_once_and_not_decided_twice(
    database_urls: LedgerUrls, moment: Moment
) -> None:
    with cutting_proxy(database_urls.service) as proxy, running_committer(proxy.url) as committer:
        committer.submit(a_command(assigning("before"), SERIES)).result()
        proxy.cut_at(moment)
        told = committer.submit(a_command(assigning("cut"), SERIES, claim=a_claim())).result()
        after = committer.submit(a_command(assigning("after"), SERIES)).result()
        assert proxy.cuts == 1
    assert (told.answer.body, told.replayed) == ({"sequence": 2}, False)
    assert after.answer.body == {"sequence": 3}
    assert holders(assert_sound(database_urls.service)) == ["before", "cut", "after"]


@pytest.mark.parametrize("moment", get_args(Moment))
def test_a_key_without_events_whose_answer_is_lost_is_kept_once(
    database_urls: LedgerUrls, moment: Moment
) -> None:
    handler, stream = downloading("document-1", times=0)
    claim = a_claim()
    with cutting_proxy(database_urls.service) as proxy, running_committer(proxy.url) as committer:
        proxy.cut_at(moment)
        told = committer.submit(a_command(handler, stream, claim=claim)).result()
        again = committer.submit(a_command(handler, stream, claim=claim)).result()
        assert proxy.cuts == 1
    assert (told.answer, again.replayed) == (again.answer, True)


@pytest.mark.slow
def test_a_stopped_process_loses_the_head_and_recovers_when_it_is_continued(
    database_urls: LedgerUrls,
) -> None:
    with worker("stop_under_the_lock", database_urls.service) as stopped:
        eventually(lambda: _is_stopped(stopped.pid))
        with running_committer(database_urls.service, patience_seconds=20) as committer:
            told = [
                committer.submit(a_command(assigning(f"meanwhile {n}"), SERIES)).result() for n in range(5)
            ]
        assert [committed.answer.body["sequence"] for committed in told] == [1, 2, 3, 4, 5]
        stopped.send_signal(signal.SIGCONT)
        assert next_line(stopped) == "[6, 7]"
    assert holders(assert_sound(database_urls.service))[5:] == ["the stopped one", "after it"]


@pytest.mark.slow
def test_a_process_stopped_halfway_through_sending_loses_the_head_too(database_urls: LedgerUrls) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        if connection.info.server_version < 170_000:
            pytest.skip("PostgreSQL has transaction_timeout from version 17 on")
    with worker("stop_while_sending", database_urls.service) as stopped:
        eventually(lambda: _is_stopped(stopped.pid))
        with running_committer(database_urls.service, patience_seconds=20) as committer:
            told = committer.submit(a_command(assigning("the next"), SERIES)).result()
    assert told.answer.body == {"sequence": 1}


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class Clients:
    """Threads that go on committing until told to stop, and remember what they were told."""

    def __init__(self, committer: Committer, threads: int) -> None:
        self._committer = committer
        self._threads = threads
        self.stop = threading.Event()
        self.told: dict[str, int] = {}
        self.unknown: list[str] = []

    def run(self) -> None:
        """Works in as many threads; the even ones retry under one key until they are told."""
        in_threads(self._threads, self._work)

    def _work(self, thread: int) -> None:
        turn = 0
        while not self.stop.is_set():
            holder = f"{thread}/{turn}"
            turn += 1
            claim = a_claim() if thread % 2 == 0 else None
            while True:
                try:
                    committed = self._committer.submit(
                        a_command(assigning(holder), SERIES, claim=claim)
                    ).result(timeout=120)
                except LedgerUnavailable:
                    if claim is None:
                        self.unknown.append(holder)
                        break
                else:
                    self.told[holder] = committed.answer.body["sequence"]
                    break


def assert_nothing_lost_or_doubled(url: str, clients: Clients) -> None:
    """Who was told of a number has it; who was told of trouble has at most one."""
    rows = assert_sound(url)
    in_order = holders(rows)
    assert max(Counter(in_order).values()) == 1
    assert {
        holder: number for number, holder in enumerate(in_order, 1) if holder in clients.told
    } == clients.told
    assert set(in_order) <= set(clients.told) | set(clients.unknown)


@pytest.mark.slow
def test_killed_backends_lose_and_double_nothing(database_urls: LedgerUrls) -> None:
    dice = random.Random(20260314)
    with (
        running_committer(database_urls.service, patience_seconds=60) as committer,
        psycopg.connect(database_urls.admin, autocommit=True) as admin,
    ):
        clients = Clients(committer, 16)
        running = threading.Thread(target=clients.run)
        running.start()
        killed = 0
        while killed < 60:
            assert running.is_alive(), "a client was told of a defect"
            threading.Event().wait(dice.uniform(0, 0.06))
            killed += admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'billing_service' AND datname = current_database()"
            ).rowcount
        clients.stop.set()
        running.join()
    assert clients.unknown == [], "patience outlasts a lost connection"
    assert_nothing_lost_or_doubled(database_urls.service, clients)


def is_reachable(url: str) -> bool:
    """Whether the server takes a connection now."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("patience_seconds", [60.0, 0.2], ids=["patient", "impatient"])
def test_kill_9_of_postgresql_loses_and_doubles_nothing(tmp_path: Path, patience_seconds: float) -> None:
    dice = random.Random(20260315)
    cluster = places_of(tmp_path).cluster
    with supervising_process(tmp_path):
        migrate(admin_url(tmp_path))
        url = service_url(tmp_path)
        with running_committer(url, patience_seconds=patience_seconds) as committer:
            clients = Clients(committer, 16)
            running = threading.Thread(target=clients.run)
            running.start()
            for _ in range(4):
                before = len(clients.told)
                eventually(lambda before=before: len(clients.told) > before + 50)
                threading.Event().wait(dice.uniform(0, 0.2))
                pid = eventually(lambda: postmaster_pid_or_none(cluster))
                assert pid is not None
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            after = len(clients.told)
            eventually(lambda: len(clients.told) > after + 50)
            clients.stop.set()
            running.join()
        # The impatient are told that it is not there; it may still be on its way back.
        eventually(lambda: is_reachable(url))
        assert len(ledger_rows(url)) >= 250
        assert_nothing_lost_or_doubled(url, clients)
