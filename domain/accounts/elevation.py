"""The rules of elevations: who may approve what, when a secret locks, and what a token is good for.

Commands: set or disable a credential, grant or refuse an elevation, use a token or record that it did not
serve (BILL-DEC-010, contract §5 `auth/elevate`).
"""

from datetime import datetime, timedelta
from types import MappingProxyType

from domain.accounts.credential import (
    FAILED_REQUESTS_WITHIN,
    FAILURES_THAT_LOCK,
    LOCKED_FOR,
    Credential,
    CredentialAdded,
    CredentialChanged,
    CredentialDisabled,
    ElevationGranted,
    ElevationRefused,
    ElevationUsed,
    Grant,
    Method,
    Purpose,
    RefusalReason,
    RequestRefused,
    SecretKind,
    UseRefusalReason,
)
from domain.kernel.errors import DomainError, not_found
from domain.kernel.facts import Value

TOKEN_LIFETIME = timedelta(minutes=5)
STEP_UP_MAX_AGE = timedelta(minutes=5)
"""How long ago a person may have proved who they are for a bearer token to count as a step-up."""

ELEVATE = "billing:auth:elevate"

PERMISSION_FOR: MappingProxyType[Purpose, str] = MappingProxyType(
    {
        "PO_OVERRIDE": "billing:checkout:po:override",
        "INVOICE_ISSUE": "billing:invoice:issue",
        "INVOICE_VOID": "billing:invoice:void",
        "DOCUMENT_CORRECTION": "docs.void_or_replace",
        "REPRINT": "billing:receipt:reprint",
    }
)
"""What an approver must hold beside `billing:auth:elevate`."""

FAILED_REQUESTS_ALLOWED = 50
"""Within `FAILED_REQUESTS_WITHIN`: so many a person behind a counter never needs, a guesser of PINs does."""

ELEVATION_MISSING = "MISSING"
"""The `reasonCode` where no token was presented, so that none is told to auditors."""

STEP_UP_METHODS = frozenset(
    {"pin", "pwd", "otp", "mfa", "mca", "hwk", "swk", "sc", "sms", "tel"}
    | {"fpt", "face", "iris", "retina", "vbm"}
)
"""The `amr` values of RFC 8176 by which people prove who they are, not merely where they are."""

CLOCKS_DIFFER_BY = timedelta(seconds=30)


class Asked(Value):
    """What an approval is asked for. Without `target_id` it is for any target of the purpose."""

    purpose: Purpose
    target_id: str | None = None


def set_credential(
    credential: Credential | None,
    *,
    credential_id: str,
    username: str,
    kind: SecretKind,
    verifier: str,
    permissions: frozenset[str],
) -> CredentialAdded | CredentialChanged:
    """Gives a person a secret and permissions, the first or others."""
    known = credential is not None and credential.verifier is not None
    fact = CredentialChanged if known else CredentialAdded
    return fact(
        credential_id=credential_id,
        username=username,
        kind=kind,
        verifier=verifier,
        permissions=tuple(sorted(permissions)),
    )


def disable_credential(credential: Credential | None) -> tuple[CredentialDisabled, ...]:
    """Ends a credential; () where that was done before. Raises `NOT_FOUND`."""
    if credential is None or credential.verifier is None:
        raise not_found("The credential")
    return (CredentialDisabled(),) if credential.enabled else ()


def seconds_to_wait(requester: Credential | None, at: datetime) -> int | None:
    """How long the requester must wait after too many requests in vain; None where they need not."""
    if requester is None or requester.failed_requests < FAILED_REQUESTS_ALLOWED:
        return None
    since = requester.failed_requests_since
    assert since is not None, "requests that failed have a first one"
    left = FAILED_REQUESTS_WITHIN - (at - since)
    return None if left <= timedelta(0) else left // timedelta(seconds=1) + 1


def objection(
    credential: Credential | None, asked: Asked, kind: SecretKind, verified: str | None, at: datetime
) -> RefusalReason | None:
    """Why an approval by PIN or password is refused; None where it is granted.

    `verified` is the verifier that the secret was found to match outside; where it is not the one that is
    kept under the lock, the secret counts as wrong.
    """
    if credential is None or credential.verifier is None:
        return "NO_CREDENTIAL"
    if not credential.enabled:
        return "DISABLED"
    if credential.locked_until is not None and at < credential.locked_until:
        return "LOCKED"
    if verified != credential.verifier or kind != credential.kind:
        return "WRONG_SECRET"
    return None if may_approve(frozenset(credential.permissions), asked.purpose) else "NOT_PERMITTED"


