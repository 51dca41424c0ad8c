"""The `billing` command line: each command with an example, machine-readable with --json, honest exit codes.

0 fine, 1 a check failed (the finding on stdout), 2 wrong usage, 3 the service or database cannot be reached.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from application.caller import DEFAULT_TENANT
from application.ledger import LedgerUnavailable
from application.operations import OPERATIONS
from application.operations.unrouted import UNROUTED_OPERATIONS
from application.ports import ReadStoreUnavailable
from application.roles import PERMISSIONS, ROLE_PERMISSIONS
from application.signing import KeyUnusable
from application.vault import VaultUnavailable
from infrastructure.collector import calm_collector
from infrastructure.embedded_postgres import PostgresUnavailable
from infrastructure.external_calls import EXTERNAL_CALLS
from infrastructure.keys.store import KeyStore
from infrastructure.migrations import MigrationRefused
from interfaces.bootstrap import bring_up_to_date, local_tokens
from interfaces.cli import audit, launch, simulate, webhooks
from interfaces.cli.credential import credential_app
from interfaces.cli.import_retail import import_retail
from interfaces.cli.inbound_door import InboundDoor
from interfaces.cli.invocation import AsJson, settings_of_command
from interfaces.cli.keys import keys_app
from interfaces.cli.policies import policies_app
from interfaces.cli.preview import preview
from interfaces.cli.simulate_gateways import simulate_gateways

EXIT_WRONG_USAGE = 2
EXIT_UNREACHABLE = 3
IMPORT_TOKEN_SECONDS = 600

UNREACHABLE = (
    PostgresUnavailable,
    psycopg.OperationalError,
    # What a rebuild finds that was stopped for longer than it may hold a read model.
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""What tells that the database cannot be reached, or has ended a session."""

app = typer.Typer(
    name="billing",
    help="An event-sourced billing ledger and fiscal-document engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
import_app = typer.Typer(help="Brings a shop's history in through the inbound door.", no_args_is_help=True)
app.add_typer(import_app, name="import")
app.add_typer(audit.verify_app, name="verify")
app.add_typer(keys_app, name="keys")
app.add_typer(credential_app, name="credential")
app.add_typer(policies_app, name="policies")
app.add_typer(webhooks.webhooks_app, name="webhooks")
app.command("replay")(audit.replay)
app.command("rebuild")(audit.rebuild)
app.command("simulate-authority")(simulate.simulate_authority)
app.command("simulate-gateways")(simulate_gateways)
app.command("preview")(preview)


@app.command()
def run() -> None:
    """Everything on this machine: PostgreSQL, API, worker. What `make run` calls.

    Example: BILLING_PORT=9000 billing run
    """
    launch.run(settings_of_command())


@app.command()
def serve(
    worker: Annotated[
        int | None, typer.Option("--worker", help="Only this API process, from 0.", min=0)
    ] = None,
) -> None:
    """The API processes alone, on a migrated database.

    Example: BILLING_DATABASE_URL=postgresql://… BILLING_WORKERS=4 billing serve
    """
    settings = settings_of_command()
    if worker is None:
        launch.serve(settings)
    else:
        launch.answer(settings)


@app.command()
def work(
    projections: Annotated[bool, typer.Option("--projections", help="Only read models and outbox.")] = False,
    issuer: Annotated[int | None, typer.Option("--issuer", help="Only this issuer, from 0.", min=0)] = None,
) -> None:
    """The worker alone: projections, outbox, finishing documents. Two may run; the second stands by.

    Example: BILLING_DATABASE_URL=postgresql://… billing work
    """
    settings = settings_of_command()
    if projections:
        launch.project(settings)
    elif issuer is not None:
        launch.issue(settings, issuer)
    else:
        launch.work(settings)


@app.command("migrate")
def migrate_command() -> None:
    """Brings database, keys and vault folder up to date; safe to repeat.

    Example: BILLING_DATABASE_URL=postgresql://owner@db/billing billing migrate
    """
    bring_up_to_date(settings_of_command())
    typer.echo("The database is up to date.")


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="Who the token speaks for.")],
    role: Annotated[list[str] | None, typer.Option(help="A role; may be repeated.")] = None,
    permission: Annotated[list[str] | None, typer.Option(help="A permission; may be repeated.")] = None,
    buyer: Annotated[str | None, typer.Option(help="Narrows to this buyer's documents.")] = None,
    seller: Annotated[str | None, typer.Option(help="Narrows to this seller's documents.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Narrows to these accounts.")] = None,
    country: Annotated[list[str] | None, typer.Option(help="Narrows to these countries.")] = None,
    tenant: Annotated[str, typer.Option(help="The tenant.")] = DEFAULT_TENANT,
    ttl: Annotated[int, typer.Option(help="Seconds until it expires.", min=1, max=31_536_000)] = 3600,
    as_json: AsJson = False,
) -> None:
    """Prints a bearer token signed with the local key pair.

    Example: billing token --sub ana --role FINANCE_ADMIN --country MX
    """
    settings = settings_of_command()
    if settings.jwt_jwks_url:
        raise typer.BadParameter("Tokens come from the identity provider of BILLING_JWT_JWKS_URL.")
    for name in role or ():
        if name not in ROLE_PERMISSIONS:
            raise typer.BadParameter(f"{name} is not a role. Roles: {', '.join(ROLE_PERMISSIONS)}.")
    for name in permission or ():
        if name not in PERMISSIONS:
            raise typer.BadParameter(f"{name} is not a permission.")
    issued = local_tokens(settings, KeyStore.create(settings.data_dir / "keys")).issue(
        sub=sub,
        now=datetime.now(UTC),
        ttl_seconds=ttl,
        roles=role or (),
        permissions=permission or (),
        buyer_id=buyer,
        seller_id=seller,
        account_ids=account,
        countries=country,
        tenant=tenant,
    )
    typer.echo(json.dumps({"token": issued, "expiresIn": ttl}) if as_json else issued)


