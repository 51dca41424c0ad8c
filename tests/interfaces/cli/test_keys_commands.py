"""`billing keys`: what operators type to rotate and retire master keys, what they read, and how it ends."""

import json
from functools import partial

import psycopg
import pytest

from tests.support.commands import Billing, asked
from tests.support.ledger_fixtures import LedgerUrls
from tests.support.subject_keys import store_key


@pytest.fixture
def billing(whole_billing: Billing) -> Billing:
    return partial(whole_billing, "keys")


def test_a_master_key_is_rotated_listed_and_retired(billing: Billing) -> None:
    (old,) = asked(billing)["masters"]
    new = asked(billing, "rotate", "subjects")["current"]
    assert asked(billing)["currentMaster"] == new
    assert f"The older master key {old} is still there." in billing()[1]
    assert asked(billing, "retire", old) == {"retired": old, "current": new}
    assert (asked(billing)["masters"], asked(billing)["currentMaster"]) == ([new], new)
    assert "still there" not in billing()[1]


def test_what_cannot_be_retired_is_a_finding(billing: Billing, database_urls: LedgerUrls) -> None:
    (old,) = asked(billing)["masters"]
    assert billing("retire", old) == (1, f"{old} is the current key: rotate first.\n")
    assert billing("retire", "0" * 16) == (1, f"There is no key {'0' * 16}.\n")
    asked(billing, "rotate", "subjects")
    with psycopg.connect(database_urls.service) as connection:
        store_key(connection, old)
    code, out = billing("retire", old, "--json")
    finding = f"1 live keys are wrapped by {old}: rewrap them first."
    assert (code, json.loads(out)) == (1, {"finding": finding})
    assert old in asked(billing)["masters"]
