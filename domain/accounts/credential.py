"""A person who approves: the secret kept of them, what it permits, and what became of each elevation.

There is one stream a person, of an id derived from tenant and username by a key, so that no id tells a name.
It also holds what the person asked for in vain as a requester. Rules stand in `elevation.py` (BILL-DEC-010).
"""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal, assert_never

from domain.kernel.facts import Fact, Identifier, Utc, Value
from domain.kernel.privacy import ERASED_TEXT, PersonalData, PersonalDataErased, Pii
from domain.kernel.streams import EventType, StreamType

Purpose = Literal["PO_OVERRIDE", "INVOICE_ISSUE", "INVOICE_VOID", "DOCUMENT_CORRECTION", "REPRINT"]

SecretKind = Literal["PIN", "PASSWORD"]

Method = Literal["PIN", "PASSWORD", "SSO"]
"""How the approver proved who they are."""

RefusalReason = Literal[
    "NO_CREDENTIAL", "DISABLED", "LOCKED", "WRONG_SECRET", "NOT_PERMITTED", "STEP_UP_INVALID", "STEP_UP_STALE"
]
"""Why an elevation was refused. Auditors are told; who asked only hears that it was."""

UseRefusalReason = Literal[
    "UNREADABLE", "UNKNOWN", "USED", "EXPIRED", "OTHER_REQUESTER", "OTHER_PURPOSE", "OTHER_TARGET"
]
"""Why an elevation token did not serve."""

FAILURES_THAT_LOCK = 5
LOCKED_FOR = timedelta(minutes=15)

LIVE_GRANTS = 100
"""Of more that have not expired, the oldest are void: a state must not grow without bound."""

FAILED_REQUESTS_WITHIN = timedelta(minutes=15)
"""How long a requester's failures are counted together."""

_ACCESS_TEXT = Pii("ACCESS", erased=ERASED_TEXT)


class CredentialAdded(Fact):
    """A person may approve from now on. `verifier` is a hash of the secret, sealed under a key of ours."""

    personal: ClassVar[PersonalData] = PersonalData("user", "credential_id", unknown_fields="ACCESS")

    credential_id: str
    username: Annotated[str, _ACCESS_TEXT]
    kind: SecretKind
    verifier: str
    permissions: tuple[str, ...]


class CredentialChanged(Fact):
    """The person has another secret, other permissions, or both; a disabled credential works again.

    Tokens that were granted before are void.
    """

    personal: ClassVar[PersonalData] = PersonalData("user", "credential_id", unknown_fields="ACCESS")

    credential_id: str
    username: Annotated[str, _ACCESS_TEXT]
    kind: SecretKind
    verifier: str
    permissions: tuple[str, ...]


class CredentialDisabled(Fact):
    """The secret serves no more; tokens that were granted before are void. The reason is who did it."""


class ElevationGranted(Fact):
    """The approver agreed. `token_hash` is SHA-256 (hex) of a token that is kept nowhere.

    `requester` is the `sub` of who asked, `self_approved` says that it is the approver's own.
    """

    personal: ClassVar[PersonalData] = PersonalData("user", "credential_id", unknown_fields="ACCESS")

    credential_id: str
    approver: Annotated[str, _ACCESS_TEXT]
    grant_id: str
    token_hash: str
    purpose: Purpose
    target_id: Identifier | None = None
    requester: str
    self_approved: bool
    method: Method
    granted_at: Utc
    expires_at: Utc


class ElevationRefused(Fact):
    """Somebody asked for this person's approval in vain. `locked_until` is set by the failure that locks."""

    reason: RefusalReason
    purpose: Purpose
    target_id: Identifier | None = None
    locked_until: Utc | None = None


class RequestRefused(Fact):
    """This person asked in vain for somebody's approval; `credential_id` says whose, where that is known."""

    reason: RefusalReason
    purpose: Purpose
    target_id: Identifier | None = None
    credential_id: str | None = None
    refused_at: Utc


class ElevationUsed(Fact):
    """A token served, once and for all, for what the event's operation did to the target."""

    grant_id: str
    purpose: Purpose
    target_id: Identifier | None = None


class ElevationUseRefused(Fact):
    """A token did not serve. Without `grant_id` it could not be read, and stands with who presented it."""

    reason: UseRefusalReason
    grant_id: str | None = None


class CredentialDataErased(PersonalDataErased):
    """The person's name is erased, and with it the secret: the credential serves no more."""


