"""The simulated payment gateways on the command line: for trying out, and for tests; no money moves."""

from functools import partial
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
from interfaces.cli.simulators import listening, serve_until_signal

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
    gateways = listening(partial(SimulatedGateways, targets=_targets(settings)), file, port)
    typer.echo(
        f"{NOTICE} BILLING_STRIPE_URL={gateways.url} BILLING_STRIPE_API_KEY={SIMULATED_STRIPE_KEY}"
        f" BILLING_BANK_URL={gateways.url} BILLING_BANK_API_KEY={SIMULATED_BANK_KEY}"
    )
    serve_until_signal(gateways)


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
