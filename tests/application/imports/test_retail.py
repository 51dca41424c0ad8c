"""The mapping clause by clause, by example."""

import time
from pathlib import Path
from typing import Any

import pytest

from application.imports.retail import map_retail
from application.imports.retail_facts import cloud_event, event_id
from application.imports.retail_report import RetailImport, check_ties, make_report
from application.imports.retail_rows import RetailFileError
from tests.support.retail_samples import ShopRow, csv_lines

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "retail-sample.csv"


def mapped(*rows: ShopRow) -> RetailImport:
    result = map_retail(csv_lines(rows))
    assert check_ties(make_report(result, {})) == ()
    return result


def refused(result: RetailImport) -> dict[str, tuple[int, int]]:
    return {reason: (entry.rows, entry.amount_minor) for reason, entry in result.refused.items()}


def refunds(result: RetailImport) -> dict[str, list[tuple[str, str, int]]]:
    return {
        refund.refund_id: [
            (piece.row.stock_code, str(piece.quantity), piece.amount_minor) for piece in refund.pieces
        ]
        for refund in result.refunds
    }


def test_the_sample_file_maps_to_its_whole_report() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        report = make_report(map_retail(lines), {})
    assert check_ties(report) == ()
    assert report.to_json() == {
        "rows": 10,
        "orders": {"count": 3, "lines": 4, "amount": 3750 + 1050 + 2500 + 133},
        "refunds": {"count": 2, "lines": 1, "amount": 5000},
        "refused": {
            "ADJUSTMENT": {"rows": 1, "amount": 25000},
            "NEGATIVE_QUANTITY": {"rows": 1, "amount": 0},
            "NO_ORIGINAL_ORDER": {"rows": 1, "amount": 33},
            "NO_PRICE": {"rows": 1, "amount": 0},
            "REFUND_EXCEEDS_PAID": {"rows": 1, "amount": 9990},
        },
        "documents": {"issued": 0, "parked": 0},
    }


def test_a_row_is_refused_by_the_first_rule_that_applies() -> None:
    result = mapped(
        ("A1", "X", -2, "01-01 10:00", "-5", ""),
        ("1", "X", -2, "01-01 10:00", "-5", ""),
        ("1", "X", -1, "01-01 10:00", "0", ""),
        ("1", "X", 3, "01-01 10:00", "-1.5", ""),
        ("1", "X", 3, "01-01 10:00", "0", ""),
        ("C1", "X", -3, "01-01 10:00", "0", "7"),
        ("C1", "X", -3, "01-01 10:00", "-2", "7"),
    )
    assert refused(result) == {
        "ADJUSTMENT": (1, 1000),
        "NEGATIVE_QUANTITY": (2, 1000),
        "NO_PRICE": (4, 450 + 600),
    }
    assert not result.orders


def test_an_order_begins_with_its_first_line_that_was_not_refused() -> None:
    result = mapped(
        ("1", "X", 1, "01-01 10:00", "0", "7"),
        ("1", "X", 1, "01-01 10:01", "2", "7"),
        ("1", "Y", 0, "01-01 10:02", "2", "7"),
    )
    (order,) = result.orders
    assert (order.paid_at.minute, len(order.lines), order.amount_minor) == (1, 2, 200)


def test_an_orders_rows_need_not_stand_together_and_orders_go_out_oldest_first() -> None:
    result = mapped(
        ("2", "X", 1, "01-01 10:00", "1", ""),
        ("1", "X", 1, "01-01 09:00", "1", ""),
        ("3", "X", 1, "01-01 10:00", "1", ""),
        ("2", "Y", 1, "01-01 10:01", "1", ""),
    )
    assert [(order.order_id, len(order.lines)) for order in result.orders] == [("1", 1), ("2", 2), ("3", 1)]


def test_a_cancellation_takes_from_the_newest_earlier_order_first_and_goes_on_to_older_ones() -> None:
    result = mapped(
        ("1", "X", 5, "01-01 10:00", "2", "7"),
        ("2", "X", 3, "01-02 10:00", "2", "7"),
        ("C3", "X", -4, "01-03 10:00", "1.50", "7"),
        ("C4", "X", -4, "01-03 10:00", "1.50", "7"),
        ("C5", "X", -1, "01-03 10:00", "1.50", "7"),
    )
    assert refunds(result) == {
        "C3-2": [("X", "3", 450)],
        "C3-1": [("X", "1", 150)],
        "C4-1": [("X", "4", 600)],
    }
    assert refused(result) == {"NO_ORIGINAL_ORDER": (1, 150)}


