"""The bench: one PostgreSQL with commits as slow as on a real disk, ledgers on it, processes around it."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks import http_client
from benchmarks.slow_disk import SlowDisk, slow_disk
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from interfaces.bootstrap import System, build_system
from projections.registry import PROJECTIONS
from tests.support.house import House, end, eventually, free_port

CALLERS = 32

PATIENCE_SECONDS = 600.0

_BEHIND = f"""
SELECT count(*) < {len(PROJECTIONS)} OR min(tracking.position) < max(head.position)
FROM ledger.event_head AS head, readmodel.tracking
"""


@dataclass(frozen=True)
class Scale:
    """How much is done. The speed on a ledger of `small_events` is compared with that on each larger one."""

    name: str
    rounds: int
    seconds: float
    small_events: int
    large_events: tuple[int, ...]
    projected_events: int
    documents: int
    invoices: int
    series_numbers: int
    stream_events: int


QUICK = Scale("quick", 5, 2.0, 1_000, (100_000,), 50_000, 100_000, 4_000, 100_000, 20_000)
FULL = Scale("full", 7, 4.0, 1_000, (1_000_000, 10_000_000), 300_000, 1_000_000, 8_000, 1_000_000, 100_000)
SMOKE = Scale("smoke", 1, 0.2, 100, (1_000,), 500, 100, 10, 1_000, 500)
SCALES = {scale.name: scale for scale in (QUICK, FULL, SMOKE)}


@dataclass(frozen=True)
class Ledger:
    """A migrated database with keys and a vault of its own."""

    admin_url: str
    data_dir: Path

    @property
    def settings(self) -> Settings:
        """The settings under which the service works on it."""
        return Settings(data_dir=self.data_dir, database_url=self.admin_url)

    @property
    def house(self) -> House:
        """What starts the service's processes on it."""
        return House(self.data_dir, {"BILLING_DATABASE_URL": self.admin_url})

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(self.admin_url, autocommit=True)

    @contextlib.contextmanager
    def serving(self) -> Iterator["Api"]:
        """One API worker on it, which nothing supervises."""
        house = self.house
        port = free_port()
        with running(house, ["-m", "interfaces.cli.main", "serve", "--worker", "0"], port) as process:
            wait_until_live(port, process, house.log_path)
            yield Api(port, house.token("FINANCE_ADMIN", "AUDITOR", "SYSTEM"))

    @contextlib.contextmanager
    def projecting(self) -> Iterator[None]:
        """The worker that keeps the read models, once they show all there is."""
        house = self.house
        with running(house, ["-m", "interfaces.cli.main", "work", "--projections"], free_port()) as process:
            with self.connect() as connection:

                def caught_up() -> bool:
                    assert process.poll() is None, house.log_path.read_text()[-2000:]
                    return connection.execute(_BEHIND).fetchone() == (False,)

                eventually(caught_up, seconds=PATIENCE_SECONDS)
            yield


@dataclass(frozen=True)
class Api:
    """Where an API listens on this machine, and a bearer token that it takes."""

    port: int
    token: str


@contextlib.contextmanager
def running(
    house: House, arguments: list[str], port: int, **settings: Any
) -> "Iterator[subprocess.Popen[bytes]]":
    """A Python process with the house's settings and more, ended afterwards."""
    process = house.spawn(arguments, port, **settings)
    try:
        yield process
    finally:
        end(process)


def wait_until_live(port: int, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    """Returns once a server answers; it need not be ready, for its read models may be behind on purpose."""

    def look() -> bool:
        assert process.poll() is None, log_path.read_text()[-2000:]
        with contextlib.suppress(OSError), http_client.Client(port) as client:
            return client.ask(http_client.request("GET", "/health/live", "")).status == 200
        return False

    eventually(look)


@contextlib.asynccontextmanager
async def system_of(ledger: Ledger) -> Any:
    """The service's own objects on a ledger, started in this process."""
    system: System = build_system(ledger.settings, renderer=DirectRenderer())
    await system.start()
    try:
        yield system
    finally:
        await system.stop()


@dataclass
class Bench:
    """The server of a run. `ledger` gives databases on it."""

    server: EmbeddedPostgres
    folder: Path
    scale: Scale
    disk: SlowDisk
    _ledgers: dict[str, Ledger] = field(default_factory=dict)

    def ledger(self, name: str) -> Ledger:
        """The empty ledger of that name, made when it is first asked for."""
        if name not in self._ledgers:
            parts = urlsplit(self.server.admin_url)
            with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
                statement = sql.SQL("CREATE DATABASE {} OWNER billing_owner TEMPLATE template0")
                connection.execute(statement.format(sql.Identifier(name)))
            ledger = Ledger(parts._replace(path=f"/{name}").geturl(), self.folder / name)
            environment = {
                "BILLING_DATA_DIR": str(ledger.data_dir),
                "BILLING_DATABASE_URL": ledger.admin_url,
            }
            subprocess.run(
                [sys.executable, "-m", "interfaces.cli.main", "migrate"],
                env={**os.environ, **environment},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            self._ledgers[name] = ledger
        return self._ledgers[name]

    def drop(self, name: str) -> None:
        """Drops a ledger that no measurement needs any more."""
        if self._ledgers.pop(name, None) is not None:
            with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def bench(scale: Scale) -> Iterator[Bench]:
    """A server in a temporary folder on a slow disk."""
    with tempfile.TemporaryDirectory(prefix="billing-benchmark-") as name, slow_disk(Path(name)) as disk:
        folder = Path(name)
        with EmbeddedPostgres(folder / "server") as server:
            with psycopg.connect(server.admin_url, autocommit=True) as connection:
                for setting, value in {**disk.settings, "max_wal_size": "16GB"}.items():
                    statement = sql.SQL("ALTER SYSTEM SET {} = {}")
                    connection.execute(statement.format(sql.Identifier(setting), sql.Literal(value)))
                connection.execute("SELECT pg_reload_conf()")
            yield Bench(server, folder, scale, disk)
