"""Replaying, verifying and rebuilding from the command line, over the database."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from application.verification import Verification
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from infrastructure.eventstore.proof import LedgerWalk
from infrastructure.eventstore.recorder import LedgerRecorder
from infrastructure.eventstore.replaying import replay_ledger
from infrastructure.eventstore.rows import EventRow, originator_id
from infrastructure.readstore.rebuilding import Difference, rebuild_projection
from infrastructure.settings import Settings
from interfaces.bootstrap import build_system, database_urls, event_reader
from interfaces.cli.invocation import EXIT_CHECK_FAILED, AsJson, connected, settings_of_command
from projections.projection import Projection
from projections.registry import PROJECTIONS, PROJECTIONS_BY_NAME

BATCH_EVENTS = 1000

ProjectionName = Annotated[str | None, typer.Option("--projection", help="Only this one.")]

verify_app = typer.Typer(help="Proves that nothing was altered.", no_args_is_help=True)


@verify_app.command("ledger")
def verify_ledger(as_json: AsJson = False) -> None:
    """Walks every event: positions, versions, times, hashes; exit 1 with the findings.

    Example: billing verify ledger
    """
    walk = LedgerWalk()
    with connected(settings_of_command()) as connection:
        recorder = LedgerRecorder(connection)
        head = recorder.max_notification_id() or 0
        for row in _rows(recorder, head):
            walk.take(row)
        walk.finish(head)
    result = {"valid": not walk.problems, "events": head, "findings": walk.problems}
    if as_json:
        typer.echo(json.dumps(result))
    else:
        typer.echo("\n".join(walk.problems) or f"{head} events, every one as it was recorded.")
    _exit(failed=bool(walk.problems))


@verify_app.command("document")
def verify_document(document_id: str, as_json: AsJson = False) -> None:
    """Proves a document: bytes, seal, template, ledger; exit 1 if a check fails.

    Example: billing verify document 3f0c6a1e-…
    """
    verification = asyncio.run(_verification(document_id))
    checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in verification.checks]
    if as_json:
        typer.echo(json.dumps({"valid": verification.valid, "checks": checks}))
    else:
        for check in checks:
            typer.echo(f"{'ok    ' if check['ok'] else 'FAILED'} {check['name']}: {check['detail']}")
    _exit(failed=not verification.valid)


def replay(
    stream: Annotated[str | None, typer.Argument(help="A stream, as type/id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every stream.")] = False,
    at: Annotated[
        int | None,
        typer.Option("--at", help="Only up to this version; with --all: to this ledger position.", min=1),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Also fold anew what read models such events make, and compare.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Folds a stream, or the whole ledger, from its events; exit 1 if something does not fold or differs.

    Example: billing replay order/536365 --at 1
    """
    if everything == (stream is not None):
        raise typer.BadParameter("Name a stream as type/id, or give --all.")
    if diff and at is not None:
        raise typer.BadParameter("--diff compares with read models, and those show no past: leave --at out.")
    if everything:
        _replay_all(at, diff=diff, as_json=as_json)
        return
    stream_type, _, stream_id = (stream or "").partition("/")
    if not stream_id or not REGISTRY.has_stream_type(stream_type):
        raise typer.BadParameter(f"{stream} is not a stream, such as order/536365.")
    _replay_stream(StreamId(stream_type, stream_id), at, diff=diff, as_json=as_json)


