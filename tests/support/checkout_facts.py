"""Checkouts to test with, and one full example of each of their events."""

from typing import Any

from domain.checkout.checkout import PoCaptured, PoOverridden
from domain.kernel.facts import Fact
from tests.support.account_facts import ACCOUNT_ID, NOON
from tests.support.credential_facts import CREDENTIAL_ID

CHECKOUT_ID = "checkout 7/ü"
SECOND_ID = "7c0e5b7e-1f0c-5d55-8d0a-55d7b1c1ab01"


def captured(po_number: str = "PO-4711", **changes: Any) -> PoCaptured:
    """The customer gave a purchase order."""
    fields: dict[str, Any] = {
        "account_id": ACCOUNT_ID,
        "po_number": po_number,
        "policy_version": "billing-rules/account@1",
        "captured_at": NOON,
    }
    return PoCaptured(**{**fields, **changes})


def overridden(**changes: Any) -> PoOverridden:
    """Maria let the checkout go on without one."""
    fields: dict[str, Any] = {
        "account_id": ACCOUNT_ID,
        "reason_code": "PO_PENDING",
        "reason_notes": "It comes on Monday",
        "approver_id": CREDENTIAL_ID,
        "policy_version": "billing-rules/account@1",
        "overridden_at": NOON,
    }
    return PoOverridden(**{**fields, **changes})


def examples() -> tuple[Fact, ...]:
    """One full example of every stored event of a checkout, optional fields included."""
    return (captured(), overridden(second_approver_id=SECOND_ID))
