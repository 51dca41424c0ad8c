"""Facts of people who approve, to test with, and one full example of each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.accounts.credential import (
    CredentialAdded,
    CredentialChanged,
    CredentialDataErased,
    CredentialDisabled,
    ElevationGranted,
    ElevationRefused,
    ElevationUsed,
    ElevationUseRefused,
    RequestRefused,
)
from domain.kernel.facts import Fact

MORNING = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
CREDENTIAL_ID = "4b8f3a52-90a5-5dbb-9a0e-3b1f6c1c1f00"
GRANT_ID = "0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01"
TOKEN_HASH = "ab" * 32
PERMISSIONS = ("billing:auth:elevate", "billing:checkout:po:override", "billing:invoice:void")

_SET: dict[str, Any] = {
    "credential_id": CREDENTIAL_ID,
    "username": "maria",
    "kind": "PIN",
    "verifier": "c2VhbGVk",
    "permissions": PERMISSIONS,
}


def added(**changes: Any) -> CredentialAdded:
    """Maria may approve by PIN."""
    return CredentialAdded(**{**_SET, **changes})


def changed(**changes: Any) -> CredentialChanged:
    """She has another secret."""
    return CredentialChanged(**{**_SET, "verifier": "YW5vdGhlcg==", **changes})


def granted(at: datetime = MORNING, **changes: Any) -> ElevationGranted:
    """She approved what Ana asked for."""
    fields: dict[str, Any] = {
        "credential_id": CREDENTIAL_ID,
        "approver": "maria",
        "grant_id": GRANT_ID,
        "token_hash": TOKEN_HASH,
        "purpose": "INVOICE_VOID",
        "target_id": "invoice-7",
        "requester": "ana",
        "self_approved": False,
        "method": "PIN",
        "granted_at": at,
        "expires_at": at + timedelta(minutes=5),
    }
    return ElevationGranted(**{**fields, **changes})


def refused(**changes: Any) -> ElevationRefused:
    """Somebody gave a wrong PIN for her."""
    return ElevationRefused(
        **{"reason": "WRONG_SECRET", "purpose": "INVOICE_VOID", "target_id": "invoice-7", **changes}
    )


def request_refused(at: datetime = MORNING, **changes: Any) -> RequestRefused:
    """Ana asked in vain."""
    fields: dict[str, Any] = {
        "reason": "WRONG_SECRET",
        "purpose": "INVOICE_VOID",
        "target_id": "invoice-7",
        "credential_id": CREDENTIAL_ID,
        "refused_at": at,
    }
    return RequestRefused(**{**fields, **changes})


def used(**changes: Any) -> ElevationUsed:
    """The token served."""
    fields = {"grant_id": GRANT_ID, "purpose": "INVOICE_VOID", "target_id": "invoice-7"}
    return ElevationUsed.model_validate({**fields, **changes})


def examples() -> tuple[Fact, ...]:
    """One full example of every fact."""
    return (
        added(),
        changed(),
        CredentialDisabled(),
        granted(),
        refused(locked_until=MORNING + timedelta(minutes=15)),
        request_refused(),
        used(),
        ElevationUseRefused(reason="USED", grant_id=GRANT_ID),
        CredentialDataErased(
            subject=f"user:{CREDENTIAL_ID}",
            retention_class="ACCESS",
            key_id=str(UUID(int=19)),
            positions=(11,),
        ),
    )
