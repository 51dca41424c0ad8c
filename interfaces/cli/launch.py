"""Starting the processes: everything at once under one supervisor, or each alone (architecture §5)."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import structlog
import typer
from granian import Granian
from granian.constants import Interfaces

from application.due_loop import DueLoop
from application.issuing import IssuingLoop
from application.stamping_work import StampingLoop
from infrastructure.collector import calm_collector
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.looping import repeat
from infrastructure.readstore.ownership import Ownership
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from infrastructure.supervisor import Child, Supervisor
from interfaces.bootstrap import System, bring_up_to_date, build_system
from interfaces.cli.demo import load_demo
from interfaces.cli.simulated_payments import SimulatedPayments, simulated_payments
from interfaces.workers import (
    ap_paying_loop,
    command_log_keeper,
    delivering_loop,
    issuing_loop,
    outbox_relay,
    paying_loop,
    projection_runners,
    resumer,
    snapshotter,
    stamping_loops,
)
from projections.documents_due import Shard

log = structlog.get_logger(__name__)

Loop = IssuingLoop | StampingLoop
"""What an issuer keeps going: it starts what it may at each step, and lets go of it in the end."""

BUSY_STEP_SECONDS = 0.005
IDLE_STEP_SECONDS = 0.025
ATTENDING_STEP_SECONDS = 0.1
ERASING_PAUSE_SECONDS = 2.0
RESUMING_PAUSE_SECONDS = 0.1
OLD_READ_MODELS_PAUSE_SECONDS = 10.0
STANDBY_SECONDS = 0.25
UNREACHABLE_SECONDS = 0.25


def run(settings: Settings) -> None:
    """Runs PostgreSQL, API and worker until a signal. Raises `PostgresUnavailable`, `MigrationRefused`."""
    require_free_port(settings)
    data_dir = settings.data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = None
        if not settings.database_url:
            postgres = stack.enter_context(EmbeddedPostgres(data_dir))
        bring_up_to_date(settings)
        simulated = simulated_payments(settings)
        typer.echo(_welcome(settings, simulated))
        if settings.demo:
            threading.Thread(target=load_demo, args=(settings,), daemon=True).start()
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(_empty_folder(data_dir / "metrics"))}
        beside: list[Child] = []
        if simulated is not None:
            environment |= simulated.environment
            beside = [simulated.child]
        stages = (beside, [_billing("work", env=environment)], _api_processes(settings, environment))
        Supervisor(stages, postgres.ensure_running if postgres else _nothing).run_until_signal()


class PortTaken(Exception):
    """Another process listens where the API should."""


def require_free_port(settings: Settings) -> None:
    """Says at once that the port is taken, before anything is started. Raises `PortTaken`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}). "
                "Stop what listens there, or set BILLING_PORT or BILLING_HOST."
            ) from error


def serve(settings: Settings) -> None:
    """Runs the API's processes until a signal. Raises `PortTaken`."""
    require_free_port(settings)
    Supervisor([_api_processes(settings, {})], _nothing).run_until_signal()


def answer(settings: Settings) -> None:
    """Runs one API process until a signal; it shares the port with the others of its supervisor.

    A server each, for one server over all of them gives up, and takes the healthy ones along, when one dies
    twice within seconds. It forks its only worker anew at the first death, which is far faster than the
    supervisor's fresh start.
    """
    Granian(
        "interfaces.asgi:create",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=1,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=10,
        log_enabled=False,
    ).serve()


def work(settings: Settings) -> None:
    """Runs the worker's processes until a signal: one for projections, `BILLING_ISSUERS` for documents."""
    children = [_billing("work", "--projections")]
    children += [_billing("work", "--issuer", str(index)) for index in range(settings.issuers)]
    Supervisor([children], _nothing).run_until_signal()


def project(settings: Settings) -> None:
    """Keeps read models, snapshots, command log; relays, delivers, pays vendors, erases."""
    asyncio.run(_project(build_system(settings, renderer=DirectRenderer())))


def issue(settings: Settings, index: int) -> None:
    """Issues one shard of the documents until a signal. A process each, for drawing is pure computation."""
    shard = Shard(index, settings.issuers)
    asyncio.run(_issue(build_system(settings, renderer=DirectRenderer()), shard))


