"""A garage's work order and its customer, as upstream tells of them; every test has ids of its own."""

from typing import Any
from uuid import uuid4

from tests.support.house import cloud_event


def an_account(account_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """What `crm.ACCOUNT_UPDATED` brings of a business that pays on account."""
    account_id = account_id or str(uuid4())
    return {
        "customerAccountId": account_id,
        "partyId": f"party-{account_id[:8]}",
        "classification": "B2B",
        "displayName": "Talleres Ñandú S.A.",
        "currencyUomId": "EUR",
        "billingContact": {"email": "facturas@nandu.example"},
        "billingAddress": {
            "line1": "Calle Mayor 1",
            "city": "Madrid",
            "postalCode": "28013",
            "countryCode": "ES",
        },
        "taxId": "A58818501",
        **changes,
    }


def a_line(line_id: str = "1", **changes: Any) -> dict[str, Any]:
    """Two hours of labor at 60.00."""
    return {
        "lineId": line_id,
        "kind": "LABOR",
        "description": "Brake service",
        "quantity": "2",
        "unitAmount": 6000,
        "taxCategory": "STANDARD",
        "unitCode": "HUR",
        **changes,
    }


def a_part(line_id: str = "2", **changes: Any) -> dict[str, Any]:
    """Brake pads at 49.99."""
    return {
        **a_line(line_id),
        "kind": "PART",
        "description": "Brake pads",
        "quantity": "1",
        "unitAmount": 4999,
        "unitCode": "C62",
        **changes,
    }


def a_work_order(
    account_id: str, work_order_id: str | None = None, scope: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """What `workexec.WORK_ORDER_READY` brings of a completed one; `scope` changes its billable scope."""
    return {
        "workOrderId": work_order_id or str(uuid4()),
        "customerAccountId": account_id,
        "workOrderStatus": "COMPLETED",
        "invoiceReady": True,
        "billableScopeSnapshot": {
            "billableScopeSnapshotId": str(uuid4()),
            "schemaVersion": "1",
            "currencyUomId": "EUR",
            "issuerEntityId": f"garage-{account_id[:8]}",
            "countryCode": "ES",
            "lines": [
                a_line(),
                a_line("2", kind="PART", description="Brake pads", quantity="1", unitAmount=4999),
            ],
            **(scope or {}),
        },
        "approvalIds": [],
        "artifactRefs": [],
        **changes,
    }


def account_updated(account: dict[str, Any]) -> dict[str, Any]:
    """The event that tells of an account."""
    return cloud_event("crm.ACCOUNT_UPDATED", account, str(uuid4()))


def work_order_ready(work_order: dict[str, Any]) -> dict[str, Any]:
    """The event that tells of a work order."""
    return cloud_event("workexec.WORK_ORDER_READY", work_order, str(uuid4()))
