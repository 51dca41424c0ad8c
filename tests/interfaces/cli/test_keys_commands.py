"""`billing keys`: what operators type to rotate and retire master keys, what they read, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infrastructure.keys.store import KeyStore
from interfaces.cli.main import main
from tests.support.ledger_fixtures import LedgerUrls

Billing = Callable[..., tuple[int, str]]


@pytest.fixture
def billing(
    database_urls: LedgerUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Billing:
    """Runs `billing keys …` on a database and a data folder of its own: exit code and standard output."""
    KeyStore.create(tmp_path / "keys")
    monkeypatch.setenv("BILLING_DATABASE_URL", database_urls.service)
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["keys", *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def told(billing: Billing, *arguments: str) -> Any:
    """What it prints with --json; it must end well."""
    code, out = billing(*arguments, "--json")
    assert code == 0, out
    return json.loads(out)


def test_a_master_key_is_rotated_listed_and_retired(billing: Billing) -> None:
    (old,) = told(billing)["masters"]
    new = told(billing, "rotate", "subjects")["current"]
    assert told(billing)["currentMaster"] == new
    assert f"The older master key {old} is still there." in billing()[1]
    assert told(billing, "retire", old) == {"retired": old, "current": new}
    assert (told(billing)["masters"], told(billing)["currentMaster"]) == ([new], new)
    assert "still there" not in billing()[1]


def test_what_cannot_be_retired_is_a_finding(billing: Billing, database_urls: LedgerUrls) -> None:
    (old,) = told(billing)["masters"]
    assert billing("retire", old) == (1, f"{old} is the current key: rotate first.\n")
    assert billing("retire", "0" * 16) == (1, f"There is no key {'0' * 16}.\n")
    told(billing, "rotate", "subjects")
    with psycopg.connect(database_urls.service) as connection:
        connection.execute(
            "INSERT INTO ledger.subject_key"
            " (key_id, subject, retention_class, master_key_id, wrapped_key, created_at)"
            " VALUES (gen_random_uuid(), 'party:buyer-17', 'FISCAL', %s, 'wrapped', now())",
            (old,),
        )
    code, out = billing("retire", old, "--json")
    finding = f"1 live keys are wrapped by {old}: rewrap them first."
    assert (code, json.loads(out)) == (1, {"finding": finding})
    assert old in told(billing)["masters"]
