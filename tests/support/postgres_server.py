"""One embedded PostgreSQL server for a whole test run, shared by every worker process of it.

A host process runs the server. Whoever uses it holds a shared lock on a file for as long as it lives, and the
host ends when it can have that lock alone: after the last user's end, kill -9 included.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from infrastructure.embedded_postgres import EmbeddedPostgres, admin_url, ensure_roles

PROJECT = Path(__file__).resolve().parents[2]
START_TIMEOUT_SECONDS = 60.0

_held_locks: list[int] = []


def shared_test_server() -> str:
    """The admin URL of this machine's test server, started if need be; usable until this process ends.

    `BILLING_TEST_DATABASE_URL` names a server (as superuser) to be used instead.
    """
    given = os.environ.get("BILLING_TEST_DATABASE_URL")
    if given:
        return given
    run_dir = _run_dir()
    if not _held_locks:
        # Waits where an earlier run's host is just ending.
        _held_locks.append(_locked(run_dir / "users.lock", fcntl.LOCK_SH))
    starting_fd = _locked(run_dir / "start.lock", fcntl.LOCK_EX)
    try:
        url = admin_url(run_dir / "data")
        if not _answers(url):
            _start_host(run_dir, url)
    finally:
        os.close(starting_fd)
    return url


def fresh_database(admin_url: str, template: str = "template0") -> str:
    """Create an empty database, or a copy of another, of a new name and return its own admin URL."""
    parts = urlsplit(admin_url)
    name = f"test_{os.urandom(8).hex()}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        ensure_roles(connection)
        if parts.password is not None:
            statement = sql.SQL("ALTER ROLE billing_service PASSWORD {}")
            connection.execute(statement.format(sql.Literal(parts.password)))
        statement = sql.SQL("CREATE DATABASE {} OWNER billing_owner TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return parts._replace(path=f"/{name}").geturl()


def database_name(admin_url: str) -> str:
    """The database that a URL of `fresh_database` names."""
    return urlsplit(admin_url).path.removeprefix("/")


def drop_database(server: str, admin_url: str) -> None:
    """Drop what `fresh_database` made on that server, whoever is connected to it."""
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(database_name(admin_url))))


def service_url_for(admin_url: str) -> str:
    """The same database logged in as billing_service, after `fresh_database` made it."""
    parts = urlsplit(admin_url)
    credentials, at, host = parts.netloc.rpartition("@")
    _, colon, password = credentials.partition(":")
    return parts._replace(netloc=f"billing_service{colon}{password}{at or '@'}{host}").geturl()


def host(run_dir: Path) -> None:
    """Run the server in this process until nobody uses it any more, then remove its data."""
    data_dir = run_dir / "data"
    shutil.rmtree(data_dir, ignore_errors=True)
    users_fd = os.open(run_dir / "users.lock", os.O_RDWR)
    with EmbeddedPostgres(data_dir) as server:
        while True:
            try:
                fcntl.flock(users_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                server.ensure_running()
                time.sleep(0.2)
    shutil.rmtree(data_dir)


def _run_dir() -> Path:
    """A private directory for this checkout and account, the same for all its workers and later runs."""
    digest = hashlib.sha256(os.fsencode(PROJECT)).hexdigest()[:12]
    run_dir = Path(f"/tmp/billing-tests-{os.geteuid()}-{digest}")
    run_dir.mkdir(mode=0o700, exist_ok=True)
    found = run_dir.lstat()
    assert found.st_uid == os.geteuid() and not found.st_mode & 0o077, f"{run_dir} is not private"
    return run_dir


def _locked(path: Path, kind: int) -> int:
    lock_fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock_fd, kind)
    return lock_fd


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _start_host(run_dir: Path, url: str) -> None:
    """Start the host in a session of its own: Ctrl-C must leave it there for the tests' last steps."""
    program = f"from pathlib import Path; from {__name__} import host; host(Path({str(run_dir)!r}))"
    with (run_dir / "host.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not _answers(url):
        ended = started.poll() is not None
        assert not ended and time.monotonic() < deadline, (run_dir / "host.log").read_text()
        time.sleep(0.05)
