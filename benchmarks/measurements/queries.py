"""Point queries over HTTP, and reading one's own writes."""

import itertools
import json
import time
from typing import Any

from benchmarks import http_client
from benchmarks.harness import CALLERS, Api, Bench, Ledger
from benchmarks.ledgers import pay_orders
from benchmarks.measurements.http_commands import opening_a_series
from benchmarks.references import bare_psycopg
from benchmarks.results import Result, Rounds, Target, percentile, side_by_side
from projections.documents import DOCUMENT_TABLE

DOCUMENTS = 1_000
"""How many are asked for, where there are as many."""

WARM_UP_SECONDS = 1.0


def document_ids(ledger: Ledger) -> list[str]:
    """Documents to ask for: a thousand at most, in no order."""
    with ledger.connect() as connection:
        found = connection.execute(
            f"SELECT document_id FROM readmodel.{DOCUMENT_TABLE.name}"
            f" ORDER BY hashtext(document_id) LIMIT {DOCUMENTS}".encode()
        )
        return [document_id for (document_id,) in found]


def measure_point_queries(bench: Bench) -> list[Result]:
    """`GET /v1/documents/{documentId}` against the bare row through the same server."""
    ledger, seconds = bench.ledger("queries"), bench.scale.seconds
    pay_orders(ledger, min(DOCUMENTS, bench.scale.documents))
    with ledger.projecting():
        ids = document_ids(ledger)
    with ledger.serving() as api, bare_psycopg.serving(ledger) as bare_port:
        ours = itertools.cycle(
            [http_client.request("GET", f"/v1/documents/{name}", api.token) for name in ids]
        )
        bare = itertools.cycle([http_client.request("GET", f"/documents/{name}", "") for name in ids])

        def ask(port: int, requests: "itertools.cycle[bytes]", for_seconds: float = seconds) -> float:
            return http_client.requests_per_second(port, lambda: next(requests), for_seconds, CALLERS, 200)

        ask(api.port, ours, WARM_UP_SECONDS)
        ask(bare_port, bare, WARM_UP_SECONDS)
        rounds = side_by_side(lambda: ask(api.port, ours), lambda: ask(bare_port, bare), bench.scale.rounds)
    return [
        rounds.result(
            "point-query",
            f"GET /v1/documents/{{documentId}}, one worker, {CALLERS} connections",
            "requests/s",
            "bare psycopg behind the same server",
            targets=(Target("ratio", "≥", 0.6),),
        )
    ]


def measure_read_your_writes(bench: Bench) -> list[Result]:
    """From a command's answer to the answer of a query that has to show it, against the query alone."""
    ledger = bench.ledger("queries")
    count = max(10, round(bench.scale.seconds * 30))
    with ledger.projecting(), ledger.serving() as api:
        read_your_writes_ms(api, 10)
        rounds = [read_your_writes_ms(api, count) for _ in range(bench.scale.rounds)]
    p95 = Rounds(
        tuple(percentile(waited, 0.95) for waited, _ in rounds),
        tuple(percentile(plain, 0.95) for _, plain in rounds),
    )
    p50 = percentile([taken for waited, _ in rounds for taken in waited], 0.5)
    return [
        p95.result(
            "read-your-writes",
            "a command answered → GET with X-Min-Position answered, p95",
            "ms",
            "the same GET again, p95",
            targets=(Target("value", "<", 10),),
            note=f"p50 {p50:.2g} ms",
        )
    ]


def read_your_writes_ms(api: Api, count: int) -> tuple[list[float], list[float]]:
    """How long a reader takes to see each of so many writes of its own; and to see it once more."""
    waited, plain = [], []
    with http_client.Client(api.port) as client:

        def get(path: str, **headers: Any) -> float:
            started = time.perf_counter()
            answer = client.ask(http_client.request("GET", path, api.token, **headers))
            assert answer.status == 200, answer.body
            return (time.perf_counter() - started) * 1000

        for _ in range(count):
            written = client.ask(opening_a_series(api))
            assert written.status == 201, written.body
            path = f"/v1/number-series/{json.loads(written.body)['seriesId'].replace(':', '%3A')}"
            waited.append(get(path, X_Min_Position=written.header("x-ledger-position")))
            plain.append(get(path))
    return waited, plain
