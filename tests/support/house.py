"""A real house for tests: `billing run` with a data folder, a PostgreSQL and a port of its own."""

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import httpx
import psycopg

from infrastructure.bound_process import bound_command
from infrastructure.embedded_postgres import admin_url
from infrastructure.identity import LocalTokens
from infrastructure.keys.store import KeyStore
from infrastructure.settings import LOCAL_ISSUER
from tests.support.snapshots import order_data

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120.0
"""Long after what is waited for comes on a busy machine."""
ONE_EVENT = "application/cloudevents+json"
BATCH_OF_EVENTS = "application/cloudevents-batch+json"
TOKEN_SECONDS = 3600

T = TypeVar("T")
Part = Literal["api", "serve", "work", "projections", "issuer", "simulate-gateways", "postmaster"]


def eventually(look: Callable[[], T], *, seconds: float = DEADLINE_SECONDS) -> T:
    """What `look` gives once it is true; an assertion fails where that never comes."""
    give_up_at = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up_at, "what was waited for did not come"
        time.sleep(0.02)
    return found


def cloud_event(event_type: str, data: Mapping[str, Any], event_id: str, **attributes: Any) -> dict[str, Any]:
    """A CloudEvent as upstream sends it."""
    envelope = {"specversion": "1.0", "id": event_id, "source": "urn:test:upstream", "type": event_type}
    return {**envelope, "data": dict(data), **attributes}


