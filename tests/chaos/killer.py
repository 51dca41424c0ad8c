"""Kills, stops and cuts whatever the service is made of, at random moments, until it is told to stop."""

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from tests.support.cutting_proxy import CuttingProxy, Moment
from tests.support.fleet import Fleet, Kind

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.5
LONGEST_SILENCE_SECONDS = 15.0
LONGEST_STOP_SECONDS = 3.0
"""A process stopped for longer would answer a client that asked another one long ago."""

MOST_CUTS = 5
MOMENTS: tuple[Moment, ...] = ("before the server gets it", "before the client hears of it")
WHAT_MAY_BE_KILLED: tuple[tuple[int, Kind], ...] = (
    (6, "api"),
    (3, "api parent"),
    (2, "serve"),
    (5, "projections"),
    (5, "issuer"),
    (3, "work"),
    (6, "postmaster"),
    (1, "house"),
)
WHAT_MAY_BE_STOPPED: tuple[Kind, ...] = ("api", "projections", "issuer", "work")


class Killer:
    """`seed` decides what it does, though not which process ids it meets.

    `done` counts its deeds, `deeds` tells their moments (monotonic); `diary` gets a line for each, to be laid
    beside the house's log. `more` are further kinds that it may kill, and stop, with how often.
    `pauses` are the shortest and the longest between two deeds, in seconds.
    """

    def __init__(
        self,
        seed: int,
        fleet: Fleet,
        proxy: CuttingProxy,
        diary: Path,
        last_answer_at: Callable[[], float | None],
        *,
        more: tuple[tuple[int, Kind], ...] = (),
        pauses: tuple[float, float] = (SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
    ) -> None:
        self._pauses = pauses
        self._may_kill = (*WHAT_MAY_BE_KILLED, *more)
        self._may_stop = (*WHAT_MAY_BE_STOPPED, *(kind for _, kind in more))
        self._chance = random.Random(f"{seed}/killer")
        self._fleet = fleet
        self._proxy = proxy
        self._diary = diary
        self._last_answer_at = last_answer_at
        self.done: Counter[str] = Counter()
        self.deeds: list[tuple[float, str]] = []

    async def run(self, stopping: Callable[[], bool]) -> None:
        """One deed after the other, with pauses in which the service may or may not have recovered.

        Where nobody has answered for long it holds still until somebody does: on a busy machine a start takes
        longer than its pauses, and what never runs is not tried.
        """
        while not stopping():
            if self._is_silent():
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)
                continue
            await asyncio.sleep(self._chance.uniform(*self._pauses))
            (deed,) = self._chance.choices(
                (self._kill, self._stop_and_continue, self._kill_backend, self._end_sessions, self._cut),
                (10, 3, 1, 2, 4),
            )
            await deed()

    def _is_silent(self) -> bool:
        last = self._last_answer_at()
        return last is not None and time.monotonic() - last > LONGEST_SILENCE_SECONDS

    async def _kill(self) -> None:
        weights, kinds = zip(*self._may_kill, strict=True)
        (kind,) = self._chance.choices(kinds, weights)
        number = self._chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        if kind == "postmaster":
            # SIGQUIT is PostgreSQL's immediate stop; a polite one would wait for the clients to leave.
            number = self._chance.choice((signal.SIGKILL, signal.SIGQUIT))
        if kind == "house":
            number = signal.SIGKILL
        with_all_below = kind in {"work", "serve"} and self._chance.random() < 0.5
        pid = self._one_of(kind)
        if pid is None:
            return
        self._note(f"{number.name} {kind}{' tree' if with_all_below else ''}", pid)
        for each in self._fleet.tree(pid) if with_all_below else [pid]:
            _send(each, number)

    async def _stop_and_continue(self) -> None:
        kind = self._chance.choice(self._may_stop)
        pid = self._one_of(kind)
        if pid is None:
            return
        self._note(f"SIGSTOP {kind}", pid)
        _send(pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(0.1, LONGEST_STOP_SECONDS))
        _send(pid, signal.SIGCONT)

    async def _kill_backend(self) -> None:
        """One of PostgreSQL's own, after which it begins anew."""
        if (pid := self._session()) is not None:
            self._note("SIGKILL backend", pid)
            _send(pid, signal.SIGKILL)

    async def _end_sessions(self) -> None:
        """All sessions of the service at once, as a restarted pooler or firewall would."""
        with contextlib.suppress(psycopg.OperationalError), self._fleet.house.database() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'billing_service'"
            )
            self._note("sessions ended")

    async def _cut(self) -> None:
        """A few commits of the second server lose their connection, on the way there or back."""
        for _ in range(self._chance.randint(1, MOST_CUTS)):
            before = self._proxy.cuts
            moment = self._chance.choice(MOMENTS)
            self._proxy.cut_at(moment)
            await asyncio.sleep(self._chance.uniform(0.1, 0.5))
            if self._proxy.cuts > before:
                self._note(f"commit cut off {moment}")

    def _note(self, deed: str, pid: int | None = None) -> None:
        self.done[deed] += 1
        self.deeds.append((time.monotonic(), deed))
        with self._diary.open("a") as diary:
            diary.write(f"{datetime.now(UTC).isoformat()} {deed} {pid or ''}\n")

    def _one_of(self, kind: Kind) -> int | None:
        with contextlib.suppress(OSError, IndexError, ValueError):
            return self._chance.choice(self._fleet.pids(kind))
        return None

    def _session(self) -> int | None:
        with contextlib.suppress(psycopg.OperationalError), self._fleet.house.database() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'billing_service' ORDER BY pid"
            ).fetchall()
            return int(self._chance.choice(rows)[0]) if rows else None
        return None


@contextmanager
def serving(proxy: CuttingProxy) -> Iterator[None]:
    """Lets the proxy serve in a thread, again whenever the server behind it could not be reached."""
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            proxy.serve()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        proxy.close()
        thread.join(timeout=10)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
