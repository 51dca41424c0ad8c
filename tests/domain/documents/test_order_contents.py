"""What an order's documents hold: what their readers are shown, as the snapshots gave it, no more."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents.content_parts import shown_parties
from domain.documents.document_facts import Totals
from domain.documents.order_contents import order_document_content
from domain.documents.order_parts import buyer_totals
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.documents.payout_statement_content import payout_statement_totals
from domain.documents.seller_statement_content import seller_statement_totals
from domain.kernel.canonical import canonical_json
from tests.support.facts import drafted
from tests.support.order_documents import (
    completion,
    dispute_of,
    identity,
    order_document,
    payout,
    refund_of,
)
from tests.support.snapshots import financial_snapshot, order_data, order_dicts, orders

BUYER_SIDE = ("buyer", "feeCredits", "platformFee", "opsFee", "processingFee", "PLATFORM_FEE", "OPS_FEE")


def _tax(applies_to: str, mode: str, amount: int, **more: Any) -> dict[str, Any]:
    kind = "WITHHOLDING" if mode == "WITHHELD" else "VAT"
    rate = {"rateBasisPoints": 1000, "baseAmount": amount * 10, "amount": amount}
    return {"taxCode": "T", "kind": kind, "appliesTo": applies_to, "mode": mode, **rate, **more}


def _order_with_every_tax() -> dict[str, Any]:
    """Each tax has an amount of its own, by which it is found."""
    taxes = [
        _tax("ITEMS", "ADDED", 551, lineId="l-1", category="S"),
        _tax("ITEMS", "ADDED", 49, lineId="l-2", category="S"),
        _tax("ITEMS", "INCLUDED", 17),
        _tax("ITEMS", "WITHHELD", 23, lineId="l-1"),
        _tax("PLATFORM_FEE", "ADDED", 20),
        _tax("SELLER_FEE", "ADDED", 48),
        _tax("SELLER_FEE", "INCLUDED", 7),
    ]
    snapshot = financial_snapshot("snap-o-1", taxes=taxes, buyerTotal=7060, sellerNet=6049)
    return order_data(orderFinancialSnapshot=snapshot)


def _amounts(content: object, key: str = "") -> Iterator[tuple[str, int]]:
    """Every amount of minor units in a content, under the name that it has."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _amounts(value, name)
    elif isinstance(content, list):
        for item in content:
            yield from _amounts(item, key)
    elif isinstance(content, int) and key not in ("rateBasisPoints", "documentVersion"):
        yield key, content


def _every_document(order: OrderData) -> Iterator[dict[str, Any]]:
    snapshot = order.order_financial_snapshot.model_dump(mode="json", by_alias=True, exclude_none=True)
    yield order_document("RECEIPT", order)
    yield order_document("FISCAL_INVOICE", order)
    yield order_document("CREDIT_NOTE", order)
    yield order_document("CREDIT_NOTE", order, refund_of(snapshot))
    yield order_document("ADJUSTMENT_STATEMENT", order, dispute_of(snapshot))
    yield order_document("SELLER_STATEMENT", order, completion())


def test_an_invoice_shows_each_tax_at_its_line_and_summed_by_kind() -> None:
    content = order_document("FISCAL_INVOICE", _order_with_every_tax())
    kettle, wrapping = content["lines"]
    assert [(tax["mode"], tax["amount"]) for tax in kettle["taxes"]] == [("ADDED", 551), ("WITHHELD", 23)]
    assert wrapping["taxes"] == [
        {
            "taxCode": "T",
            "kind": "VAT",
            "category": "S",
            "mode": "ADDED",
            "rateBasisPoints": 1000,
            "baseAmount": 490,
            "amount": 49,
        }
    ]
    summed = [(tax["appliesTo"], tax["mode"], tax["amount"]) for tax in content["taxes"]]
    assert summed == [("ITEMS", "ADDED", 600), ("ITEMS", "INCLUDED", 17), ("PLATFORM_FEE", "ADDED", 20)]


def test_an_invoice_shows_what_is_withheld_apart_for_it_is_part_of_no_total() -> None:
    content = order_document("FISCAL_INVOICE", _order_with_every_tax())
    assert [(tax["appliesTo"], tax["amount"]) for tax in content["withheldTaxes"]] == [("ITEMS", 23)]
    assert order_document("FISCAL_INVOICE", order_data())["withheldTaxes"] == []


def test_an_invoice_shows_the_fees_as_the_receipt_does_and_nothing_of_the_sellers_side() -> None:
    order = _order_with_every_tax()
    content, receipt = order_document("FISCAL_INVOICE", order), order_document("RECEIPT", order)
    apart = {"docType", "documentKey", "templateVersion", "lines", "taxes", "withheldTaxes"}
    assert {name: content[name] for name in content.keys() - apart} == {
        name: receipt[name] for name in receipt.keys() - apart
    }
    printed = canonical_json(content).decode()
    assert not [absent for absent in ("sellerNet", "sellerFees", "SELLER_FEE") if absent in printed]


