"""Who may approve by PIN or password: credentials added, listed and disabled by operators (BILL-DEC-010)."""

import json
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic.alias_generators import to_camel

from application.caller import DEFAULT_TENANT
from application.credentials import CredentialRow, NewCredential
from application.ledger import Answer, Audit
from application.operations.auth import SET_CREDENTIAL
from application.operations.operation import Operation
from application.operations.unrouted import DISABLE_CREDENTIAL, UnroutedOperation
from domain.accounts.credential import SecretKind
from domain.kernel.errors import DomainError
from interfaces.bootstrap import System
from interfaces.cli.invocation import AsJson, with_system

Username = Annotated[str, typer.Argument(help="The `sub` of the person's tokens.")]
By = Annotated[str, typer.Option(help="Who does it, for the record.")]
Tenant = Annotated[str, typer.Option(help="The tenant.")]

_OPERATOR = "system:operator"

credential_app = typer.Typer(help="Looks after who may approve by PIN or password.", no_args_is_help=True)


@credential_app.command()
def add(
    username: Username,
    permission: Annotated[list[str], typer.Option(help="What it permits; may be repeated.")],
    password: Annotated[bool, typer.Option("--password", help="A password, not a PIN.")] = False,
    by: By = _OPERATOR,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: AsJson = False,
) -> None:
    """Gives a person a PIN or password, the first or another; asks for it, or reads a line of standard input.

    Example: billing credential add maria --permission billing:auth:elevate --permission billing:invoice:void
    """
    kind: SecretKind = "PASSWORD" if password else "PIN"
    new = NewCredential(username, kind, _secret(kind), frozenset(permission))
    answer = _carried_out(lambda system: system.credentials.set(_audit(SET_CREDENTIAL, by, tenant), new))
    outcome = "added" if answer.status == 201 else "changed"
    _tell(answer, outcome, as_json=as_json)


@credential_app.command("list")
def list_credentials(tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Lists credentials: who, by what, what it permits, whether it is enabled.

    Example: billing credential list --json
    """
    rows = with_system(lambda system: system.credentials.all(tenant))
    if as_json:
        typer.echo(json.dumps({"items": [_json_row(row) for row in rows]}))
        return
    for row in rows:
        state = "enabled" if row.enabled else "disabled"
        typer.echo(f"{row.credential_id} {row.username} {row.kind} {state}")
        typer.echo(f"    {', '.join(row.permissions) or 'permits nothing'}")


@credential_app.command()
def disable(
    username: Username, by: By = _OPERATOR, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False
) -> None:
    """Ends a credential and voids its elevation tokens; adding it again enables it.

    Example: billing credential disable maria --by ana
    """
    audit = _audit(DISABLE_CREDENTIAL, by, tenant)
    answer = _carried_out(lambda system: system.credentials.disable(audit, username))
    _tell(answer, "disabled", as_json=as_json)


def _carried_out(act: Callable[[System], Awaitable[Answer]]) -> Answer:
    """What was answered; a refusal is wrong usage, told without the secret. Raises `typer.BadParameter`."""
    try:
        return with_system(act)
    except DomainError as refused:
        sentences = [found.message for found in refused.field_errors] or [refused.message]
        raise typer.BadParameter(" ".join(sentences)) from None


def _secret(kind: SecretKind) -> str:
    """Never an argument: those stand in the shell's history and in the list of processes."""
    if sys.stdin.isatty():
        answered: str = typer.prompt(kind, hide_input=True, confirmation_prompt=True)
        return answered
    return sys.stdin.readline().rstrip("\r\n")


def _audit(operation: Operation | UnroutedOperation, by: str, tenant: str) -> Audit:
    return Audit(
        tenant_id=tenant,
        actor=by,
        role="SYSTEM",
        operation=operation.name,
        correlation_id=secrets.token_hex(16),
    )


def _tell(answer: Answer, outcome: str, *, as_json: bool) -> None:
    credential_id = answer.body["credentialId"]
    told = {"credentialId": credential_id, "outcome": outcome}
    typer.echo(json.dumps(told) if as_json else f"{credential_id} is {outcome}.")


def _json_row(row: CredentialRow) -> dict[str, object]:
    return {to_camel(name): value for name, value in asdict(row).items()}
