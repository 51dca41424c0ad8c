"""`billing webhooks`: what operators type, what they read, and how it ends."""

from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from infrastructure.keys.store import KeyStore
from interfaces.bootstrap import target_seal
from interfaces.cli.webhooks import webhooks_app
from tests.support.commands import Billing, asked
from tests.support.ledger_fixtures import LedgerUrls

pytestmark = pytest.mark.slow

URL = "https://ana:secret@shop.example/hook?token=secret"


@pytest.fixture
def billing(whole_billing: Billing) -> Billing:
    return partial(whole_billing, "webhooks")


def test_a_webhook_is_added_with_its_secret_listed_without_and_removed(billing: Billing) -> None:
    added = asked(billing, "add", URL, "--type", "docs.DocumentIssued", "--after", "0")
    assert added["secret"].startswith("whsec_")
    (row,) = asked(billing, "list")["items"]
    assert row | {"createdAt": None} == {
        "webhookId": added["webhookId"],
        "address": "https://shop.example/hook",
        "types": ["docs.DocumentIssued"],
        "enabled": True,
        "disabledReason": None,
        "createdAt": None,
        "position": 0,
        "pending": 0,
        "attempts": 0,
        "failedSince": None,
        "nextAttemptAt": None,
        "lastFailure": None,
        "deadLetters": 0,
    }
    assert "secret" not in billing("list")[1]
    assert asked(billing, "remove", added["webhookId"])["outcome"] == "removed"
    assert asked(billing, "list") == {"items": []}


def test_a_webhook_is_disabled_enabled_and_gets_a_new_secret(billing: Billing) -> None:
    added = asked(billing, "add", URL)
    webhook_id = added["webhookId"]
    asked(billing, "disable", webhook_id)
    assert asked(billing, "list")["items"][0]["disabledReason"] == "operator"
    asked(billing, "enable", webhook_id)
    assert asked(billing, "list")["items"][0]["enabled"] is True
    rotated = asked(billing, "rotate-secret", webhook_id)
    assert rotated["webhookId"] == webhook_id
    assert rotated["secret"] != added["secret"]


def test_the_installations_own_key_seals_what_the_worker_opens(
    billing: Billing, database_urls: LedgerUrls, tmp_path: Path
) -> None:
    added = asked(billing, "add", URL)
    seal = target_seal(KeyStore(tmp_path / "keys"))
    with psycopg.connect(database_urls.service) as connection:
        row = connection.execute("SELECT subscriber_id, sealed FROM ledger.subscriber").fetchone()
    assert row is not None
    target = seal.open(bytes(row[1]), row[0])
    assert (target.url, target.secrets[0].text) == (URL, added["secret"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "http://shop.example/"),
        ("add", URL, "--type", "docs.Nonsense"),
        ("add", URL, "--after", "-1"),
        ("remove", "nonsense"),
        ("remove", str(uuid4())),
        ("enable", str(uuid4())),
        ("disable", str(uuid4())),
        ("rotate-secret", str(uuid4())),
        ("retry",),
        ("retry", str(uuid4())),
        ("retry", str(uuid4()), "--all"),
    ],
)
def test_wrong_usage_ends_with_2_and_changes_nothing(billing: Billing, arguments: tuple[str, ...]) -> None:
    assert billing(*arguments)[0] == 2
    assert asked(billing, "list") == {"items": []}


def test_without_dead_letters_there_is_nothing_to_send_again(billing: Billing) -> None:
    assert asked(billing, "dead-letters") == {"items": []}
    assert asked(billing, "retry", "--all") == {"requested": 0}


def test_a_database_that_cannot_be_reached_ends_with_3(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", "postgresql://127.0.0.1:9/billing")
    assert billing("list")[0] == 3


def test_every_command_explains_itself_with_an_example(billing: Billing) -> None:
    for command in webhooks_app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        code, out = billing(name, "--help")
        assert code == 0
        assert f"Example: billing webhooks {name}" in " ".join(out.split())
