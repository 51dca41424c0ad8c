"""What a receipt holds: everything its buyer is shown, exactly as the snapshot gave it, and nothing else."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents.content_parts import shown_parties
from domain.documents.document_facts import Totals
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.documents.receipt_content import (
    receipt_names,
    receipt_search_text,
    receipt_totals,
)
from domain.kernel.canonical import canonical_json
from tests.support.fiscal_profile_facts import an_owner
from tests.support.fiscal_profile_facts import content as profile
from tests.support.order_documents import identity, receipt_of
from tests.support.snapshots import financial_snapshot, order_data, order_dicts, orders, party_snapshot


def _content(order: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return receipt_of(OrderData.model_validate(order or order_data()), identity(**changes))


def test_a_receipt_says_which_document_it_is() -> None:
    content = _content()
    assert content["docType"] == "RECEIPT"
    assert content["number"] == "GB-R-2026-000123"
    assert content["issuedAt"] == "2026-03-14T09:27:00.000000Z"
    assert content["issueDate"] == "2026-03-14"
    assert (content["templateVersion"], content["driverVersion"]) == ("receipt/1", "generic/1")


def test_fee_credits_stand_on_lines_of_their_own() -> None:
    content = _content()
    assert content["platformFeeBeforeCredits"] == 300
    assert content["feeCreditsApplied"] == 100
    assert content["platformFeeAfterCredits"] == 200


def test_what_is_not_the_buyers_business_is_left_out() -> None:
    order = order_data(secret="upstream-only")
    order["orderFinancialSnapshot"]["taxes"].append(
        {
            "taxCode": "WITHHELD-CODE",
            "kind": "WITHHOLDING",
            "appliesTo": "ITEMS",
            "mode": "WITHHELD",
            "rateBasisPoints": 100,
            "baseAmount": 6000,
            "amount": 60,
        }
    )
    order["orderPartySnapshot"]["buyer"]["loyaltyTier"] = "upstream-only"
    printed = canonical_json(_content(order)).decode()
    for absent in (
        "sellerNet",
        "sellerFees",
        "SELLER_FEE",
        "WITHHELD",
        "example.org",
        "upstream-only",
        "snap-o-1",
    ):
        assert absent not in printed
    assert [tax["appliesTo"] for tax in _content(order)["taxes"]] == ["ITEMS", "PLATFORM_FEE"]


def test_absent_fields_are_left_out_rather_than_null() -> None:
    order = order_data(references={}, orderPartySnapshot=party_snapshot())
    del order["paidAt"], order["paymentMeansCode"]
    content = _content(order)
    assert "null" not in canonical_json(content).decode()
    assert content["references"] == {}
    assert "sku" not in content["lines"][1]


def test_the_issuer_is_its_profile_else_the_party_of_that_id_else_the_bare_id() -> None:
    parties = OrderData.model_validate(order_data()).order_party_snapshot
    owner = an_owner("PLATFORM", "platform-gb", "GB")
    shown = shown_parties(
        parties, "platform-gb", {"ISSUER": profile(owner, legalName="Larkfield Ltd", taxId=None)}
    )
    assert (shown.issuer["legalName"], shown.issuer["address"]["city"]) == ("Larkfield Ltd", "Monterrey")
    assert "taxId" not in shown.issuer
    assert _content()["issuer"]["taxId"] == "GB987654321"
    assert _content(issuer_entity_id="seller-4")["issuer"] == _content()["seller"]
    assert _content(issuer_entity_id="nobody")["issuer"] == {"legalName": "nobody"}


def test_a_tax_listed_once_a_line_is_shown_once() -> None:
    order = order_data()
    snapshot = order["orderFinancialSnapshot"]
    on_items = snapshot["taxes"][0]
    parts = [{**on_items, "lineId": "l-1", "baseAmount": 5500, "amount": 1100}]
    parts.append({**on_items, "lineId": "l-2", "baseAmount": 500, "amount": 100})
    snapshot["taxes"][:1] = parts
    assert _content(order)["taxes"] == _content()["taxes"]


@given(orders())
@settings(max_examples=60, deadline=None)
def test_every_amount_is_the_snapshots(order: OrderData) -> None:
    snapshot = order.order_financial_snapshot
    content = receipt_of(order, identity())
    for given_line, line in zip(snapshot.lines, content["lines"], strict=True):
        assert line["amount"] == given_line.amount
        assert line["quantity"] == given_line.quantity
        assert line.get("unitAmount") == given_line.unit_amount
        assert line.get("unitPrice") == given_line.unit_price
        assert line.get("discountAmount", 0) == (given_line.discount_amount or 0)
    for field in (
        "sellerCouponDiscount",
        "itemsSubtotal",
        "platformFeeBeforeCredits",
        "feeCreditsApplied",
        "platformFeeAfterCredits",
        "opsFee",
        "processingFee",
        "buyerTotal",
    ):
        assert content[field] == snapshot.model_dump(by_alias=True)[field]
    shown = [tax for tax in snapshot.taxes if tax.mode != "WITHHELD" and tax.applies_to != "SELLER_FEE"]
    assert sum(tax["amount"] for tax in content["taxes"]) == sum(tax.amount for tax in shown)
    assert sum(tax["baseAmount"] for tax in content["taxes"]) == sum(tax.base_amount for tax in shown)


@given(order_dicts(), st.data())
@settings(max_examples=60, deadline=None)
def test_fee_credits_touch_nothing_but_the_platform_fee_and_the_total(
    order: dict[str, Any], data: st.DataObject
) -> None:
    before = _content(order)
    snapshot = order["orderFinancialSnapshot"]
    more = data.draw(st.integers(0, snapshot["platformFeeAfterCredits"]))
    snapshot["feeCreditsApplied"] += more
    snapshot["platformFeeAfterCredits"] -= more
    snapshot["buyerTotal"] -= more
    after = _content(order)
    moved = {"feeCreditsApplied": more, "platformFeeAfterCredits": -more, "buyerTotal": -more}
    assert after == {**before, **{field: before[field] + change for field, change in moved.items()}}


@given(orders())
@settings(max_examples=60, deadline=None)
def test_the_totals_tie_to_what_the_buyer_paid(order: OrderData) -> None:
    totals = receipt_totals(order.order_financial_snapshot)
    assert totals.items_subtotal + totals.fee_total + totals.tax_total == totals.grand_total
    assert totals.grand_total == order.order_financial_snapshot.buyer_total


def test_the_totals_of_the_sample_order() -> None:
    assert receipt_totals(OrderFinancialSnapshot.model_validate(financial_snapshot())) == Totals(
        items_subtotal=6000, discount_total=1000, fee_total=440, tax_total=1240, grand_total=7680
    )


@given(orders())
@settings(max_examples=30, deadline=None)
def test_the_content_is_json_and_has_a_canonical_form(order: OrderData) -> None:
    content = receipt_of(order, identity())
    assert json.loads(canonical_json(content)) == content
    assert canonical_json(dict(reversed(content.items()))) == canonical_json(content)


def test_a_search_finds_parties_and_lines_but_no_addresses() -> None:
    order = OrderData.model_validate(order_data())
    assert [name for _, name in receipt_names(order)] == [
        "Marigold Tansy-Okafor",
        "Copperline Kitchenware Ltd",
        "Larkfield Market Ltd",
    ]
    assert receipt_search_text(order) == (
        "Enamel kettle, moss green",
        "Gift wrapping",
        "KTL-07",
    )
