"""S3 §4.4: refunds and disputes, partial and full, several, told twice, early, late, and for too much."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.facts import plain_amount
from tests.support.order_facts import completion_data, dispute_data, payout_data
from tests.support.problems import problem
from tests.support.refunds import refund
from tests.support.shop import Shop
from tests.support.snapshots import order_data

pytestmark = pytest.mark.slow

PAID = 7680
DISPUTE = "payments.DISPUTE_SAGA_COMPLETED"
REFUND = "payments.REFUND_EXECUTED"


def _money(order: dict[str, Any], amount: int = 500) -> dict[str, Any]:
    return plain_amount(amount, f"snap-{order['orderId']}-money")


def _refund_data(order: dict[str, Any], refund_id: str, money: dict[str, Any]) -> dict[str, Any]:
    return {"orderId": order["orderId"], "refundId": refund_id, "reason": "DAMAGED", "refundSnapshot": money}


def _dispute_data(order: dict[str, Any], dispute_id: str, money: dict[str, Any] | None) -> dict[str, Any]:
    told = {"refundSnapshot": money} if money else {}
    return dispute_data(dispute_id, None, order["orderId"], **told)


def test_partial_refunds_and_a_dispute_add_up_to_what_was_paid_and_no_further(shop: Shop) -> None:
    order = shop.paid()
    notes = [*shop.refunded(order, "r-1", 7000), *shop.disputed(order, "d-1", 680)]
    assert [each["docType"] for each in notes] == ["ADJUSTMENT_STATEMENT"] * 2
    assert [shop.detail(each["documentId"])["totals"]["grandTotal"] for each in notes] == [7000, 680]
    problem(shop.house.post(refund(order["orderId"], "r-2", 1)), 422, "REFUND_EXCEEDS_PAID")
    more = dispute_data("d-2", 1, order["orderId"])
    problem(shop.tell(DISPUTE, more), 422, "REFUND_EXCEEDS_PAID")
    (receipt,) = (each for each in shop.documents(order) if each["docType"] == "RECEIPT")
    linked = {each["documentId"] for each in shop.detail(receipt["documentId"])["linkedDocuments"]}
    assert linked == {each["documentId"] for each in notes}


def test_a_full_refund_of_an_invoiced_order_is_a_credit_note_linked_both_ways(shop: Shop) -> None:
    order = shop.paid()
    invoice = shop.invoice(order)
    (note,) = shop.refunded(order, "r-1", PAID)
    shown = shop.detail(note["documentId"])
    assert shown["docType"] == "CREDIT_NOTE"
    corrects = {"documentId": invoice["documentId"], "docType": "FISCAL_INVOICE", "relation": "CORRECTS"}
    assert shown["linkedDocuments"] == [corrects]
    corrected = shop.detail(invoice["documentId"])
    assert corrected["status"] == "ISSUED", "the invoice is not taken away"
    by = {"documentId": note["documentId"], "docType": "CREDIT_NOTE", "relation": "CORRECTED_BY"}
    assert corrected["linkedDocuments"] == [by]


def test_a_dispute_without_money_has_no_document(shop: Shop) -> None:
    order = shop.paid()
    assert shop.disputed(order, "d-1", None) == []
    assert shop.kinds(order) == ["RECEIPT"]


def test_the_events_other_names_are_the_same_facts(shop: Shop) -> None:
    order = shop.paid()
    money = _money(order)
    (first,) = shop.took(shop.tell("payments.REFUND", _refund_data(order, "r-1", money)))
    (again,) = shop.tell(REFUND, _refund_data(order, "r-1", money)).json()["results"]
    assert (again["outcome"], again["documents"]) == ("DUPLICATE", [first])
    (other,) = shop.took(shop.tell("payments.DISPUTE_OUTCOME", dispute_data("d-1", 400, order["orderId"])))
    repeated = shop.tell(DISPUTE, dispute_data("d-1", 400, order["orderId"])).json()["results"][0]
    assert (repeated["outcome"], repeated["documents"]) == ("DUPLICATE", [other])


@pytest.mark.parametrize("ids", [("r-1", "d-1"), ("same", "same")], ids=["own ids", "one id"])
@pytest.mark.parametrize("refund_first", [True, False])
@pytest.mark.parametrize("paid_first", [True, False])
def test_money_that_a_refund_and_a_dispute_tell_of_moves_once(
    shop: Shop, ids: tuple[str, str], refund_first: bool, paid_first: bool
) -> None:
    order = order_data(f"o-{uuid4()}")
    money = _money(order, 5000)
    told = [(REFUND, _refund_data(order, ids[0], money)), (DISPUTE, _dispute_data(order, ids[1], money))]
    events = told[:] if refund_first else told[::-1]
    events.insert(0 if paid_first else 2, ("orders.PAID_IN_ESCROW", order))
    for event_type, data in events:
        answer = shop.tell(event_type, data)
        assert answer.status_code == 200, answer.text
    (adjustment,) = (each for each in shop.documents(order) if each["docType"] != "RECEIPT")
    assert (adjustment["docType"], adjustment["totals"]["grandTotal"]) == ("ADJUSTMENT_STATEMENT", 5000)
    for event_type, data in told:
        assert shop.tell(event_type, data).json()["results"][0]["outcome"] == "DUPLICATE"
    assert shop.kinds(order) == ["RECEIPT", "ADJUSTMENT_STATEMENT"]


def test_an_id_that_stands_for_other_money_is_a_conflict(shop: Shop) -> None:
    order = shop.paid()
    shop.refunded(order, "x-1", 500)
    problem(shop.tell(DISPUTE, dispute_data("x-1", 400, order["orderId"])), 409, "SNAPSHOT_CONFLICT")
    shop.disputed(order, "x-2", None)
    (note,) = shop.refunded(order, "x-2", 300)
    assert note["documentKey"].startswith(f"{order['orderId']}/x-2:")


def test_everything_that_precedes_its_payment_waits_for_it(shop: Shop) -> None:
    order = order_data(f"o-{uuid4()}")
    early = [
        ("orders.COMPLETED", completion_data(order["orderId"])),
        ("payments.PAYOUT_SENT", payout_data("p-1", order["orderId"])),
        (REFUND, _refund_data(order, "r-1", _money(order))),
        (DISPUTE, dispute_data("d-1", 400, order["orderId"])),
    ]
    for event_type, data in early:
        for outcome in ("WAITING", "DUPLICATE"):
            (result,) = shop.tell(event_type, data).json()["results"]
            assert (result["outcome"], result["documents"]) == (outcome, [])
    (paid,) = shop.tell("orders.PAID_IN_ESCROW", order).json()["results"]
    (again,) = shop.tell("orders.PAID_IN_ESCROW", order).json()["results"]
    assert paid["documents"] == again["documents"]
    assert sorted(each["docType"] for each in paid["documents"]) == [
        "ADJUSTMENT_STATEMENT",
        "ADJUSTMENT_STATEMENT",
        "PAYOUT_STATEMENT",
        "RECEIPT",
        "SELLER_STATEMENT",
    ]
    for event_type, data in early:
        (result,) = shop.tell(event_type, data).json()["results"]
        assert (result["outcome"], len(result["documents"])) == ("DUPLICATE", 1)


def test_a_refund_before_the_invoice_is_adjusted_and_then_credited(shop: Shop) -> None:
    order = shop.paid()
    (adjustment,) = shop.refunded(order, "r-1", 1000)
    assert adjustment["docType"] == "ADJUSTMENT_STATEMENT"
    shop.invoice(order)
    assert shop.kinds(order) == ["RECEIPT", "ADJUSTMENT_STATEMENT", "FISCAL_INVOICE", "CREDIT_NOTE"]


def test_a_refund_in_another_currency_or_that_does_not_add_up_is_refused(shop: Shop) -> None:
    order = shop.paid()
    other = refund(order["orderId"], "r-1", 500, currencyUomId="EUR")
    problem(shop.house.post(other), 422, "CURRENCY_MISMATCH")
    wrong = refund(order["orderId"], "r-1", 500, buyerTotal=501)
    problem(shop.house.post(wrong), 422, "SNAPSHOT_INCONSISTENT")
    early = order_data(f"o-{uuid4()}")
    assert shop.house.post(refund(early["orderId"], "r-1", 500, currencyUomId="EUR")).status_code == 200
    assert [each["docType"] for each in shop.took(shop.tell("orders.PAID_IN_ESCROW", early))] == ["RECEIPT"]
    assert len(shop.refunded(order, "r-1", 500)) == 1, "a refused refund's id stayed free"


def test_refunds_of_nothing_have_a_document_and_leave_the_rest_to_be_refunded(shop: Shop) -> None:
    order = shop.paid()
    invoice = shop.invoice(order)
    (nothing,) = shop.refunded(order, "r-0", 0)
    assert (nothing["docType"], nothing["status"]) == ("CREDIT_NOTE", "ISSUED")
    (note,) = shop.refunded(order, "r-1", PAID)
    assert note["docType"] == "CREDIT_NOTE"
    (more,) = shop.refunded(order, "r-2", 0)
    assert more["docType"] == "CREDIT_NOTE"
    assert shop.detail(invoice["documentId"])["status"] == "ISSUED"


def test_a_hundred_refunds_that_waited_all_take_effect(shop: Shop) -> None:
    order = order_data(f"o-{uuid4()}")
    told = [refund(order["orderId"], f"r-{number}", 76) for number in range(100)]
    results = shop.house.post(told).json()["results"]
    assert {each["outcome"] for each in results} == {"WAITING"}
    answer = shop.tell("orders.PAID_IN_ESCROW", order)
    documents = shop.took(answer)
    assert len({each["documentId"] for each in documents}) == 101
    for each in documents:
        assert shop.issued(each["documentId"])["status"] == "ISSUED"
    problem(shop.house.post(refund(order["orderId"], "r-more", 81)), 422, "REFUND_EXCEEDS_PAID")