def test_the_seller_issues_an_invoice_in_its_own_name() -> None:
    content = order_document("FISCAL_INVOICE", order_data(), issuer_entity_id="seller-4")
    assert content["issuer"] == content["seller"]
    assert content["issuer"]["taxId"] == "GB123456789"


def test_a_credit_note_shows_what_was_refunded_why_and_what_it_corrects() -> None:
    refunded = financial_snapshot("snap-r", sellerCouponDiscount=0, itemsSubtotal=7000, buyerTotal=8680)
    content = order_document("CREDIT_NOTE", order_data(), refund_of(refunded))
    assert content["cause"] == {"type": "REFUND", "id": "refund-8"}
    assert content["reason"] == "CUSTOMER_REQUEST"
    assert content["corrects"] == {
        "docType": "FISCAL_INVOICE",
        "number": "GB-0041",
        "issueDate": "2026-03-14",
    }
    assert (content["itemsSubtotal"], content["buyerTotal"]) == (7000, 8680)
    assert content["buyer"]["legalName"] == "Marigold Tansy-Okafor"


def test_a_credit_note_takes_back_the_invoices_taxes_and_an_adjustment_the_receipts() -> None:
    order = _order_with_every_tax()
    refund = refund_of(order["orderFinancialSnapshot"])
    note, invoice = order_document("CREDIT_NOTE", order, refund), order_document("FISCAL_INVOICE", order)
    assert (note["taxes"], note["withheldTaxes"]) == (invoice["taxes"], invoice["withheldTaxes"])
    assert note["lines"] == invoice["lines"]
    adjustment = order_document("ADJUSTMENT_STATEMENT", order, refund)
    assert adjustment["withheldTaxes"] == []
    assert "WITHHELD" not in canonical_json(adjustment).decode()
    assert adjustment["corrects"]["docType"] == "RECEIPT"


def test_a_dispute_corrects_in_upstreams_words_and_only_if_money_moved() -> None:
    content = order_document("ADJUSTMENT_STATEMENT", order_data(), dispute_of(financial_snapshot()))
    assert content["cause"] == {"type": "DISPUTE", "id": "dispute-2"}
    assert content["reason"] == "Arrived broken: refunded"
    with pytest.raises(ValueError, match="a dispute without a refund corrects nothing"):
        order_document("ADJUSTMENT_STATEMENT", order_data(), dispute_of(None))


def test_a_credit_note_that_somebody_asked_for_takes_the_whole_order_back() -> None:
    content = order_document("CREDIT_NOTE", order_data())
    assert "cause" not in content
    assert content["buyerTotal"] == 7680
    assert content["reason"] == "CUSTOMER_REQUEST"


def test_a_statement_shows_the_seller_its_sale_fees_taxes_and_net() -> None:
    content = order_document("SELLER_STATEMENT", _order_with_every_tax(), completion())
    assert (content["sellerCouponDiscount"], content["itemsSubtotal"]) == (1000, 6000)
    assert content["sellerFees"] == [{"code": "COMMISSION", "amount": 480}]
    assert content["sellerNet"] == 6049
    assert [(tax["appliesTo"], tax["mode"], tax["amount"]) for tax in content["taxes"]] == [
        ("ITEMS", "ADDED", 600),
        ("ITEMS", "INCLUDED", 17),
        ("SELLER_FEE", "ADDED", 48),
        ("SELLER_FEE", "INCLUDED", 7),
    ]
    assert [tax["amount"] for tax in content["withheldTaxes"]] == [23]
    assert content["references"] == {"rapydTransactionId": "payment_o-1"}
    assert (content["payoutStatus"], content["completedAt"]) == ("PENDING", "2026-03-20T16:02:00.000000Z")


def test_a_statement_may_know_every_reference_and_not_when_the_order_was_completed() -> None:
    references = {
        "rapydTransactionId": "payment_7",
        "escrowReleaseId": "release-3",
        "refundId": "refund-8",
        "disputeId": "dispute-2",
    }
    sent = completion(payoutStatus="SENT", completedAt=None)
    content = order_document("SELLER_STATEMENT", order_data(references=references), sent)
    assert content["references"] == references
    assert content["payoutStatus"] == "SENT"
    assert "completedAt" not in content


def test_a_payout_statement_shows_what_was_sent_and_nothing_of_the_buyer() -> None:
    content = order_document("PAYOUT_STATEMENT", order_data(), payout(amount=6000))
    shown = {name: content[name] for name in ("payoutId", "escrowReleaseId", "sentAt", "amount", "sellerNet")}
    assert shown == {
        "payoutId": "payout-5",
        "escrowReleaseId": "release-3",
        "sentAt": "2026-03-23T08:00:00.000000Z",
        "amount": 6000,
        "sellerNet": 6624,
    }
    assert content["orderId"] == "o-1"
    printed = canonical_json(content).decode()
    assert not [absent for absent in (*BUYER_SIDE, "Marigold", "lines") if absent in printed]


