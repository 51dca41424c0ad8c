"""The shape of order data, and the equations without which a snapshot is refused."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.documents.order_snapshot import (
    MAX_LINES,
    OrderData,
    OrderFinancialSnapshot,
    Party,
    check_equations,
)
from domain.kernel.canonical import canonical_json
from domain.kernel.errors import DomainError
from tests.support.snapshots import (
    financial_snapshot,
    financial_snapshots,
    order_data,
    order_dicts,
    party_snapshot,
)

TOTALS = (
    "sellerCouponDiscount",
    "itemsSubtotal",
    "platformFeeBeforeCredits",
    "feeCreditsApplied",
    "platformFeeAfterCredits",
    "opsFee",
    "processingFee",
    "buyerTotal",
    "sellerNet",
)


def _errors(snapshot: dict[str, Any], **options: Any) -> dict[str, str]:
    with pytest.raises(DomainError) as refusal:
        check_equations(OrderFinancialSnapshot.model_validate(snapshot), **options)
    assert refusal.value.code == "SNAPSHOT_INCONSISTENT"
    return {error.field: error.code for error in refusal.value.field_errors}


def _with(path: str, value: Any) -> dict[str, Any]:
    """The sample snapshot with one value changed, at a dotted path."""
    snapshot = financial_snapshot()
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    target: Any = snapshot
    for key in parents:
        target = target[key]
    target[last] = value
    return snapshot


def test_the_sample_order_is_well_formed_and_consistent() -> None:
    order = OrderData.model_validate(order_data())
    check_equations(order.order_financial_snapshot)
    assert order.order_financial_snapshot.lines[1].unit_price == "4.995"
    assert order.order_party_snapshot.ops is None


@given(financial_snapshots())
@settings(max_examples=60, deadline=None)
def test_every_snapshot_whose_totals_follow_from_its_parts_is_accepted(snapshot: dict[str, Any]) -> None:
    check_equations(OrderFinancialSnapshot.model_validate(snapshot))


@given(financial_snapshots(), st.sampled_from(TOTALS), st.integers(1, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_snapshot_with_any_single_total_changed_is_refused(
    snapshot: dict[str, Any], field: str, difference: int
) -> None:
    snapshot[field] += difference
    assert _errors(snapshot)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("lines.0.amount", 6501, "itemsSubtotal"),
        ("feeCreditsApplied", 101, "platformFeeAfterCredits"),
        ("buyerTotal", 7681, "buyerTotal"),
        ("taxes.1.amount", 41, "buyerTotal"),
        ("taxes.2.amount", 97, "sellerNet"),
        ("sellerFees.0.amount", 481, "sellerNet"),
    ],
)
def test_a_broken_equation_is_named_by_its_field(path: str, value: int, field: str) -> None:
    assert _errors(_with(path, value)) == {f"orderFinancialSnapshot.{field}": "EQUATION_FAILS"}


def test_the_message_says_what_was_given_and_what_the_formula_gives() -> None:
    with pytest.raises(DomainError) as refusal:
        check_equations(OrderFinancialSnapshot.model_validate(_with("buyerTotal", 7681)))
    assert "7681" in refusal.value.field_errors[0].message
    assert "7680" in refusal.value.field_errors[0].message


def test_a_refund_snapshot_is_named_as_such() -> None:
    assert _errors(_with("buyerTotal", 0), root="refundSnapshot") == {
        "refundSnapshot.buyerTotal": "EQUATION_FAILS"
    }


@pytest.mark.parametrize(
    "path", ["opsFee", "lines.0.amount", "lines.0.unitAmount", "lines.0.discountAmount", "taxes.0.baseAmount"]
)
def test_a_negative_amount_is_well_formed_but_refused(path: str) -> None:
    assert _errors(_with(path, -1))[f"orderFinancialSnapshot.{path}"] == "NEGATIVE_AMOUNT"


def test_only_a_tax_on_items_may_be_withheld() -> None:
    errors = _errors(_with("taxes.1.mode", "WITHHELD"))
    assert errors["orderFinancialSnapshot.taxes.1.appliesTo"] == "WITHHELD_NOT_ON_ITEMS"


def test_a_withheld_tax_lowers_only_what_the_seller_gets() -> None:
    snapshot = financial_snapshot(sellerNet=6024)
    snapshot["taxes"].append(
        {**snapshot["taxes"][0], "mode": "WITHHELD", "kind": "WITHHOLDING", "amount": 600}
    )
    check_equations(OrderFinancialSnapshot.model_validate(snapshot))


def test_a_tax_must_name_a_line_that_is_there() -> None:
    check_equations(OrderFinancialSnapshot.model_validate(_with("taxes.0.lineId", "l-2")))
    assert _errors(_with("taxes.0.lineId", "l-9")) == {
        "orderFinancialSnapshot.taxes.0.lineId": "LINE_UNKNOWN"
    }


def test_two_lines_may_not_share_an_id() -> None:
    assert _errors(_with("lines.1.lineId", "l-1")) == {
        "orderFinancialSnapshot.lines.1.lineId": "LINE_ID_REPEATED"
    }


def test_tax_bases_may_not_sum_to_more_than_json_keeps() -> None:
    snapshot = _with("taxes.0.baseAmount", 2**53 - 1)
    assert _errors(snapshot) == {"orderFinancialSnapshot.taxes": "SUM_TOO_LARGE"}


def test_an_answer_names_at_most_a_hundred_faults() -> None:
    snapshot = financial_snapshot()
    line = snapshot["lines"][0]
    snapshot["lines"] = [{**line, "lineId": f"l-{number}", "amount": -1} for number in range(500)]
    assert len(_errors(snapshot)) == 100


@pytest.mark.parametrize("amount", [1.0, 1.5, "1", True, None, 2**53, -(2**53)])
@pytest.mark.parametrize("path", ["buyerTotal", "lines.0.amount", "taxes.0.amount", "sellerFees.0.amount"])
def test_an_amount_that_is_no_exact_whole_number_is_malformed(path: str, amount: object) -> None:
    with pytest.raises(ValidationError):
        OrderFinancialSnapshot.model_validate(_with(path, amount))


@pytest.mark.parametrize("quantity", [2, 2.0, "-1", "1e3", "01", "", "1,5", ".5"])
def test_a_quantity_is_a_decimal_string(quantity: object) -> None:
    with pytest.raises(ValidationError):
        OrderFinancialSnapshot.model_validate(_with("lines.0.quantity", quantity))


def test_a_line_has_exactly_one_of_unit_amount_and_unit_price() -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        OrderFinancialSnapshot.model_validate(_with("lines.0.unitPrice", "34.50"))
    with pytest.raises(ValidationError, match="exactly one"):
        OrderFinancialSnapshot.model_validate(_with("lines.0.unitAmount", None))


def test_an_order_has_between_one_line_and_ten_thousand() -> None:
    line = financial_snapshot()["lines"][0]
    for count in (0, MAX_LINES + 1):
        lines = [{**line, "lineId": f"l-{number}"} for number in range(count)]
        with pytest.raises(ValidationError):
            OrderFinancialSnapshot.model_validate(financial_snapshot(lines=lines))


@pytest.mark.parametrize("field", ["orderId", "countryCode", "orderFinancialSnapshot", "orderPartySnapshot"])
def test_order_data_requires(field: str) -> None:
    order = order_data()
    del order[field]
    with pytest.raises(ValidationError):
        OrderData.model_validate(order)


@pytest.mark.parametrize("party", ["buyer", "seller", "platform"])
def test_the_party_snapshot_requires(party: str) -> None:
    parties = party_snapshot()
    del parties[party]
    with pytest.raises(ValidationError):
        OrderData.model_validate(order_data(orderPartySnapshot=parties))


def test_references_payment_and_party_details_are_optional() -> None:
    order = order_data(
        orderPartySnapshot=party_snapshot(buyer={"partyId": "b", "legalName": "B", "type": "B2C"})
    )
    for field in ("references", "paidAt", "paymentMeansCode"):
        del order[field]
    parsed = OrderData.model_validate(order)
    assert parsed.references.rapyd_transaction_id is None
    assert parsed.order_party_snapshot.buyer.address is None


def test_extra_fields_of_upstream_are_kept() -> None:
    order = order_data(channel="kiosk")
    order["orderFinancialSnapshot"]["lines"][0]["warehouse"] = {"bin": 7}
    kept = OrderData.model_validate(order).model_dump(mode="json", by_alias=True)
    assert kept["channel"] == "kiosk"
    assert kept["orderFinancialSnapshot"]["lines"][0]["warehouse"] == {"bin": 7}


@pytest.mark.parametrize(
    "text", ["nul \x00 inside", "lone \ud83d surrogate", "bell \x07", "noncharacter \uffff"]
)
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    for party in (
        {"partyId": "b", "legalName": text, "type": "B2C"},
        {"partyId": text, "legalName": "B", "type": "B2C"},
        {"partyId": "b", "legalName": "B", "type": "B2C", "email": text},
        {"partyId": "b", "legalName": "B", "type": "B2C", "address": {"city": text}},
    ):
        with pytest.raises(ValidationError):
            Party.model_validate(party)


@pytest.mark.parametrize("value", ["nul \x00", "\ud83d", {"n": 2**60}, float("nan")])
def test_an_extra_field_that_cannot_be_stored_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="holds"):
        OrderData.model_validate(order_data(channel=value))


def test_a_description_may_break_lines_and_is_limited_to_a_thousand_characters() -> None:
    OrderFinancialSnapshot.model_validate(_with("lines.0.description", "two\nlines\tand a tab" + "x" * 900))
    with pytest.raises(ValidationError):
        OrderFinancialSnapshot.model_validate(_with("lines.0.description", "x" * 1001))


@given(order_dicts())
@settings(max_examples=40, deadline=None)
def test_order_data_survives_its_own_json(order: dict[str, Any]) -> None:
    parsed = OrderData.model_validate(copy.deepcopy(order))
    stored = canonical_json(parsed.model_dump(mode="json", by_alias=True))
    assert OrderData.model_validate(json.loads(stored)) == parsed
