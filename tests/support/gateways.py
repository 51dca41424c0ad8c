"""The simulated gateways for tests: in a thread of this process, or as the process that operators run."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_faults import SimulatedGateway
from infrastructure.gateways.simulated_gateways import SimulatedGateways
from infrastructure.gateways.simulated_notices import NoticeTarget
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from tests.support.simulator_process import SimulatorProcess

STRIPE_SECRET = "whsec_of-stripe"
BANK_SECRET = "whsec_b2YtdGhlLWJhbms="
ANSWER_SECONDS, SEEN_SECONDS = 3, 2
"""How long a step may take, and how far a look-up may be behind, where nothing is far away."""


def gateway_settings(url: str) -> dict[str, str]:
    """The environment of processes that use simulated gateways, and of those themselves."""
    return {
        "BILLING_STRIPE_URL": url,
        "BILLING_STRIPE_API_KEY": SIMULATED_STRIPE_KEY,
        "BILLING_STRIPE_WEBHOOK_SECRET": STRIPE_SECRET,
        "BILLING_STRIPE_SEEN_SECONDS": str(SEEN_SECONDS),
        "BILLING_BANK_URL": url,
        "BILLING_BANK_API_KEY": SIMULATED_BANK_KEY,
        "BILLING_BANK_WEBHOOK_SECRET": BANK_SECRET,
        "BILLING_BANK_SEEN_SECONDS": str(SEEN_SECONDS),
        "BILLING_GATEWAY_TIMEOUT_SECONDS": str(ANSWER_SECONDS),
    }


@contextlib.contextmanager
def simulated_gateways(state: Path, notify: str | None = None) -> Iterator[SimulatedGateways]:
    """Running ones until the end of the block; notices of both go to `notify`."""
    targets: dict[SimulatedGateway, NoticeTarget] = {}
    if notify is not None:
        targets = {"stripe": NoticeTarget(notify, STRIPE_SECRET), "bank": NoticeTarget(notify, BANK_SECRET)}
    gateways = SimulatedGateways(state, targets=targets)
    thread = threading.Thread(target=gateways.serve, daemon=True)
    thread.start()
    try:
        yield gateways
    finally:
        gateways.stop()
        thread.join()


def conditions(url: str, *faults: Mapping[str, Any], **others: Any) -> None:
    """From now on these faults happen, and nothing else; `others` are fields of `Conditions`."""
    told = {"faults": list(faults), **others}
    answer = httpx.put(f"{url}/simulated/conditions", json=told, trust_env=False, verify=False)
    assert answer.status_code == 200, answer.text


def totals(url: str) -> dict[str, Any]:
    """What the gateways moved: `gateways` by currency, `payments` by Billing's ids."""
    counted: dict[str, Any] = httpx.get(f"{url}/simulated/totals", trust_env=False, verify=False).json()
    return counted


def captures(url: str, billing_payment_id: str) -> tuple[int, int]:
    """How often money of a payment was moved, and how much in all, in the gateway's units."""
    moved = totals(url)["payments"].get(billing_payment_id, {}).get("captured", {"count": 0, "amount": 0})
    return moved["count"], moved["amount"]


class GatewaysProcess(SimulatorProcess):
    """The gateways as `billing simulate-gateways` runs them."""

    def __init__(self, state: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are environment variables to add."""
        super().__init__("simulate-gateways", state, totals, settings)