def rebuild(
    projection: ProjectionName = None,
    diff: Annotated[bool, typer.Option("--diff", help="Only compare; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Folds read models anew beside the live ones, compares them, then swaps; exit 1 if rows differed.

    Example: billing rebuild --projection documents --diff
    """
    if projection is not None and projection not in PROJECTIONS_BY_NAME:
        raise typer.BadParameter(f"There is no {projection}: {', '.join(PROJECTIONS_BY_NAME)}.")
    wanted = [item for item in PROJECTIONS if projection in {None, item.name}]
    _tell_differences(_rebuilt(settings_of_command(), wanted, swap=not diff), as_json=as_json)


def _replay_stream(stream: StreamId, at: int | None, *, diff: bool, as_json: bool) -> None:
    settings = settings_of_command()
    with connected(settings) as connection:
        rows = LedgerRecorder(connection).select_events(originator_id(stream), lte=at)
        history = event_reader(settings).read(connection, rows)
    name = f"{stream.type}/{stream.id}"
    if not history:
        typer.echo(f"There is no {name}.")
        raise typer.Exit(EXIT_CHECK_FAILED)
    folded = REGISTRY.fold(stream, [event.fact for event in history])
    state = folded.model_dump(mode="json", by_alias=True, exclude_none=True)
    events = [_event_line(event) for event in history]
    replayed = {"stream": name, "version": len(history), "events": events, "state": state}
    if not as_json:
        for event in events:
            typer.echo(f"{event['position']:>9} {event['recordedAt']} {event['type']} by {event['actor']}")
        typer.echo(json.dumps(state, indent=2, ensure_ascii=False))
    if diff:
        concerned = [item for item in PROJECTIONS if _folds_events_of(item, stream.type)]
        _tell_differences(_rebuilt(settings, concerned, swap=False), as_json=as_json, beside=replayed)
    elif as_json:
        typer.echo(json.dumps(replayed))


def _folds_events_of(projection: Projection, stream_type: str) -> bool:
    return any(name.startswith(f"{stream_type}.") for name in projection.event_names)


def _replay_all(at: int | None, *, diff: bool, as_json: bool) -> None:
    settings = settings_of_command()
    with connected(settings) as connection:
        head = at or LedgerRecorder(connection).max_notification_id() or 0
        replay = replay_ledger(connection, REGISTRY, event_reader(settings), head)
    replayed = {"events": replay.events, "streams": replay.streams, "findings": replay.problems}
    if not as_json:
        summary_line = f"{replay.events} events fold to {replay.streams} streams."
        typer.echo("\n".join(replay.problems) or summary_line)
    if diff and not replay.problems:
        _tell_differences(_rebuilt(settings, PROJECTIONS, swap=False), as_json=as_json, beside=replayed)
    elif as_json:
        typer.echo(json.dumps(replayed))
    _exit(failed=bool(replay.problems))


def _rebuilt(settings: Settings, projections: Iterable[Projection], *, swap: bool) -> list[Difference]:
    url, reader = database_urls(settings).service, event_reader(settings)
    return [found for item in projections for found in rebuild_projection(url, item, reader, swap=swap)]


def _tell_differences(
    differences: list[Difference], *, as_json: bool, beside: Mapping[str, Any] | None = None
) -> None:
    """Ends the command. `beside` is what its JSON says besides."""
    rows = [
        {
            "projection": found.projection,
            "table": found.table,
            "position": found.position,
            "rows": found.rows,
            "onlyLive": found.only_live,
            "onlyRebuilt": found.only_rebuilt,
        }
        for found in differences
    ]
    if as_json:
        equal = not any(found.found for found in differences)
        typer.echo(json.dumps({**(beside or {}), "equal": equal, "tables": rows}))
    else:
        for row in rows:
            typer.echo(
                f"{row['table']:24} {row['rows']:>9} rows at position {row['position']}:"
                f" {row['onlyLive']} only live, {row['onlyRebuilt']} only rebuilt"
            )
    _exit(failed=any(found.found for found in differences))


async def _verification(document_id: str) -> Verification:
    system = build_system(settings_of_command())
    await system.start()
    try:
        # A reachable database is asked for first, so that an unreachable one is not taken for a finding.
        await system.ledger.head_position()
        return await system.verifier.verify(document_id)
    finally:
        await system.stop()


def _rows(recorder: LedgerRecorder, head: int) -> Iterator[EventRow]:
    position = 0
    while rows := recorder.select_notifications(position, BATCH_EVENTS, stop=head, inclusive_of_start=False):
        yield from rows
        position = rows[-1].id


def _event_line(event: RecordedEvent) -> dict[str, Any]:
    return {
        "position": event.position,
        "version": event.version,
        "type": event.name,
        "recordedAt": event.recorded_at.isoformat(),
        "actor": event.actor,
        "data": event.data,
    }


def _exit(*, failed: bool) -> None:
    raise typer.Exit(EXIT_CHECK_FAILED if failed else 0)
