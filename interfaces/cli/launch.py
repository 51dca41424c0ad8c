"""Starting the processes: everything at once under one supervisor, or each alone (architecture §5)."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import psycopg
import structlog
import typer
from granian import Granian
from granian.constants import Interfaces

from application.issuing import IssuingLoop
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.keys.store import KeyStore
from infrastructure.migrations import migrate
from infrastructure.readstore.ownership import Ownership
from infrastructure.settings import Settings
from infrastructure.supervisor import Child, Supervisor
from infrastructure.vault.folder import FolderVault
from interfaces.bootstrap import System, build_system, database_urls, issuing_loop, projection_runners
from interfaces.cli.demo import load_demo_orders

log = structlog.get_logger(__name__)

STEP_SECONDS = 0.005
STANDBY_SECONDS = 0.5
UNREACHABLE_SECONDS = 1.0


def run(settings: Settings) -> None:
    """Runs PostgreSQL, API and worker until a signal. Raises `PostgresUnavailable`, `MigrationRefused`."""
    data_dir = settings.data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = None
        if not settings.database_url:
            postgres = stack.enter_context(EmbeddedPostgres(data_dir))
        KeyStore.create(data_dir / "keys")
        FolderVault.initialise(settings.vault_folder)
        migrate(database_urls(settings).admin)
        typer.echo(_welcome(settings))
        if settings.demo:
            threading.Thread(target=load_demo_orders, args=(settings,), daemon=True).start()
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(_empty_folder(data_dir / "metrics"))}
        children = [
            Child(name, (sys.executable, "-m", "interfaces.cli.main", name), environment)
            for name in ("work", "serve")
        ]
        Supervisor(children, postgres.ensure_running if postgres else _nothing).run_until_signal()


def serve(settings: Settings) -> None:
    """Runs the API until a signal."""
    Granian(
        "interfaces.asgi:create",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=10,
        log_enabled=False,
    ).serve()


def work(settings: Settings) -> None:
    """Runs projections and the issuing of documents until a signal."""
    asyncio.run(_work(build_system(settings, render_processes=settings.render_processes)))


async def _work(system: System) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await system.start()
    runners = projection_runners(system)
    for runner in runners:
        runner.start()
    log.info("worker-started")
    try:
        await _issue(system, issuing_loop(system), stopping)
    finally:
        for runner in runners:
            await asyncio.to_thread(runner.stop)
        await system.stop()
    log.info("worker-stopped")


async def _issue(system: System, loop: IssuingLoop, stopping: asyncio.Event) -> None:
    """Issues while this worker owns the issuing; another worker stands by and takes over."""
    ownership = Ownership(system.service_url, "issuing")
    while not stopping.is_set():
        pause_seconds = STEP_SECONDS
        try:
            if await asyncio.to_thread(ownership.held):
                await loop.step()
            else:
                pause_seconds = STANDBY_SECONDS
        except psycopg.OperationalError as error:
            log.warning("issuing-interrupted", error=type(error).__name__)
            pause_seconds = UNREACHABLE_SECONDS
        except Exception:
            log.exception("issuing-interrupted")
            pause_seconds = UNREACHABLE_SECONDS
        await _sleep(stopping, pause_seconds)
    await loop.drain()
    ownership.release()


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
    except TimeoutError:
        return


def _empty_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _nothing() -> None:
    return


def _welcome(settings: Settings) -> str:
    billing = Path(sys.executable).with_name("billing")
    shown = os.path.relpath(billing)
    return (
        f"billing-docs listens on {settings.base_url}\n"
        f"  contract: {settings.base_url}/schema\n"
        f"  a token:  {shown} token --sub ana --role FINANCE_ADMIN"
    )
