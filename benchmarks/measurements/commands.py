"""Commands decided and appended in one process: one event, three events, numbers of one series."""

from benchmarks import workloads
from benchmarks.harness import CALLERS, Bench
from benchmarks.references import pgbench, stock_recorder
from benchmarks.results import Result, Target, side_by_side
from domain.numbering.series import NUMBER_SERIES

ONE_SERIES = NUMBER_SERIES.stream("GB:platform-gb:RECEIPT")


def measure_commands(bench: Bench) -> list[Result]:
    """Commands of one event with their idempotency row, against one-row inserts and the stock recorder."""
    ledger, seconds = bench.ledger("commands"), bench.scale.seconds
    before = workloads.commit_one(ledger, workloads.opening_a_series)
    limit = pgbench.one_row(ledger, before)
    rounds = side_by_side(
        lambda: workloads.commands_per_second(ledger, workloads.opening_a_series, seconds),
        lambda: pgbench.transactions_per_second(ledger, limit, seconds),
        bench.scale.rounds,
    )
    stock = side_by_side(
        lambda: workloads.commands_per_second(ledger, workloads.opening_a_series, seconds),
        lambda: stock_recorder.events_per_second(ledger, before, seconds),
        max(1, bench.scale.rounds // 2),
    )
    return [
        rounds.result(
            "commands",
            f"commands of one event with idempotency row, {CALLERS} callers",
            "commands/s",
            "pgbench, one-row inserts",
            targets=(Target("ratio", "≥", 0.5),),
        ),
        stock.result(
            "commands-and-stock-recorder",
            f"the same commands, {CALLERS} callers",
            "commands/s",
            f"eventsourcing's PostgresApplicationRecorder, events without idempotency, {CALLERS} threads",
        ),
    ]


def measure_three_events(bench: Bench) -> list[Result]:
    """Commands of three events with an idempotency row, in events."""
    ledger, seconds = bench.ledger("commands"), bench.scale.seconds
    before = workloads.commit_one(ledger, workloads.opening_a_series)
    limit = pgbench.one_row(ledger, before)
    rounds = side_by_side(
        lambda: 3 * workloads.commands_per_second(ledger, workloads.three_events, seconds),
        lambda: pgbench.transactions_per_second(ledger, limit, seconds),
        bench.scale.rounds,
    )
    return [
        rounds.result(
            "three-event-commands",
            f"commands of three events with idempotency row, {CALLERS} callers",
            "events/s",
            "pgbench, one-row inserts",
            targets=(Target("ratio", "≥", 1.0),),
        )
    ]


def measure_numbers(bench: Bench) -> list[Result]:
    """Gapless numbers of one series."""
    ledger, seconds = bench.ledger("commands"), bench.scale.seconds
    number = workloads.one_number(ONE_SERIES)
    workloads.commit_one(ledger, number)
    before = workloads.commit_one(ledger, number)
    limit = pgbench.one_row(ledger, before)
    rounds = side_by_side(
        lambda: workloads.commands_per_second(ledger, number, seconds),
        lambda: pgbench.transactions_per_second(ledger, limit, seconds),
        bench.scale.rounds,
    )
    with ledger.connect() as connection:
        gaps = connection.execute(
            "SELECT max(version) - count(*) FROM ledger.event WHERE (stream_type, stream_id) = (%s, %s)",
            tuple(ONE_SERIES),
        ).fetchone()
    assert gaps == (0,), "a number is missing"
    return [
        rounds.result(
            "numbers",
            f"gapless numbers of one series, {CALLERS} callers",
            "numbers/s",
            "pgbench, one-row inserts",
            targets=(Target("ratio", "≥", 0.4),),
        )
    ]


def measure_paid_orders(bench: Bench) -> list[Result]:
    """The largest command there is: a paid order, whose parties' names are sealed on the way."""
    ledger, seconds = bench.ledger("commands"), bench.scale.seconds
    workloads.commit_one(ledger, workloads.paying_an_order)
    before = workloads.commit_one(ledger, workloads.paying_an_order)
    rows = pgbench.whole_command(ledger, before)
    rounds = side_by_side(
        lambda: workloads.commands_per_second(ledger, workloads.paying_an_order, seconds),
        lambda: pgbench.transactions_per_second(ledger, rows, seconds),
        bench.scale.rounds,
    )
    return [
        rounds.result(
            "paid-orders",
            f"paid orders read, decided and appended ({rows.events} events each), {CALLERS} callers",
            "orders/s",
            "pgbench, the same rows, nobody waiting for another",
        )
    ]
