"""Checkouts over HTTP, at both mounts: evaluation, purchase orders, who reaches what (BILL-DEC-009)."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.checkouts import Till, crm_tells
from tests.support.decisions import decision
from tests.support.house import House
from tests.support.problems import fields_of, problem

MOUNTS = ("/v1/billing", "/billing")


@pytest.fixture(scope="module")
def till(house: House) -> Iterator[Till]:
    with house.client("BILLING_MANAGER", sub="bea") as client:
        yield Till(client)


@pytest.fixture
def account(till: Till) -> str:
    """An account whose rules ask for a purchase order of a form."""
    name = str(uuid4())
    till.rules(name, poFormatRegex="PO-[0-9]{4}", poUniquenessScope="ACCOUNT")
    return name


def _fresh() -> str:
    return f"checkout {uuid4().hex[:8]}:ü%+?"


def _quoted(checkout: str) -> str:
    return checkout.replace("%", "%25").replace("?", "%3F")


def _codes(body: dict[str, Any]) -> list[str]:
    return [message["code"] for message in body["messages"]]


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-009", "A checkout's purchase order is written once")
def test_a_purchase_order_is_captured_once(till: Till, account: str, mount: str) -> None:
    checkout, at_mount = _fresh(), Till(till.client, mount)
    first = at_mount.capture(_quoted(checkout), account, " PO-4711 ")
    assert first.status_code == 201, first.text
    body = first.json()
    assert (body["checkoutId"], body["accountId"], body["poNumber"]) == (checkout, account, "PO-4711")
    assert body["policyVersion"] == "billing-rules/account@1" and body["capturedAt"].endswith("Z")
    again = at_mount.capture(_quoted(checkout), account, "PO-4711")
    assert (again.status_code, again.json()) == (200, body)
    problem(at_mount.capture(_quoted(checkout), account, "PO-4712"), 409, "PO_ALREADY_CAPTURED")
    problem(at_mount.capture(_quoted(checkout), str(uuid4()), "PO-4711"), 409, "PO_ALREADY_CAPTURED")


@decision("BILL-DEC-009", "A purchase order has the format that the account's rules ask for")
def test_the_whole_number_has_the_accounts_format(till: Till, account: str) -> None:
    for po_number in ("PO-471", "PO-47111", "xPO-4711", "po-4711"):
        problem(till.capture(str(uuid4()), account, po_number), 422, "PO_FORMAT_INVALID")
    till.rules(account, poFormatRegex="po-.*")
    assert till.capture(str(uuid4()), account, "po-x").status_code == 201, "the newest rules count"


@decision("BILL-DEC-009", "No format can stall the service")
def test_a_hostile_format_is_answered_like_any_other(till: Till) -> None:
    """A backtracking engine would try 10^13 ways and more for these 64 characters; it would never answer."""
    for hostile, number in (("(a|aa)+b", "a" * 64), ("(.*)*(.*)*(.*)*(.*)*x", "y" * 64)):
        account = str(uuid4())
        till.rules(account, poFormatRegex=hostile)
        problem(till.capture(str(uuid4()), account, number), 422, "PO_FORMAT_INVALID")


@decision("BILL-DEC-009", "A number may have to be new within its account")
def test_a_number_is_used_once_within_the_account(till: Till, account: str) -> None:
    other, holder = str(uuid4()), str(uuid4())
    till.rules(other, poUniquenessScope="ACCOUNT")
    till.rules(account, poFormatRegex=".*")
    assert till.capture(holder, account, "PO 12").status_code == 201
    problem(till.capture(str(uuid4()), account, "po  12"), 409, "PO_NOT_UNIQUE")
    assert till.capture(str(uuid4()), other, "PO 12").status_code == 201
    till.rules(account, poUniquenessScope="NONE")
    assert till.capture(str(uuid4()), account, "PO 12").status_code == 201
    till.rules(account, poUniquenessScope="GLOBAL")
    problem(till.capture(str(uuid4()), account, "PO 12"), 409, "PO_NOT_UNIQUE")
    assert till.capture(holder, account, "PO 12").status_code == 200


@decision("BILL-DEC-009", "A number may have to be new among all")
def test_a_number_is_used_once_by_anybody(till: Till) -> None:
    number, accounts = f"PO {uuid4()}", [str(uuid4()) for _ in range(3)]
    for account in accounts[:2]:
        till.rules(account, poUniquenessScope="GLOBAL")
    assert till.capture(str(uuid4()), accounts[0], number).status_code == 201
    problem(till.capture(str(uuid4()), accounts[1], number), 409, "PO_NOT_UNIQUE")
    assert till.capture(str(uuid4()), accounts[2], number).status_code == 201, "no rules of its own"


def test_numbers_stay_used_when_crm_names_the_account(house: House, till: Till) -> None:
    party_id, account_id, checkout = f"party {uuid4().hex}", str(uuid4()), str(uuid4())
    till.rules(party_id, poUniquenessScope="ACCOUNT")
    first = till.capture(checkout, party_id, "PO-1")
    crm_tells(house, account_id, party_id)
    problem(till.capture(str(uuid4()), account_id, "PO-1"), 409, "PO_NOT_UNIQUE")
    for name in (party_id, account_id, first.json()["accountId"]):
        again = till.capture(checkout, name, "PO-1")
        assert (again.status_code, again.json()) == (200, first.json())
        assert "PO_CAPTURED" in _codes(till.evaluate(checkout, name).json())


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-009", "An evaluation tells policy version, both policies, credit and messages")
def test_an_evaluation_tells_all_that_a_checkout_needs(house: House, till: Till, mount: str) -> None:
    account, checkout, at_mount = str(uuid4()), str(uuid4()), Till(till.client, mount)
    crm_tells(house, account)
    till.rules(account, poFormatRegex="PO-[0-9]{4}", overrideRequiresSecondApprover=True)
    with house.database() as database:
        head = database.execute("SELECT position FROM ledger.event_head").fetchone()
    answer = at_mount.evaluate(checkout, account, orderTotal=500_001, currencyUomId="GBP")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    messages = body.pop("messages")
    assert body == {
        "checkoutId": checkout,
        "accountId": account,
        "policyVersion": "billing-rules/account@1",
        "poRequired": True,
        "poFormatRegex": "PO-[0-9]{4}",
        "poUniquenessScope": "NONE",
        "overrideAllowed": True,
        "overrideRequiresSecondApprover": True,
        "overrideReasonCodeRequired": True,
        "chargeAccountEligible": True,
        "creditLimitExceeded": True,
        "paymentTermsCode": "NET30",
        "paymentTermsId": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "poCapture": None,
        "poOverride": None,
        "allowedActions": ["CAPTURE_PO", "OVERRIDE_PO"],
    }
    assert all(set(found) == {"code", "severity", "text"} and found["text"] for found in messages)
    assert [(found["code"], found["severity"]) for found in messages] == [
        ("PO_REQUIRED", "ERROR"),
        ("CREDIT_LIMIT_EXCEEDED", "WARNING"),
    ]
    assert head is not None and int(answer.headers["x-ledger-position"]) >= head[0]
    captured = at_mount.capture(checkout, account, "PO-4711").json()
    body = at_mount.evaluate(checkout, account).json()
    assert (body["poCapture"], body["allowedActions"]) == (captured, [])
    assert (body["creditLimitExceeded"], _codes(body)) == (None, ["PO_CAPTURED"])


def test_evaluating_records_nothing(house: House, till: Till, account: str) -> None:
    checkout = str(uuid4())
    till.evaluate(checkout, account)
    till.evaluate(checkout, "nobody")
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        problem(auditor.get(f"/v1/audit/streams/checkout/{checkout}"), 404, "NOT_FOUND")


@decision("BILL-DEC-009", "Without rules no purchase order is asked for")
def test_an_account_that_nobody_knows_gets_safe_defaults(till: Till) -> None:
    checkout, account = str(uuid4()), f"party {uuid4().hex}"
    body = till.evaluate(checkout, account, orderTotal=1, currencyUomId="EUR").json()
    assert (body["policyVersion"], body["poRequired"]) == ("billing-rules/built-in@1", False)
    assert (body["paymentTermsCode"], body["invoiceDeliveryMethod"]) == ("DUE_ON_RECEIPT", "PORTAL")
    assert (body["chargeAccountEligible"], _codes(body)) == (False, ["ACCOUNT_UNKNOWN"])
    assert till.capture(checkout, account, "any number").status_code == 201


def test_a_total_is_compared_in_its_own_currency(house: House, till: Till) -> None:
    account = str(uuid4())
    crm_tells(house, account)
    wrong = till.evaluate(str(uuid4()), account, orderTotal=1, currencyUomId="EUR")
    problem(wrong, 422, "CURRENCY_MISMATCH")
    assert till.evaluate(str(uuid4()), account, currencyUomId="EUR").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"orderTotal": 100}, "currencyUomId"),
        ({"orderTotal": 1.5, "currencyUomId": "GBP"}, "orderTotal"),
        ({"orderTotal": "100", "currencyUomId": "GBP"}, "orderTotal"),
        ({"orderTotal": -1, "currencyUomId": "GBP"}, "orderTotal"),
        ({"orderTotal": 2**53, "currencyUomId": "GBP"}, "orderTotal"),
        ({"orderTotal": True, "currencyUomId": "GBP"}, "orderTotal"),
        ({"orderTotal": 1, "currencyUomId": "QQQ"}, "currencyUomId"),
        ({"accountId": ""}, "accountId"),
        ({"discount": 1}, "discount"),
    ],
)
def test_a_malformed_evaluation_is_refused(till: Till, body: dict[str, Any], field: str) -> None:
    answer = till.evaluate(str(uuid4()), **{"account": str(uuid4())}, **body)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


@pytest.mark.parametrize("po_number", ["", "  ", "9" * 65, "a\tb", 4711, None])
def test_what_is_no_number_is_refused(till: Till, po_number: Any) -> None:
    answer = till.capture(str(uuid4()), str(uuid4()), po_number)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"poNumber"}


def test_ids_that_no_checkout_can_have(till: Till, account: str) -> None:
    for answer in (till.capture("x" * 65, account, "PO-1234"), till.evaluate("x" * 65, account)):
        assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"checkoutId"}
    problem(till.capture("a%00b", account, "PO-1234"), 404, "NOT_FOUND")


def test_a_token_bound_to_accounts_reaches_only_those(house: House, till: Till, account: str) -> None:
    checkout, own = str(uuid4()), str(uuid4())
    with house.client("BILLING_MANAGER", account_ids=[own]) as client:
        bound = Till(client)
        problem(bound.evaluate(checkout, account), 404, "NOT_FOUND")
        problem(bound.capture(checkout, account, "PO-1234"), 404, "NOT_FOUND")
        assert till.capture(checkout, account, "PO-1234").status_code == 201
        problem(bound.evaluate(checkout, own), 404, "NOT_FOUND")
        problem(bound.capture(checkout, own, "PO-1234"), 404, "NOT_FOUND")
        assert bound.capture(str(uuid4()), own, "PO-1234").status_code == 201
    elsewhere = till.evaluate(checkout, own).json()
    assert (elsewhere["poCapture"], elsewhere["allowedActions"]) == (None, [])
    assert _codes(elsewhere)[0] == "CHECKOUT_OF_OTHER_ACCOUNT"


@decision("BILL-DEC-008", "Capturing and overriding purchase orders are two permissions")
def test_each_operation_has_its_own_permission(house: House, account: str) -> None:
    with house.client("SERVICE_ADVISOR") as client:
        advisor, checkout = Till(client), str(uuid4())
        assert advisor.evaluate(checkout, account).json()["allowedActions"] == ["CAPTURE_PO"]
        assert advisor.capture(checkout, account, "PO-1234").status_code == 201
        problem(advisor.override(checkout, account, elevationToken="t"), 403, "PERMISSION_DENIED")
    with house.client("AUDITOR") as client:
        auditor = Till(client)
        problem(auditor.evaluate(checkout, account), 403, "PERMISSION_DENIED")
        problem(auditor.capture(checkout, account, "PO-1234"), 403, "PERMISSION_DENIED")
    with house.client(permissions=["billing:checkout:po:override"]) as client:
        problem(Till(client).capture(checkout, account, "PO-1234"), 403, "PERMISSION_DENIED")


def test_a_repeated_key_is_answered_with_the_first_answer(till: Till, account: str) -> None:
    checkout, key = str(uuid4()), {"Idempotency-Key": f"po-{uuid4()}"}
    first, again = (till.capture(checkout, account, "PO-4711", **key) for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    problem(till.capture(checkout, account, "PO-4712", **key), 422, "IDEMPOTENCY_KEY_REUSED")


def test_no_claim_tells_a_number(house: House, till: Till, account: str) -> None:
    captured = till.capture(str(uuid4()), account, "PO-4711")
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        events = auditor.get("/v1/audit/events?type=claim.taken&order=desc&limit=5").json()["items"]
    ours = [event for event in events if event["data"]["holder"] == captured.json()["checkoutId"]]
    assert [event["data"]["purpose"] for event in ours] == ["ACCOUNT_PO"]
    assert re.fullmatch("[0-9a-f]{64}", ours[0]["data"]["key"]), "a keyed hash"
