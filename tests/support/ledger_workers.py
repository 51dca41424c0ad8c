"""Processes that write to a ledger, fold it or own something, for tests of several at once and of kills.

Each prints `ready`, and where it works in one go waits for a line on its input, then prints JSON.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from application.ledger import Answer, IdempotencyClaim, Transaction
from domain.numbering.series import NUMBER_SERIES
from infrastructure.migrations import migrate
from infrastructure.readstore.ownership import Ownership
from infrastructure.readstore.runner import ProjectionRunner
from infrastructure.telemetry import configure_logging
from projections.registry import PROJECTIONS_BY_NAME
from tests.support.ledger_fixtures import SERIES, a_command, assigning, running_committer
from tests.support.projected import READER

PROJECT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def worker(function: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs a function of this module and has said that it is ready; killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, function, *map(str, arguments)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert next_line(process) == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def next_line(process: "subprocess.Popen[str]") -> str:
    """The next line that a worker prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: "subprocess.Popen[str]") -> None:
    """Lets a worker that is ready begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


class ShiftedClock:
    """The system's clock, but wrong: by the seconds given, in turn, at each look."""

    def __init__(self, *shift_seconds: float) -> None:
        self._shifts = [timedelta(seconds=seconds) for seconds in shift_seconds]
        self._looks = count()

    def now(self) -> datetime:
        """The shifted moment, UTC."""
        return datetime.now(UTC) + self._shifts[next(self._looks) % len(self._shifts)]


def assign_numbers(url: str, name: str, threads: str, each: str, *shifts: str) -> None:
    """`threads` threads give `each` numbers of one series to holders of their own; prints who got which."""
    with running_committer(url, clock=ShiftedClock(*map(float, shifts or ("0",)))) as committer:

        def work(thread: int) -> dict[str, int]:
            got = {}
            for turn in range(int(each)):
                holder = f"{name}/{thread}/{turn}"
                got[holder] = committer.submit(a_command(assigning(holder), SERIES)).result().answer.body
            return {holder: body["sequence"] for holder, body in got.items()}

        _wait_for_go()
        with ThreadPoolExecutor(int(threads)) as pool:
            told = list(pool.map(work, range(int(threads))))
    _say(json.dumps({holder: number for part in told for holder, number in part.items()}))


def same_key(url: str, key_hex: str, threads: str) -> None:
    """Many threads send one command under one key; prints what each was told."""
    claim = IdempotencyClaim(bytes.fromhex(key_hex), b"request".ljust(32))
    with running_committer(url) as committer:

        def work(thread: int) -> list[Any]:
            told = committer.submit(a_command(assigning("the one"), SERIES, claim=claim)).result()
            return [told.answer.status, json.dumps(told.answer.body), told.position, told.replayed]

        _wait_for_go()
        with ThreadPoolExecutor(int(threads)) as pool:
            _say(json.dumps(list(pool.map(work, range(int(threads))))))


def stop_under_the_lock(url: str) -> None:
    """Stops (SIGSTOP) while it holds the head; continued, prints how its two commands ended.

    It goes without the time-out that older servers do not have.
    """

    def handle(transaction: Transaction) -> Answer:
        answer = assigning("the stopped one")(transaction)
        if not stopped:
            stopped.append(True)
            _stop_here()
        return answer

    stopped: list[bool] = []
    with running_committer(url, patience_seconds=60) as committer:
        committer.submit(a_command(lambda t: Answer(200, t.version(SERIES)), SERIES)).result()
        connection = committer._batches._writer().connection
        if connection.info.server_version >= 170_000:
            connection.execute("SET transaction_timeout = 0")
        _say("ready")
        first = committer.submit(a_command(handle, SERIES)).result()
        second = committer.submit(a_command(assigning("after it"), SERIES)).result()
    _say(json.dumps([first.answer.body["sequence"], second.answer.body["sequence"]]))


def stop_while_sending(url: str) -> None:
    """Takes the head without ending the pipeline, as a process stopped halfway through sending, and waits."""
    with running_committer(url) as committer:
        committer.submit(a_command(lambda t: Answer(200, t.state(NUMBER_SERIES, SERIES.id)), SERIES)).result()
        connection = committer._batches._writer().connection
        with connection.pipeline():
            connection.execute("BEGIN")
            connection.execute("SELECT ledger.lock_head()")
            connection.pgconn.send_flush_request()
            connection.pgconn.flush()
            _say("ready")
            _stop_here()


def project(url: str, name: str) -> None:
    """Runs one projection until it is killed."""
    ProjectionRunner(url, PROJECTIONS_BY_NAME[name], READER).start()
    _say("ready")
    signal.pause()


def own(url: str, name: str) -> None:
    """Tries to own a thing for as long as it lives; prints `owned` and `lost` as it changes."""
    ownership = Ownership(url, name)
    held = False
    _say("ready")
    while True:
        try:
            now_held = ownership.held()
        except psycopg.OperationalError:
            now_held = False
        if now_held != held:
            held = now_held
            _say("owned" if held else "lost")
        time.sleep(0.02)


def migrate_at_once(url: str) -> None:
    """Migrates a database; prints `done`."""
    _wait_for_go()
    migrate(url)
    _say("done")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _wait_for_go() -> None:
    _say("ready")
    sys.stdin.readline()


def _stop_here() -> None:
    """Stops the whole process before this thread takes another step, which a signal to any thread may not."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


if __name__ == "__main__":
    # What it logs goes to standard error, apart from what it answers.
    configure_logging("WARNING", "json")
    globals()[sys.argv[1]](*sys.argv[2:])
