"""A garage's front desk for tests over HTTP: upstream tells of work, people ask for invoices."""

from contextlib import ExitStack
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.support.house import House, eventually
from tests.support.ledger_fixtures import one
from tests.support.work_orders import a_work_order, account_updated, an_account, work_order_ready

MOUNTS = ("/v1/billing", "/billing")
ADVISOR, MANAGER, FINANCE, AUDITOR = "SERVICE_ADVISOR", "BILLING_MANAGER", "FINANCE_ADMIN", "AUDITOR"
PIN = "5820417396"
APPROVES = [
    "billing:auth:elevate",
    *("billing:invoice:issue", "billing:invoice:void", "billing:checkout:po:override"),
    "billing:receipt:reprint",
    "docs.void_or_replace",
]


class Garage:
    """A context manager. Everybody at the desk is `ana`, in the role that a call names."""

    def __init__(self, house: House, mount: str = MOUNTS[0], url: str | None = None) -> None:
        self.house = house
        self.mount = mount
        self._url = url
        self._clients: dict[str, httpx.Client] = {}
        self._open = ExitStack()
        self._approver: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def client(self, role: str) -> httpx.Client:
        """The client of that role, without any further claim."""
        if role not in self._clients:
            self._clients[role] = self._open.enter_context(self.house.client(role, url=self._url))
        return self._clients[role]

    def get(self, path: str, role: str = AUDITOR, **parameters: Any) -> httpx.Response:
        """Asks for a path below the mount, at the ledger's head."""
        with self.house.database() as connection:
            head = connection.execute("SELECT position FROM ledger.event_head").fetchone() or (0,)
        wait = {"X-Min-Position": str(head[0])}
        return self.client(role).get(f"{self.mount}{path}", params=parameters, headers=wait)

    def post(
        self, path: str, body: Any, role: str = ADVISOR, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Sends a command below the mount."""
        return self.client(role).post(f"{self.mount}{path}", json=body, headers=headers)

    def put(self, path: str, body: Any, role: str = FINANCE) -> httpx.Response:
        """Sets something below the mount, whatever stands there."""
        answer = self.client(role).put(f"{self.mount}{path}", json=body, headers={"If-Match": "*"})
        return (
            answer if answer.status_code != 409 else self.client(role).put(f"{self.mount}{path}", json=body)
        )

    def told(self, event: dict[str, Any]) -> None:
        """Upstream tells of something, which is taken in."""
        answer = self.house.post(event)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"][0]["outcome"] == "ACCEPTED"

    def account(self, account_id: str | None = None, **changes: Any) -> dict[str, Any]:
        """CRM tells of a customer, a business with an address and an e-mail unless said otherwise."""
        account = an_account(account_id, **changes)
        self.told(account_updated(account))
        return account

    def work_order(
        self,
        account: dict[str, Any] | None = None,
        scope: dict[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Work Execution tells of a work order, of a customer of its own unless one is given."""
        account = account or self.account()
        work_order = a_work_order(account["customerAccountId"], scope=scope, **changes)
        self.told(work_order_ready(work_order))
        return work_order

    def draft(self, work_order: dict[str, Any], role: str = ADVISOR, **body: Any) -> httpx.Response:
        """Asks for the draft of a work order."""
        return self.post("/invoices/draft", {"workOrderId": work_order["workOrderId"], **body}, role)

    def drafted(
        self,
        account: dict[str, Any] | None = None,
        scope: dict[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The new draft of a new work order."""
        answer = self.draft(self.work_order(account, scope, **changes))
        assert answer.status_code == 201, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def issued(
        self,
        account: dict[str, Any] | None = None,
        scope: dict[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The issued invoice of a new work order."""
        answer = self.command(self.drafted(account, scope, **changes), "issue")
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def command(self, invoice: dict[str, Any], verb: str, role: str = MANAGER, **body: Any) -> httpx.Response:
        """Asks for something to be done with an invoice; what needs a reason gets one unless one is given."""
        reason = {} if verb == "issue" else {"reasonCode": "ERROR"}
        return self.post(f"/invoices/{invoice['invoiceId']}/{verb}", {**reason, **body}, role)

    def detail(self, invoice: dict[str, Any], role: str = MANAGER, **parameters: Any) -> dict[str, Any]:
        """An invoice as somebody in that role sees it."""
        answer = self.get(f"/invoices/{invoice['invoiceId']}", role, **parameters)
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def approval(self, purpose: str, target_id: str) -> str:
        """An elevation token that another person gives `ana` by PIN."""
        if self._approver is None:
            self._approver = f"maria-{uuid4()}"
            credential = {"username": self._approver, "pin": PIN, "permissions": APPROVES}
            answer = self.post("/auth/credentials", credential, "SUPER_ADMIN")
            assert answer.status_code == 201, answer.text
        asked = {"username": self._approver, "pin": PIN, "purpose": purpose, "targetId": target_id}
        answer = self.post("/auth/elevate", asked)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["elevationToken"])

    def document(self, document_id: str) -> dict[str, Any]:
        """A document as an auditor sees it, once its files are sealed or it is void."""

        def look() -> dict[str, Any] | None:
            answer = self.client(AUDITOR).get(f"/v1/documents/{document_id}")
            return answer.json() if answer.is_success and answer.json()["status"] != "DRAFT" else None

        return eventually(look)

    def head(self) -> int:
        """The ledger's last position, once nothing is under way any more."""
        return self.house.catch_up()

    def invoiced_events(self) -> int:
        """How many events the commands of invoices recorded, whatever is being issued meanwhile."""
        query = "SELECT count(*) FROM ledger.event WHERE starts_with(operation, 'invoices.')"
        with self.house.database() as connection:
            return int(one(connection, query))

    def announced(self, stream_type: str, stream_id: str) -> list[str]:
        """The types of the outbound facts of a stream, in ledger order."""
        query = """
            SELECT outbox.type FROM ledger.outbox JOIN ledger.event USING (position)
            WHERE stream_type = %s AND stream_id = %s ORDER BY position
        """
        with self.house.database() as connection:
            return [kind for (kind,) in connection.execute(query, (stream_type, stream_id))]


def codes(blockers: list[dict[str, Any]]) -> set[str]:
    """The codes of blockers."""
    return {blocker["code"] for blocker in blockers}