def may_approve(permissions: frozenset[str], purpose: Purpose) -> bool:
    """Whether these permissions suffice to approve."""
    return {ELEVATE, PERMISSION_FOR[purpose]} <= permissions


def step_up_is_fresh(auth_time: datetime | None, amr: tuple[str, ...], at: datetime) -> bool:
    """Whether a person proved who they are just now, by something they know, have or are."""
    if auth_time is None or STEP_UP_METHODS.isdisjoint(amr):
        return False
    return -CLOCKS_DIFFER_BY <= at - auth_time <= STEP_UP_MAX_AGE


def grant_elevation(
    asked: Asked,
    *,
    credential_id: str,
    approver: str,
    method: Method,
    requester: str,
    self_approved: bool,
    grant_id: str,
    token_hash: str,
    at: datetime,
) -> ElevationGranted:
    """A token is good from now on, for five minutes."""
    return ElevationGranted(
        credential_id=credential_id,
        approver=approver,
        grant_id=grant_id,
        token_hash=token_hash,
        purpose=asked.purpose,
        target_id=asked.target_id,
        requester=requester,
        self_approved=self_approved,
        method=method,
        granted_at=at,
        expires_at=at + TOKEN_LIFETIME,
    )


def refuse_elevation(
    credential: Credential | None, asked: Asked, reason: RefusalReason, at: datetime
) -> ElevationRefused:
    """What the person whose approval was asked for learns of it; the fifth failure in a row locks."""
    failures = 0 if credential is None else credential.failures
    locks = reason != "LOCKED" and failures + 1 >= FAILURES_THAT_LOCK
    return ElevationRefused(
        reason=reason,
        purpose=asked.purpose,
        target_id=asked.target_id,
        locked_until=at + LOCKED_FOR if locks else None,
    )


def refuse_request(
    asked: Asked, reason: RefusalReason, credential_id: str | None, at: datetime
) -> RequestRefused:
    """What is kept of the person who asked in vain."""
    return RequestRefused(
        reason=reason,
        purpose=asked.purpose,
        target_id=asked.target_id,
        credential_id=credential_id,
        refused_at=at,
    )


def use_grant(
    credential: Credential | None,
    asked: Asked,
    *,
    grant_id: str,
    token_hash: str,
    requester: str,
    at: datetime,
) -> tuple[Grant, ElevationUsed]:
    """The grant of a token, which serves now and never again. Raises `ELEVATION_INVALID`."""
    grants = () if credential is None else credential.grants
    grant = next((each for each in grants if each.grant_id == grant_id), None)
    if grant is None or grant.token_hash != token_hash:
        raise elevation_invalid("UNKNOWN")
    if grant.requester != requester:
        raise elevation_invalid("OTHER_REQUESTER")
    if at >= grant.expires_at:
        raise elevation_invalid("EXPIRED")
    if grant.used:
        raise elevation_invalid("USED")
    if grant.purpose != asked.purpose:
        raise elevation_invalid("OTHER_PURPOSE")
    if grant.target_id not in (None, asked.target_id):
        raise elevation_invalid("OTHER_TARGET")
    return grant, ElevationUsed(grant_id=grant_id, purpose=asked.purpose, target_id=asked.target_id)


def elevation_invalid(reason: UseRefusalReason) -> DomainError:
    """The token does not serve; `reason` is the error's `reasonCode`."""
    return DomainError("ELEVATION_INVALID", _SENTENCE[reason], reason_code=reason)


def elevation_missing() -> DomainError:
    """No token was presented where one has to be."""
    return DomainError(
        "ELEVATION_INVALID", "Policy asks for somebody's approval.", reason_code=ELEVATION_MISSING
    )


_SENTENCE: MappingProxyType[UseRefusalReason, str] = MappingProxyType(
    {
        "UNREADABLE": "This is no elevation token.",
        "UNKNOWN": "The elevation is unknown, or void by now.",
        "USED": "The elevation token was used before.",
        "EXPIRED": "The elevation token has expired.",
        "OTHER_REQUESTER": "The elevation token was made for another caller.",
        "OTHER_PURPOSE": "The elevation token was made for another purpose.",
        "OTHER_TARGET": "The elevation token was made for another target.",
    }
)
