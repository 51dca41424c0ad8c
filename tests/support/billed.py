"""Work orders that are invoiced in a real house."""

from typing import Any, NamedTuple

from tests.support.house import House
from tests.support.work_orders import a_work_order, account_updated, an_account, work_order_ready


class Billed(NamedTuple):
    """What upstream told of a work order and its customer, and the issued invoice's detail."""

    account: dict[str, Any]
    work_order: dict[str, Any]
    invoice: dict[str, Any]

    @property
    def invoice_id(self) -> str:
        """The invoice's id."""
        return str(self.invoice["invoiceId"])


def billed(house: House, account: dict[str, Any] | None = None, **scope: Any) -> Billed:
    """A work order of that account, or of one of its own, is invoiced; `scope` changes its billable scope."""
    account = account or an_account()
    work_order = a_work_order(account["customerAccountId"], scope=scope)
    answer = house.post([account_updated(account), work_order_ready(work_order)])
    known, told = (result["outcome"] for result in answer.json()["results"])
    assert known in {"ACCEPTED", "DUPLICATE"} and told == "ACCEPTED", answer.text
    with house.client("BILLING_MANAGER") as manager:
        body = {"workOrderId": work_order["workOrderId"]}
        drafted = manager.post("/v1/billing/invoices/draft", json=body)
        assert drafted.status_code == 201, drafted.text
        path = f"/v1/billing/invoices/{drafted.json()['invoiceId']}/issue"
        issued = manager.post(path, json={})
    assert issued.status_code == 200, issued.text
    return Billed(account, work_order, issued.json())


def corrected(house: House, invoice_id: str, verb: str) -> dict[str, Any]:
    """What the command (`void`, `credit`, `rebill`) answers."""
    with house.client("BILLING_MANAGER") as manager:
        answer = manager.post(f"/v1/billing/invoices/{invoice_id}/{verb}", json={"reasonCode": "ERROR"})
    assert answer.is_success, answer.text
    content: dict[str, Any] = answer.json()
    return content
