"""Metrics and logs. Names are the contract's (§8); labels never hold personal data."""

import logging
import math
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from structlog.typing import EventDict, Processor

MAX_CHAINED_ERRORS = 5
MAX_FRAMES = 12

LEDGER_APPEND_SECONDS = Histogram(
    "ledger_append_seconds",
    "From the start of a batch to its commit.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
PROJECTION_LAG_EVENTS = Gauge(
    "projection_lag_events", "Events not yet folded.", ["projection"], multiprocess_mode="mostrecent"
)
OUTBOX_PENDING = Gauge(
    "outbox_pending",
    "Outbound facts that an enabled subscriber has not been told yet.",
    multiprocess_mode="mostrecent",
)
OUTBOX_OLDEST_PENDING = Gauge(
    "outbox_oldest_pending_timestamp_seconds",
    "When the oldest of them was recorded, in seconds since 1970; 0 while there is none.",
    multiprocess_mode="mostrecent",
)
OUTBOX_DELIVERED = Counter("outbox_delivered_total", "Outbound facts delivered.", ["subscriber"])
OUTBOX_FAILED = Counter("outbox_failed_total", "Attempts to deliver that failed.", ["subscriber"])
OUTBOX_DEAD_LETTERS = Counter(
    "outbox_dead_letters_total", "Outbound facts given up for a subscriber.", ["subscriber"]
)
HTTP_REQUESTS = Counter("billing_http_requests_total", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram("billing_http_request_duration_seconds", "Time to answer.", ["method", "route"])
DOCS_ISSUED = Counter("docs_issued_total", "Documents issued.", ["doc_type", "country"])
DOCS_ISSUE_FAILED = Counter("docs_issue_failed_total", "Issue attempts that failed.", ["reason", "country"])
DOCS_VAULT_WRITE_FAIL = Counter("docs_vault_write_fail_total", "Vault writes that failed.")
DOCS_SERIES_LOCK_CONFLICTS = Counter(
    "docs_series_lock_conflicts_total",
    "Numbers refused by a concurrent change of their series; the single decider keeps it at none.",
    ["country", "series"],
)
DOCS_IDEMPOTENT_HIT = Counter(
    "docs_idempotent_hit_total", "Repeats answered with the existing document.", ["doc_type"]
)

DOCS_DRIVER_API_LATENCY = Histogram(
    "docs_driver_api_latency_seconds",
    "How long an authority took to answer a request for a stamp, or not to.",
    ["country"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)

GATEWAY_SECONDS = Histogram(
    "billing_gateway_seconds",
    "How long a step at a payment gateway took, and what came of it.",
    ["gateway", "step", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)


def configure_logging(level: str, log_format: str) -> None:
    """Structured lines on stderr: `json`, or `console` for people."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_messages,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        # A line and its end in one write: other threads and processes write to the same place.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard library: their lines take the same form, and only warnings pass.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(renderer, foreign_pre_chain=shared))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _without_messages(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keeps of an exception its types and where it was raised: its words may hold personal data."""
    exc_info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if exc_info is True else exc_info
    if isinstance(error, BaseException):
        chain: list[dict[str, Any]] = []
        while error is not None and len(chain) < MAX_CHAINED_ERRORS:
            frames = traceback.extract_tb(error.__traceback__)
            places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
            chain.append({"error": type(error).__name__, "at": places[-MAX_FRAMES:]})
            error = error.__cause__ or error.__context__
        event["exception"] = chain
    return event


class MetricsObserver:
    """`application.ports.DocumentObserver` as Prometheus counters."""

    def repeated(self, doc_type: str) -> None:
        """Counts a repeat that was answered with the existing document."""
        DOCS_IDEMPOTENT_HIT.labels(doc_type).inc()

    def issued(self, doc_type: str, country: str) -> None:
        """Counts an issued document."""
        DOCS_ISSUED.labels(doc_type, country).inc()

    def failed(self, reason: str, country: str) -> None:
        """Counts a failed attempt, and vault trouble on its own."""
        DOCS_ISSUE_FAILED.labels(reason, country).inc()
        if reason.startswith("vault"):
            DOCS_VAULT_WRITE_FAIL.inc()

    def authority_took(self, country: str, seconds: float) -> None:
        """Notes how long an authority took."""
        DOCS_DRIVER_API_LATENCY.labels(country).observe(seconds)

    def blocked(self, country: str) -> None:
        """Counts a document that a fiscal profile blocks among the failed attempts."""
        DOCS_ISSUE_FAILED.labels("issue_failed_profile_missing", country).inc()


def metrics_text(outbox_pending: int | None) -> bytes:
    """All metrics in Prometheus' text format, of every process where they share a folder for it."""
    if outbox_pending is not None:
        OUTBOX_PENDING.set(outbox_pending)
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        every_process = CollectorRegistry()
        multiprocess.MultiProcessCollector(every_process)  # type: ignore[no-untyped-call]
    else:
        every_process = REGISTRY
    registry.register(_WithPercentiles(every_process))
    return generate_latest(registry)


class _WithPercentiles(Collector):
    """Metrics as they are, and beside the latencies of authorities their 95th percentile (contract §8)."""

    def __init__(self, source: Collector) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        """The source's metrics and those that are computed of them."""
        for metric in self._source.collect():
            yield metric
            if metric.name == "docs_driver_api_latency_seconds":
                yield _percentile_95(metric)


def _percentile_95(histogram: Metric) -> Metric:
    """A histogram's 95th percentiles by country since its processes began, in seconds, as estimates."""
    buckets: dict[str, list[tuple[float, float]]] = {}
    for sample in histogram.samples:
        if sample.name.endswith("_bucket"):
            bound = (float(sample.labels["le"]), sample.value)
            buckets.setdefault(sample.labels["country"], []).append(bound)
    percentile = GaugeMetricFamily(
        "docs_driver_api_latency_p95",
        "95th percentile of docs_driver_api_latency_seconds since the processes began, in seconds.",
        labels=["country"],
    )
    for country, counted in sorted(buckets.items()):
        percentile.add_metric([country], quantile(0.95, sorted(counted)))
    return percentile


def quantile(wanted: float, buckets: Sequence[tuple[float, float]]) -> float:
    """The quantile (0 to 1) of a histogram, straight between the bounds of its bucket, as Prometheus does it.

    `buckets` are upper bounds, the last one infinite, each with how many were at most that. 0 for none; what
    lies beyond the last finite bound is told as that bound.
    """
    rank = wanted * buckets[-1][1] if buckets else 0.0
    lower, below = 0.0, 0.0
    for bound, at_most in buckets:
        if rank and at_most >= rank:
            share = 0.0 if math.isinf(bound) else (bound - lower) * (rank - below) / (at_most - below)
            return lower + share
        lower, below = (lower, below) if math.isinf(bound) else (bound, at_most)
    return 0.0
