"""A shop's back office for tests over HTTP: upstream tells of orders, finance asks for documents."""

from contextlib import ExitStack
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.support.checkouts import PIN, an_approver
from tests.support.house import House, cloud_event, eventually
from tests.support.ledger_fixtures import one
from tests.support.order_facts import completion_data, dispute_data, payout_data
from tests.support.refunds import refund
from tests.support.snapshots import order_data, party_snapshot

CORRECTS = ["billing:auth:elevate", "docs.void_or_replace", "billing:invoice:void"]


class Shop:
    """A context manager: clients by role, and an approver with a PIN."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._open = ExitStack()
        self._approver: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def client(self, role: str, **claims: Any) -> httpx.Client:
        """The client of that role and those claims."""
        key = (role, repr(sorted(claims.items())))
        if key not in self._clients:
            self._clients[key] = self._open.enter_context(self.house.client(role, **claims))
        return self._clients[key]

    def tell(self, event_type: str, data: dict[str, Any], event_id: str | None = None) -> httpx.Response:
        """Upstream tells of something."""
        return self.house.post(cloud_event(event_type, data, event_id or str(uuid4())))

    def paid(self, order_id: str | None = None, **changes: Any) -> dict[str, Any]:
        """A paid order: its data, as it was told."""
        order = order_data(order_id or f"o-{uuid4()}", **changes)
        self.took(self.tell("orders.PAID_IN_ESCROW", order))
        return order

    def completed(self, order: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
        """The order is completed; the documents that this leads to."""
        return self.took(self.tell("orders.COMPLETED", completion_data(order["orderId"], **changes)))

    def paid_out(self, order: dict[str, Any], payout_id: str = "p-1", **changes: Any) -> list[dict[str, Any]]:
        """Money goes to the seller; the documents that this leads to."""
        data = payout_data(payout_id, order["orderId"], **changes)
        return self.took(self.tell("payments.PAYOUT_SENT", data))

    def refunded(
        self, order: dict[str, Any], refund_id: str = "r-1", amount: int = 1000
    ) -> list[dict[str, Any]]:
        """Money goes back to the buyer; the documents that this leads to."""
        return self.took(self.house.post(refund(order["orderId"], refund_id, amount)))

    def disputed(
        self, order: dict[str, Any], dispute_id: str = "d-1", amount: int | None = 500
    ) -> list[dict[str, Any]]:
        """A dispute ends; the documents that this leads to."""
        data = dispute_data(dispute_id, amount, order["orderId"])
        return self.took(self.tell("payments.DISPUTE_SAGA_COMPLETED", data))

    def took(self, answer: httpx.Response) -> list[dict[str, Any]]:
        """The documents of an event that was taken in."""
        assert answer.status_code in (200, 202), answer.text
        (result,) = answer.json()["results"]
        assert result["outcome"] == "ACCEPTED", answer.text
        documents: list[dict[str, Any]] = result["documents"]
        return documents

    def recorded(self) -> int:
        """How many events came of what people asked for, whatever is being issued or sent meanwhile."""
        with self.house.database() as connection:
            return int(one(connection, "SELECT count(*) FROM ledger.event WHERE actor = 'ana'"))

    def kinds(self, order: dict[str, Any]) -> list[str]:
        """The types of the order's documents, in the order in which they were drafted."""
        return [each["docType"] for each in self.documents(order)]

    def timeline(self, document_id: str) -> list[dict[str, Any]]:
        """What happened to the document."""
        self.house.catch_up()
        answer = self.client("AUDITOR").get(f"/v1/documents/{document_id}/events")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def ask(
        self, path: str, body: dict[str, Any], role: str = "FINANCE_ADMIN", **claims: Any
    ) -> httpx.Response:
        """Sends a command about documents."""
        return self.client(role, **claims).post(f"/v1/documents{path}", json=body)

    def issue(self, order: dict[str, Any], doc_type: str = "FISCAL_INVOICE", **body: Any) -> httpx.Response:
        """Finance asks for a document of an order."""
        return self.ask("/issue", {"orderId": order["orderId"], "docType": doc_type, **body})

    def receipt(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order's newest receipt, once it is issued."""
        receipts = [each for each in self.documents(order) if each["docType"] == "RECEIPT"]
        return self.issued(receipts[-1]["documentId"])

    def invoice(self, order: dict[str, Any], **body: Any) -> dict[str, Any]:
        """The fiscal invoice that finance asks for, once it is issued."""
        answer = self.issue(order, **body)
        assert answer.status_code in (200, 201), answer.text
        return self.issued(answer.json()["documentId"])

    def approval(self, document_id: str) -> str:
        """A second person approves of a correction of the document."""
        self._approver = self._approver or an_approver(self.house, permissions=CORRECTS)
        body = {
            "username": self._approver,
            "pin": PIN,
            "purpose": "DOCUMENT_CORRECTION",
            "targetId": document_id,
        }
        answer = self.client("FINANCE_ADMIN").post("/v1/billing/auth/elevate", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["elevationToken"])

    def correct(self, document_id: str, what: str, **body: Any) -> httpx.Response:
        """Finance asks for a correction, with a second person's approval unless the body says otherwise."""
        approval = {} if "elevationToken" in body else {"elevationToken": self.approval(document_id)}
        given = {"reasonCode": "ERROR", **approval, **body}
        return self.ask(f"/{document_id}/{what}", {k: v for k, v in given.items() if v is not None})

    def detail(self, document_id: str, role: str = "AUDITOR", **claims: Any) -> dict[str, Any]:
        """A document as it is shown now."""
        self.house.catch_up()
        answer = self.client(role, **claims).get(f"/v1/documents/{document_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def issued(self, document_id: str) -> dict[str, Any]:
        """The document once it is issued."""
        return eventually(lambda: self._if_issued(document_id))

    def documents(self, order: dict[str, Any], role: str = "AUDITOR", **claims: Any) -> list[dict[str, Any]]:
        """The order's documents that a caller may know of, in the order in which they were drafted."""
        self.house.catch_up()
        answer = self.client(role, **claims).get("/v1/documents", params={"orderId": order["orderId"]})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items[::-1]

    def content(self, document_id: str) -> dict[str, Any]:
        """The sealed JSON of an issued document."""
        client = self.client("AUDITOR")
        token = client.post(f"/v1/documents/{document_id}/download-token", json={"format": "JSON"})
        assert token.status_code == 201, token.text
        answer = client.get("/v1/documents/download", params={"token": token.json()["downloadToken"]})
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def business_buyer(self, **changes: Any) -> dict[str, Any]:
        """Parties whose buyer is a business of which nothing but the name is known."""
        buyer = {"partyId": f"buyer-{uuid4()}", "legalName": "Gannet Ropeworks", "type": "B2B", **changes}
        return party_snapshot(buyer=buyer)

    def _if_issued(self, document_id: str) -> dict[str, Any] | None:
        shown = self.detail(document_id)
        return shown if shown["status"] != "DRAFT" else None
