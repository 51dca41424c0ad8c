"""Who sees which invoice, as of when, and in which lists (contract §2, §3, §5)."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, MANAGER, MOUNTS, Garage
from tests.support.house import House, all_items, pages
from tests.support.problems import fields_of, problem


@decision("BILL-DEC-004", "Where an invoice comes from is for who may see it")
def test_traceability_is_for_who_may_see_it(garage: Garage) -> None:
    draft = garage.drafted(estimateId=str(uuid4()), estimateVersionId=str(uuid4()))
    traced = garage.detail(draft, ADVISOR)["traceability"]
    assert traced["sourceEstimateVersionId"] and traced["sourceApprovalIds"] == []
    path = f"/v1/billing/invoices/{draft['invoiceId']}"
    with garage.house.client(permissions=["billing:invoice:view"]) as viewer:
        seen = viewer.get(path).json()
        assert seen.get("traceability") is None
        assert seen["allowedActions"] == []
        problem(viewer.post(f"{path}/issue", json={}), 403, "PERMISSION_DENIED")
    with garage.house.client("AP_CLERK") as clerk:
        problem(clerk.get(path), 403, "PERMISSION_DENIED")


def test_a_token_bound_to_accounts_knows_no_other_invoice(garage: Garage) -> None:
    account = garage.account()
    work_order = garage.work_order(account)
    draft = garage.draft(work_order).json()
    garage.head()
    path, by_work_order = (
        f"/v1/billing/invoices/{draft['invoiceId']}",
        f"/v1/billing/invoices/by-workorder/{draft['workOrderId']}",
    )
    with garage.house.client(MANAGER, account_ids=[str(uuid4())]) as other:
        for query in (path, by_work_order):
            problem(other.get(query), 404, "NOT_FOUND")
        for verb, body in (
            ("issue", {}),
            ("void", {"reasonCode": "ERROR"}),
            ("credit", {"reasonCode": "ERROR"}),
            ("rebill", {"reasonCode": "ERROR"}),
        ):
            problem(other.post(f"{path}/{verb}", json=body), 404, "NOT_FOUND")
        asked = {"workOrderId": work_order["workOrderId"]}
        problem(other.post("/v1/billing/invoices/draft", json=asked), 404, "WORK_ORDER_UNKNOWN")
        assert all_items(other, "/v1/billing/invoices") == []
    for name in (account["customerAccountId"], account["partyId"]):
        with garage.house.client(MANAGER, account_ids=[name]) as own:
            assert own.get(path).json() == own.get(by_work_order).json() == garage.detail(draft)
            assert [row["invoiceId"] for row in all_items(own, "/v1/billing/invoices")] == [
                draft["invoiceId"]
            ]
            assert own.post(f"{path}/issue", json={"dryRun": True}).status_code == 200


def test_an_invoice_is_shown_as_it_stood(garage: Garage) -> None:
    draft_answer = garage.draft(garage.work_order())
    draft = draft_answer.json()
    drafted_at = int(draft_answer.headers["x-ledger-position"])
    issued_answer = garage.command(draft, "issue")
    issued_at = int(issued_answer.headers["x-ledger-position"])
    garage.command(draft, "void")
    path = f"/v1/billing/invoices/{draft['invoiceId']}"
    by_work_order = f"/v1/billing/invoices/by-workorder/{draft['workOrderId']}"
    manager = garage.client(MANAGER)

    def at(query: str = path, **when: Any) -> httpx.Response:
        return manager.get(query, params=when)

    for query in (path, by_work_order):
        then = at(query, asOfPosition=drafted_at)
        assert (then.json()["status"], then.headers["etag"]) == ("DRAFT", '"1"')
        assert then.json()["allowedActions"] == ["ISSUE", "VOID"]
        assert then.headers["x-ledger-position"] == str(drafted_at - 1), "its own last event"
        problem(at(query, asOfPosition=drafted_at - 2), 404, "NOT_FOUND")
    then = at(asOfPosition=issued_at)
    assert (then.json()["status"], then.json()["documents"][0]["status"]) == ("ISSUED", "DRAFT")
    assert at(asOf=issued_answer.json()["issuedAt"]).json()["status"] == "ISSUED"
    assert at().json()["status"] == at(asOf="2999-01-01T00:00:00Z").json()["status"] == "VOID"
    both = at(asOf="2999-01-01T00:00:00Z", asOfPosition=1)
    assert fields_of(problem(both, 400, "VALIDATION_FAILED")) == {"asOf"}


def test_within_an_issue_all_of_it_is_shown(garage: Garage) -> None:
    before = garage.draft(garage.work_order())
    draft = before.json()
    after = garage.command(draft, "issue")
    first, last = (int(answer.headers["x-ledger-position"]) for answer in (before, after))
    for position in range(first, last + 1):
        seen = garage.client(MANAGER).get(
            f"/v1/billing/invoices/{draft['invoiceId']}", params={"asOfPosition": position}
        )
        whole = position > first
        assert (seen.json()["status"] == "ISSUED") == whole, position
        assert bool(seen.json()["documents"]) == bool(seen.json()["invoiceNumber"]) == whole


@pytest.mark.slow
def test_a_client_reads_its_own_writes(garage: Garage) -> None:
    manager = garage.client(MANAGER)
    for _ in range(5):
        answer = garage.draft(garage.work_order())
        wait = {"X-Min-Position": answer.headers["x-ledger-position"]}
        work_order_id = answer.json()["workOrderId"]
        listed = manager.get("/v1/billing/invoices", params={"workOrderId": work_order_id}, headers=wait)
        assert [row["invoiceId"] for row in listed.json()["items"]] == [answer.json()["invoiceId"]]
        assert int(listed.headers["x-ledger-position"]) >= int(wait["X-Min-Position"])
    head = garage.head()
    for path in ("/v1/billing/invoices", f"/v1/billing/invoices/{answer.json()['invoiceId']}"):
        behind = manager.get(path, headers={"X-Min-Position": str(head + 1_000_000)})
        problem(behind, 503, "PROJECTION_BEHIND")


@pytest.mark.parametrize("mount", MOUNTS)
def test_lists_are_filtered_and_paged_newest_first(house: House, mount: str) -> None:
    with Garage(house, mount) as garage:
        account = garage.account()
        scope = {"issuerEntityId": f"garage-{uuid4()}"}
        made = [garage.drafted(account, scope) for _ in range(5)]
        garage.command(made[1], "issue")
        garage.command(made[2], "void")
        garage.head()
        newest_first = [invoice["invoiceId"] for invoice in reversed(made)]
        auditor = garage.client(AUDITOR)
        path = f"{mount}/invoices"

        def ids(**filters: Any) -> list[str]:
            return [row["invoiceId"] for row in all_items(auditor, path, **filters)]

        by_two = list(pages(auditor, path, accountId=account["customerAccountId"], limit=2))
        assert [len(page) for page in by_two] == [2, 2, 1]
        assert [row["invoiceId"] for page in by_two for row in page] == newest_first
        assert ids(accountId=account["partyId"]) == newest_first
        assert ids(issuerEntityId=scope["issuerEntityId"]) == newest_first
        assert ids(issuerEntityId=scope["issuerEntityId"], status="ISSUED") == [made[1]["invoiceId"]]
        assert ids(issuerEntityId=scope["issuerEntityId"], status="VOID") == [made[2]["invoiceId"]]
        assert ids(issuerEntityId=scope["issuerEntityId"], countryCode="DE") == []
        assert ids(workOrderId=made[0]["workOrderId"].upper()) == [made[0]["invoiceId"]]
        assert ids(accountId=str(uuid4())) == []
        (row,) = all_items(auditor, path, workOrderId=made[1]["workOrderId"])
        detail = garage.detail(made[1], AUDITOR)
        assert row == {name: detail[name] for name in row}
        (void,) = all_items(auditor, path, workOrderId=made[2]["workOrderId"])
        assert void["balanceDue"] == 0


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"status": "OPEN"}, "status"), ({"limit": 0}, "limit"), ({"cursor": "zzz"}, "cursor")],
)
def test_what_is_wrong_with_a_list_is_named(garage: Garage, parameters: dict[str, Any], field: str) -> None:
    answer = garage.client(AUDITOR).get("/v1/billing/invoices", params=parameters)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


@decision("BILL-DEC-016", "Work order, estimate, approvals, account and documents are linked")
def test_links_say_where_things_are_and_never_how_to_get_there(garage: Garage) -> None:
    estimate, approval = str(uuid4()), str(uuid4())
    issued = garage.issued(estimateId=estimate, estimateVersionId=str(uuid4()), approvalIds=[approval])
    links = issued["links"]
    assert all(set(link) == {"rel", "targetDomain", "targetType", "targetId"} for link in links)
    assert "/" not in "".join(value for link in links for value in link.values())
    targets = {(link["targetDomain"], link["targetType"]): link["targetId"] for link in links}
    assert targets["workexec", "WorkOrder"] == issued["workOrderId"]
    assert targets["workexec", "Estimate"] == estimate
    assert targets["workexec", "Approval"] == approval
    assert targets["crm", "Account"] == issued["customerAccountId"]
    assert targets["billing", "Document"] == issued["documents"][0]["documentId"]
