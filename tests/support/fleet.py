"""A house with everything twice, for tests that kill parts of it.

`billing run` with two API workers and its worker, and a second `billing serve` and `billing work` beside it,
all on the same PostgreSQL, and simulated gateways that all of them use. What no process of the house
supervises is started again as systemd would.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self

import psycopg

from tests.support.gateways import gateway_settings
from tests.support.house import House, end, eventually, free_port
from tests.support.process_tree import command_of, descendants, is_alive, listeners, living

Kind = Literal[
    "api", "api parent", "serve", "projections", "issuer", "work", "house", "postmaster", "simulator"
]
"""`api` answers requests and is forked by an `api parent`; `serve` and `work` supervise.

The `simulator` is of the gateways.
"""

API_WORKERS = 2
ISSUERS = 2
REVIVAL_SECONDS = 0.05
_OWNED_AND_WAITING = """
SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted),
    (SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%'
        AND pid <> pg_backend_pid() AND state_change > clock_timestamp() - interval '2 seconds'
        AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'))
"""
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("api parent", r"serve --worker \d+"),
    ("projections", "work --projections"),
    ("issuer", r"work --issuer \d+"),
    ("serve", "serve"),
    ("work", "work"),
    ("house", "run"),
    ("simulator", r"simulate-gateways --port \d+"),
)


class Fleet:
    """A context manager. `serve_settings` are environment variables of the second `billing serve` alone."""

    def __init__(self, data_dir: Path, **serve_settings: str) -> None:
        self._gateways_port = free_port()
        settings = {"BILLING_WORKERS": str(API_WORKERS), "BILLING_ISSUERS": str(ISSUERS)}
        self.house = House(data_dir, {**settings, **gateway_settings(self.gateways_url)})
        self._serve_settings: Mapping[str, str] = serve_settings
        self._second_port = free_port()
        self._alone: dict[str, subprocess.Popen[bytes]] = {}
        self._ending = threading.Event()
        self._reviver = threading.Thread(target=self._revive_for_ever, daemon=True)

    @property
    def urls(self) -> tuple[str, str]:
        """Where the two servers listen."""
        return (self.house.url, f"http://127.0.0.1:{self._second_port}")

    @property
    def gateways_url(self) -> str:
        """Where the simulated gateways listen, whenever they run."""
        return f"http://127.0.0.1:{self._gateways_port}"

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as started:
            started.enter_context(self.house)
            started.callback(self._end)
            self._revive()
            self._reviver.start()
            eventually(self.is_whole)
            started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self.house.stop()

    def pids(self, kind: Kind) -> list[int]:
        """The processes that are of that kind now."""
        if kind == "postmaster":
            return [self.house.pid("postmaster")]
        return [pid for found, pid in self._parts() if found == kind]

    def is_whole(self) -> bool:
        """Whether every part runs and the servers' workers listen."""
        found = [kind for kind, _ in self._parts()]
        servers = API_WORKERS + 1
        wanted = {"api": servers, "api parent": servers, "projections": 2, "issuer": 2 * ISSUERS, "work": 2}
        wanted["simulator"] = 1
        listening = [API_WORKERS, 1]
        return (
            all(found.count(kind) == count for kind, count in wanted.items())  # type: ignore[arg-type]
            and [listeners(port) for port in (self.house.port, self._second_port)] == listening
            and self._every_owner_has_a_stand_by()
        )

    def tree(self, pid: int) -> list[int]:
        """A process and its descendants."""
        return [pid, *descendants(pid, living())]

    def _parts(self) -> Iterator[tuple[Kind, int]]:
        parents = living()
        for root in (self.house.main_pid(), *(process.pid for process in self._alone.values())):
            for pid in (root, *descendants(root, parents)):
                command = command_of(pid)
                for kind, pattern in _KINDS:
                    if re.search(rf"interfaces\.cli\.main {pattern}$", command):
                        is_fork = kind == "api parent" and command_of(parents.get(pid, 0)) == command
                        yield "api" if is_fork else kind, pid

    def _every_owner_has_a_stand_by(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.house.database() as connection:
            owned, waiting = connection.execute(_OWNED_AND_WAITING).fetchone() or (0, 0)
            return 0 < owned == waiting
        return False

    def _revive(self) -> None:
        if not is_alive(self.house.main_pid()):
            # What the killed one left behind may still hold its port: the next round tries again.
            with contextlib.suppress(AssertionError):
                self.house.start()
        for name in ("simulate-gateways", "serve", "work"):
            process = self._alone.get(name)
            if process is None or process.poll() is not None:
                self._alone[name] = self._start(name)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        arguments = ["-m", "interfaces.cli.main", name]
        if name == "simulate-gateways":
            arguments += ["--port", str(self._gateways_port)]
        settings = {"BILLING_WORKERS": "1", **self._serve_settings} if name == "serve" else {}
        return self.house.spawn(arguments, self._second_port, piped=False, **settings)

    def _revive_for_ever(self) -> None:
        while not self._ending.wait(REVIVAL_SECONDS):
            self._revive()

    def _end(self) -> None:
        self._ending.set()
        if self._reviver.is_alive():
            self._reviver.join()
        for process in self._alone.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            end(process)
