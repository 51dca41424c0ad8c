"""A stream of a thousand events from stored bytes to state, against reading the same JSON into dicts."""

import json

from benchmarks import workloads
from benchmarks.harness import Bench
from benchmarks.ledgers import lengthen, rows_of
from benchmarks.results import Result, Target, repeats_per_second, side_by_side
from domain.numbering.series import NUMBER_SERIES
from domain.streams import REGISTRY
from interfaces.bootstrap import event_reader

STREAM = NUMBER_SERIES.stream("GB:platform-folded:RECEIPT")
EVENTS = 1_000


def measure_folding(bench: Bench) -> list[Result]:
    """Events a second of processor time, in one process."""
    ledger = bench.ledger("folding")
    workloads.commit_one(ledger, workloads.one_number(STREAM))
    lengthen(ledger, STREAM, EVENTS)
    rows = rows_of(ledger, STREAM)
    reader = event_reader(ledger.settings)
    with ledger.connect() as connection:

        def fold() -> None:
            state = REGISTRY.fold(STREAM, [event.fact for event in reader.read(connection, rows)])
            assert state.assigned == EVENTS - 1

        def read() -> None:
            for row in rows:
                json.loads(row.state)

        rounds = side_by_side(
            lambda: EVENTS * repeats_per_second(fold, bench.scale.seconds / 3),
            lambda: EVENTS * repeats_per_second(read, bench.scale.seconds / 3),
            bench.scale.rounds,
        )
    return [
        rounds.result(
            "folding",
            f"a stream of {EVENTS:,} events from bytes to state",
            "events/s",
            "json.loads of the same bytes",
            targets=(Target("value", "≥", 100_000),),
        )
    ]
