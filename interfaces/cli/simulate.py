"""The simulated authority on the command line: for trying out, and for tests; it has no fiscal effect."""

from pathlib import Path
from typing import Annotated

import typer

from infrastructure.stamping.simulated_authority import NOTICE, SimulatedAuthority
from interfaces.cli.invocation import settings_of_command
from interfaces.cli.simulators import listening, serve_until_signal

DEFAULT_PORT = 8090


def simulate_authority(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65535)] = DEFAULT_PORT,
    state: Annotated[
        Path | None,
        typer.Option(help="Its file; else simulated-authority.sqlite in the data folder."),
    ] = None,
) -> None:
    """Runs a simulated authority that stamps documents of the simulated country XS, until a signal.

    Example: billing simulate-authority --port 8090
    """
    settings = settings_of_command()
    file = state or settings.data_dir / "simulated-authority.sqlite"
    authority = listening(SimulatedAuthority, file, port)
    typer.echo(f"{NOTICE} BILLING_SIMULATED_AUTHORITY_URL={authority.url}")
    serve_until_signal(authority)
