"""Payments of `billing run` where no gateway is configured: simulated ones, beside the service."""

import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from infrastructure.outbox.target import new_secret
from infrastructure.settings import Settings
from infrastructure.supervisor import Child

SIMULATED_TIMES = {"BILLING_GATEWAY_TIMEOUT_SECONDS": "2", "BILLING_STRIPE_SEEN_SECONDS": "1"}
"""Nothing is far away here, and what was done is found at once, other than by Stripe's search."""


@dataclass(frozen=True)
class SimulatedPayments:
    """The process that simulates, and what the service's processes are told so that they use it."""

    child: Child
    environment: Mapping[str, str]
    names: tuple[str, ...]


def simulated_payments(settings: Settings) -> SimulatedPayments | None:
    """Simulates each gateway that the settings do not name; None where they name both."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment: dict[str, str] = {}
    names: list[str] = []
    if not settings.stripe_api_key.get_secret_value():
        names.append("customers' payments")
        environment |= SIMULATED_TIMES
        environment["BILLING_STRIPE_URL"] = url
        environment["BILLING_STRIPE_API_KEY"] = SIMULATED_STRIPE_KEY
        environment["BILLING_STRIPE_WEBHOOK_SECRET"] = f"whsec_{secrets.token_hex(32)}"
    if not settings.bank_url:
        names.append("payments of vendors")
        environment["BILLING_BANK_URL"] = url
        environment["BILLING_BANK_API_KEY"] = SIMULATED_BANK_KEY
        environment["BILLING_BANK_WEBHOOK_SECRET"] = new_secret()
    if not names:
        return None
    arguments = ("simulate-gateways", "--port", str(port))
    command = (sys.executable, "-m", "interfaces.cli.main", *arguments)
    return SimulatedPayments(Child("simulate-gateways", command, environment), environment, tuple(names))


def _free_port() -> int:
    """One that nobody listens on. It stays the simulator's however often that is started again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
