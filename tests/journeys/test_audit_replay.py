"""An auditor replays history from its events: over HTTP, from the command line, against the read models."""

import json
from typing import Any

import pytest

from tests.support.billed import billed, corrected
from tests.support.decisions import rule
from tests.support.house import House, paid
from tests.support.refunds import refund


def _billing(house: House, *arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON of a `billing` command against the house's database."""
    process = house.spawn(["-m", "interfaces.cli.main", *arguments, "--json"], house.port, piped=True)
    output, _ = process.communicate(timeout=120)
    return process.returncode, json.loads(output)


@pytest.fixture(scope="module")
def document_id(house: House) -> str:
    detail = house.issued(paid("replayed"))
    for number in range(1, 4):
        house.post(refund("replayed", f"r-{number}", 1000 * number))
    house.post(refund("replayed-later", "r-1"))
    for verb in ("void", "credit", "rebill"):
        corrected(house, billed(house).invoice_id, verb)
    house.catch_up()
    return str(detail["documentId"])


@pytest.mark.slow
def test_a_stream_replayed_at_any_version_is_what_http_tells(house: House, document_id: str) -> None:
    with house.client("AUDITOR") as auditor:
        history = auditor.get("/v1/audit/streams/order/replayed").json()["events"]
        refunded = 0
        # Notes of drafted documents stand between the refunds, wherever they came to be written.
        for version, event in enumerate(history, start=1):
            told = auditor.get("/v1/audit/streams/order/replayed", params={"atVersion": version}).json()
            code, replayed = _billing(house, "replay", "order/replayed", "--at", str(version))
            assert code == 0
            assert replayed["version"] == told["version"] == event["version"] == version
            assert replayed["state"] == told["state"]
            if event["type"] == "order.refund-executed":
                refunded += event["data"]["refund"]["refundSnapshot"]["buyerTotal"]
            recorded = [row["told"]["refundSnapshot"] for row in told["state"]["refunds"].values()]
            assert sum(snapshot["buyerTotal"] for snapshot in recorded) == refunded
    assert refunded == 1000 + 2000 + 3000


@rule("AUDIT-7")
@pytest.mark.slow
def test_the_whole_ledger_replays_to_the_read_models_and_every_hash_holds(
    house: House, document_id: str
) -> None:
    code, verified = _billing(house, "verify", "ledger")
    assert (code, verified["valid"], verified["findings"]) == (0, True, [])
    code, document = _billing(house, "verify", "document", document_id)
    assert (code, document["valid"]) == (0, True)
    code, replayed = _billing(house, "replay", "--all", "--diff")
    assert (code, replayed["equal"]) == (0, True)
    rows = {table["table"]: table["rows"] for table in replayed["tables"]}
    assert rows["invoice_v1"] >= 4, "the rebilled one has a successor"
    code, rebuilt = _billing(house, "rebuild", "--diff")
    assert (code, rebuilt["equal"]) == (0, True)


def test_what_is_replayed_is_named_in_errors(house: House) -> None:
    process = house.spawn(["-m", "interfaces.cli.main", "replay", "order/none"], house.port, piped=True)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, b"order/none" in output) == (1, True)
