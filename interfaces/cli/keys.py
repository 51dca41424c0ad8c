"""The keys from the command line: checked, rotated, and those of persons destroyed where they may be."""

import json
from typing import Annotated

import typer

from application.erasure import SubjectKeyState
from application.signing import KeyUnusable
from domain.kernel.facts import rfc3339
from infrastructure.eventstore.master_keys import retire_master_key
from infrastructure.eventstore.subject_keys import SubjectKeyWrap, rewrap_keys
from infrastructure.keys.rings import NotRetired
from infrastructure.keys.store import KeyStore, RotatingRing
from infrastructure.settings import Settings
from interfaces.bootstrap import System
from interfaces.cli.invocation import (
    EXIT_CHECK_FAILED,
    AsJson,
    connected,
    settings_of_command,
    with_system,
)

Subject = Annotated[str, typer.Argument(help="Whose data, as party:ID or user:ID.")]

keys_app = typer.Typer(help="Checks, rotates and destroys keys.", invoke_without_command=True)


@keys_app.callback()
def check_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """Checks every key, lists those of seals and the master keys; exit 1 if one is missing or damaged.

    Example: billing keys --json
    """
    if context.invoked_subcommand is not None:
        return
    store = _store(settings_of_command())
    try:
        store.check()
        found = {
            "current": store.seal.current_id(),
            "seal": list(store.seal.key_ids()),
            "currentMaster": store.subjects.current_id(),
            "masters": list(store.subjects.key_ids()),
        }
    except KeyUnusable as error:
        typer.echo(json.dumps({"finding": str(error)}) if as_json else str(error))
        raise typer.Exit(EXIT_CHECK_FAILED) from None
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"All keys are intact. Documents are sealed with {found['current']}.")
        typer.echo(f"Keys of subjects are wrapped by {found['currentMaster']}.")
        for old in (key_id for key_id in found["masters"] if key_id != found["currentMaster"]):
            typer.echo(f"The older master key {old} is still there.")


@keys_app.command("rotate")
def rotate(
    ring: Annotated[RotatingRing, typer.Argument(help="Which ring gets a new current key.")],
    as_json: AsJson = False,
) -> None:
    """Makes a new current key; what older ones sealed stays readable. Persons' keys are wrapped anew at once.

    Example: billing keys rotate subjects
    """
    settings = settings_of_command()
    store = _store(settings)
    key_id = store.rotate(ring)
    rewrapped = _rewrap(settings, store) if ring == "subjects" else None
    if as_json:
        typer.echo(json.dumps({"ring": ring, "current": key_id, "rewrapped": rewrapped}))
    else:
        told = "" if rewrapped is None else f" {rewrapped} keys of subjects are wrapped by it now."
        typer.echo(f"The current key of {ring} is {key_id}.{told}")


@keys_app.command("rewrap")
def rewrap(as_json: AsJson = False) -> None:
    """Wraps the keys of subjects by the current master key, where a rotation was interrupted.

    Example: billing keys rewrap
    """
    settings = settings_of_command()
    rewrapped = _rewrap(settings, _store(settings))
    typer.echo(json.dumps({"rewrapped": rewrapped}) if as_json else f"{rewrapped} keys were wrapped anew.")


@keys_app.command("retire")
def retire(
    master_key: Annotated[str, typer.Argument(help="Which one, as `billing keys` lists it.")],
    as_json: AsJson = False,
) -> None:
    """Removes an old master key of subjects' keys for good; exit 1 if it is current or a live key needs it.

    Example: billing keys retire 9f86d081884c7d65
    """
    settings = settings_of_command()
    store = _store(settings)
    try:
        with connected(settings) as connection:
            retire_master_key(connection, store.subjects, master_key)
    except NotRetired as error:
        typer.echo(json.dumps({"finding": str(error)}) if as_json else str(error))
        raise typer.Exit(EXIT_CHECK_FAILED) from None
    if as_json:
        typer.echo(json.dumps({"retired": master_key, "current": store.subjects.current_id()}))
    else:
        typer.echo(f"The master key {master_key} is removed. Remove it from every copy of this folder, too.")


@keys_app.command("subject")
def show_subject(subject: Subject, as_json: AsJson = False) -> None:
    """Lists the keys of a subject's data: live, to be destroyed at a time, or destroyed; exit 1 if none.

    Example: billing keys subject party:buyer-17
    """
    _tell(with_system(lambda system: system.subject_keys.of_subject(subject)), as_json=as_json)


@keys_app.command("erase")
def erase(
    subject: Subject,
    reason: Annotated[str, typer.Option(help="Why, for the record; no personal data.")],
    by: Annotated[str, typer.Option(help="Who asks for it, for the record.")],
    as_json: AsJson = False,
) -> None:
    """Destroys the keys of a subject's data, at once or, where the law wants documents, when it lets go.

    Example: billing keys erase party:buyer-17 --by dpo --reason "request 2026-117"
    """

    async def ask(system: System) -> list[SubjectKeyState]:
        await system.erasure.erase(subject, by, reason)
        await system.erasure.step()
        return await system.subject_keys.of_subject(subject)

    _tell(with_system(ask), as_json=as_json)


def _store(settings: Settings) -> KeyStore:
    return KeyStore(settings.data_dir / "keys")


def _rewrap(settings: Settings, store: KeyStore) -> int:
    with connected(settings) as connection:
        return rewrap_keys(connection, SubjectKeyWrap(store.subjects))


def _tell(keys: list[SubjectKeyState], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"keys": [key.model_dump(mode="json", by_alias=True) for key in keys]}))
    else:
        typer.echo("\n".join(_line(key) for key in keys) or "Nothing personal is recorded of this subject.")
    if not keys:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _line(key: SubjectKeyState) -> str:
    if key.erased_at is not None:
        told = "the read models know" if key.redacted_at else "the read models are being told"
        return f"{key.key_id} {key.retention_class:8} erased {rfc3339(key.erased_at)}; {told}"
    if key.erase_after is not None:
        return f"{key.key_id} {key.retention_class:8} kept for the law until {rfc3339(key.erase_after)}"
    return f"{key.key_id} {key.retention_class:8} live since {rfc3339(key.created_at)}"
