"""A full command over HTTP, one worker: guards, decision, append and the stored answer."""

from uuid import uuid4

from benchmarks import http_client, workloads
from benchmarks.harness import CALLERS, Api, Bench
from benchmarks.ledgers import head_of
from benchmarks.references import pgbench
from benchmarks.results import Result, Target, side_by_side


def opening_a_series(api: Api) -> bytes:
    """`POST /v1/number-series` with a key and an issuer that nobody has used."""
    body = {
        "countryCode": "GB",
        "issuerEntityId": f"issuer-{uuid4()}",
        "docType": "RECEIPT",
        "format": workloads.FORMAT.model_dump(mode="json", by_alias=True),
    }
    return http_client.request(
        "POST",
        "/v1/number-series",
        api.token,
        workloads.json_body(body),
        Content_Type="application/json",
        Idempotency_Key=str(uuid4()),
    )


def series_per_second(api: Api, seconds: float) -> float:
    """Series opened a second."""
    _warm_up(api)
    return http_client.requests_per_second(api.port, lambda: opening_a_series(api), seconds, CALLERS, 201)


def measure_http_commands(bench: Bench) -> list[Result]:
    """The operation against the same rows in pgbench, without and with the head row between them."""
    ledger, seconds, rounds = bench.ledger("http"), bench.scale.seconds, bench.scale.rounds
    with ledger.serving() as api:
        _warm_up(api)
        before = head_of(ledger)
        with http_client.Client(api.port) as client:
            assert client.ask(opening_a_series(api)).status == 201
        rows = pgbench.whole_command(ledger, before)
        rows_in_turn = pgbench.whole_command(ledger, before, head=True)

        def opened() -> float:
            return http_client.requests_per_second(
                api.port, lambda: opening_a_series(api), seconds, CALLERS, 201
            )

        alone = side_by_side(opened, lambda: pgbench.transactions_per_second(ledger, rows, seconds), rounds)
        in_turn = side_by_side(
            opened,
            lambda: pgbench.transactions_per_second(ledger, rows_in_turn, seconds),
            max(1, rounds // 2),
        )
    return [
        alone.result(
            "http-command",
            f"POST /v1/number-series with a key, one worker, {CALLERS} connections",
            "commands/s",
            "pgbench, the same rows, nobody waiting for another",
            targets=(Target("ratio", "≥", 0.1),),
        ),
        in_turn.result(
            "http-command-in-turn",
            "the same",
            "commands/s",
            "pgbench, the same rows and the head row, one after the other",
        ),
    ]


def _warm_up(api: Api) -> None:
    http_client.requests_per_second(api.port, lambda: opening_a_series(api), 0.3, CALLERS, 201)