@import_app.command("retail")
def import_retail_command(
    file: Annotated[Path, typer.Argument(help="A CSV file of invoice lines, .gz or plain.")],
    as_json: AsJson = False,
) -> None:
    """Imports a shop's invoices and cancellations; may be stopped and run again at any time.

    Example: billing import retail online-retail.csv.gz
    """
    calm_collector()
    settings = settings_of_command()
    tokens = local_tokens(settings, KeyStore.create(settings.data_dir / "keys"))

    def fresh_token() -> str:
        return tokens.issue(
            sub="billing-import",
            now=datetime.now(UTC),
            ttl_seconds=IMPORT_TOKEN_SECONDS,
            roles=("SYSTEM",),
        )

    with InboundDoor(settings.base_url, fresh_token) as door:
        code = import_retail(file, door, as_json=as_json, out=sys.stdout, err=sys.stderr)
    raise typer.Exit(code)


@app.command()
def operations(
    external: Annotated[
        bool, typer.Option("--external", help="The calls that leave the house instead.")
    ] = False,
    unrouted: Annotated[
        bool, typer.Option("--unrouted", help="What no route leads to, of workers above all, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The operation catalog, what is done without a request, or the calls that leave the house.

    Example: billing operations --json
    """
    if external and unrouted:
        raise typer.BadParameter("Ask for --external or for --unrouted.")
    table = EXTERNAL_CALLS if external else UNROUTED_OPERATIONS if unrouted else OPERATIONS
    rows = [row.row() for row in table]
    if as_json:
        typer.echo(json.dumps({"items": rows}, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['name']:36} {_told(row)}")


def _told(row: dict[str, Any]) -> str:
    """What a catalog's line says beside the name: of a route, of a call outside, of what has neither."""
    if "path" in row:
        return f"{row['method']:5} {row['path']}"
    return str(row["timeout"] if "timeout" in row else row["summary"])


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and ends the process with its exit code."""
    try:
        app(arguments)
    except UNREACHABLE as error:
        _end(f"The database cannot be reached: {_first_line(error)}")
    except (LedgerUnavailable, ReadStoreUnavailable) as error:
        _end(f"This cannot be done now: {error}.")
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
        _end("The database is not migrated: run `billing migrate`.")
    except (KeyUnusable, VaultUnavailable) as error:
        _end(str(error))
    except (MigrationRefused, launch.PortTaken) as error:
        _end(str(error))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _end(message: str) -> None:
    typer.echo(message, err=True)
    raise SystemExit(EXIT_UNREACHABLE)


if __name__ == "__main__":
    main()
