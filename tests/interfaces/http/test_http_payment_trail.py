"""What auditors can tell of a customer's payment from its stream alone: who, when, what and over how much."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.support.decisions import decision, rule
from tests.support.garage import ADVISOR, AUDITOR, MANAGER, Garage
from tests.support.house import House

PAID, GIVEN_BACK = 1_000, 400


@pytest.fixture
def garage(house: House) -> Iterator[Garage]:
    with Garage(house) as garage:
        yield garage


def _asked(garage: Garage, path: str, body: dict[str, Any], role: str) -> dict[str, Any]:
    answer = garage.post(path, body, role, {"Idempotency-Key": str(uuid4())})
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


@rule("AUDIT-12")
@decision("S2", "Who did what to a payment, when and over how much, is told by its own history")
def test_a_payment_is_told_by_its_stream(garage: Garage) -> None:
    invoice, began = garage.issued(), datetime.now(UTC)
    currency = invoice["currencyUomId"]
    body = {"amount": PAID, "currencyUomId": currency, "paymentMethodToken": "tok_ok"}
    payment = _asked(garage, f"/invoices/{invoice['invoiceId']}/payments", body, ADVISOR)
    identity = payment["billingPaymentId"]
    body = {"amount": GIVEN_BACK, "reasonCode": "CUSTOMER_REQUEST"}
    _asked(garage, f"/payments/{identity}/refund", body, MANAGER)
    ended = datetime.now(UTC)

    told = garage.client(AUDITOR).get(f"/v1/audit/streams/payment/{identity}").json()
    who_did_what = [(e["actor"], e["actorRole"], e["operation"], e["type"]) for e in told["events"]]
    assert who_did_what == [
        ("ana", ADVISOR, "payments.pay", "payment.initiated"),
        ("ana", ADVISOR, "payments.pay", "payment.authorized"),
        ("ana", ADVISOR, "payments.pay", "payment.captured"),
        ("ana", MANAGER, "payments.refund", "payment.refund-asked"),
        ("ana", MANAGER, "payments.refund", "payment.refunded"),
    ]
    moments = [datetime.fromisoformat(event["recordedAt"]) for event in told["events"]]
    assert moments == sorted(moments) and began <= moments[0] and moments[-1] <= ended
    data = {event["type"].partition(".")[2]: event["data"] for event in told["events"]}
    of_what = {name: data["initiated"][name] for name in ("invoiceId", "amount", "currencyUomId")}
    assert of_what == {"invoiceId": invoice["invoiceId"], "amount": PAID, "currencyUomId": currency}
    assert data["captured"]["remainingBalance"] == invoice["grandTotal"] - PAID
    asked_back, refunded = data["refund-asked"], data["refunded"]
    assert (asked_back["amount"], asked_back["reasonCode"]) == (GIVEN_BACK, "CUSTOMER_REQUEST")
    assert (refunded["amount"], refunded["refundId"]) == (GIVEN_BACK, asked_back["refundId"])
    assert "tok_ok" not in str(told)
