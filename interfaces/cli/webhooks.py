"""Who is told of outbound facts: adding webhooks, changing them, and dealing with dead letters."""

import contextlib
import json
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import typer

from application.outbound import OUTBOUND_FACTS
from domain.kernel.facts import rfc3339
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.keys.store import KeyStore
from infrastructure.outbox.subscribers import GivenUp, NoSuchSubscriber, Webhook, Webhooks
from infrastructure.outbox.target import AddressRefused
from interfaces.bootstrap import target_seal
from interfaces.cli.invocation import AsJson, connected, settings_of_command

WebhookId = Annotated[UUID, typer.Argument(help="The webhook's id.", metavar="WEBHOOK")]

webhooks_app = typer.Typer(help="Tells other systems of outbound facts.", no_args_is_help=True)


@webhooks_app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where facts are posted to: https, or http on this machine.")],
    fact_type: Annotated[list[str] | None, typer.Option("--type", help="Only this type; repeatable.")] = None,
    after: Annotated[
        int | None,
        typer.Option(help="Also what stands behind this ledger position (0: everything).", min=0),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Adds a webhook and prints its secret, which is never shown again.

    Example: billing webhooks add https://shop.example/billing --type docs.DocumentIssued
    """
    for name in fact_type or ():
        if name not in OUTBOUND_FACTS:
            raise typer.BadParameter(f"{name} is not an outbound fact: {', '.join(OUTBOUND_FACTS)}.")
    with _webhooks() as webhooks:
        webhook_id, secret = webhooks.add(url, fact_type or (), after)
    _show_secret(webhook_id, secret, as_json=as_json)


@webhooks_app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """Lists webhooks: how far each has come and what was the matter last.

    Example: billing webhooks list --json
    """
    with _webhooks() as webhooks:
        found = webhooks.all()
    if as_json:
        typer.echo(json.dumps({"items": [_webhook_row(webhook) for webhook in found]}))
        return
    for webhook in found:
        state = "enabled" if webhook.enabled else f"disabled ({webhook.disabled_reason})"
        typer.echo(f"{webhook.subscriber_id} {webhook.address} {state}")
        typer.echo(
            f"    {', '.join(webhook.types) or 'every type'}; {webhook.pending} pending,"
            f" {webhook.dead_letters} dead letters"
        )
        if webhook.last_failure is not None:
            typer.echo(f"    failed {webhook.attempts} times, last: {webhook.last_failure}")


@webhooks_app.command()
def remove(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Removes a webhook, its position and its dead letters.

    Example: billing webhooks remove 0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01
    """
    with _webhooks() as webhooks:
        webhooks.remove(webhook)
    _done(webhook, "removed", as_json=as_json)


@webhooks_app.command()
def disable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Sends nothing more to a webhook, until it is enabled again.

    Example: billing webhooks disable 0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01
    """
    with _webhooks() as webhooks:
        webhooks.disable(webhook)
    _done(webhook, "disabled", as_json=as_json)


@webhooks_app.command()
def enable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Goes on at once where a webhook stopped, also with one that is only waiting for its next attempt.

    Example: billing webhooks enable 0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01
    """
    with _webhooks() as webhooks:
        webhooks.enable(webhook)
    _done(webhook, "enabled", as_json=as_json)


@webhooks_app.command("rotate-secret")
def rotate_secret(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Gives a webhook a new secret and prints it once; the old one signs along for a day.

    Example: billing webhooks rotate-secret 0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01
    """
    with _webhooks() as webhooks:
        secret = webhooks.rotate_secret(webhook)
    _show_secret(webhook, secret, as_json=as_json)


@webhooks_app.command("dead-letters")
def dead_letters(
    webhook: Annotated[UUID | None, typer.Argument(help="Only of this webhook.", metavar="[WEBHOOK]")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists what was given up.

    Example: billing webhooks dead-letters
    """
    with _webhooks() as webhooks:
        found = webhooks.dead_letters(webhook)
    if as_json:
        typer.echo(json.dumps({"items": [_dead_letter_row(letter) for letter in found]}))
        return
    for letter in found:
        retried = ", to be sent again" if letter.retry_requested else ""
        typer.echo(
            f"{letter.dead_letter_id} {letter.type} at {letter.position} for {letter.subscriber_id}:"
            f" {letter.last_failure} after {letter.attempts} attempts{retried}"
        )


@webhooks_app.command()
def retry(
    dead_letter: Annotated[UUID | None, typer.Argument(help="A dead letter's id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Has dead letters sent once more, by the worker, under the ids that they always had.

    Example: billing webhooks retry --all
    """
    if (dead_letter is None) != everything:
        raise typer.BadParameter("Name a dead letter, or give --all.")
    with _webhooks() as webhooks:
        count = 1
        if dead_letter is None:
            count = webhooks.retry_all()
        else:
            webhooks.retry(dead_letter)
    typer.echo(json.dumps({"requested": count}) if as_json else f"{count} will be sent again.")


@contextlib.contextmanager
def _webhooks() -> Iterator[Webhooks]:
    """The webhooks of the settings' database; what is wrong with the arguments becomes wrong usage."""
    settings = settings_of_command()
    seal = target_seal(KeyStore(settings.data_dir / "keys"))
    with connected(settings) as connection:
        try:
            yield Webhooks(connection, seal, SystemClock(), RandomIds())
        except AddressRefused as error:
            raise typer.BadParameter(str(error)) from None
        except NoSuchSubscriber:
            raise typer.BadParameter("There is nothing of that id.") from None


def _show_secret(webhook_id: UUID, secret: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"webhookId": str(webhook_id), "secret": secret}))
    else:
        typer.echo(f"{webhook_id}\nsecret, shown this once: {secret}")


def _done(webhook_id: UUID, what: str, *, as_json: bool) -> None:
    text = f"{webhook_id} is {what}."
    typer.echo(json.dumps({"webhookId": str(webhook_id), "outcome": what}) if as_json else text)


def _webhook_row(webhook: Webhook) -> dict[str, Any]:
    return {
        "webhookId": str(webhook.subscriber_id),
        "address": webhook.address,
        "types": webhook.types,
        "enabled": webhook.enabled,
        "disabledReason": webhook.disabled_reason,
        "createdAt": rfc3339(webhook.created_at),
        "position": webhook.position,
        "pending": webhook.pending,
        "attempts": webhook.attempts,
        "failedSince": rfc3339(webhook.failed_since) if webhook.failed_since else None,
        "nextAttemptAt": rfc3339(webhook.next_attempt_at) if webhook.next_attempt_at else None,
        "lastFailure": webhook.last_failure,
        "deadLetters": webhook.dead_letters,
    }


def _dead_letter_row(letter: GivenUp) -> dict[str, Any]:
    return {
        "deadLetterId": str(letter.dead_letter_id),
        "webhookId": str(letter.subscriber_id),
        "eventId": str(letter.event_id),
        "type": letter.type,
        "position": letter.position,
        "attempts": letter.attempts,
        "lastFailure": letter.last_failure,
        "failedSince": rfc3339(letter.failed_since),
        "givenUpAt": rfc3339(letter.given_up_at),
        "retryRequested": letter.retry_requested,
    }
