"""Pydantic's findings as field errors: camelCase paths, no refused value repeated, nothing coerced."""

from typing import Any

import pytest

from application.handlers.inbound import CloudEvent, read_fact
from application.validation import MAX_FIELD_ERRORS, invalid_field, parse
from domain.documents.order_events import RefundData
from domain.documents.order_snapshot import OrderData
from domain.kernel.errors import DomainError
from domain.numbering.series import NumberFormat
from tests.support.decisions import rule
from tests.support.desks import READING
from tests.support.facts import refund_data
from tests.support.snapshots import financial_snapshot, order_data, party_snapshot

SECRET = "4929-0000-1111-2222"


def _refused(model: Any, value: Any, prefix: str = "") -> dict[str, str]:
    with pytest.raises(DomainError) as refusal:
        parse(model, value, prefix)
    assert refusal.value.code == "VALIDATION_FAILED"
    return {error.field: error.code for error in refusal.value.field_errors}


def test_what_is_well_formed_is_read() -> None:
    assert parse(OrderData, order_data()).order_id == "o-1"


def test_a_field_error_names_the_camel_case_path() -> None:
    snapshot = financial_snapshot()
    snapshot["lines"][1]["amount"] = 5.5
    snapshot["taxes"][0]["rateBasisPoints"] = "2000"
    del snapshot["buyerTotal"]
    found = _refused(OrderData, order_data(orderFinancialSnapshot=snapshot), "data")
    assert found == {
        "data.orderFinancialSnapshot.lines.1.amount": "INT_TYPE",
        "data.orderFinancialSnapshot.taxes.0.rateBasisPoints": "INT_TYPE",
        "data.orderFinancialSnapshot.buyerTotal": "MISSING",
    }


@rule("PII-8")
def test_no_message_repeats_what_was_refused() -> None:
    parties = party_snapshot(buyer={"partyId": SECRET * 9, "legalName": "\x00" + SECRET, "type": SECRET})
    bad = order_data(
        orderPartySnapshot=parties,
        paidAt=SECRET,
        countryCode=SECRET,
        orderFinancialSnapshot=financial_snapshot(currencyUomId=SECRET, capturedAt=SECRET),
    )
    with pytest.raises(DomainError) as refusal:
        parse(OrderData, bad)
    told = [error.message for error in refusal.value.field_errors]
    assert len(told) == 7
    assert not [message for message in told if SECRET in message]
    assert SECRET not in str(refusal.value)


def test_a_flood_of_errors_is_cut() -> None:
    snapshot = financial_snapshot(lines=[{}] * 1000)
    assert len(_refused(OrderData, order_data(orderFinancialSnapshot=snapshot))) == MAX_FIELD_ERRORS


def test_fields_are_read_by_their_camel_case_names_only() -> None:
    data = order_data()
    data["order_id"] = data.pop("orderId")
    assert _refused(OrderData, data) == {"orderId": "MISSING"}
    assert _refused(NumberFormat, {"prefix": "R", "padding": 6, "yearly_reset": False}) == {
        "yearlyReset": "MISSING",
        "yearly_reset": "EXTRA_FORBIDDEN",
    }


@pytest.mark.parametrize("time", [1773480413, "1773480413", "2026-03-14T09:26:53", "2026-03-14", True, ""])
@pytest.mark.parametrize("field", ["paidAt", "orderFinancialSnapshot.capturedAt"])
def test_times_are_rfc_3339_and_nothing_else(field: str, time: Any) -> None:
    changes = {"paidAt": time}
    if field != "paidAt":
        changes = {"orderFinancialSnapshot": financial_snapshot(capturedAt=time)}
    assert _refused(OrderData, order_data(**changes)) == {field: "TIME_RFC3339"}


@pytest.mark.parametrize("value", [1, 1.5, True, ["o-1"], {"id": "o-1"}, None])
def test_nothing_is_turned_into_a_string(value: Any) -> None:
    assert set(_refused(OrderData, order_data(orderId=value))) == {"orderId"}
    assert set(_refused(OrderData, order_data(countryCode=value))) == {"countryCode"}
    assert set(_refused(RefundData, {**refund_data(), "reason": value})) == {"reason"}


@pytest.mark.parametrize("value", ["100", 100.0, True, None, [100], 2**53, -(2**53)])
@pytest.mark.parametrize("field", ["buyerTotal", "opsFee", "sellerCouponDiscount"])
def test_nothing_is_turned_into_an_amount(field: str, value: Any) -> None:
    snapshot = financial_snapshot(**{field: value})
    assert set(_refused(OrderData, order_data(orderFinancialSnapshot=snapshot))) == {
        f"orderFinancialSnapshot.{field}"
    }


@pytest.mark.parametrize("value", [2, 2.5, True])
def test_a_quantity_is_a_string(value: Any) -> None:
    snapshot = financial_snapshot()
    snapshot["lines"][0]["quantity"] = value
    assert set(_refused(OrderData, order_data(orderFinancialSnapshot=snapshot))) == {
        "orderFinancialSnapshot.lines.0.quantity"
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", 1.0),
        ("id", ""),
        ("id", 7),
        ("id", "x" * 256),
        ("id", "a\x00b"),
        ("source", ""),
        ("source", "line\nbreak"),
        ("type", None),
        ("data", []),
        ("data", "{}"),
    ],
)
def test_a_malformed_envelope_is_refused(field: str, value: Any) -> None:
    envelope = {"specversion": "1.0", "id": "e-1", "source": "urn:s", "type": "orders.PAID_IN_ESCROW"}
    assert parse(CloudEvent, {**envelope, "data": {}, "time": "whenever"}).id == "e-1"
    assert set(_refused(CloudEvent, {**envelope, "data": {}, field: value})) == {field}


def test_data_is_checked_by_the_events_type() -> None:
    event = CloudEvent(specversion="1.0", id="e", source="s", type="payments.REFUND", data=order_data())
    with pytest.raises(DomainError) as refusal:
        read_fact(event, READING)
    assert {error.field for error in refusal.value.field_errors} == {
        "data.refundId",
        "data.reason",
        "data.refundSnapshot",
    }


def test_an_event_of_an_unknown_type_is_refused() -> None:
    event = CloudEvent(specversion="1.0", id="e", source="s", type="orders.EXPLODED", data={})
    with pytest.raises(DomainError) as refusal:
        read_fact(event, READING)
    assert [(error.field, error.code) for error in refusal.value.field_errors] == [("type", "UNKNOWN")]


def test_one_bad_field_can_be_named_by_hand() -> None:
    error = invalid_field("limit", "TOO_LARGE", "At most 200.")
    assert (error.code, error.field_errors[0].field) == ("VALIDATION_FAILED", "limit")
