"""The 95th percentile that is told beside a histogram, as Prometheus itself would estimate it."""

import math

import pytest

from infrastructure.telemetry import MetricsObserver, metrics_text, quantile

INF = math.inf


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([], 0.0),
        ([(1.0, 0.0), (INF, 0.0)], 0.0),
        ([(1.0, 100.0), (INF, 100.0)], 0.95),
        ([(1.0, 90.0), (2.0, 100.0), (INF, 100.0)], 1.5),
        ([(1.0, 95.0), (2.0, 100.0), (INF, 100.0)], 1.0),
        ([(1.0, 0.0), (2.0, 20.0), (4.0, 20.0), (INF, 20.0)], 1.95),
        # Beyond the last bound nothing more is known.
        ([(1.0, 1.0), (60.0, 1.0), (INF, 20.0)], 60.0),
    ],
)
def test_it_lies_where_95_in_100_are_at_most(buckets: list[tuple[float, float]], expected: float) -> None:
    assert quantile(0.95, buckets) == pytest.approx(expected)


def test_it_is_told_for_each_country_beside_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    observer = MetricsObserver()
    for _ in range(100):
        observer.authority_took("YY", 0.2)
    lines = [line.rpartition(" ") for line in metrics_text(None).decode().splitlines() if line[0] != "#"]
    samples = {name: float(value) for name, _, value in lines}
    assert samples['docs_driver_api_latency_seconds_count{country="YY"}'] == 100
    assert 0.1 < samples['docs_driver_api_latency_p95{country="YY"}'] <= 0.25
    assert "ledger_append_seconds_count" in samples
