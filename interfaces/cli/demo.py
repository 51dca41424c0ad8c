"""Demo orders for a first look: a handful of invented orders with issuers of their own."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources

import httpx
import structlog

from infrastructure.keys.store import KeyStore
from infrastructure.settings import Settings
from interfaces.bootstrap import local_tokens

log = structlog.get_logger(__name__)

TOKEN_SECONDS = 300
LONGEST_WAIT_SECONDS = 60


def load_demo_orders(settings: Settings) -> None:
    """Sends the demo orders through the inbound door once the service is ready and if its ledger is empty."""
    if settings.jwt_jwks_url:
        log.info("demo-orders-skipped", reason="tokens come from an identity provider")
        return
    token = local_tokens(settings, KeyStore(settings.data_dir / "keys")).issue(
        sub="billing-demo", now=datetime.now(UTC), ttl_seconds=TOKEN_SECONDS, roles=("SYSTEM", "AUDITOR")
    )
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=settings.base_url, headers=headers, timeout=30, trust_env=False) as client:
        try:
            if not _is_ready(client):
                log.warning("demo-orders-skipped", reason="the service did not become ready")
                return
            if client.get("/v1/audit/events", params={"limit": 1}).json()["items"]:
                return
            answer = client.post(
                "/v1/inbound/events",
                content=json.dumps(demo_events()),
                headers={"Content-Type": "application/cloudevents-batch+json"},
            )
            log.info("demo-orders-loaded", status=answer.status_code)
        except (httpx.HTTPError, KeyError, ValueError) as error:
            log.warning("demo-orders-skipped", error=type(error).__name__)


def demo_events() -> list[dict[str, object]]:
    """The demo orders as CloudEvents; sent twice they change nothing."""
    orders = json.loads(resources.files("interfaces.cli").joinpath("demo_orders.json").read_text("utf-8"))
    return [
        {
            "specversion": "1.0",
            "id": f"demo/{order['orderId']}",
            "source": "urn:billing:demo",
            "type": "orders.PAID_IN_ESCROW",
            "data": order,
        }
        for order in orders
    ]


def _is_ready(client: httpx.Client) -> bool:
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < give_up_at:
        with suppress(httpx.TransportError):  # Not listening yet.
            if client.get("/health/ready").status_code == httpx.codes.OK:
                return True
        time.sleep(0.2)
    return False
