"""`billing replay`: what an auditor may ask for, and that nothing asked for is left out in silence."""

import json
from functools import partial

import psycopg
import pytest

from tests.support.commands import Billing, asked
from tests.support.ledger_fixtures import SERIES, LedgerUrls
from tests.support.projected import catch_up, give_numbers

NAME = f"number-series/{SERIES.id}"


@pytest.fixture
def billing(whole_billing: Billing, database_urls: LedgerUrls) -> Billing:
    """On a ledger of six events of one stream, projected."""
    give_numbers(database_urls.service, 5)
    catch_up(database_urls.service)
    return partial(whole_billing, "replay")


def test_the_whole_ledger_is_replayed_up_to_a_position(billing: Billing) -> None:
    assert asked(billing, "--all") == {"events": 6, "streams": 1, "findings": []}
    assert asked(billing, "--all", "--at", "4") == {"events": 4, "streams": 1, "findings": []}


@pytest.mark.slow
def test_a_stream_is_compared_with_what_its_events_made(billing: Billing, database_urls: LedgerUrls) -> None:
    replayed = asked(billing, NAME, "--diff")
    assert (replayed["stream"], replayed["version"], replayed["equal"]) == (NAME, 6, True)
    assert {table["projection"] for table in replayed["tables"]} == {"number-series"}
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("UPDATE readmodel.number_v1 SET holder_id = 'thief' WHERE sequence = 3")
    for arguments in ((NAME, "--diff"), ("--all", "--diff")):
        code, out = billing(*arguments, "--json")
        assert (code, json.loads(out)["equal"]) == (1, False)
        code, out = billing(*arguments)
        assert (code, "1 only live, 1 only rebuilt" in out) == (1, True)


@pytest.mark.parametrize("what", [NAME, "--all"])
def test_read_models_are_not_compared_with_the_past(billing: Billing, what: str) -> None:
    assert billing(what, "--at", "4", "--diff") == (2, "")
