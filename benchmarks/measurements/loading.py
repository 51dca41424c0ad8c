"""What the first command on a long stream costs a process that has never seen the stream."""

import asyncio
import time

from benchmarks import workloads
from benchmarks.harness import PATIENCE_SECONDS, Bench, Ledger, system_of
from benchmarks.ledgers import lengthen
from benchmarks.results import Result, Target, side_by_side
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES
from tests.support.house import eventually

SHORT = NUMBER_SERIES.stream("GB:platform-short:RECEIPT")


def measure_loading(bench: Bench) -> list[Result]:
    """A long series and a stream a tenth as long, each against a series of three numbers."""
    ledger = bench.ledger("loading")
    return [
        _measured(bench, ledger, "series", bench.scale.series_numbers),
        _measured(bench, ledger, "stream", bench.scale.stream_events),
    ]


def _measured(bench: Bench, ledger: Ledger, name: str, events: int) -> Result:
    stream = NUMBER_SERIES.stream(f"GB:platform-{name}:RECEIPT")
    for each in (stream, SHORT):
        workloads.commit_one(ledger, workloads.one_number(each))
    lengthen(ledger, stream, events)
    with ledger.projecting():
        eventually(lambda: _is_snapshotted(ledger, stream), seconds=PATIENCE_SECONDS)
    rounds = side_by_side(
        lambda: first_command_ms(ledger, stream), lambda: first_command_ms(ledger, SHORT), bench.scale.rounds
    )
    return rounds.result(
        f"loading-{name}",
        f"the first number of a series of {events:,} events in a fresh process",
        "ms",
        "the same of a short series",
        targets=(Target("value", "<", 20),),
    )


def _is_snapshotted(ledger: Ledger, stream: StreamId) -> bool:
    with ledger.connect() as connection:
        found = connection.execute(
            "SELECT max(e.version) - max(s.version) < 1000 FROM ledger.event AS e"
            " JOIN ledger.snapshot AS s USING (stream_type, stream_id)"
            " WHERE (stream_type, stream_id) = (%s, %s)",
            tuple(stream),
        ).fetchone()
    return found == (True,)


def first_command_ms(ledger: Ledger, series: StreamId) -> float:
    """A number of the series from a process whose cache is empty and whose connection is open."""

    async def run() -> float:
        async with system_of(ledger) as system:
            await system.ledger.commit(workloads.opening_a_series(system))
            command = workloads.one_number(series)(system)
            started = time.perf_counter()
            await system.ledger.commit(command)
            return (time.perf_counter() - started) * 1000

    return asyncio.run(run())