async def _project(system: System) -> None:
    calm_collector()
    stopping = _until_signal()
    runners = projection_runners(system)
    for runner in runners:
        runner.start()
    snapshots = snapshotter(system)
    snapshots.start()
    await system.start()
    log.info("projections-started")
    await asyncio.gather(
        outbox_relay(system).run(stopping),
        command_log_keeper(system).run(stopping),
        _attend_while_owned(system, "delivering", delivering_loop(system), stopping),
        _attend_while_owned(system, "paying", paying_loop(system), stopping),
        _attend_while_owned(system, "ap-paying", ap_paying_loop(system), stopping),
        _erase_what_is_due(system, stopping),
        _drop_old_read_models(system, stopping),
        _resume_documents(system, stopping),
    )
    # All at once, for each may have been waiting for half a second.
    stops = [snapshots.stop, *(runner.stop for runner in runners)]
    await asyncio.gather(*(asyncio.to_thread(stop) for stop in stops))
    await system.stop()


async def _resume_documents(system: System, stopping: asyncio.Event) -> None:
    """Goes on with documents whose fiscal profile was completed."""
    waiting = resumer(system)

    async def resume() -> float:
        return IDLE_STEP_SECONDS if await waiting.step() else RESUMING_PAUSE_SECONDS

    await repeat("resuming", resume, stopping, again_seconds=UNREACHABLE_SECONDS)


async def _attend_while_owned(system: System, name: str, loop: DueLoop[Any], stopping: asyncio.Event) -> None:
    """Sees to what falls due while this process owns it; another worker's stands by and takes over."""
    ownership = Ownership(system.service_url, name)

    async def attend_some() -> float:
        if not (ownership.held_lately or await asyncio.to_thread(ownership.held)):
            return STANDBY_SECONDS
        await loop.step()
        return ATTENDING_STEP_SECONDS

    await repeat(name, attend_some, stopping, again_seconds=UNREACHABLE_SECONDS)
    await loop.drain()
    ownership.release()


async def _erase_what_is_due(system: System, stopping: asyncio.Event) -> None:
    """Finishes erasures. Every worker does: what two of them do at once takes effect once."""

    async def erase() -> float:
        await system.erasure.step()
        return ERASING_PAUSE_SECONDS

    await repeat("erasing", erase, stopping, again_seconds=ERASING_PAUSE_SECONDS)


async def _drop_old_read_models(system: System, stopping: asyncio.Event) -> None:
    """Drops the read models that a deployment or a killed rebuild left behind, once nobody can want them."""

    async def drop() -> float:
        await system.old_read_models.drop_given_up()
        return OLD_READ_MODELS_PAUSE_SECONDS

    await repeat("old-read-models", drop, stopping, again_seconds=ERASING_PAUSE_SECONDS)


async def _issue(system: System, shard: Shard) -> None:
    calm_collector()
    stopping = _until_signal()
    await system.start()
    log.info("issuer-started", shard=shard.index, shards=shard.count)
    try:
        loops: list[Loop] = [*stamping_loops(system, shard), issuing_loop(system, shard)]
        await _issue_while_owned(system, loops, shard, stopping)
    finally:
        await system.stop()


def _until_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


async def _issue_while_owned(
    system: System,
    loops: Sequence[Loop],
    shard: Shard,
    stopping: asyncio.Event,
) -> None:
    """Has stamped and issues while this process owns the shard; another worker's stands by and takes over."""
    ownership = Ownership(system.service_url, f"issuing:{shard.index}/{shard.count}")

    async def issue_some() -> float:
        if not (ownership.held_lately or await asyncio.to_thread(ownership.held)):
            return STANDBY_SECONDS
        busy = [await loop.step() for loop in loops]
        return BUSY_STEP_SECONDS if any(busy) else IDLE_STEP_SECONDS

    await repeat("issuing", issue_some, stopping, again_seconds=UNREACHABLE_SECONDS)
    await asyncio.gather(*(loop.drain() for loop in loops))
    ownership.release()


def _api_processes(settings: Settings, env: Mapping[str, str]) -> list[Child]:
    return [_billing("serve", "--worker", str(index), env=env) for index in range(settings.workers)]


def _billing(*arguments: str, env: Mapping[str, str] | None = None) -> Child:
    return Child(" ".join(arguments), (sys.executable, "-m", "interfaces.cli.main", *arguments), env or {})


def _empty_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _nothing() -> None:
    return


def _welcome(settings: Settings, simulated: SimulatedPayments | None) -> str:
    billing = Path(sys.executable).with_name("billing")
    shown = os.path.relpath(billing)
    lines = [
        f"billing-docs listens on {settings.base_url}",
        f"  contract: {settings.base_url}/schema",
        f"  a token:  {shown} token --sub ana --role FINANCE_ADMIN",
    ]
    if simulated is not None:
        lines.append(f"  simulated, no money moves: {', '.join(simulated.names)}")
    return "\n".join(lines)
