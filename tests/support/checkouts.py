"""A counter over HTTP where purchase orders are taken and approvals asked for."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.support.account_facts import account_data, rules_request
from tests.support.house import House, cloud_event

PIN = "7355196208"
APPROVER = ["billing:auth:elevate", "billing:checkout:po:override"]


@dataclass
class Till:
    """Somebody at a counter; `mount` is where billing stands for them."""

    client: httpx.Client
    mount: str = "/v1/billing"

    def rules(self, account: str, **changes: Any) -> None:
        """Sets the account's rules."""
        answer = self.client.put(
            f"/v1/billing/rules/{account}", json=rules_request(partyId=account, **changes)
        )
        assert answer.is_success, answer.text

    def evaluate(self, checkout: str, account: str, **body: Any) -> httpx.Response:
        """Asks what the rules ask."""
        return self._post(checkout, "evaluate", {"accountId": account, **body})

    def capture(self, checkout: str, account: str, po_number: Any, **headers: str) -> httpx.Response:
        """Hands a purchase order in."""
        return self._post(checkout, "po", {"accountId": account, "poNumber": po_number}, **headers)

    def override(self, checkout: str, account: str, **body: Any) -> httpx.Response:
        """Asks to go on without one; None takes a field out."""
        asked = {"accountId": account, "reasonCode": "PO_PENDING", **body}
        return self._post(checkout, "po-override", {k: v for k, v in asked.items() if v is not None})

    def approval(self, username: str, target: str | None, purpose: str = "PO_OVERRIDE") -> str:
        """A manager types their PIN."""
        body = {"username": username, "pin": PIN, "purpose": purpose, "targetId": target}
        answer = self.client.post("/v1/billing/auth/elevate", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["elevationToken"])

    def _post(self, checkout: str, what: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return self.client.post(f"{self.mount}/checkout/{checkout}/{what}", json=body, headers=headers)


def an_approver(house: House, username: str | None = None, permissions: list[str] = APPROVER) -> str:
    """The username of somebody with a PIN who may approve overrides."""
    name = username or f"maria-{uuid4()}"
    with house.client("SUPER_ADMIN", sub="root") as root:
        body = {"username": name, "pin": PIN, "permissions": permissions}
        assert root.post("/v1/billing/auth/credentials", json=body).status_code == 201
    return name


def crm_tells(house: House, account_id: str, party_id: str | None = None, **changes: Any) -> None:
    """CRM tells of an account."""
    data = account_data(account_id, party_id, **changes)
    assert house.post(cloud_event("crm.ACCOUNT_UPDATED", data, f"crm/{uuid4()}")).status_code == 200