def test_of_equally_old_orders_the_one_later_in_the_file_comes_first() -> None:
    result = mapped(
        ("9", "X", 1, "01-01 10:00", "2", "7"),
        ("1", "X", 1, "01-01 10:00", "2", "7"),
        ("C3", "X", -1, "01-03 10:00", "2", "7"),
    )
    assert list(refunds(result)) == ["C3-1"]


def test_an_order_of_the_same_minute_or_later_is_no_original() -> None:
    result = mapped(
        ("1", "X", 1, "01-03 10:00", "2", "7"),
        ("2", "X", 1, "01-03 10:01", "2", "7"),
        ("C3", "X", -1, "01-03 10:00", "2", "7"),
    )
    assert refused(result) == {"NO_ORIGINAL_ORDER": (1, 200)}


def test_the_orders_own_time_decides_and_not_that_of_the_row_sold() -> None:
    result = mapped(
        ("1", "Y", 1, "01-03 09:59", "2", "7"),
        ("1", "X", 1, "01-03 10:00", "2", "7"),
        ("C3", "X", -1, "01-03 10:00", "2", "7"),
    )
    assert list(refunds(result)) == ["C3-1"]


def test_an_earlier_order_further_down_the_file_is_found() -> None:
    result = mapped(("C3", "X", -1, "01-03 10:00", "2", "7"), ("1", "X", 1, "01-01 10:00", "2", "7"))
    assert list(refunds(result)) == ["C3-1"]


@pytest.mark.parametrize(("stock_code", "customer"), [("x", "7"), ("X", "8"), ("X", "")])
def test_only_the_same_known_customer_and_exact_stock_code_match(stock_code: str, customer: str) -> None:
    result = mapped(
        ("1", "X", 1, "01-01 10:00", "2", "7"),
        ("2", "X", 1, "01-01 10:00", "2", ""),
        ("C3", stock_code, -1, "01-03 10:00", "2", customer),
    )
    assert refused(result) == {"NO_ORIGINAL_ORDER": (1, 200)}


def test_an_orders_rows_of_one_stock_code_are_one_pool() -> None:
    result = mapped(
        ("1", "X", 1, "01-01 10:00", "2", "7"),
        ("1", "Y", 1, "01-01 10:00", "2", "7"),
        ("1", "X", 2, "01-01 10:00", "3", "7"),
        ("C3", "X", -3, "01-03 10:00", "2", "7"),
    )
    assert refunds(result) == {"C3-1": [("X", "3", 600)]}


def test_a_line_that_is_not_covered_wholly_uses_nothing_up() -> None:
    result = mapped(
        ("1", "X", 2, "01-01 10:00", "2", "7"),
        ("2", "X", 2, "01-05 10:00", "2", "7"),
        ("C3", "X", -3, "01-03 10:00", "2", "7"),
        ("C4", "X", -2, "01-03 10:00", "2", "7"),
    )
    assert refused(result) == {"NO_ORIGINAL_ORDER": (1, 600)}
    assert refunds(result) == {"C4-1": [("X", "2", 400)]}


def test_a_line_that_would_refund_more_than_an_order_paid_is_refused_whole_and_uses_nothing_up() -> None:
    result = mapped(
        ("1", "X", 2, "01-01 10:00", "2", "7"),
        ("1", "Y", 1, "01-01 10:00", "1", "7"),
        ("2", "X", 1, "01-02 10:00", "9", "7"),
        ("C3", "Y", -1, "01-03 10:00", "2", "7"),
        ("C3", "X", -3, "01-03 10:00", "2", "7"),
        ("C4", "X", -2, "01-03 10:00", "2", "7"),
    )
    # C3's X would take 2.00 of order 2 and 4.00 of order 1, which has paid 5.00 and given 2.00 back.
    assert refused(result) == {"REFUND_EXCEEDS_PAID": (1, 600)}
    assert refunds(result) == {
        "C3-1": [("Y", "1", 200)],
        "C4-2": [("X", "1", 200)],
        "C4-1": [("X", "1", 200)],
    }


def test_an_order_may_be_refunded_to_the_last_penny() -> None:
    result = mapped(("1", "X", 1, "01-01 10:00", "2", "7"), ("C3", "X", -1, "01-03 10:00", "2", "7"))
    assert not result.refused


