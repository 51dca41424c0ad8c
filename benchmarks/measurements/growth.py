"""The main figures once more, on a ledger with many events against one with few."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from benchmarks import http_client, workloads
from benchmarks.harness import CALLERS, Api, Bench, Ledger
from benchmarks.ledgers import EVENTS_PER_ORDER, fill_with_copies, head_of, pay_orders
from benchmarks.measurements.document_center import fill_documents
from benchmarks.measurements.documents import imported_seconds, write_shop_file
from benchmarks.measurements.http_commands import series_per_second
from benchmarks.measurements.queries import document_ids, read_your_writes_ms
from benchmarks.results import Result, Target, side_by_side
from domain.numbering.series import NUMBER_SERIES
from infrastructure.database import as_service
from infrastructure.readstore.runner import catch_up_once
from interfaces.bootstrap import event_reader
from projections.documents import DOCUMENTS

AS_FAST = (Target("ratio", "≥", 0.9),)
MOST_WANTED_EVENTS = 1_000_000
"""Ledgers with more events are measured, but nobody said how fast they have to be."""

SERIES = NUMBER_SERIES.stream("GB:platform-grown:RECEIPT")


def measure_growth(bench: Bench) -> list[Result]:
    """Commands, numbers, commands over HTTP, point queries, read-your-writes, catching up and documents.

    Folding and loading are left out: what they cost depends on the stream, which other streams cannot touch.
    """
    small = _filled(bench, "small", bench.scale.small_events)
    files = (_shop_file(bench, number) for number in itertools.count())
    results: list[Result] = []
    for events in bench.scale.large_events:
        large = _filled(bench, f"large_{events}", events)
        results += _compared(bench, large, small, events, files)
        bench.drop(f"large_{events}")
    return results


def _filled(bench: Bench, name: str, events: int) -> Ledger:
    ledger = bench.ledger(name)
    fill_documents(ledger, min(events, MOST_WANTED_EVENTS) // EVENTS_PER_ORDER)
    fill_with_copies(ledger, events)
    return ledger


def _compared(bench: Bench, large: Ledger, small: Ledger, events: int, files: Iterator[Path]) -> list[Result]:
    orders = _orders(bench)
    seconds = bench.scale.seconds
    few = f"with {bench.scale.small_events:,}"

    def compare(name: str, title: str, unit: str, rate: Callable[[Ledger], float]) -> Result:
        measured = side_by_side(lambda: rate(large), lambda: rate(small), bench.scale.rounds)
        return measured.result(
            f"growth-{name}-{events}",
            f"{title}, with {events:,} events in the ledger",
            unit,
            few,
            targets=AS_FAST if events <= MOST_WANTED_EVENTS else (),
        )

    in_process = [
        compare(
            "commands",
            "commands of one event",
            "commands/s",
            lambda ledger: workloads.commands_per_second(ledger, workloads.opening_a_series, seconds),
        ),
        compare(
            "three-events",
            "commands of three events",
            "commands/s",
            lambda ledger: workloads.commands_per_second(ledger, workloads.three_events, seconds),
        ),
        compare(
            "numbers",
            "numbers of one series",
            "numbers/s",
            lambda ledger: workloads.commands_per_second(ledger, workloads.one_number(SERIES), seconds),
        ),
    ]
    with large.serving() as api_of_large, small.serving() as api_of_small:
        apis = {large: api_of_large, small: api_of_small}
        over_http = [
            compare(
                "http-command",
                "POST /v1/number-series",
                "commands/s",
                lambda ledger: series_per_second(apis[ledger], seconds),
            ),
            compare(
                "point-query",
                "GET /v1/documents/{documentId}",
                "requests/s",
                lambda ledger: _documents_per_second(ledger, apis[ledger], seconds),
            ),
            compare(
                "read-your-writes",
                "writes read by their writer, one after the other",
                "writes/s",
                lambda ledger: _writes_read_per_second(ledger, apis[ledger], max(10, round(seconds * 30))),
            ),
        ]
    of_workers = [
        compare(
            "catching-up",
            f"projection `{DOCUMENTS.name}` through the events of {orders:,} new orders",
            "events/s",
            lambda ledger: _caught_up_per_second(ledger, orders),
        ),
        compare(
            "documents",
            f"{orders:,} receipts from a shop's file to sealed PDFs",
            "documents/s",
            lambda ledger: orders / imported_seconds(ledger, next(files)),
        ),
    ]
    return [*in_process, *over_http, *of_workers]


def _orders(bench: Bench) -> int:
    return bench.scale.invoices // 8


def _shop_file(bench: Bench, number: int) -> Path:
    """A file that no ledger has seen yet."""
    invoices, file = _orders(bench), bench.folder / "growth.csv"
    write_shop_file(file, invoices, first=500_000 + number * invoices)
    return file


def _caught_up_per_second(ledger: Ledger, orders: int) -> float:
    with psycopg.connect(as_service(ledger.admin_url), autocommit=True) as connection:
        reader = event_reader(ledger.settings)
        while catch_up_once(connection, DOCUMENTS, reader):
            pass
        before = head_of(ledger)
        pay_orders(ledger, orders)
        started = time.perf_counter()
        while catch_up_once(connection, DOCUMENTS, reader):
            pass
        return (head_of(ledger) - before) / (time.perf_counter() - started)


def _documents_per_second(ledger: Ledger, api: Api, seconds: float) -> float:
    requests = itertools.cycle(
        [http_client.request("GET", f"/v1/documents/{name}", api.token) for name in document_ids(ledger)]
    )
    http_client.requests_per_second(api.port, lambda: next(requests), 0.3, CALLERS, 200)
    return http_client.requests_per_second(api.port, lambda: next(requests), seconds, CALLERS, 200)


def _writes_read_per_second(ledger: Ledger, api: Api, count: int) -> float:
    """The reciprocal of what a reader waits for its own write on average."""
    with ledger.projecting():
        read_your_writes_ms(api, 10)
        waited, _ = read_your_writes_ms(api, count)
    return 1000 * len(waited) / sum(waited)
