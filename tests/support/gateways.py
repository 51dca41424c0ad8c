"""The simulated gateways for tests: in a thread of this process, or as the process that operators run."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from infrastructure.bound_process import bound_command
from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_faults import SimulatedGateway
from infrastructure.gateways.simulated_gateways import SimulatedGateways
from infrastructure.gateways.simulated_notices import NoticeTarget
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from tests.support.house import eventually, free_port

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


class GatewaysProcess:
    """The gateways as `billing simulate-gateways` runs them; they may be killed and started again."""

    def __init__(self, state: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are environment variables to add."""
        self._state = state
        self._settings = settings or {}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where they listen, whenever they run."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns once they answer."""
        command = [sys.executable, "-m", "interfaces.cli.main", "simulate-gateways"]
        arguments = ["--port", str(self._port), "--state", str(self._state)]
        self._process = subprocess.Popen(
            bound_command([*command, *arguments], death_signal=signal.SIGTERM),
            env={**os.environ, **self._settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def kill(self) -> None:
        """Ends them as the kernel would (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ends them as an operator would; their exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def _answers(self) -> bool:
        try:
            return bool(totals(self.url))
        except httpx.TransportError:
            return False