def test_many_lines_that_many_orders_cannot_cover_take_no_quadratic_time() -> None:
    many = 10_000
    rows: list[ShopRow] = [(str(number), "X", 1, "01-01 10:00", "1", "7") for number in range(many)]
    rows += [(f"C{number}", "X", -many - 1, "01-02 10:00", "1", "7") for number in range(many)]
    rows += [(f"L{number}", "X", 1, "01-03 10:00", "1", "7") for number in range(many)]
    rows += [(f"C{many + number}", "X", -1, "01-02 10:00", "1", "7") for number in range(many)]
    started = time.process_time()
    result = mapped(*rows)
    assert time.process_time() - started < 20, "a second; looking at every order each time takes minutes"
    assert refused(result) == {"NO_ORIGINAL_ORDER": (many, many * (many + 1) * 100)}
    assert len(result.refunds) == many


def test_the_pieces_of_a_line_add_up_to_the_lines_rounded_amount() -> None:
    orders: list[ShopRow] = [(str(n), "X", 1, f"01-0{n} 10:00", "1", "7") for n in range(1, 6)]
    result = mapped(*orders, ("C9", "X", -5, "01-09 10:00", "0.005", "7"))
    amounts = [refund.amount_minor for refund in result.refunds]
    # Rounding each half penny up would give 5 pence; the line is worth 2.5, so 3.
    assert amounts == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("quantity", [0, 2])
def test_a_cancelled_line_that_takes_nothing_back_has_no_original(quantity: int) -> None:
    result = mapped(("1", "X", 2, "01-01 10:00", "2", "7"), ("C3", "X", quantity, "01-03 10:00", "2", "7"))
    assert refused(result) == {"NO_ORIGINAL_ORDER": (1, 200 * quantity)}


def test_one_refund_holds_all_lines_of_a_cancellation_on_one_order() -> None:
    result = mapped(
        ("1", "X", 2, "01-01 10:00", "2", "7"),
        ("1", "Y", 2, "01-01 10:00", "3", "7"),
        ("C3", "X", -1, "01-03 10:00", "2", "7"),
        ("C3", "X", -1, "01-03 10:00", "1", "7"),
        ("C3", "Y", -2, "01-03 10:00", "3", "7"),
    )
    assert refunds(result) == {"C3-1": [("X", "1", 200), ("X", "1", 100), ("Y", "2", 600)]}


def test_an_order_is_sent_as_the_fact_that_it_is_paid() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        first, _, summer = (cloud_event(order) for order in map_retail(lines).orders)
    assert first == {
        "specversion": "1.0",
        "id": "order/700001",
        "source": "urn:billing:import:retail",
        "type": "orders.PAID_IN_ESCROW",
        "time": "2021-01-04T09:15:00.000000Z",
        "datacontenttype": "application/json",
        "data": {
            "orderId": "700001",
            "countryCode": "GB",
            "paidAt": "2021-01-04T09:15:00.000000Z",
            "orderFinancialSnapshot": snapshot(
                first,
                "2021-01-04T09:15:00.000000Z",
                4800,
                [
                    line("1", "T100", "ENAMEL TEAPOT", "3", "12.5", 3750),
                    line("2", "S200", "SOAP, LAVENDER", "10", "1.05", 1050),
                ],
            ),
            "orderPartySnapshot": {
                "buyer": {
                    "partyId": "90001",
                    "legalName": "Customer 90001",
                    "type": "B2C",
                    "address": {"countryCode": "GB"},
                },
                "seller": first["data"]["orderPartySnapshot"]["seller"],
                "platform": first["data"]["orderPartySnapshot"]["platform"],
            },
            "references": {},
        },
    }
    data = summer["data"]
    assert data["paidAt"] == "2021-06-01T10:30:00.000000Z", "British summer time is an hour ahead of UTC"
    assert data["orderPartySnapshot"]["buyer"]["partyId"] == "anonymous-700003"
    assert data["orderPartySnapshot"]["buyer"]["address"] == {"countryCode": "IE"}
    (kite,) = data["orderFinancialSnapshot"]["lines"]
    assert kite == line("1", "K300", "K300", "4", "0.333", 133), "an empty description is the stock code"


def test_a_refund_is_sent_as_a_snapshot_of_what_is_refunded() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        newer, older = (cloud_event(refund) for refund in map_retail(lines).refunds)
    assert newer["data"]["refundId"] == "C700006-700002"
    assert older["id"] == "refund/C700006/700001"
    assert older["type"] == "payments.REFUND_EXECUTED"
    assert older["time"] == "2021-06-02T08:00:00.000000Z"
    assert older["data"] == {
        "orderId": "700001",
        "refundId": "C700006-700001",
        "reason": "Cancellation C700006",
        "refundSnapshot": snapshot(
            older,
            "2021-06-02T08:00:00.000000Z",
            2500,
            [line("1", "T100", "ENAMEL TEAPOT", "2", "12.5", 2500)],
            key="refundSnapshot",
        ),
    }


