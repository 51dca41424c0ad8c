"""The report after the service has spoken: what it rejected moves, and everything still ties."""

import pytest

from application.imports.retail import map_retail
from application.imports.retail_report import check_ties, make_report
from tests.support.retail_samples import csv_lines

ROWS = [
    ("1", "X", 1, "01-01 10:00", "2", "7"),
    ("1", "Y", 1, "01-01 10:00", "2", "7"),
    ("2", "X", 1, "01-02 10:00", "2", "7"),
    ("C3", "X", -2, "01-03 10:00", "1", "7"),
]


def test_a_rejected_order_is_counted_under_its_code() -> None:
    report = make_report(map_retail(csv_lines(ROWS)), {"order/1": "EVENT_CONFLICT"})
    assert check_ties(report) == ()
    assert report.to_json()["orders"] == {"count": 1, "lines": 1, "amount": 200}
    assert report.to_json()["refused"] == {"EVENT_CONFLICT": {"rows": 2, "amount": 400}}


@pytest.mark.parametrize("order_id", ["1", "2"])
def test_a_row_refunded_in_part_counts_as_refunded_and_its_pence_where_they_went(order_id: str) -> None:
    report = make_report(map_retail(csv_lines(ROWS)), {f"refund/C3/{order_id}": "REFUND_EXCEEDS_PAID"})
    assert check_ties(report) == ()
    assert report.to_json()["refunds"] == {"count": 1, "lines": 1, "amount": 100}
    assert report.to_json()["refused"] == {"REFUND_EXCEEDS_PAID": {"rows": 0, "amount": 100}}


def test_a_row_whose_refunds_are_all_rejected_counts_as_refused_once() -> None:
    codes = {"refund/C3/1": "EVENT_CONFLICT", "refund/C3/2": "EVENT_CONFLICT"}
    report = make_report(map_retail(csv_lines(ROWS)), codes)
    assert check_ties(report) == ()
    assert report.to_json()["refunds"] == {"count": 0, "lines": 0, "amount": 0}
    assert report.to_json()["refused"] == {"EVENT_CONFLICT": {"rows": 1, "amount": 200}}


def test_making_a_report_leaves_the_mapping_as_it_was() -> None:
    result = map_retail(csv_lines([*ROWS, ("C9", "Z", -1, "01-03 10:00", "1", "7")]))
    for _ in range(2):
        report = make_report(result, {"order/1": "NO_ORIGINAL_ORDER"})
        assert report.to_json()["refused"] == {"NO_ORIGINAL_ORDER": {"rows": 3, "amount": 500}}


def test_a_missing_row_or_penny_is_found() -> None:
    report = make_report(map_retail(csv_lines(ROWS)), {})
    report.orders.lines -= 1
    report.refunds.amount_minor += 1
    assert check_ties(report) == (
        "4 rows were read, 3 are accounted for.",
        "800 pence were read, 801 are accounted for.",
    )
