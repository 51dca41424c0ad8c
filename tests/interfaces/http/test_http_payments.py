"""Customers' payments over HTTP: who may pay, void, refund and see which of them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.garage import ADVISOR, AUDITOR, MANAGER, MOUNTS
from tests.support.house import House
from tests.support.problems import problem
from tests.support.receipt_desk import ReceiptDesk

pytestmark = pytest.mark.slow

CAPTURE, REFUND, VIEW = (f"billing:payment:{act}" for act in ("capture", "refund", "view"))
Ask = Callable[[httpx.Client], httpx.Response]


@pytest.fixture(params=MOUNTS)
def desk(request: pytest.FixtureRequest, house: House) -> Iterator[ReceiptDesk]:
    with ReceiptDesk(house, request.param) as desk:
        yield desk


def asks(desk: ReceiptDesk, invoice_id: str, billing_payment_id: str) -> dict[str, tuple[str, Ask]]:
    """What may be asked for of a payment: the permission for it, and how; a refund and a payment are of 1."""

    def posting(path: str, body: Any) -> Ask:
        return lambda client: client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})

    of_payment = f"{desk.mount}/payments/{billing_payment_id}"
    one = {"amount": 1, "currencyUomId": "EUR", "paymentMethodToken": "tok_ok"}
    return {
        "pay": (CAPTURE, posting(f"{desk.mount}/invoices/{invoice_id}/payments", one)),
        "get": (VIEW, lambda client: client.get(of_payment)),
        "refund": (REFUND, posting(f"{of_payment}/refund", {"amount": 1})),
        "void": (REFUND, posting(f"{of_payment}/void", {"reasonCode": "ERROR"})),
    }


def moves(desk: ReceiptDesk, invoice: dict[str, Any]) -> tuple[Any, ...]:
    """What payments have done to an invoice, and to each of them."""
    shown = desk.detail(invoice)
    histories = [
        [event["type"] for event in desk.client(AUDITOR).get(path).json()["events"]]
        for path in (f"/v1/audit/streams/payment/{each['billingPaymentId']}" for each in shown["payments"])
    ]
    return shown["status"], shown["balanceDue"], shown["payments"], histories


@pytest.mark.parametrize("permission", [CAPTURE, VIEW, REFUND])
def test_each_operation_has_its_own_permission(desk: ReceiptDesk, permission: str) -> None:
    invoice = desk.issued()
    refunded, voided = (desk.paid(invoice, amount=100)["billingPaymentId"] for _ in range(2))
    asked = asks(desk, invoice["invoiceId"], refunded)
    asked["void"] = asks(desk, invoice["invoiceId"], voided)["void"]
    before = moves(desk, invoice)
    with desk.house.client(permissions=[permission]) as client:
        refused = {name: ask(client) for name, (needed, ask) in asked.items() if needed != permission}
        for answer in refused.values():
            problem(answer, 403, "PERMISSION_DENIED")
        assert moves(desk, invoice) == before, "who may not has moved nothing"
        for name, (needed, ask) in asked.items():
            if needed == permission:
                answer = ask(client)
                assert answer.is_success, (name, answer.text)
    assert refused.keys() < asked.keys()


def test_an_advisor_takes_payments_and_gives_nothing_back(desk: ReceiptDesk) -> None:
    invoice = desk.issued()
    payment = desk.paid(invoice, amount=100)
    asked = asks(desk, invoice["invoiceId"], payment["billingPaymentId"])
    for name in ("pay", "get"):
        answer = asked[name][1](desk.client(ADVISOR))
        assert answer.is_success, answer.text
    before = moves(desk, invoice)
    for name in ("refund", "void"):
        problem(asked[name][1](desk.client(ADVISOR)), 403, "PERMISSION_DENIED")
    problem(asked["pay"][1](desk.client(AUDITOR)), 403, "PERMISSION_DENIED")
    assert moves(desk, invoice) == before


@pytest.mark.parametrize("name", ["pay", "get", "refund", "void"])
def test_a_payment_of_an_account_out_of_reach_answers_as_what_does_not_exist(
    desk: ReceiptDesk, name: str
) -> None:
    invoice = desk.issued()
    payment = desk.paid(invoice, amount=100)
    _, hidden = asks(desk, invoice["invoiceId"], payment["billingPaymentId"])[name]
    _, missing = asks(desk, str(uuid4()), str(uuid4()))[name]
    desk.head()
    before = moves(desk, invoice)
    bodies = []
    for granted in ([str(uuid4())], []):
        with desk.house.client(MANAGER, account_ids=granted) as stranger:
            for ask in (hidden, missing):
                body = problem(ask(stranger), 404, "NOT_FOUND")
                del body["correlationId"]
                bodies.append(body)
    assert bodies == bodies[:1] * 4
    assert moves(desk, invoice) == before
    with desk.house.client(MANAGER, account_ids=[invoice["customerAccountId"]]) as owner:
        answer = hidden(owner)
        assert answer.is_success, answer.text


def test_how_a_payment_stood_is_nothing_to_tell_who_is_bound_to_other_accounts(desk: ReceiptDesk) -> None:
    payment = desk.paid()
    path = f"{desk.mount}/payments/{payment['billingPaymentId']}"
    moment = {"asOfPosition": desk.head()}
    assert desk.client(MANAGER).get(path, params=moment).status_code == 200
    with desk.house.client(MANAGER, account_ids=[str(uuid4())]) as stranger:
        problem(stranger.get(path, params=moment), 404, "NOT_FOUND")
