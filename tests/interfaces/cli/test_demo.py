"""`make run` shows orders with all their documents, a garage's work orders, invoices, a vendor's bills."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from interfaces.cli.demo import ACTOR, demo
from tests.support.house import House, all_items, cloud_event, eventually, send

EMAIL = re.compile(r"[\w.+-]+@([\w.-]+)")


def test_nobody_can_be_reached_by_an_address_of_the_demo() -> None:
    hosts = EMAIL.findall(str(demo("orders") + demo("life") + demo("work_orders")))
    assert hosts and all(host.endswith(".example") for host in hosts)


def begin_demo(house: House) -> None:
    """Tells the demo's first customer alone, as a start does that is interrupted there."""
    account = demo("work_orders")[0]["account"]
    event_id = f"demo/{account['customerAccountId']}"
    told = cloud_event("crm.ACCOUNT_UPDATED", account, event_id, source="urn:billing:demo")
    with house, house.client("SYSTEM", sub=ACTOR) as client:
        assert send(client, told).json()["results"][0]["outcome"] == "ACCEPTED"


def wait_for_demo(house: House, times: int) -> int:
    """The ledger's last position once so many starts of the house have told all of the demo."""
    eventually(lambda: house.log_path.read_text(encoding="utf-8").count('"demo-loaded"') >= times)
    return house.catch_up()


def invoices(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """The details of all invoices by their work orders."""
    items = all_items(client, "/v1/billing/invoices")
    return {
        item["workOrderId"]: client.get(f"/v1/billing/invoices/{item['invoiceId']}").json() for item in items
    }


def told_kinds(client: httpx.Client) -> dict[str, set[tuple[str, str]]]:
    """Type and status of the documents of each of the demo's orders."""
    return {
        order["orderId"]: {
            (each["docType"], each["status"])
            for each in all_items(client, "/v1/documents", orderId=order["orderId"])
        }
        for order in demo("orders")
    }


def paid_bills(client: httpx.Client) -> list[tuple[str, str]]:
    """Numbers and statuses of the bills of the demo's vendor."""
    vendor_id = demo("payables")[0]["bill"]["vendorId"]
    bills = all_items(client, f"/v1/billing/ap/vendors/{vendor_id}/bills")
    return [(bill["billNumber"], bill["status"]) for bill in bills]


KINDS = {
    "demo-1001": {"RECEIPT", "FISCAL_INVOICE", "SELLER_STATEMENT", "PAYOUT_STATEMENT", "CREDIT_NOTE"},
    "demo-1002": {"RECEIPT", "ADJUSTMENT_STATEMENT"},
    "demo-1003": {"RECEIPT", "SELLER_STATEMENT", "PAYOUT_STATEMENT"},
    "demo-1004": {"RECEIPT"},
    "demo-1005": {"RECEIPT"},
}
"""What each order's life leads to, beside an invoice that waits for its buyer's profile."""


@pytest.mark.slow
def test_an_interrupted_demo_is_finished_once_and_holds_documents_of_all_kinds(tmp_path: Path) -> None:
    begin_demo(House(tmp_path / "house"))
    house = House(tmp_path / "house", {"BILLING_DEMO": "1"})
    with house:
        wait_for_demo(house, 1)
        with house.client("FINANCE_ADMIN") as client:
            shown = invoices(client)
            work_orders = [job["workOrder"]["workOrderId"] for job in demo("work_orders")]
            approved, on_terms, ready, blocked = (shown[work_order_id] for work_order_id in work_orders)
            path = f"/v1/billing/invoices/{approved['invoiceId']}/artifacts"
            (artifact,) = client.get(path).json()["artifacts"]
            expected = {order_id: {(kind, "ISSUED") for kind in kinds} for order_id, kinds in KINDS.items()}
            expected["demo-1005"].add(("FISCAL_INVOICE", "DRAFT"))
            eventually(lambda: told_kinds(client) == expected)
            (task,) = client.get("/v1/tasks").json()["items"]
            assert task["cause"] == "issue_failed_profile_missing"
        statuses = [invoice["status"] for invoice in (approved, on_terms, ready, blocked)]
        assert statuses == ["PAID", "ISSUED", "DRAFT", "DRAFT"]
        assert approved["traceability"]["sourceApprovalIds"] and artifact["available"]
        assert approved["feeBreakdown"] and approved["dueDate"] == approved["issueDate"]
        assert on_terms["paymentTermsCode"] == "NET30" and on_terms["dueDate"] > on_terms["issueDate"]
        assert ready["issuanceBlockers"] == []
        assert {blocker["code"]: blocker["overridable"] for blocker in blocked["issuanceBlockers"]} == {
            "MISSING_APPROVAL": True,
            "MISSING_ESTIMATE_VERSION": True,
            "MISSING_BILLING_EMAIL": False,
        }
        for invoice in (approved, on_terms):
            document = invoice["documents"][0]
            assert house.wait_for_issue(document["documentId"])["number"] == invoice["invoiceNumber"]
        with house.client("FINANCE_ADMIN") as client:
            eventually(lambda: paid_bills(client) == [("BB-20417", "PAID"), ("BB-20561", "OPEN")])
        head = house.catch_up()
    with house:
        assert wait_for_demo(house, 2) == head
