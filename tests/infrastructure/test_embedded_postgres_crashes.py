"""kill -9 of anything that runs the embedded PostgreSQL costs no committed row and blocks no start."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest
import structlog
import structlog.testing

from infrastructure.embedded_postgres import EmbeddedPostgres, PostgresUnavailable, admin_url
from infrastructure.embedded_postgres.places import places_of
from tests.support.postgres_processes import (
    SUPERVISE,
    insert,
    kept,
    kept_once_it_answers,
    make_table,
    postgres_pids,
    postmaster_pid,
    postmaster_pid_or_none,
    run_python,
    supervising_process,
    wait_until_gone,
)

pytestmark = pytest.mark.slow

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on other accounts")


def test_kill_9_of_the_supervising_process_leaves_no_orphan_and_loses_no_row(tmp_path: Path) -> None:
    cluster = places_of(tmp_path).cluster
    for number in range(4):
        with supervising_process(tmp_path) as process:
            url = admin_url(tmp_path)
            if number == 0:
                make_table(url)
            insert(url, number)
            process.kill()
            # Every second round starts again at once, while the old server is still ending.
            if number % 2:
                wait_until_gone(cluster)
    with EmbeddedPostgres(tmp_path) as server:
        assert kept(server.admin_url) == [0, 1, 2, 3]
    wait_until_gone(cluster)


def test_a_server_started_from_a_short_lived_thread_stays(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    pid = postmaster_pid(places_of(tmp_path).cluster)
    try:
        time.sleep(0.5)
        make_table(server.admin_url)
        assert postmaster_pid(places_of(tmp_path).cluster) == pid
    finally:
        server.stop()


def test_kill_9_of_the_postmaster_is_repaired_with_busy_backends_and_no_lost_row(tmp_path: Path) -> None:
    cluster = places_of(tmp_path).cluster
    with EmbeddedPostgres(tmp_path) as server:
        make_table(server.admin_url)
        for number in range(4):
            with psycopg.connect(server.admin_url, autocommit=True) as busy:
                busy_pid = busy.info.backend_pid
                # A stopped backend cannot notice that its postmaster has gone, and keeps the shared memory.
                os.kill(busy_pid, signal.SIGSTOP)
                insert(server.admin_url, number)
                old_pid = postmaster_pid(cluster)
                os.kill(old_pid, signal.SIGKILL)
                deadline = time.monotonic() + 20
                while postmaster_pid_or_none(cluster) in {None, old_pid}:
                    server.ensure_running()
                    assert time.monotonic() < deadline
                assert busy_pid not in postgres_pids(cluster)
            assert kept(server.admin_url) == list(range(number + 1))


def test_a_restart_that_fails_is_tried_again_and_told_when_it_keeps_failing(tmp_path: Path) -> None:
    cluster = places_of(tmp_path).cluster
    control, hidden = cluster / "global" / "pg_control", cluster / "global" / "hidden"
    with EmbeddedPostgres(tmp_path) as server:
        make_table(server.admin_url)
        for failures in (2, 4):
            control.rename(hidden)
            os.kill(postmaster_pid(cluster), signal.SIGKILL)
            tick_until(server, "embedded_postgres.restart_failed", times=failures)
            hidden.rename(control)
            tick_until(server, "embedded_postgres.restarted", times=1)
            assert kept(server.admin_url) == []
        control.rename(hidden)
        os.kill(postmaster_pid(cluster), signal.SIGKILL)
        with pytest.raises(PostgresUnavailable, match="did not start"):
            tick_until(server, "embedded_postgres.restarted", times=1)


def tick_until(server: EmbeddedPostgres, event: str, *, times: int) -> None:
    """Ticks as the supervisor does until that was logged so often: a death is seen a moment after it."""
    deadline = time.monotonic() + 30
    with structlog.testing.capture_logs() as logged:
        while sum(line["event"] == event for line in logged) < times:
            assert time.monotonic() < deadline, f"{event} did not happen"
            server.ensure_running()
            time.sleep(0.01)


def test_a_lock_file_whose_process_id_is_in_use_again_does_not_block_the_start(tmp_path: Path) -> None:
    places = places_of(tmp_path)
    with EmbeddedPostgres(tmp_path) as server:
        make_table(server.admin_url)
    owner = places.cluster.stat()
    other_uid = owner.st_uid if os.geteuid() == 0 else None
    other = subprocess.Popen(["sleep", "60"], user=other_uid)
    try:
        stale = places.cluster / "postmaster.pid"
        stale.write_text(f"{other.pid}\n/proc/self/cwd\n1\n5432\n{places.socket_dir}\n\n 1 1\nready\n")
        os.chown(stale, owner.st_uid, owner.st_gid)
        with EmbeddedPostgres(tmp_path) as server:
            assert kept(server.admin_url) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_kill_9_during_initdb_does_not_block_the_next_start(tmp_path: Path) -> None:
    for stage, reached in enumerate(("pg_wal", "global/pg_control", "base/1/PG_VERSION", "base/4")):
        data_dir = tmp_path / str(stage)
        with run_python(SUPERVISE, str(data_dir)) as process:
            deadline = time.monotonic() + 20
            while not list(data_dir.glob(f"postgres.new-*/{reached}")):
                assert time.monotonic() < deadline
            process.kill()
        assert not places_of(data_dir).cluster.exists()
        with EmbeddedPostgres(data_dir) as server:
            make_table(server.admin_url)
        assert list(data_dir.glob("postgres.new-*")) == []


def interpreter_of(account: pwd.struct_passwd) -> str:
    """A Python that `account` can run; the tests' own may lie below root's home."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            subprocess.run(
                [candidate, "-I", "-S", "-c", "import ctypes"],
                check=True,
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
            )
            return candidate
    pytest.skip("nobody may run no Python here")


@as_root
def test_an_ordinary_account_runs_it_through_kill_9_of_postmaster_and_supervisor() -> None:
    nobody = pwd.getpwnam("nobody")
    become_nobody = f"""
    import os, sys
    import infrastructure.embedded_postgres
    os.setgroups([])
    os.setgid({nobody.pw_gid})
    os.setuid({nobody.pw_uid})
    sys.executable = {interpreter_of(nobody)!r}
    """
    home = Path(tempfile.mkdtemp(prefix="billing nobody "))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    data_dir, cluster = home / "data", home / "data" / "postgres"
    try:
        for number in range(3):
            with run_python(become_nobody + SUPERVISE, str(data_dir)) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                assert cluster.stat().st_uid == nobody.pw_uid
                if number == 0:
                    make_table(admin_url(data_dir))
                insert(admin_url(data_dir), number)
                os.kill(postmaster_pid(cluster), signal.SIGKILL)
                assert kept_once_it_answers(admin_url(data_dir)) == list(range(number + 1))
        wait_until_gone(cluster)
        # Root goes on as the account that owns the cluster, which can then go on itself.
        with EmbeddedPostgres(data_dir) as server:
            assert kept(server.admin_url) == [0, 1, 2]
        assert cluster.stat().st_uid == nobody.pw_uid
    finally:
        shutil.rmtree(home)
