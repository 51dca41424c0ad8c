"""Policies as clients read them (contract §5)."""

from typing import Literal

from domain.accounts.policies import OverridableBlocker, PolicyScope
from domain.kernel.facts import Utc, Value


class PolicyAnswer(Value):
    """The policy that applies, whose it is, and the version of the one asked for (0: never set)."""

    account_id: str | None
    scope: PolicyScope
    policy_version: str
    version: int
    etag: str
    updated_at: Utc | None
    updated_by: str | None


class IssuancePolicyAnswer(PolicyAnswer):
    """What an invoice needs before it is issued."""

    approval_required: Literal["ALWAYS", "CONSUMERS", "NEVER"]
    estimate_version_required: bool
    overridable_blockers: list[OverridableBlocker]


class ReprintPolicyAnswer(PolicyAnswer):
    """How a receipt may be printed again."""

    max_reprints: int
    window_hours: int
    requires_reason_code: bool
    requires_elevation: bool
