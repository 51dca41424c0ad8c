"""Health and metrics of a healthy house, under the contract's names, worker processes included."""

import re

import httpx
import pytest

from tests.support.decisions import rule
from tests.support.house import House, eventually, paid
from tests.support.problems import problem


def _samples(house: House) -> dict[str, float]:
    with house.client() as anybody:
        answer = anybody.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_healthy_house_lives_and_is_ready(house: House) -> None:
    with house.client() as anybody:
        live, ready = anybody.get("/health/live"), anybody.get("/health/ready")
    assert (live.status_code, ready.status_code) == (200, 200)
    assert live.json() == {"status": "live"}
    checks = ready.json()["checks"]
    assert {"database", "vault"} < set(checks) and set(checks.values()) == {"ok"}


@pytest.mark.slow
def test_documents_are_counted_though_another_process_issues_them(house: House) -> None:
    name = 'docs_issued_total{country="GB",doc_type="RECEIPT"}'
    house.issued(paid("metrics-0"))
    before = eventually(lambda: _samples(house).get(name))
    for number in range(1, 4):
        house.issued(paid(f"metrics-{number}"))
    house.post(paid("metrics-1"))
    eventually(lambda: _samples(house)[name] >= before + 3)
    assert _samples(house)[name] == before + 3, "a duplicate is not counted"


def test_the_names_are_the_contracts(house: House) -> None:
    house.issued(paid("metrics-names"))
    samples = _samples(house)
    names = {re.sub(r"{.*", "", name) for name in samples}
    assert names >= {
        "docs_issued_total",
        "docs_vault_write_fail_total",
        "billing_http_requests_total",
        "billing_http_request_duration_seconds_count",
        "ledger_append_seconds_count",
        "projection_lag_events",
    }
    lag = {name for name in samples if name.startswith("projection_lag_events")}
    assert {re.search(r'projection="([a-z-]+)"', name)[1] for name in lag} >= {  # type: ignore[index]
        "documents",
        "document-events",
        "number-series",
        "tasks",
    }


@rule("PII-7")
def test_requests_are_counted_by_route_never_by_what_a_client_makes_up(house: House) -> None:
    with house.client("AUDITOR") as auditor:
        problem(auditor.get("/v1/documents/made-up-id-4711"), 404, "NOT_FOUND")
        problem(auditor.get("/made-up-path-4711"), 404, "NOT_FOUND")
        httpx.request("MADEUP4711", f"{house.url}/v1/documents", trust_env=False)
    samples = _samples(house)
    assert not [name for name in samples if "4711" in name]
    found = 'billing_http_requests_total{method="GET",route="/v1/documents/{documentId}",status="404"}'
    assert samples[found] >= 1
    assert [name for name in samples if 'route="unmatched"' in name]
    assert [name for name in samples if 'method="OTHER"' in name]
