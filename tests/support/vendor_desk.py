"""The desk of who pays a vendor, for tests over HTTP: payables approves bills, a clerk pays them."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.garage import Garage
from tests.support.house import cloud_event, eventually
from tests.support.payable_facts import bill_data

CLERK = "AP_CLERK"
AT_GATEWAY = {"INITIATED", "GATEWAY_PENDING"}


class VendorDesk:
    """A vendor of its own, unless one is named. Who asks is `ana`, in the role that a call names."""

    def __init__(self, garage: Garage, vendor_id: str | None = None) -> None:
        self.garage = garage
        self.vendor_id = vendor_id or f"vendor-{uuid4()}"

    def tell(self, event_type: str, data: dict[str, Any], event_id: str | None = None) -> httpx.Response:
        """Upstream tells of something, under an id of its own unless one is given."""
        return self.garage.house.post(cloud_event(event_type, data, event_id or str(uuid4())))

    def outcome(self, event_type: str, data: dict[str, Any]) -> str:
        """What became of it."""
        answer = self.tell(event_type, data)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["results"][0]["outcome"])

    def approved(self, total: int = 10_000, **changes: Any) -> dict[str, Any]:
        """A bill of the vendor that payables approved, as it was told."""
        told = {"billId": str(uuid4()), "vendorId": self.vendor_id, "totalAmount": total, **changes}
        bill = bill_data(**told)
        assert self.outcome("payables.BILL_APPROVED", bill) == "ACCEPTED"
        return bill

    def order(self, gross: int, *allocated: tuple[dict[str, Any], int], **changes: Any) -> dict[str, Any]:
        """The body of a payment of so much, for so much of each of these bills."""
        return {
            "vendorId": self.vendor_id,
            "grossAmount": gross,
            "currencyUomId": "EUR",
            "paymentRef": f"run/{uuid4()}",
            "allocations": [
                {"billId": bill["billId"], "appliedAmount": amount} for bill, amount in allocated
            ],
            **changes,
        }

    def execute(self, order: dict[str, Any], role: str = CLERK, **headers: str) -> httpx.Response:
        """Asks for a payment."""
        return self.garage.post("/ap/payments", order, role, headers)

    def pay(self, gross: int, *allocated: tuple[dict[str, Any], int], **changes: Any) -> dict[str, Any]:
        """A new payment."""
        answer = self.execute(self.order(gross, *allocated, **changes))
        assert answer.status_code == 201, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def detail(self, payment: dict[str, Any], role: str = CLERK, **parameters: Any) -> dict[str, Any]:
        """A payment as somebody in that role sees it."""
        answer = self.garage.get(f"/ap/payments/{payment['billingPaymentId']}", role, **parameters)
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def settled(self, payment: dict[str, Any]) -> dict[str, Any]:
        """The payment once the gateway has ended it."""

        def look() -> dict[str, Any] | None:
            detail = self.detail(payment)
            return None if detail["status"] in AT_GATEWAY else detail

        return eventually(look)

    def bills(self, role: str = CLERK, **parameters: Any) -> list[dict[str, Any]]:
        """The vendor's bills, once the read models show the whole ledger."""
        self.garage.head()
        answer = self.garage.get(f"/ap/vendors/{self.vendor_id}/bills", role, **parameters)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def bill(self, bill: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        (found,) = [item for item in self.bills() if item["billId"] == bill["billId"]]
        return found

    def stands(self, bill: dict[str, Any]) -> tuple[str, int, int, int]:
        """How a bill stands: its status, and what is open, reserved and paid of it."""
        shown = self.bill(bill)
        return (shown["status"], shown["openAmount"], shown["reservedAmount"], shown["paidAmount"])

    def books(self, payment: dict[str, Any], **more: Any) -> str:
        """Accounting books a payment: what becomes of its answer."""
        data = {"billingPaymentId": payment["billingPaymentId"], "journalEntryId": "je-17", **more}
        return self.outcome("accounting.GL_POSTED", data)

    def refuses_to_book(self, payment: dict[str, Any], code: str = "PERIOD_CLOSED") -> str:
        """Accounting cannot book a payment: what becomes of its answer."""
        data = {"billingPaymentId": payment["billingPaymentId"], "errorCode": code}
        return self.outcome("accounting.GL_POST_FAILED", {**data, "errorDetail": "GL 2100-07 is closed"})
