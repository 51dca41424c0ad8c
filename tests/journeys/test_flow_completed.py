"""S3 §4.3: a completed order has a statement for its seller, and each payout has one."""

import copy

import pytest

from tests.support.order_facts import completion_data
from tests.support.problems import problem
from tests.support.shop import Shop

pytestmark = pytest.mark.slow


def test_a_statement_shows_the_payout_as_pending_and_the_payout_has_its_own(
    shop: Shop,
) -> None:
    order = shop.paid()
    (statement,) = shop.completed(order)
    assert shop.content(statement["documentId"])["payoutStatus"] == "PENDING"
    (first,) = shop.paid_out(order, "p-1", amount=6000)
    (second,) = shop.paid_out(order, "p-2", amount=624)
    assert [each["docType"] for each in (first, second)] == ["PAYOUT_STATEMENT"] * 2
    assert shop.content(first["documentId"])["amount"] == 6000
    assert shop.content(statement["documentId"])["payoutStatus"] == "PENDING", "what is issued stays"
    shown = shop.detail(first["documentId"])
    assert shown["documentKey"] == f"{order['orderId']}/p-1:PAYOUT_STATEMENT:platform-gb:1"
    assert shown["totals"]["grandTotal"] == 6000


def test_a_completion_repeats_the_orders_data(shop: Shop) -> None:
    order = shop.paid()
    same = {**copy.deepcopy(order), **completion_data(order["orderId"])}
    (statement,) = shop.took(shop.tell("orders.COMPLETED", same))
    assert statement["docType"] == "SELLER_STATEMENT"
    (again,) = shop.tell("orders.COMPLETED", same).json()["results"]
    assert (again["outcome"], again["documents"]) == ("DUPLICATE", [statement])


def test_a_completion_that_tells_of_another_order_is_a_conflict(shop: Shop) -> None:
    order = shop.paid()
    other = {**copy.deepcopy(order), **completion_data(order["orderId"])}
    other["orderFinancialSnapshot"]["capturedAt"] = "2026-03-14T09:26:51.000000Z"
    problem(shop.tell("orders.COMPLETED", other), 409, "SNAPSHOT_CONFLICT")
    assert shop.kinds(order) == ["RECEIPT"]
    assert len(shop.completed(order)) == 1


def test_an_order_completes_once_whatever_is_told_of_its_payout(shop: Shop) -> None:
    order = shop.paid()
    (statement,) = shop.completed(order)
    (again,) = shop.tell("orders.COMPLETED", completion_data(order["orderId"], "SENT")).json()["results"]
    assert (again["outcome"], again["documents"]) == ("DUPLICATE", [statement])


def test_a_payout_is_told_twice_and_then_otherwise(shop: Shop) -> None:
    order = shop.paid()
    (first,) = shop.paid_out(order)
    data = {"orderId": order["orderId"], "payoutId": "p-1", "escrowReleaseId": "release-p-1"}
    data |= {"amount": 6624, "currencyUomId": "GBP", "sentAt": "2026-03-17T08:00:00.000000Z"}
    (again,) = shop.tell("payments.PAYOUT_SENT", data).json()["results"]
    assert (again["outcome"], again["documents"]) == ("DUPLICATE", [first])
    problem(shop.tell("payments.PAYOUT_SENT", {**data, "amount": 1}), 409, "SNAPSHOT_CONFLICT")
