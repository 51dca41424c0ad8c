"""Permissions, each by itself: with it alone a thing is done, with all but it nothing is (BILL-DEC-008)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from application.operations import OPERATIONS
from tests.support.account_facts import rules_request
from tests.support.artifact_facts import by_value
from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, Garage
from tests.support.problems import problem

S1_PERMISSIONS = frozenset(
    f"billing:{area}"
    for area in (
        "invoice:view",
        "invoice:create-draft",
        "invoice:issue",
        "invoice:void",
        "traceability:view",
        "artifact:list",
        "artifact:download",
        "rules:view",
        "rules:manage",
        "checkout:po:capture",
        "checkout:po:override",
        "auth:elevate",
        "receipt:view",
        "receipt:deliver",
        "receipt:reprint",
        "ap:bill:view",
        "ap:payment:execute",
        "ap:payment:view",
        "posting-error:detail:view",
    )
)

Request = tuple[str, str, dict[str, Any] | None]
"""A method, a path below the mount and a body."""


@decision("BILL-DEC-008", "The permissions are the nineteen canonical strings, beside the contract's")
def test_the_permissions() -> None:
    asked = {permission for row in OPERATIONS for permission in row.permissions}
    # These are asked for inside operations: by details, and of an approver.
    inside = {"billing:traceability:view", "billing:posting-error:detail:view", "billing:auth:elevate"}
    assert S1_PERMISSIONS - inside <= asked


@pytest.mark.parametrize(
    ("permission", "verb"),
    [
        ("billing:invoice:view", ""),
        ("billing:invoice:issue", "/issue"),
        ("billing:invoice:void", "/void"),
        ("billing:invoice:void", "/credit"),
    ],
)
@decision("BILL-DEC-008", "Each command on an invoice needs its own permission and no other")
def test_each_permission_by_itself(garage: Garage, permission: str, verb: str) -> None:
    invoice = garage.drafted() if verb == "/issue" else garage.issued()
    path = f"{garage.mount}/invoices/{invoice['invoiceId']}{verb}"
    body = {} if verb == "/issue" else {"reasonCode": "ERROR"}
    method = "POST" if verb else "GET"
    with garage.house.client(permissions=sorted(S1_PERMISSIONS - {permission})) as others:
        problem(others.request(method, path, json=body if verb else None), 403, "PERMISSION_DENIED")
    with garage.house.client(permissions=[permission]) as own:
        assert own.request(method, path, json=body if verb else None).is_success


@decision("BILL-DEC-008", "allowedActions tell what a caller may do; the server decides all the same")
def test_allowed_actions_are_a_hint(garage: Garage) -> None:
    draft = garage.drafted()
    assert garage.detail(draft, ADVISOR)["allowedActions"] == ["ISSUE"]
    assert garage.detail(draft, AUDITOR)["allowedActions"] == []
    problem(garage.command(draft, "issue", AUDITOR), 403, "PERMISSION_DENIED")
    problem(garage.command(draft, "void", ADVISOR), 403, "PERMISSION_DENIED")


def _artifact(garage: Garage) -> tuple[str, str]:
    draft = garage.drafted(artifactRefs=[by_value(ref := f"signature-{uuid4()}")])
    return draft["invoiceId"], ref


def _list_artifacts(garage: Garage) -> Request:
    return "GET", f"/invoices/{_artifact(garage)[0]}/artifacts", None


def _artifact_token(garage: Garage) -> Request:
    return "POST", f"/artifacts/{_artifact(garage)[1]}/download-token", {}


def _draft(garage: Garage) -> Request:
    return "POST", "/invoices/draft", {"workOrderId": garage.work_order()["workOrderId"]}


def _rules(garage: Garage) -> Request:
    account = garage.account()
    path = f"/rules/{account['customerAccountId']}"
    assert garage.put(path, rules_request(partyId=account["partyId"])).is_success
    garage.head()
    return "GET", path, None


def _set_rules(garage: Garage) -> Request:
    party_id = f"party-{uuid4()}"
    return "PUT", f"/rules/{party_id}", rules_request(partyId=party_id)


def _capture(_: Garage) -> Request:
    return "POST", f"/checkout/{uuid4()}/po", {"accountId": str(uuid4()), "poNumber": "PO-1"}


def _override(garage: Garage) -> Request:
    token = garage.approval("PO_OVERRIDE", checkout := str(uuid4()))
    body = {"accountId": str(uuid4()), "reasonCode": "OTHER", "elevationToken": token}
    return "POST", f"/checkout/{checkout}/po-override", body


@pytest.mark.parametrize(
    ("permission", "asked"),
    [
        ("billing:invoice:create-draft", _draft),
        ("billing:artifact:list", _list_artifacts),
        ("billing:artifact:download", _artifact_token),
        ("billing:rules:view", _rules),
        ("billing:rules:manage", _set_rules),
        ("billing:checkout:po:capture", _capture),
        ("billing:checkout:po:override", _override),
    ],
)
@decision("BILL-DEC-008", "Drafts, artifacts, rules, checkouts: each takes its own permission alone")
def test_each_permission_of_the_other_areas(
    garage: Garage, permission: str, asked: Callable[[Garage], Request]
) -> None:
    method, path, body = asked(garage)
    url = f"{garage.mount}{path}"
    garage.head()
    with garage.house.client(permissions=sorted(S1_PERMISSIONS - {permission})) as others:
        problem(others.request(method, url, json=body), 403, "PERMISSION_DENIED")
    with garage.house.client(permissions=[permission]) as own:
        answer = own.request(method, url, json=body)
        assert answer.is_success, answer.text
