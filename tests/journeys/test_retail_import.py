"""A shop's file through the real door: orders and refunds with their documents, however slow these come."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.import_retail import import_retail
from interfaces.cli.inbound_door import InboundDoor, Patience
from tests.support.house import House, all_items

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "retail-sample.csv"
ORDERS = ("700001", "700002", "700003")


def imported(house: House, give_up_after_seconds: float = 60.0) -> tuple[int, Any]:
    """The exit code of an import, and its report if there is one."""
    out, err = io.StringIO(), io.StringIO()
    patience = Patience(give_up_after_seconds=give_up_after_seconds, first_pause_seconds=0.05)
    token = house.token("SYSTEM", sub="shop")
    with InboundDoor(house.url, lambda: token, patience=patience) as door:
        code = import_retail(SAMPLE, door, as_json=True, out=out, err=err)
    return code, json.loads(out.getvalue() or "null")


@pytest.mark.slow
def test_an_import_ends_when_the_documents_of_refunds_are_issued_too(house: House) -> None:
    with house.without_worker():
        # The door answers 202: there are drafts, which nobody issues now.
        assert imported(house, give_up_after_seconds=1) == (3, None)
    code, report = imported(house)
    assert (code, report["documents"]) == (0, {"issued": 5, "parked": 0})
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        told = [each for order in ORDERS for each in all_items(auditor, "/v1/documents", orderId=order)]
    totals: dict[str, int] = {}
    for each in told:
        assert each["status"] == "ISSUED"
        totals[each["docType"]] = totals.get(each["docType"], 0) + each["totals"]["grandTotal"]
    assert len(told) == 5
    assert totals == {
        "RECEIPT": report["orders"]["amount"],
        "ADJUSTMENT_STATEMENT": report["refunds"]["amount"],
    }
    assert imported(house) == (0, report)
