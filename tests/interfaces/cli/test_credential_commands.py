"""`billing credential`: what operators type, what they read, and that a secret is never an argument."""

import io
import sys
from functools import partial

import pytest

from interfaces.cli.credential import credential_app
from tests.support.commands import Billing, asked

PERMISSIONS = ("--permission", "billing:auth:elevate", "--permission", "billing:invoice:void")


@pytest.fixture
def billing(whole_billing: Billing) -> Billing:
    return partial(whole_billing, "credential")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What stands on the standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("735519\n"))
    return monkeypatch


@pytest.mark.slow
def test_a_credential_is_added_changed_listed_and_disabled(
    billing: Billing, typed: pytest.MonkeyPatch
) -> None:
    added = asked(billing, "add", "maria", *PERMISSIONS)
    assert added["outcome"] == "added"
    typed.setattr(sys, "stdin", io.StringIO("correct horse\r\n"))
    changed = asked(billing, "add", "maria", "--password", *PERMISSIONS)
    assert changed == {"credentialId": added["credentialId"], "outcome": "changed"}
    row = {
        "credentialId": added["credentialId"],
        "username": "maria",
        "kind": "PASSWORD",
        "permissions": ["billing:auth:elevate", "billing:invoice:void"],
        "enabled": True,
    }
    assert asked(billing, "list") == {"items": [row]}
    assert asked(billing, "disable", "maria", "--by", "ana")["outcome"] == "disabled"
    assert asked(billing, "disable", "maria")["outcome"] == "disabled"
    assert asked(billing, "list") == {"items": [{**row, "enabled": False}]}
    code, out = billing("list")
    assert code == 0 and f"{added['credentialId']} maria PASSWORD disabled" in out
    assert asked(billing, "list", "--tenant", "other") == {"items": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("secret", "arguments"),
    [
        ("123\n", ("maria", *PERMISSIONS)),
        ("", ("maria", *PERMISSIONS)),
        ("735519\n", ("maria", "--password", *PERMISSIONS)),
        ("735519\n", ("maria", "--permission", "billing:everything")),
        ("735519\n", ("maria",)),
        ("735519\n", (" ", *PERMISSIONS)),
        ("735519\n", ("maria", "--pin", "735519", *PERMISSIONS)),
    ],
)
def test_what_is_not_acceptable_is_wrong_usage(
    billing: Billing, typed: pytest.MonkeyPatch, secret: str, arguments: tuple[str, ...]
) -> None:
    typed.setattr(sys, "stdin", io.StringIO(secret))
    assert billing("add", *arguments) == (2, "")
    assert asked(billing, "list") == {"items": []}


def test_who_has_no_credential_cannot_be_disabled(billing: Billing) -> None:
    assert billing("disable", "nobody") == (2, "")


def test_every_command_has_an_example() -> None:
    for command in credential_app.registered_commands:
        assert command.callback is not None and "Example: billing credential" in str(command.callback.__doc__)
