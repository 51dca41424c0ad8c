"""Overriding purchase orders over HTTP: rules, approvals, the order of refusals (BILL-DEC-009, 010)."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.checkouts import Till, an_approver, crm_tells
from tests.support.decisions import decision, rule
from tests.support.house import House
from tests.support.problems import fields_of, problem

MOUNTS = ("/v1/billing", "/billing")


@pytest.fixture(scope="module")
def bea(house: House) -> str:
    """Whoever is at the counter may override, and has a PIN."""
    return an_approver(house, f"bea-{uuid4()}")


@pytest.fixture(scope="module")
def till(house: House, bea: str) -> Iterator[Till]:
    with house.client("BILLING_MANAGER", sub=bea) as client:
        yield Till(client)


@pytest.fixture(scope="module")
def maria(house: House) -> str:
    return an_approver(house)


@pytest.fixture(scope="module")
def olga(house: House) -> str:
    return an_approver(house)


@pytest.fixture
def account(till: Till) -> str:
    name = str(uuid4())
    till.rules(name)
    return name


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-009", "An override has a reason, may have notes, and is recorded once")
def test_an_override_is_recorded_once(till: Till, account: str, maria: str, mount: str) -> None:
    checkout, at_mount = str(uuid4()), Till(till.client, mount)
    body = {"reasonNotes": "It comes on Monday", "elevationToken": till.approval(maria, checkout)}
    first = at_mount.override(checkout, account, **body)
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["reasonCode"], told["reasonNotes"]) == ("PO_PENDING", "It comes on Monday")
    assert told["approverId"] and told["secondApproverId"] is None and maria not in first.text
    assert told["policyVersion"] == "billing-rules/account@1"
    again = at_mount.override(checkout, account, **body)
    assert (again.status_code, again.json()) == (200, told)
    other = at_mount.override(checkout, account, **{**body, "reasonCode": "OTHER"})
    problem(other, 409, "PO_ALREADY_OVERRIDDEN")
    seen = at_mount.evaluate(checkout, account).json()
    assert (seen["poOverride"], seen["poCapture"], seen["allowedActions"]) == (told, None, ["CAPTURE_PO"])
    assert seen["messages"][0]["code"] == "PO_OVERRIDDEN"
    assert at_mount.capture(checkout, account, "PO-1").status_code == 201, "it came on Monday"
    assert at_mount.override(checkout, account, **body).status_code == 200


def test_where_a_purchase_order_stands_no_approval_is_used(till: Till, account: str, maria: str) -> None:
    checkout, other = str(uuid4()), str(uuid4())
    token = till.approval(maria, None)
    till.capture(checkout, account, "PO-1")
    problem(till.override(checkout, account, elevationToken=token), 409, "PO_ALREADY_CAPTURED")
    assert till.override(other, account, elevationToken=token).status_code == 201


@decision("BILL-DEC-009", "Policy says whether one may override, with a reason, by how many")
def test_what_the_rules_refuse_leaves_the_token_unused(till: Till, account: str, maria: str) -> None:
    checkout = str(uuid4())
    token = till.approval(maria, checkout)
    for changes, body, code in (
        ({"overrideAllowed": False}, {"reasonCode": None}, "OVERRIDE_NOT_ALLOWED"),
        ({"overrideAllowed": True}, {"reasonCode": None}, "REASON_CODE_REQUIRED"),
        ({"overrideRequiresSecondApprover": True}, {}, "SECOND_APPROVER_REQUIRED"),
    ):
        till.rules(account, **changes)
        problem(till.override(checkout, account, elevationToken=token, **body), 422, code)
    unknown = till.override(checkout, account, elevationToken=token, reasonCode="WHIM")
    assert fields_of(problem(unknown, 400, "VALIDATION_FAILED")) == {"reasonCode"}
    till.rules(account, overrideRequiresSecondApprover=False, overrideReasonCodeRequired=False)
    done = till.override(checkout, account, elevationToken=token, reasonCode=None)
    assert (done.status_code, done.json()["reasonCode"]) == (201, None)


def test_rules_that_forbid_overriding_show_no_such_action(till: Till, account: str) -> None:
    till.rules(account, overrideAllowed=False)
    assert till.evaluate(str(uuid4()), account).json()["allowedActions"] == ["CAPTURE_PO"]


@decision("BILL-DEC-009", "An override needs an elevation for it")
def test_a_token_serves_for_this_checkout_and_purpose_only(till: Till, account: str, maria: str) -> None:
    checkout = str(uuid4())
    spent = till.approval(maria, None)
    assert till.override(str(uuid4()), account, elevationToken=spent).status_code == 201
    for token, reason in (
        ("garbage", "UNREADABLE"),
        (till.approval(maria, "another-checkout"), "OTHER_TARGET"),
        (spent, "USED"),
    ):
        body = problem(till.override(checkout, account, elevationToken=token), 403, "ELEVATION_INVALID")
        assert body["reasonCode"] == reason
    missing = till.override(checkout, account)
    assert fields_of(problem(missing, 400, "VALIDATION_FAILED")) == {"elevationToken"}


def test_a_token_for_something_else_does_not_serve(house: House, till: Till, account: str) -> None:
    both = ["billing:auth:elevate", "billing:invoice:void"]
    name = an_approver(house, permissions=both)
    token = till.approval(name, None, "INVOICE_VOID")
    body = problem(till.override(str(uuid4()), account, elevationToken=token), 403, "ELEVATION_INVALID")
    assert body["reasonCode"] == "OTHER_PURPOSE"


def test_a_token_of_another_requester_does_not_serve(
    house: House, till: Till, account: str, maria: str
) -> None:
    checkout = str(uuid4())
    with house.client("BILLING_MANAGER", sub="eve") as client:
        stolen = till.approval(maria, checkout)
        body = problem(
            Till(client).override(checkout, account, elevationToken=stolen), 403, "ELEVATION_INVALID"
        )
        assert body["reasonCode"] == "OTHER_REQUESTER"
    assert till.override(checkout, account, elevationToken=stolen).status_code == 201


@decision("BILL-DEC-009", "Where policy asks for a second approver, two others approve")
def test_two_persons_approve_where_the_rules_say_so(
    till: Till, account: str, maria: str, olga: str, bea: str
) -> None:
    till.rules(account, overrideRequiresSecondApprover=True)
    checkout = str(uuid4())

    def tokens(first: str, second: str | None) -> dict[str, Any]:
        given = {"elevationToken": till.approval(first, checkout)}
        return given | ({"secondApproverToken": till.approval(second, checkout)} if second else {})

    kept = tokens(maria, maria)
    for first, second in ((maria, None), (maria, bea), (bea, bea)):
        refused = till.override(checkout, account, **tokens(first, second))
        problem(refused, 422, "SECOND_APPROVER_REQUIRED")
    problem(till.override(checkout, account, **kept), 422, "SECOND_APPROVER_REQUIRED")
    same_twice = {"elevationToken": kept["elevationToken"], "secondApproverToken": kept["elevationToken"]}
    problem(till.override(checkout, account, **same_twice), 422, "SECOND_APPROVER_REQUIRED")
    kept["secondApproverToken"] = till.approval(olga, "another-checkout")
    body = problem(till.override(checkout, account, **kept), 403, "ELEVATION_INVALID")
    assert body["reasonCode"] == "OTHER_TARGET"
    kept["secondApproverToken"] = till.approval(olga, checkout)
    done = till.override(checkout, account, **kept)
    assert done.status_code == 201, done.text
    assert len({done.json()["approverId"], done.json()["secondApproverId"], None}) == 3


def test_the_requester_may_be_the_first_of_two_who_approve(
    till: Till, account: str, maria: str, bea: str
) -> None:
    till.rules(account, overrideRequiresSecondApprover=True)
    checkout = str(uuid4())
    tokens = {
        "elevationToken": till.approval(bea, checkout),
        "secondApproverToken": till.approval(maria, checkout),
    }
    assert till.override(checkout, account, **tokens).status_code == 201


def test_a_second_approval_that_nobody_asked_for_stays_unused(
    till: Till, account: str, maria: str, olga: str
) -> None:
    second = till.approval(olga, None)
    tokens = {"elevationToken": till.approval(maria, None), "secondApproverToken": second}
    done = till.override(str(uuid4()), account, **tokens)
    assert (done.status_code, done.json()["secondApproverId"]) == (201, None)
    assert till.override(str(uuid4()), account, elevationToken=second).status_code == 201


@rule("AUDIT-10")
@decision("BILL-DEC-009", "Overrides are on record with their approvers")
@decision("BILL-DEC-010", "Auditors read who approved, and no secret")
def test_auditors_read_who_overrode_what_and_no_secret(
    house: House, till: Till, account: str, maria: str
) -> None:
    checkout = str(uuid4())
    token = till.approval(maria, checkout)
    till.override(checkout, account, elevationToken=token)
    till.override(checkout, account, elevationToken="garbage", reasonCode="OTHER")
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        stream = auditor.get(f"/v1/audit/streams/checkout/{checkout}")
        refused = auditor.get("/v1/audit/events?type=credential.elevation-use-refused&order=desc&limit=1")
    (event,) = stream.json()["events"]
    assert (event["type"], event["operation"]) == ("checkout.po-overridden", "checkout.override-po")
    assert event["data"]["approverId"] and token not in stream.text
    (told,) = refused.json()["items"]
    assert (told["operation"], told["data"]["reason"]) == ("checkout.override-po", "UNREADABLE")


def test_overrides_of_accounts_out_of_reach_are_not_found(house: House, till: Till, account: str) -> None:
    crm_tells(house, own := str(uuid4()))
    with house.client("BILLING_MANAGER", sub="cleo", account_ids=[own]) as client:
        name = an_approver(house)
        bound = Till(client)
        checkout, token = str(uuid4()), bound.approval(name, None)
        problem(bound.override(checkout, account, elevationToken=token), 404, "NOT_FOUND")
        till.capture(checkout, account, "PO-1")
        problem(bound.override(checkout, own, elevationToken=token), 404, "NOT_FOUND")
        assert bound.override(str(uuid4()), own, elevationToken=token).status_code == 201
