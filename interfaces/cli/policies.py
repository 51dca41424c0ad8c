"""Document policies from the command line: which are loaded, what they say of a case, if files are sound."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from application.caller import DEFAULT_TENANT
from application.document_policies import document_policies
from domain.documents.document_facts import DocType
from domain.documents.policy import DocumentPolicies, Occasion, Ruling
from domain.documents.policy_data import BuyerType, Policy, Source
from infrastructure.policy_folder import policy_texts
from interfaces.bootstrap import policies_of
from interfaces.cli.invocation import EXIT_CHECK_FAILED, AsJson, settings_of_command

NOBODY = "-"
"""Who issues where the command names no issuer: policies of single issuers do not hold for it."""

policies_app = typer.Typer(
    help="Lists document policies, explains what they say, checks files.", invoke_without_command=True
)


@policies_app.callback()
def policies(
    context: typer.Context,
    doc_type: Annotated[
        DocType | None, typer.Option(help="Explains what becomes of such a document.")
    ] = None,
    country: Annotated[str, typer.Option(help="Under whose law, by ISO code.")] = "ZZ",
    source: Annotated[Source, typer.Option(help="What it is about.")] = "ORDER",
    on: Annotated[
        datetime | None, typer.Option(help="On which day; today without.", formats=["%Y-%m-%d"])
    ] = None,
    buyer_type: Annotated[BuyerType, typer.Option(help="Who buys.")] = "B2C",
    amount: Annotated[int, typer.Option(help="The grand total in minor units.", min=0)] = 0,
    currency: Annotated[str, typer.Option(help="Its currency, by ISO code.")] = "USD",
    line_kind: Annotated[
        list[str] | None, typer.Option(help="GOODS or SERVICE, what is bought; may be repeated.")
    ] = None,
    invoiced: Annotated[bool, typer.Option("--invoiced", help="There is a fiscal invoice of it.")] = False,
    tenant: Annotated[str, typer.Option(help="The tenant.")] = DEFAULT_TENANT,
    issuer: Annotated[str, typer.Option(help="Who issues, be it as platform or as seller.")] = NOBODY,
    as_json: AsJson = False,
) -> None:
    """Lists the document policies that are loaded, or explains what they say of a document, then or today.

    Example: billing policies --country MX --doc-type FISCAL_INVOICE --buyer-type B2B --on 2026-01-31
    """
    if context.invoked_subcommand is not None:
        return
    loaded = policies_of(settings_of_command())
    if doc_type is None:
        _list(loaded, as_json=as_json)
        return
    try:
        occasion = Occasion.model_validate(
            {
                "tenant": tenant,
                "countryCode": country,
                "source": source,
                "docType": doc_type,
                "platformId": issuer,
                "sellerId": issuer,
                "buyerType": buyer_type,
                "currencyUomId": currency,
                "grandTotal": amount,
                "lineKinds": line_kind or ["GOODS"],
                "on": (on or datetime.now(UTC)).date(),
                "fiscalInvoiceIssued": invoiced,
            }
        )
    except ValidationError as error:
        told = (f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        raise typer.BadParameter("; ".join(told)) from None
    _explain(occasion, loaded.rule_on(occasion), as_json=as_json)


@policies_app.command("check")
def check(
    folder: Annotated[
        Path, typer.Argument(help="A folder of .toml files.", metavar="DIR", exists=True, file_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Checks the files of a folder together with the packaged ones, before they are used; exit 1 if wrong.

    Example: billing policies check /etc/billing/policies
    """
    findings: list[str] = []
    own: dict[str, str] = {}
    try:
        own = policy_texts(folder)
        document_policies(own)
    except ValueError as error:
        findings = str(error).splitlines()
    if as_json:
        typer.echo(json.dumps({"files": list(own), "findings": findings}))
    else:
        typer.echo("\n".join(findings) or f"{len(own)} files are sound, together with the packaged ones.")
    if findings:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _list(loaded: DocumentPolicies, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"items": [_row(policy) for policy in loaded.policies]}))
        return
    for policy in loaded.policies:
        typer.echo(f"{policy} for {policy.scope}, {_days(policy)}; rules: {len(policy.rule)}")


def _row(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json", by_alias=True, exclude={"rule", "country"}, exclude_none=True)


def _days(policy: Policy) -> str:
    return f"from {policy.valid_from}" + (f" to {policy.valid_to}" if policy.valid_to else "")


def _explain(occasion: Occasion, ruling: Ruling, *, as_json: bool) -> None:
    if as_json:
        typer.echo(ruling.model_dump_json(by_alias=True, exclude_none=True))
        return
    typer.echo(f"{occasion.doc_type} of {occasion.source} in {occasion.country_code}: {ruling.outcome}")
    for line in ruling.explanation:
        typer.echo(f"- {line}")
    typer.echo(
        f"For the {ruling.audience}, in {' or '.join(ruling.languages)}, by {ruling.delivery_method};"
        f" taxes are usually {ruling.tax_model}."
    )
