"""The server that the tests share starts once, serves several processes and never outlives them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from tests.support.ledger_fixtures import eventually
from tests.support.postgres_server import fresh_database, service_url_for, shared_test_server

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]

USE = """
    import sys, time
    from pathlib import Path
    from tests.support import postgres_server
    run_dir = Path(sys.argv[1])
    postgres_server._run_dir = lambda: run_dir
    url = postgres_server.shared_test_server()
    import psycopg
    with psycopg.connect(postgres_server.fresh_database(url)) as connection:
        query = "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)"
        print(connection.execute(query).fetchone()[0], flush=True)
    time.sleep(600)
"""


def start_user(run_dir: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "BILLING_TEST_DATABASE_URL"}
    command = [sys.executable, "-c", textwrap.dedent(USE), str(run_dir)]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)


def postmaster_of(user: "subprocess.Popen[str]") -> int:
    assert user.stdout is not None
    return int(user.stdout.readline())


def test_processes_that_ask_at_once_share_one_server_until_the_last_is_killed(tmp_path: Path) -> None:
    users = [start_user(tmp_path) for _ in range(3)]
    try:
        pids = {postmaster_of(user) for user in users}
        assert len(pids) == 1
        users[0].send_signal(signal.SIGKILL)
        users[0].wait()
        users[1].send_signal(signal.SIGTERM)
        users[1].wait()
        time.sleep(1)
        assert Path(f"/proc/{min(pids)}").exists()
        users[2].send_signal(signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{min(pids)}").exists())
        # The next run starts anew at once, whatever its predecessor's host is still doing.
        users.append(start_user(tmp_path))
        assert postmaster_of(users[-1]) not in pids
    finally:
        for user in users:
            user.kill()
            user.communicate()
    eventually(lambda: not (tmp_path / "data").exists())


def test_fresh_databases_are_empty_apart_and_reached_by_both_roles() -> None:
    server = shared_test_server()
    one, two = fresh_database(server), fresh_database(server)
    with psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE only_here ()")
    with psycopg.connect(two) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)
    with psycopg.connect(service_url_for(one)) as connection:
        row = connection.execute("SELECT session_user, current_database()").fetchone()
        assert row == ("billing_service", psycopg.conninfo.conninfo_to_dict(one)["dbname"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM only_here")


def test_a_given_server_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "BILLING_TEST_DATABASE_URL", "postgresql://root:pass@db.example/postgres?sslmode=require"
    )
    given = shared_test_server()
    assert service_url_for(given) == "postgresql://billing_service:pass@db.example/postgres?sslmode=require"
