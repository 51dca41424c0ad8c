"""S3 §4.1, §5.3, §5.4: a paid order has a receipt, once, and nobody sees what is not theirs."""

import copy
from uuid import uuid4

import httpx
import pytest

from tests.support.facts import plain_amount
from tests.support.house import by_platform, cloud_event, numbers_of
from tests.support.order_facts import completion_data, dispute_data
from tests.support.problems import problem
from tests.support.refunds import refund
from tests.support.shop import Shop
from tests.support.snapshots import financial_snapshot, order_data

pytestmark = pytest.mark.slow

HOSTILE = (
    *("a/b:c%2F", "../../etc", "\U0001f701" * 64, "\u00f1" * 64, "a b?c#d&e=f"),
    *("null", "'; --", "%00", ":", "/", "//", "REFUND/r-1"),
)


def test_the_webhook_of_a_payment_is_repeated(shop: Shop) -> None:
    order_id = f"o-{uuid4()}"
    event = cloud_event("orders.PAID_IN_ESCROW", order_data(order_id), f"paid/{order_id}")
    first = shop.house.post(event).json()["results"][0]
    again = shop.house.post(event).json()["results"][0]
    other_event = shop.tell("orders.PAID_IN_ESCROW", order_data(order_id)).json()["results"][0]
    assert [each["outcome"] for each in (first, again, other_event)] == ["ACCEPTED", "DUPLICATE", "DUPLICATE"]
    assert first["documents"] == again["documents"] == other_event["documents"]
    assert [each["docType"] for each in first["documents"]] == ["RECEIPT"]


def test_a_repeated_payment_is_answered_with_its_own_documents_however_much_followed(shop: Shop) -> None:
    order = shop.paid()
    shop.completed(order)
    shop.refunded(order)
    (again,) = shop.tell("orders.PAID_IN_ESCROW", order).json()["results"]
    assert (again["outcome"], [each["docType"] for each in again["documents"]]) == ("DUPLICATE", ["RECEIPT"])


def test_fee_credits_reduce_only_the_platform_fee_and_are_no_discount_of_the_sellers(shop: Shop) -> None:
    order = shop.paid()
    receipt = shop.content(shop.receipt(order)["documentId"])
    fees = ("platformFeeBeforeCredits", "feeCreditsApplied", "platformFeeAfterCredits")
    assert [receipt[name] for name in fees] == [300, 100, 200]
    (told,) = shop.completed(order)
    statement = shop.content(told["documentId"])
    assert not {"feeCreditsApplied", "platformFeeBeforeCredits", "platformFeeAfterCredits"} & _names(
        statement
    )


def test_a_coupon_of_the_seller_reduces_what_the_seller_gets(shop: Shop) -> None:
    order = shop.paid()
    (told,) = shop.completed(order)
    statement = shop.content(told["documentId"])
    assert (statement["sellerCouponDiscount"], statement["itemsSubtotal"]) == (1000, 6000)
    assert statement["sellerNet"] == order["orderFinancialSnapshot"]["sellerNet"]


def test_a_buyer_never_knows_of_what_the_seller_is_told(shop: Shop) -> None:
    buyer_id, seller_id = f"buyer-{uuid4()}", f"seller-{uuid4()}"
    order = shop.paid(orderPartySnapshot=by_platform("platform-gb", buyer_id, seller_id))
    (statement,) = shop.completed(order)
    (payout,) = shop.paid_out(order)
    shop.refunded(order)
    buyer = {"role": "BUYER", "sub": "bruno", "buyer_id": buyer_id}
    seller = {"role": "SELLER", "sub": "sara", "seller_id": seller_id}
    of_buyer, of_seller = (
        {each["docType"] for each in shop.documents(order, **who)} for who in (buyer, seller)
    )
    assert of_buyer == {"RECEIPT", "ADJUSTMENT_STATEMENT"}
    assert of_seller == of_buyer | {"SELLER_STATEMENT", "PAYOUT_STATEMENT"}
    for document in (statement, payout):
        for answer in _reads(shop.client(**buyer), document):
            problem(answer, 404, "NOT_FOUND")
        for answer in _reads(shop.client(**seller), document):
            assert answer.is_success, answer.text
    for other in ({"seller_id": f"seller-{uuid4()}"}, {"buyer_id": seller_id}):
        role = "SELLER" if "seller_id" in other else "BUYER"
        assert shop.documents(order, role, sub="olaf", **other) == []


def test_ids_of_any_text_lead_to_one_document_each(shop: Shop) -> None:
    for text in HOSTILE:
        snapshots = [f"snap-{uuid4()}" for _ in range(3)]
        order_id = f"{text[:60]}{uuid4().hex[:4]}"
        order = shop.paid(order_id, orderFinancialSnapshot=financial_snapshot(snapshots[0]), references={})
        (adjustment,) = shop.took(shop.house.post(refund(order_id, text, 500, snapshotId=snapshots[1])))
        money = {"refundSnapshot": plain_amount(400, snapshots[2])}
        dispute = dispute_data(f"d{text}"[:64], None, order_id, **money)
        (other,) = shop.took(shop.tell("payments.DISPUTE_SAGA_COMPLETED", dispute))
        (payout,) = shop.paid_out(order, text, escrowReleaseId="r")
        for told in (adjustment, other, payout):
            assert told["status"] == "ISSUED", (text, told)
            key = {"documentKey": told["documentKey"]}
            by_key = shop.client("AUDITOR").get("/v1/documents/by-key", params=key)
            assert by_key.status_code == 200, by_key.text
            assert by_key.json()["documentId"] == told["documentId"]
        assert len(shop.documents(order)) == 4


def test_the_payments_of_one_platform_leave_no_gap(shop: Shop) -> None:
    platform = f"platform-{uuid4()}"
    orders = [shop.paid(orderPartySnapshot=by_platform(platform)) for _ in range(3)]
    replaced = shop.correct(shop.receipt(orders[0])["documentId"], "replace")
    assert replaced.status_code == 201, replaced.text
    shop.issued(replaced.json()["documentId"])
    voided = shop.correct(shop.receipt(orders[1])["documentId"], "void")
    assert voided.status_code == 200, voided.text
    shop.house.catch_up()
    sequences, holders = numbers_of(shop.house, platform)
    assert sequences == [1, 2, 3, 4]
    assert len(set(holders)) == 4


def test_a_seller_who_is_the_platform_is_told_as_seller(shop: Shop) -> None:
    parties = by_platform(f"both-{uuid4()}")
    parties["seller"] = copy.deepcopy(parties["platform"])
    order = shop.paid(orderPartySnapshot=parties)
    (statement,) = shop.took(shop.tell("orders.COMPLETED", completion_data(order["orderId"])))
    assert shop.detail(statement["documentId"])["issuerEntityId"] == parties["platform"]["partyId"]
    assert shop.invoice(order)["status"] == "ISSUED"


def _names(content: object) -> set[str]:
    if isinstance(content, dict):
        return set(content) | {name for value in content.values() for name in _names(value)}
    if isinstance(content, list):
        return {name for value in content for name in _names(value)}
    return set()


def _reads(client: httpx.Client, document: dict[str, str]) -> list[httpx.Response]:
    path = f"/v1/documents/{document['documentId']}"
    return [
        client.get(path),
        client.get("/v1/documents/by-key", params={"documentKey": document["documentKey"]}),
        client.get(f"{path}/events"),
        client.get(f"{path}/verify"),
        client.post(f"{path}/download-token", json={"format": "PDF"}),
    ]
