"""The simulated payment gateways on the command line: for trying out, and for tests; no money moves."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from infrastructure.gateways.bank_transfers import BANK
from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_faults import SimulatedGateway
from infrastructure.gateways.simulated_gateways import NOTICE, SimulatedGateways
from infrastructure.gateways.simulated_notices import NoticeTarget
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from infrastructure.gateways.stripe import STRIPE
from infrastructure.settings import Settings
from interfaces.cli.invocation import settings_of_command

DEFAULT_PORT = 8091


def simulate_gateways(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65535)] = DEFAULT_PORT,
    state: Annotated[
        Path | None,
        typer.Option(help="Its file; else simulated-gateways.sqlite in the data folder."),
    ] = None,
) -> None:
    """Runs simulated payment gateways, Stripe and a bank, until a signal: no money moves.

    Signed notices go to this machine's API, for gateways whose webhook secret is set.

    Example: BILLING_STRIPE_WEBHOOK_SECRET=whsec_… billing simulate-gateways --port 8091
    """
    settings = settings_of_command()
    file = state or settings.data_dir / "simulated-gateways.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        gateways = SimulatedGateways(file, port, _targets(settings))
    except OSError as error:
        raise typer.BadParameter(f"127.0.0.1:{port} cannot be listened on ({error.strerror}).") from None
    typer.echo(
        f"{NOTICE} BILLING_STRIPE_URL={gateways.url} BILLING_STRIPE_API_KEY={SIMULATED_STRIPE_KEY}"
        f" BILLING_BANK_URL={gateways.url} BILLING_BANK_API_KEY={SIMULATED_BANK_KEY}"
    )
    serving = threading.Thread(target=gateways.serve, daemon=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serving.start()
    stopped.wait()
    gateways.stop()


def _targets(settings: Settings) -> dict[SimulatedGateway, NoticeTarget]:
    """Where the notices go, signed by the newest secrets: the first ones."""
    secrets: dict[SimulatedGateway, tuple[str, ...]] = {
        STRIPE: settings.stripe_webhook_secrets,
        BANK: settings.bank_webhook_secrets,
    }
    return {
        gateway: NoticeTarget(f"{settings.base_url}/v1/billing/gateways/{gateway}/notices", listed[0])
        for gateway, listed in secrets.items()
        if listed
    }
