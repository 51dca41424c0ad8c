"""Everything runs twice on one database; whichever process is killed, nothing stops for two seconds."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count, cycle
from pathlib import Path

import httpx
import pytest
import structlog

from tests.support.fleet import Fleet, Kind
from tests.support.house import all_items, by_platform, eventually, numbers_of, paid, send
from tests.support.stalls import Pulse, longest_stalls

pytestmark = pytest.mark.slow

_log = structlog.get_logger(__name__)

LONGEST_STALL_SECONDS = 2.0
"""Beyond what clients of a fleet see whose processes are left alone, which tells how busy this machine is."""

CONTROL_SECONDS = 5.0
COMMAND_CLIENTS = 3
PAUSE_SECONDS = 0.05
PLATFORM = "several-processes-ltd"

KILLS: tuple[tuple[Kind, signal.Signals, bool], ...] = (
    ("api", signal.SIGKILL, False),
    ("api", signal.SIGTERM, False),
    ("api parent", signal.SIGKILL, False),
    ("api parent", signal.SIGTERM, False),
    ("serve", signal.SIGKILL, True),
    ("projections", signal.SIGKILL, False),
    ("projections", signal.SIGTERM, False),
    ("issuer", signal.SIGKILL, False),
    ("issuer", signal.SIGTERM, False),
    ("work", signal.SIGKILL, False),
    ("work", signal.SIGKILL, True),
    ("work", signal.SIGTERM, False),
)
"""What is killed, how, and whether with everything below it."""


class Watch:
    """Clients that never stop asking, and the moments at which each of them was served."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._stopping = threading.Event()
        self._commands = [Pulse(f"commands {number}") for number in range(COMMAND_CLIENTS)]
        self._documents = Pulse("documents")
        self._read_models = Pulse("read models")
        self.acknowledged: list[str] = []

    @property
    def pulses(self) -> tuple[Pulse, ...]:
        """Everything that is watched."""
        return (*self._commands, self._documents, self._read_models)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Asks in the background, from the first document on."""
        tasks: list[Callable[[], None]] = [partial(self._open_series, pulse) for pulse in self._commands]
        tasks += [self._pay_orders, self._look_at_read_models]
        with ThreadPoolExecutor(len(tasks)) as pool:
            running: list[Future[None]] = [pool.submit(task) for task in tasks]
            try:
                eventually(lambda: self._documents.moments or any(task.done() for task in running))
                yield
            finally:
                self._stopping.set()
            for future in running:
                future.result()

    def _open_series(self, pulse: Pulse) -> None:
        def open_one(client: httpx.Client, number: int) -> bool:
            issuer = f"{pulse.name}/{number}".replace(" ", "-")
            body = {"countryCode": "GB", "issuerEntityId": issuer, "docType": "RECEIPT"}
            answer = client.post("/v1/number-series", json=body)
            assert answer.status_code in {200, 201, 503}, answer.text
            return answer.is_success

        self._insist(pulse, open_one)

    def _pay_orders(self) -> None:
        parties = by_platform(PLATFORM)

        def pay(client: httpx.Client, number: int) -> bool:
            order_id = f"watched-{number}"
            answer = send(client, paid(order_id, orderPartySnapshot=parties))
            assert answer.status_code in {200, 202, 503}, answer.text
            if answer.is_success:
                self.acknowledged.append(order_id)
            # 202 says that the order is taken; the same again says when its document is issued.
            return answer.status_code == 200

        self._insist(self._documents, pay)

    def _insist(self, pulse: Pulse, ask: Callable[[httpx.Client, int], bool]) -> None:
        """Asks one thing after the other, each of one server after the other until it is done."""
        with contextlib.ExitStack() as opened:
            clients = cycle(
                [
                    opened.enter_context(self._fleet.house.client("SUPER_ADMIN", url=url))
                    for url in self._fleet.urls
                ]
            )
            client = next(clients)
            for number in count():
                while not self._stopping.is_set():
                    with contextlib.suppress(httpx.TransportError):
                        if ask(client, number):
                            pulse.beat()
                            break
                    client = next(clients)
                if self._stopping.wait(PAUSE_SECONDS):
                    return

    def _look_at_read_models(self) -> None:
        """They live where the slowest of them moved, or has nothing to do."""
        seen = -1
        look = """
            SELECT coalesce(min(position), 0), (SELECT position FROM ledger.event_head)
            FROM readmodel.tracking
        """
        with self._fleet.house.database() as connection:
            while not self._stopping.wait(PAUSE_SECONDS):
                ((position, head),) = connection.execute(look).fetchall()
                if position != seen or position >= head:
                    self._read_models.beat()
                seen = position


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet") / "data") as fleet:
        yield fleet


def _kill(fleet: Fleet, pid: int, number: signal.Signals, *, with_all_below: bool) -> None:
    for each in fleet.tree(pid) if with_all_below else [pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_whichever_process_is_killed_nothing_is_lost_and_nothing_stops_for_two_seconds(fleet: Fleet) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    watch = Watch(fleet)
    stalls: dict[str, dict[str, float]] = {}
    with watch.watching():
        started = time.monotonic()
        time.sleep(CONTROL_SECONDS)
        undisturbed = longest_stalls(watch.pulses, started, time.monotonic())
        for kind, number, with_all_below in chance.sample(KILLS, len(KILLS)):
            time.sleep(chance.uniform(0, 0.5))
            started = time.monotonic()
            _kill(fleet, chance.choice(fleet.pids(kind)), number, with_all_below=with_all_below)
            eventually(fleet.is_whole)
            below = " with all below" if with_all_below else ""
            stalls[f"{number.name} {kind}{below}"] = longest_stalls(watch.pulses, started, time.monotonic())
    _log.info("several processes", seed=seed, undisturbed=undisturbed, stalls=stalls)
    for what, found in stalls.items():
        for name, seconds in found.items():
            assert seconds - undisturbed[name] <= LONGEST_STALL_SECONDS, (seed, what, name, seconds)
    _nothing_is_lost(fleet, watch.acknowledged)


def _nothing_is_lost(fleet: Fleet, acknowledged: list[str]) -> None:
    """Each order that was ever acknowledged has its one document, and the numbers have no gap."""
    fleet.house.catch_up()
    with fleet.house.client("AUDITOR") as auditor:
        rows = all_items(auditor, "/v1/documents", issuerEntityId=PLATFORM)
    assert set(acknowledged) <= {row["orderId"] for row in rows}
    assert len({row["orderId"] for row in rows}) == len(rows)
    sequences, holders = numbers_of(fleet.house, PLATFORM)
    assert sequences == list(range(1, len(rows) + 1))
    for document_id in holders:
        fleet.house.wait_for_issue(document_id)


@pytest.mark.parametrize("kind", ["projections", "issuer"])
def test_an_owner_that_is_stopped_loses_what_it_owns_to_the_one_that_stands_by(
    fleet: Fleet, kind: Kind
) -> None:
    eventually(fleet.is_whole)
    for number, pid in enumerate(fleet.pids(kind)):
        os.kill(pid, signal.SIGSTOP)
        try:
            # As many orders as make sure that every shard of the documents has one.
            documents = [paid(f"stopped-{kind}-{number}-{order}") for order in range(8)]
            for event in documents:
                fleet.house.issued(event)
            fleet.house.catch_up()
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(fleet.is_whole)
    fleet.house.issued(paid(f"stopped-{kind}-afterwards"))


def test_an_api_process_that_dies_again_and_again_takes_no_other_along(fleet: Fleet) -> None:
    eventually(fleet.is_whole)
    dying, *others = fleet.pids("api")
    parents = set(fleet.pids("api parent"))
    for _ in range(3):
        _kill(fleet, dying, signal.SIGKILL, with_all_below=False)
        dying = eventually(lambda: next((pid for pid in fleet.pids("api") if pid not in others), 0))
    assert set(fleet.pids("api")) == {dying, *others}, "the others went on"
    assert len(parents & set(fleet.pids("api parent"))) == len(parents) - 1
    eventually(fleet.is_whole)