def test_every_snapshot_has_an_id_of_its_own_within_the_allowed_length() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        result = map_retail(lines)
    events = [cloud_event(fact) for fact in [*result.orders, *result.refunds]]
    ids = {
        event["data"].get("orderFinancialSnapshot", event["data"].get("refundSnapshot"))["snapshotId"]
        for event in events
    }
    assert len(ids) == len(events)
    assert all(0 < len(snapshot_id) <= 64 for snapshot_id in ids)


def test_ids_hang_on_invoice_numbers_alone_so_that_another_files_invoice_conflicts() -> None:
    one = mapped(("1", "X", 1, "01-01 10:00", "2", "7")).orders[0]
    other = mapped(("5", "X", 1, "01-01 09:00", "2", ""), ("1", "Y", 8, "02-01 10:00", "3", "")).orders[1]
    assert event_id(one) == event_id(other)
    assert cloud_event(one)["data"] != cloud_event(other)["data"]
    snapshots = [cloud_event(order)["data"]["orderFinancialSnapshot"] for order in (one, other)]
    assert snapshots[0]["snapshotId"] == snapshots[1]["snapshotId"]


def test_invoice_numbers_with_hyphens_and_slashes_cannot_share_an_event_id() -> None:
    result = mapped(
        ("2-3", "X", 1, "01-01 10:00", "2", "7"),
        ("3", "Y", 1, "01-01 10:00", "2", "7"),
        ("C1", "X", -1, "01-02 10:00", "2", "7"),
        ("C1-2", "Y", -1, "01-02 10:00", "2", "7"),
    )
    assert [refund.refund_id for refund in result.refunds] == ["C1-2-3", "C1-2-3"]
    assert len({event_id(refund) for refund in result.refunds}) == 2


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("United Kingdom", "GB"),
        ("EIRE", "IE"),
        ("USA", "US"),
        ("RSA", "ZA"),
        ("Channel Islands", "ZZ"),
        ("European Community", "ZZ"),
        ("Unspecified", "ZZ"),
        ("Czech Republic", "CZ"),
        ("Hong Kong", "HK"),
        ("United Arab Emirates", "AE"),
        ("Malta", "MT"),
    ],
)
def test_the_buyers_country_is_the_iso_code_of_its_name(country: str, code: str) -> None:
    lines = csv_lines([("1", "X", 1, "01-01 10:00", "2", "7")], country=country)
    event: dict[str, Any] = cloud_event(map_retail(lines).orders[0])
    assert event["data"]["orderPartySnapshot"]["buyer"]["address"]["countryCode"] == code
    assert event["data"]["countryCode"] == "GB", "the issuer's law"


@pytest.mark.parametrize("country", ["Atlantis", "", "Eurozone", "Canary Islands"])
def test_an_unknown_country_of_an_order_is_an_error_naming_the_line(country: str) -> None:
    rows: list[ShopRow] = [
        ("A1", "X", 1, "01-01 10:00", "2", "7"),
        ("1", "X", 1, "01-01 10:00", "2", "7"),
    ]
    with pytest.raises(RetailFileError, match=r"Line 3: .* is not the name of a country"):
        map_retail(csv_lines(rows, country=country))


def line(line_id: str, sku: str, description: str, quantity: str, price: str, amount: int) -> dict[str, Any]:
    return {
        "lineId": line_id,
        "sku": sku,
        "kind": "GOODS",
        "description": description,
        "quantity": quantity,
        "unitPrice": price,
        "amount": amount,
    }


def snapshot(
    event: dict[str, Any],
    captured_at: str,
    total: int,
    lines: list[dict[str, Any]],
    key: str = "orderFinancialSnapshot",
) -> dict[str, Any]:
    return {
        "snapshotId": event["data"][key]["snapshotId"],
        "currencyUomId": "GBP",
        "capturedAt": captured_at,
        "lines": lines,
        "sellerCouponDiscount": 0,
        "itemsSubtotal": total,
        "platformFeeBeforeCredits": 0,
        "feeCreditsApplied": 0,
        "platformFeeAfterCredits": 0,
        "opsFee": 0,
        "processingFee": 0,
        "sellerFees": [],
        "taxes": [],
        "buyerTotal": total,
        "sellerNet": total,
    }