class Grant(Value):
    """An elevation that has not expired. None as `target_id` fits any target of its purpose."""

    grant_id: str
    token_hash: str
    purpose: Purpose
    target_id: str | None
    requester: str
    self_approved: bool
    expires_at: Utc
    used: bool = False


class Credential(Value):
    """A person as it matters for elevations. `verifier` is None where no secret is kept, or none any more.

    `failures` counts wrong attempts in a row; `failed_requests` those as a requester since the first of them.
    """

    kind: SecretKind | None = None
    verifier: str | None = None
    permissions: tuple[str, ...] = ()
    enabled: bool = False
    failures: int = 0
    locked_until: Utc | None = None
    grants: tuple[Grant, ...] = ()
    failed_requests: int = 0
    failed_requests_since: Utc | None = None


CredentialFact = (
    CredentialAdded
    | CredentialChanged
    | CredentialDisabled
    | ElevationGranted
    | ElevationRefused
    | RequestRefused
    | ElevationUsed
    | ElevationUseRefused
    | CredentialDataErased
)


def evolve(state: Credential | None, fact: CredentialFact) -> Credential:
    """Folds one fact of a person."""
    state = state or Credential()
    match fact:
        case CredentialAdded() | CredentialChanged():
            secret = {"kind": fact.kind, "verifier": fact.verifier, "permissions": fact.permissions}
            anew = {"enabled": True, "failures": 0, "locked_until": None, "grants": ()}
            return state.model_copy(update={**secret, **anew})
        case CredentialDisabled():
            return state.model_copy(update={"enabled": False, "grants": ()})
        case CredentialDataErased():
            return state.model_copy(update={"enabled": False, "verifier": None, "grants": ()})
        case ElevationGranted():
            grants = _with_grant(state.grants, fact)
            # A step-up proves nothing of the secret, so it forgives no wrong ones.
            forgiven = {} if fact.method == "SSO" else {"failures": 0, "locked_until": None}
            return state.model_copy(update={"grants": grants, **forgiven})
        case ElevationRefused():
            return state.model_copy(update=_failed(state, fact))
        case RequestRefused():
            return state.model_copy(update=_request_failed(state, fact))
        case ElevationUsed():
            used = tuple(
                grant.model_copy(update={"used": True}) if grant.grant_id == fact.grant_id else grant
                for grant in state.grants
            )
            return state.model_copy(update={"grants": used})
        case ElevationUseRefused():
            return state
        case _:
            assert_never(fact)


def _with_grant(grants: tuple[Grant, ...], fact: ElevationGranted) -> tuple[Grant, ...]:
    """The grants that are alive when a new one is given, with it."""
    new = Grant(
        grant_id=fact.grant_id,
        token_hash=fact.token_hash,
        purpose=fact.purpose,
        target_id=fact.target_id,
        requester=fact.requester,
        self_approved=fact.self_approved,
        expires_at=fact.expires_at,
    )
    alive = tuple(grant for grant in grants if grant.expires_at > fact.granted_at)
    return (*alive, new)[-LIVE_GRANTS:]


def _failed(state: Credential, fact: ElevationRefused) -> dict[str, object]:
    if fact.reason == "LOCKED":
        return {}
    if fact.locked_until is not None:
        return {"failures": 0, "locked_until": fact.locked_until}
    return {"failures": state.failures + 1}


def _request_failed(state: Credential, fact: RequestRefused) -> dict[str, object]:
    since = state.failed_requests_since
    if since is None or fact.refused_at - since >= FAILED_REQUESTS_WITHIN:
        return {"failed_requests": 1, "failed_requests_since": fact.refused_at}
    return {"failed_requests": state.failed_requests + 1}


CREDENTIAL: StreamType[Credential] = StreamType(
    "credential",
    (
        EventType("credential.added", CredentialAdded),
        EventType("credential.changed", CredentialChanged),
        EventType("credential.disabled", CredentialDisabled),
        EventType("credential.elevation-granted", ElevationGranted),
        EventType("credential.elevation-refused", ElevationRefused),
        EventType("credential.request-refused", RequestRefused),
        EventType("credential.elevation-used", ElevationUsed),
        EventType("credential.elevation-use-refused", ElevationUseRefused),
        EventType("credential.personal-data-erased", CredentialDataErased),
    ),
    evolve,
    state=Credential,
)
