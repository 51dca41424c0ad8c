"""Half a year of a real shop: its exact totals, checked against the slow way, in a few seconds."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.imports.retail import map_retail
from application.imports.retail_facts import cloud_event
from application.imports.retail_refunds import Order
from application.imports.retail_report import check_ties, make_report
from domain.documents.order_events import RefundData
from domain.documents.order_snapshot import OrderData, check_equations
from tests.application.imports.retail_oracle import slow_report

REAL_FILE = (
    Path(__file__).resolve().parents[3] / "../shared/data/online-retail-2010-12_2011-05.csv.gz"
).resolve()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL_FILE.exists(), reason="the real shop's file is not here"),
]


def real_lines() -> Iterator[str]:
    with gzip.open(REAL_FILE, "rt", encoding="utf-8-sig", newline="") as lines:
        yield from lines


def test_the_real_file_maps_to_its_exact_totals_in_a_few_seconds() -> None:
    started = time.process_time()
    result = map_retail(real_lines())
    report = make_report(result, {})
    elapsed = time.process_time() - started
    assert check_ties(report) == ()
    assert report.row_amount_minor == 442_262_554
    assert report.to_json() == {
        "rows": 209_029,
        "orders": {"count": 8_126, "lines": 203_954, "amount": 406_472_659},
        "refunds": {"count": 1_435, "lines": 2_683, "amount": 15_949_354},
        "refused": {
            "NEGATIVE_QUANTITY": {"rows": 651, "amount": 0},
            "NO_ORIGINAL_ORDER": {"rows": 1_098, "amount": 19_634_939},
            "NO_PRICE": {"rows": 641, "amount": 0},
            "REFUND_EXCEEDS_PAID": {"rows": 2, "amount": 205_602},
        },
        "documents": {"issued": 0, "parked": 0},
    }
    assert elapsed < 15, "a few seconds on an idle machine; quadratic matching would take minutes"


def test_every_fact_of_the_real_file_is_one_that_the_domain_takes() -> None:
    result = map_retail(real_lines())
    for fact in [*result.orders, *result.refunds]:
        data = json.loads(json.dumps(cloud_event(fact)["data"]))
        if isinstance(fact, Order):
            check_equations(OrderData.model_validate(data).order_financial_snapshot)
        else:
            check_equations(RefundData.model_validate(data).refund_snapshot)


@pytest.mark.slow
def test_the_slow_way_agrees_on_the_whole_real_file() -> None:
    result = map_retail(real_lines())
    expected = slow_report(real_lines())
    pieces = sorted(
        (refund.refund_id, piece.row.stock_code, int(piece.quantity), piece.amount_minor)
        for refund in result.refunds
        for piece in refund.pieces
    )
    assert pieces == expected.pop("pieces")
    report = make_report(result, {}).to_json()
    assert {key: value for key, value in report.items() if key != "documents"} == expected
