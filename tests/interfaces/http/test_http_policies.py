"""Policies over HTTP: whole, versioned, an account's own before the default one."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.account_facts import account_data
from tests.support.decisions import decision
from tests.support.house import House, cloud_event
from tests.support.problems import fields_of, problem

ISSUANCE = {
    "approvalRequired": "ALWAYS",
    "estimateVersionRequired": False,
    "overridableBlockers": ["MISSING_APPROVAL"],
}
REPRINT = {"maxReprints": 1, "windowHours": 24, "requiresReasonCode": False, "requiresElevation": True}
KINDS = [("issuance", ISSUANCE), ("reprint", REPRINT)]


def _get(client: httpx.Client, path: str, after: httpx.Response) -> httpx.Response:
    return client.get(path, headers={"X-Min-Position": after.headers["x-ledger-position"]})


@pytest.mark.parametrize(("kind", "terms"), KINDS)
@pytest.mark.parametrize("mount", ["/v1/billing", "/billing"])
@decision("BILL-DEC-003", "An account has its own policy")
def test_a_policy_is_set_and_shown(house: House, mount: str, kind: str, terms: dict[str, Any]) -> None:
    account_id = str(uuid4())
    path = f"{mount}/policies/{kind}/{account_id}"
    with house.client("FINANCE_ADMIN", sub="fin") as finance:
        before = finance.get(path)
        assert (before.status_code, before.headers["etag"], before.json()["version"]) == (200, '"0"', 0)
        assert before.json()["scope"] in {"BUILT_IN", "DEFAULT"}
        created = finance.put(path, json=terms, headers={"If-Match": '"0"'})
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        body = created.json()
        assert body.items() >= terms.items()
        assert (body["accountId"], body["scope"], body["updatedBy"]) == (account_id, "ACCOUNT", "fin")
        read = _get(finance, path, created)
        assert (read.json(), read.headers["etag"]) == (body, '"1"')
        again = finance.put(path, json=body)
        assert (again.status_code, again.json()) == (200, body), "what GET answered may be PUT back"
        problem(finance.put(path, json=terms, headers={"If-Match": '"0"'}), 409, "STALE_ETAG")


@decision("BILL-DEC-003", "A tenant has a policy for all other accounts")
def test_the_default_policy_applies_to_who_has_none(house: House) -> None:
    account_id = str(uuid4())
    house.post(
        cloud_event("crm.ACCOUNT_UPDATED", account_data(account_id, f"p-{account_id[:8]}"), account_id)
    )
    path = "/v1/billing/policies/reprint"
    with house.client("FINANCE_ADMIN") as finance:
        default = finance.put(f"{path}/default", json=REPRINT)
        assert default.status_code in {200, 201} and default.json()["accountId"] is None
        shown = _get(finance, f"{path}/p-{account_id[:8]}", default).json()
        assert (shown["accountId"], shown["scope"], shown["version"]) == (account_id, "DEFAULT", 0)
        assert shown["policyVersion"] == default.json()["policyVersion"]
        assert _get(finance, f"{path}/default", default).json() == default.json()


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("issuance", {"approvalRequired": "SOMETIMES"}, "approvalRequired"),
        ("issuance", {"overridableBlockers": ["MISSING_CONTACT"]}, "overridableBlockers.0"),
        ("issuance", {"estimateVersionRequired": "yes"}, "estimateVersionRequired"),
        ("reprint", {"maxReprints": -1}, "maxReprints"),
        ("reprint", {"windowHours": 1.5}, "windowHours"),
        ("reprint", {"colour": "blue"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(house: House, kind: str, body: dict[str, Any], field: str) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        answer = finance.put(f"/v1/billing/policies/{kind}/{uuid4()}", json=body)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


def test_only_who_manages_policies_sees_them(house: House) -> None:
    with house.client("BILLING_MANAGER") as manager:
        path = "/v1/billing/policies/issuance/default"
        problem(manager.get(path), 403, "PERMISSION_DENIED")
        problem(manager.put(path, json=ISSUANCE), 403, "PERMISSION_DENIED")
    own = str(uuid4())
    with house.client("FINANCE_ADMIN", account_ids=[own]) as bound:
        for name in ("default", str(uuid4())):
            problem(bound.get(f"/v1/billing/policies/issuance/{name}"), 404, "NOT_FOUND")
            problem(bound.put(f"/v1/billing/policies/issuance/{name}", json=ISSUANCE), 404, "NOT_FOUND")
        assert bound.put(f"/v1/billing/policies/issuance/{own}", json=ISSUANCE).status_code == 201
