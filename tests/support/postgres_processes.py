"""Processes that run an embedded PostgreSQL and are there to be killed, and what is left of them."""

import contextlib
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

PROJECT = Path(__file__).resolve().parents[2]

SUPERVISE = """
    import sys, time
    from pathlib import Path
    from infrastructure.embedded_postgres import EmbeddedPostgres
    with EmbeddedPostgres(Path(sys.argv[1])) as server:
        print("ready", flush=True)
        while True:
            server.ensure_running()
            time.sleep(0.05)
"""


@contextlib.contextmanager
def supervising_process(data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that runs the server of `data_dir`, ready to be killed."""
    with run_python(SUPERVISE, str(data_dir)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@contextlib.contextmanager
def run_python(program: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def postgres_pids(directory: Path) -> list[int]:
    """The PostgreSQL processes that work in `directory`, the postmaster's included."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            is_postgres = entry.name.isdecimal() and (entry / "comm").read_text() == "postgres\n"
            if is_postgres and (entry / "cwd").samefile(directory):
                found.append(int(entry.name))
    return found


def wait_until_gone(directory: Path) -> None:
    deadline = time.monotonic() + 10
    while postgres_pids(directory):
        assert time.monotonic() < deadline, "PostgreSQL outlived the process that ran it"
        time.sleep(0.02)


def postmaster_pid(cluster: Path) -> int:
    return int((cluster / "postmaster.pid").read_text().splitlines()[0])


def make_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (number int PRIMARY KEY)")


def insert(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO kept VALUES (%s)", (number,))


def kept(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def kept_once_it_answers(url: str) -> list[int]:
    deadline = time.monotonic() + 20
    while True:
        try:
            return kept(url)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def postmaster_pid_or_none(cluster: Path) -> int | None:
    try:
        return postmaster_pid(cluster)
    except (FileNotFoundError, IndexError):
        return None