def paid(order_id: str, event_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """The event of a paid order; `changes` replace top-level fields of its data."""
    return cloud_event(
        "orders.PAID_IN_ESCROW", order_data(order_id, **changes), event_id or f"paid/{order_id}"
    )


def by_platform(platform_id: str, buyer_id: str = "buyer-17", seller_id: str = "seller-4") -> dict[str, Any]:
    """A party snapshot with these ids, for orders in a series and with owners of their own."""
    parties: dict[str, Any] = order_data()["orderPartySnapshot"]
    for role, party_id in (("platform", platform_id), ("buyer", buyer_id), ("seller", seller_id)):
        parties[role] = {**parties[role], "partyId": party_id}
    return parties


@dataclass
class House:
    """A context manager, or `start` and `stop`. `settings` are environment variables to add."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    _main: "subprocess.Popen[bytes] | None" = None
    _second: "tuple[str, subprocess.Popen[bytes]] | None" = None

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        """What every process of the house wrote."""
        return self.data_dir.with_name(f"{self.data_dir.name}.log")

    def logged(self, trace_id: str) -> dict[str, Any]:
        """The line of a request, which is written once its answer is sent."""

        def look() -> list[dict[str, Any]]:
            whole = self.log_path.read_text(encoding="utf-8").rpartition("\n")[0]
            of_trace = (json.loads(line) for line in whole.splitlines() if trace_id in line)
            return [line for line in of_trace if line["event"] == "request"]

        (line,) = eventually(look)
        return line

    def start(self) -> Self:
        """Starts every process and returns once the house is ready."""
        self.port = self.port or free_port()
        self._main = self.spawn(["-m", "interfaces.cli.main", "run"], self.port)
        self.wait_until_back()
        return self

    def wait_until_back(self) -> None:
        """Returns once the house is ready, again where a process of it was killed."""
        assert self._main is not None, "the house is not running"
        wait_until_ready(self.url, self._main, self.log_path)

    def stop(self) -> None:
        """Ends the house as Ctrl-C would."""
        if self._second is not None:
            end(self._second[1])
        if self._main is not None:
            end(self._main)
        self._second = self._main = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def spawn(
        self, arguments: Sequence[str], port: int, *, piped: bool = False, **settings: str
    ) -> "subprocess.Popen[bytes]":
        """A Python process with this house's settings and more; it ends with the tests, however they end.

        What it writes goes to the house's log; its standard output to a pipe, if it is to be read.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLING_")}
        environment = {
            **inherited,
            "BILLING_DATA_DIR": str(self.data_dir),
            "BILLING_PORT": str(port),
            "BILLING_ISSUERS": "1",
            **self.settings,
            **settings,
        }
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                bound_command([sys.executable, *arguments], death_signal=signal.SIGTERM),
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else log,
                stderr=log,
                start_new_session=True,
            )

    def second_url(self) -> str:
        """A second API on another port against the same database, started when somebody first asks for it."""
        if self._second is None:
            port = free_port()
            process = self.spawn(["-m", "interfaces.cli.main", "serve", "--worker", "0"], port)
            self._second = f"http://127.0.0.1:{port}", process
            wait_until_ready(*self._second, self.log_path)
        return self._second[0]

    def pid(self, part: Part) -> int:
        """The process that plays that part now.

        `serve` watches over `api`, which answers requests, and `work` over `projections` and `issuer`.
        """
        assert self._main is not None, "the house is not running"
        if part == "postmaster":
            return int((self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        if part == "api":
            return eventually(lambda: child_pid(self.pid("serve"), "interfaces.cli.main\0serve"))
        if part in {"projections", "issuer"}:
            return eventually(lambda: child_pid(self.pid("work"), f"--{part}"))
        main = self._main
        return eventually(lambda: child_pid(main.pid, f"interfaces.cli.main\0{part}"))

    def main_pid(self) -> int:
        """The supervisor of everything."""
        assert self._main is not None, "the house is not running"
        return self._main.pid

    def kill(self, part: Part) -> int:
        """Kills a process of the house as the kernel would (SIGKILL); returns its id."""
        return self.signal(part, signal.SIGKILL)

    def signal(self, part: Part, number: signal.Signals) -> int:
        """Sends a signal to a process of the house; returns its id."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    @contextlib.contextmanager
    def without_worker(self) -> Iterator[None]:
        """A while in which nothing is issued and no read model moves, because the worker is stopped."""
        pids = [self.signal("issuer", signal.SIGSTOP), self.signal("projections", signal.SIGSTOP)]
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def token(self, *roles: str, sub: str = "ana", ttl_seconds: int = TOKEN_SECONDS, **claims: Any) -> str:
        """A bearer token made with the house's own key pair."""
        tokens = LocalTokens(KeyStore(self.data_dir / "keys").jwt, LOCAL_ISSUER, LOCAL_ISSUER)
        return tokens.issue(sub=sub, now=datetime.now(UTC), ttl_seconds=ttl_seconds, roles=roles, **claims)

    def client(self, *roles: str, url: str | None = None, **claims: Any) -> httpx.Client:
        """A client with such a token, or without any where neither a role nor a claim is given."""
        headers = {}
        if roles or claims:
            headers["Authorization"] = f"Bearer {self.token(*roles, **claims)}"
        # It speaks plain HTTP: reading the machine's certificates would take longer than most requests.
        return httpx.Client(
            base_url=url or self.url, headers=headers, timeout=30, trust_env=False, verify=False
        )

    def post(self, event: Any, **headers: str) -> httpx.Response:
        """Sends one event, or a list of them as a batch, as SYSTEM."""
        with self.client("SYSTEM", sub="orders-service") as client:
            return send(client, event, **headers)

    def issued(self, event: dict[str, Any]) -> dict[str, Any]:
        """Sends an event and returns its only document's detail, once that is ISSUED."""
        answer = self.post(event)
        assert answer.status_code in {200, 202}, answer.text
        (document,) = answer.json()["results"][0]["documents"]
        return self.wait_for_issue(document["documentId"])

    def wait_for_issue(self, document_id: str) -> dict[str, Any]:
        """A document's detail as an auditor sees it, once it is ISSUED."""
        with self.client("AUDITOR", sub="auditor") as client:

            def look() -> dict[str, Any] | None:
                answer = client.get(f"/v1/documents/{document_id}")
                return answer.json() if answer.is_success and answer.json()["status"] == "ISSUED" else None

            return eventually(look)

    def catch_up(self) -> int:
        """Waits until every read model shows the whole ledger; returns its last position."""
        with self.database() as connection:
            head = connection.execute("SELECT position FROM ledger.event_head").fetchone()
            assert head is not None
            slowest = "SELECT min(position) >= %s FROM readmodel.tracking"
            eventually(lambda: connection.execute(slowest, head).fetchone() == (True,))
        return int(head[0])

    def database(self) -> psycopg.Connection[Any]:
        """The house's database as superuser, in autocommit mode."""
        return psycopg.connect(admin_url(self.data_dir), autocommit=True)


def send(client: httpx.Client, event: Any, **headers: str) -> httpx.Response:
    """Sends one event, or a list of them as a batch."""
    media_type = BATCH_OF_EVENTS if isinstance(event, list) else ONE_EVENT
    return client.post(
        "/v1/inbound/events", content=json.dumps(event), headers={"Content-Type": media_type, **headers}
    )


def pages(client: httpx.Client, path: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, one request each."""
    cursor: str | None = None
    while True:
        at = {} if cursor is None else {"cursor": cursor}
        answer = client.get(path, params={**parameters, **at})
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            return


def all_items(client: httpx.Client, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Every item of a list."""
    return [item for page in pages(client, path, **{"limit": 200, **parameters}) for item in page]


def numbers_of(house: House, platform_id: str, country: str = "GB") -> tuple[list[int], list[str]]:
    """The sequences that a platform's receipts took, in order, and who holds them; asserts no gap."""
    with house.client("AUDITOR") as auditor:
        path = f"/v1/number-series/{country}:{platform_id}:RECEIPT/numbers"
        rows = all_items(auditor, path)
        assert auditor.get(path).json()["gaps"] == []
    return [row["sequence"] for row in rows], [row["documentId"] for row in rows]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    """Returns once the service answers that it is ready; fails with its log where the process ends first."""

    def look() -> bool:
        assert process.poll() is None, log_path.read_text()[-4000:]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/health/ready", timeout=10, trust_env=False, verify=False).is_success
        return False

    eventually(look)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a process that was started in a session of its own, by force if it takes too long."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def child_pid(parent_pid: int, in_command: str) -> int:
    """A living child with that in its command line; 0 while there is none."""
    return next(iter(_children(parent_pid, in_command)), 0)


def _children(parent_pid: int, in_command: str) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == parent_pid and state != "Z" and in_command in (entry / "cmdline").read_text():
                yield int(entry.name)


@functools.cache
def shared_house() -> House:
    """The house of all tests that leave it whole, started once in this process and ended with it."""
    folder = Path(tempfile.mkdtemp(prefix="billing-house-"))
    house = House(folder / "data").start()

    def leave() -> None:
        house.stop()
        shutil.rmtree(folder)

    atexit.register(leave)
    return house
