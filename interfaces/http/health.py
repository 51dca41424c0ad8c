"""Whether the service lives, whether it can serve, and its metrics (contract §1, §8)."""

import asyncio
from typing import Any

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec

from application.ledger import LedgerUnavailable
from application.ports import ReadStoreUnavailable
from application.signing import KeyUnusable
from application.vault import VaultError
from interfaces.http.guards import AnyRequest, system_of
from projections.registry import PROJECTIONS

READY_LAG_EVENTS = 5_000
"""A read model further behind than this shows yesterday's world."""


@get("/health/live", summary="Whether the process answers", tags=["health"])
async def live() -> dict[str, str]:
    """Always, while the process lives."""
    return {"status": "live"}


@get(
    "/health/ready",
    summary="Whether database, vault and projections are usable",
    tags=["health"],
    responses={
        503: ResponseSpec(dict[str, Any], description="What is not usable, by name", generate_examples=False)
    },
)
async def ready(request: AnyRequest) -> Response[dict[str, Any]]:
    """200, or 503 naming what is not usable."""
    system = system_of(request)
    checks: dict[str, str] = {}
    try:
        head = await system.ledger.head_position()
        checks["database"] = "ok"
        for projection in PROJECTIONS:
            found = await system.read_store.fetch((projection.name,))
            behind = head - found.position
            checks[f"projection:{projection.name}"] = (
                "ok" if behind <= READY_LAG_EVENTS else f"{behind} behind"
            )
    except (LedgerUnavailable, ReadStoreUnavailable):
        checks["database"] = "cannot be reached"
    try:
        await asyncio.to_thread(system.vault.probe)
        checks["vault"] = "ok"
    except VaultError:
        checks["vault"] = "cannot be written"
    try:
        await asyncio.to_thread(system.keys.check)
        checks["keys"] = "ok"
    except KeyUnusable as error:
        checks["keys"] = str(error)
    usable = all(state == "ok" for state in checks.values())
    return Response(
        {"status": "ready" if usable else "not ready", "checks": checks},
        status_code=200 if usable else 503,
        headers={} if usable else {"Retry-After": "5"},
    )


@get("/metrics", summary="Metrics in Prometheus' text format", tags=["health"], media_type="text/plain")
async def metrics(request: AnyRequest) -> Response[bytes]:
    """All metrics of this machine's processes."""
    metrics_text = request.app.state["metrics_text"]
    content = await asyncio.to_thread(metrics_text, await _outbox_pending(request))
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _outbox_pending(request: AnyRequest) -> int | None:
    """None where the database cannot tell now: metrics are most needed then."""
    try:
        return await system_of(request).ledger.outbox_pending()
    except LedgerUnavailable:
        return None


HANDLERS = (live, ready, metrics)