@pytest.mark.parametrize(
    ("doc_type", "cause"),
    [
        ("RECEIPT", completion()),
        ("FISCAL_INVOICE", payout()),
        ("CREDIT_NOTE", completion()),
        ("SELLER_STATEMENT", None),
        ("PAYOUT_STATEMENT", completion()),
        ("LEDGER_EVIDENCE_PACK", None),
    ],
)
def test_a_document_of_the_wrong_cause_has_no_content(doc_type: Any, cause: Any) -> None:
    order = OrderData.model_validate(order_data())
    parties = shown_parties(order.order_party_snapshot, "platform-gb", {})
    with pytest.raises(ValueError, match=f"no content of a {doc_type} in its order"):
        order_document_content(order, cause, drafted(doc_type=doc_type), identity(), parties)


def test_a_correction_that_corrects_nothing_has_no_content() -> None:
    order = OrderData.model_validate(order_data())
    parties = shown_parties(order.order_party_snapshot, "platform-gb", {})
    with pytest.raises(ValueError, match="names what it corrects"):
        order_document_content(order, None, drafted(doc_type="CREDIT_NOTE"), identity(), parties)


@given(orders())
@settings(max_examples=60, deadline=None)
def test_every_amount_is_the_snapshots_or_an_exact_sum_of_its_taxes(order: OrderData) -> None:
    snapshot = order.order_financial_snapshot.model_dump(mode="json", by_alias=True, exclude_none=True)
    given_amounts = set(_amounts({name: value for name, value in snapshot.items() if name != "taxes"}))
    for content in _every_document(order):
        shown = {name: value for name, value in content.items() if name not in ("taxes", "withheldTaxes")}
        of_lines = {("baseAmount", tax["baseAmount"]) for tax in snapshot["taxes"]}
        of_lines |= {("amount", tax["amount"]) for tax in snapshot["taxes"]}
        assert set(_amounts(shown)) <= given_amounts | of_lines
        for row in (*content["taxes"], *content.get("withheldTaxes", ())):
            kind = {name: row[name] for name in ("taxCode", "kind", "mode", "appliesTo", "rateBasisPoints")}
            of_kind = [tax for tax in snapshot["taxes"] if kind.items() <= tax.items()]
            assert row["amount"] == sum(tax["amount"] for tax in of_kind)
            assert row["baseAmount"] == sum(tax["baseAmount"] for tax in of_kind)


@given(order_dicts(), st.data())
@settings(max_examples=60, deadline=None)
def test_fee_credits_never_change_what_a_seller_is_shown(order: dict[str, Any], data: st.DataObject) -> None:
    before = order_document("SELLER_STATEMENT", order, completion())
    snapshot = order["orderFinancialSnapshot"]
    assert before.keys() & {name for name in snapshot if name.startswith(BUYER_SIDE)} == set()
    assert "buyer" not in before
    more = data.draw(st.integers(0, snapshot["platformFeeAfterCredits"]))
    snapshot["feeCreditsApplied"] += more
    snapshot["platformFeeAfterCredits"] -= more
    snapshot["buyerTotal"] -= more
    assert order_document("SELLER_STATEMENT", order, completion()) == before


@given(order_dicts(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_coupon_reduces_the_sellers_net_by_what_it_takes_off_the_items(
    order: dict[str, Any], data: st.DataObject
) -> None:
    before = order_document("SELLER_STATEMENT", order, completion())
    snapshot = order["orderFinancialSnapshot"]
    more = data.draw(st.integers(0, min(snapshot["itemsSubtotal"], snapshot["sellerNet"])))
    snapshot["sellerCouponDiscount"] += more
    for reduced in ("itemsSubtotal", "buyerTotal", "sellerNet"):
        snapshot[reduced] -= more
    after = order_document("SELLER_STATEMENT", order, completion())
    moved = {"sellerCouponDiscount": more, "itemsSubtotal": -more, "sellerNet": -more}
    assert after == {**before, **{field: before[field] + change for field, change in moved.items()}}


@given(orders())
@settings(max_examples=60, deadline=None)
def test_the_totals_of_every_document_tie(order: OrderData) -> None:
    snapshot = order.order_financial_snapshot
    seller = seller_statement_totals(snapshot)
    assert seller.grand_total == snapshot.seller_net
    for totals in (buyer_totals(snapshot), seller):
        assert totals.items_subtotal + totals.fee_total + totals.tax_total == totals.grand_total


def test_to_a_seller_fees_and_their_taxes_are_negative() -> None:
    snapshot = OrderFinancialSnapshot.model_validate(_order_with_every_tax()["orderFinancialSnapshot"])
    assert seller_statement_totals(snapshot) == Totals(
        items_subtotal=6000, discount_total=1000, fee_total=-480, tax_total=600 - 48 - 23, grand_total=6049
    )
    assert payout_statement_totals(payout()) == Totals(
        items_subtotal=6624, discount_total=0, fee_total=0, tax_total=0, grand_total=6624
    )


@given(orders())
@settings(max_examples=20, deadline=None)
def test_every_content_is_json_and_leaves_out_what_is_absent(order: OrderData) -> None:
    for content in _every_document(order):
        assert json.loads(canonical_json(content)) == content
        assert "null" not in [str(value) for value in content.values()]
        assert None not in content.values()
