"""Policies of a tenant and of single accounts: what issuing asks for, how often receipts are reprinted.

A policy is set whole, and versioned; one stream holds one kind for one account, or for all that have none of
their own (`default`). BILL-DEC-003, BILL-DEC-011; contract §5.
"""

from typing import Annotated, Literal, TypeVar, assert_never

from pydantic import AfterValidator, Field

from domain.accounts.account import Account, Flag
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Utc, Value
from domain.kernel.streams import EventType, StreamType

PolicyKind = Literal["issuance", "reprint"]
PolicyScope = Literal["ACCOUNT", "DEFAULT", "BUILT_IN"]
"""Whose policy applies: the account's own, the tenant's default, or ours where nobody set one."""

OverridableBlocker = Literal["MISSING_APPROVAL", "MISSING_ESTIMATE_VERSION"]
DEFAULT = "default"
"""Names, in place of an account, what applies to all that have no policy of their own."""


def _each_once(blockers: tuple[OverridableBlocker, ...]) -> tuple[OverridableBlocker, ...]:
    """In one order, so that the same policy is recognised again."""
    return tuple(sorted(set(blockers)))


_Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class IssuanceTerms(Value):
    """What an invoice needs before it is issued (BILL-DEC-003, A5).

    CONSUMERS asks for an approval from B2C accounts and those that CRM marks so. With
    `estimate_version_required` an invoice whose work order had an estimate names its version. A manager may
    set `overridable_blockers` aside, with an elevation.
    """

    kind: Literal["issuance"] = "issuance"
    approval_required: Literal["ALWAYS", "CONSUMERS", "NEVER"] = "CONSUMERS"
    estimate_version_required: Flag = True
    overridable_blockers: Annotated[
        tuple[OverridableBlocker, ...], Field(max_length=10), AfterValidator(_each_once)
    ] = (
        "MISSING_APPROVAL",
        "MISSING_ESTIMATE_VERSION",
    )

    def needs_approval(self, account: Account | None) -> bool:
        """Whether its invoices need an approval; an account unknown to CRM is taken for a consumer."""
        if self.approval_required != "CONSUMERS":
            return self.approval_required == "ALWAYS"
        data = None if account is None else account.data
        return data is None or data.classification == "B2C" or data.approval_required is True


class ReprintTerms(Value):
    """How a receipt may be printed again (BILL-DEC-011): so often, within so many hours of its capture."""

    kind: Literal["reprint"] = "reprint"
    max_reprints: _Count = 3
    window_hours: _Count = 72
    requires_reason_code: Flag = True
    requires_elevation: Flag = False


PolicyTerms = IssuanceTerms | ReprintTerms
TermsT = TypeVar("TermsT", IssuanceTerms, ReprintTerms)


class Policy(Value):
    """A policy as it stands. `revision` counts what changed."""

    terms: PolicyTerms
    revision: Annotated[int, Field(ge=1)]
    updated_at: Utc
    updated_by: str


class PolicyConfigured(Fact):
    """Somebody set the policy."""

    terms: PolicyTerms
    configured_by: str
    configured_at: Utc


class PolicyAdopted(Fact):
    """The policy of an account that became a name of this one is this one's from now on (ADR 0018)."""

    from_account_id: str
    policy: Policy


class EffectivePolicy(Value):
    """A policy that applies: whose it is, and its version as decisions record it."""

    terms: PolicyTerms
    scope: PolicyScope
    policy_version: str


class IssuancePolicy(EffectivePolicy):
    """The issuance policy that applies."""

    terms: IssuanceTerms


class ReprintPolicy(EffectivePolicy):
    """The reprint policy that applies."""

    terms: ReprintTerms


def policy_id(kind: PolicyKind, account_id: str) -> str:
    """The stream id of an account's policy of that kind, or of the `default` one."""
    return f"{kind}:{account_id}"


def configure_policy(
    policy: Policy | None,
    terms: PolicyTerms,
    *,
    configured_by: str,
    at: Utc,
    expected_revision: int | None = None,
) -> tuple[PolicyConfigured, ...]:
    """Sets a policy; () where nothing changes. Raises `STALE_ETAG` where another revision was expected."""
    revision = 0 if policy is None else policy.revision
    if expected_revision is not None and expected_revision != revision:
        raise DomainError("STALE_ETAG", "The policy has changed since it was read; read it again.")
    if policy is not None and policy.terms == terms:
        return ()
    return (PolicyConfigured(terms=terms, configured_by=configured_by, configured_at=at),)


def adopt_policy(policy: Policy | None, of_alias: Policy | None, alias_id: str) -> tuple[PolicyAdopted, ...]:
    """Takes over the policy of an account that becomes an alias; a policy of one's own stands."""
    if policy is not None or of_alias is None:
        return ()
    return (PolicyAdopted(from_account_id=alias_id, policy=of_alias),)


def effective_issuance_policy(of_account: Policy | None, default: Policy | None) -> IssuancePolicy:
    """The issuance policy that applies to an account."""
    terms, scope, version = _effective(IssuanceTerms(), of_account, default)
    return IssuancePolicy(terms=terms, scope=scope, policy_version=version)


def effective_reprint_policy(of_account: Policy | None, default: Policy | None) -> ReprintPolicy:
    """The reprint policy that applies to an account."""
    terms, scope, version = _effective(ReprintTerms(), of_account, default)
    return ReprintPolicy(terms=terms, scope=scope, policy_version=version)


def effective_policy(
    kind: PolicyKind, of_account: Policy | None, default: Policy | None
) -> IssuancePolicy | ReprintPolicy:
    """The policy of that kind that applies to an account."""
    if kind == "issuance":
        return effective_issuance_policy(of_account, default)
    return effective_reprint_policy(of_account, default)


def _effective(
    built_in: TermsT, of_account: Policy | None, default: Policy | None
) -> tuple[TermsT, PolicyScope, str]:
    scopes: tuple[tuple[PolicyScope, Policy | None], ...] = (("ACCOUNT", of_account), ("DEFAULT", default))
    for scope, policy in scopes:
        if policy is not None:
            assert isinstance(policy.terms, type(built_in)), "a stream holds policies of one kind"
            return policy.terms, scope, f"{built_in.kind}/{scope.lower()}@{policy.revision}"
    return built_in, "BUILT_IN", f"{built_in.kind}/built-in@1"


def _evolve(policy: Policy | None, fact: PolicyConfigured | PolicyAdopted) -> Policy:
    match fact:
        case PolicyConfigured():
            return Policy(
                terms=fact.terms,
                revision=1 if policy is None else policy.revision + 1,
                updated_at=fact.configured_at,
                updated_by=fact.configured_by,
            )
        case PolicyAdopted():
            return fact.policy
        case _:
            assert_never(fact)


POLICY: StreamType[Policy] = StreamType(
    "policy",
    (EventType("policy.configured", PolicyConfigured), EventType("policy.adopted", PolicyAdopted)),
    _evolve,
)
