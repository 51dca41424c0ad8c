"""Setting policies, and how they are answered (contract §5)."""

from dataclasses import dataclass
from typing import Any

from application.handlers.accounts import account_state, name_streams, open_if_unknown, require_reach
from application.ledger import Answer, Handler, Transaction
from domain.accounts.policies import (
    DEFAULT,
    POLICY,
    EffectivePolicy,
    IssuancePolicy,
    Policy,
    PolicyKind,
    PolicyTerms,
    ReprintPolicy,
    configure_policy,
    effective_issuance_policy,
    effective_policy,
    effective_reprint_policy,
    policy_id,
)
from domain.kernel.errors import not_found
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class PolicyChange:
    """Who sets which policy, for the account of which name or for all (`default`).

    `granted` are the accounts that the token is bound to, None for all; a bound one does not reach what
    applies to all. `fresh_account_id` is used where nobody knows the account; `expected_revision` is what
    `If-Match` names.
    """

    name: str
    terms: PolicyTerms
    configured_by: str
    granted: frozenset[str] | None
    fresh_account_id: str
    expected_revision: int | None

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads, as far as known beforehand."""
        names = () if self.name == DEFAULT else (self.name,)
        kind = self.terms.kind
        return name_streams(*names, *(self.granted or ())) | {
            POLICY.stream(policy_id(kind, name)) for name in (self.name, DEFAULT)
        }


def change_policy(change: PolicyChange) -> Handler:
    """Sets a policy: 201 for the first, 200 for a change or where nothing changes."""
    kind = change.terms.kind

    def handle(transaction: Transaction) -> Answer:
        account_id = None
        if change.name == DEFAULT:
            require_everybody(change.granted)
        else:
            require_reach(transaction, change.name, change.granted)
            account_id, _ = open_if_unknown(transaction, change.name, change.fresh_account_id)
        own = policy_id(kind, account_id or DEFAULT)
        before = transaction.state(POLICY, own)
        facts = configure_policy(
            before,
            change.terms,
            configured_by=change.configured_by,
            at=transaction.stamp.at,
            expected_revision=change.expected_revision,
        )
        transaction.append(POLICY.stream(own), facts)
        of_account, default = _policies(transaction, kind, account_id)
        applies = effective_policy(kind, of_account, default)
        answer = policy_answer(account_id, transaction.state(POLICY, own), applies)
        return Answer(201 if before is None else 200, answer)

    return handle


def issuance_policy_of(transaction: Transaction, name: str) -> IssuancePolicy:
    """The issuance policy that applies to the account of that name. For other commands to decide on."""
    return effective_issuance_policy(*_policies_by_name(transaction, "issuance", name))


def reprint_policy_of(transaction: Transaction, name: str) -> ReprintPolicy:
    """The reprint policy that applies to the account of that name. For other commands to decide on."""
    return effective_reprint_policy(*_policies_by_name(transaction, "reprint", name))


def require_everybody(granted: frozenset[str] | None) -> None:
    """Refuses what applies to all to a token that is bound to accounts. Raises `NOT_FOUND`."""
    if granted is not None:
        raise not_found("The policy")


def policy_answer(account_id: str | None, own: Policy | None, applies: EffectivePolicy) -> dict[str, Any]:
    """The policy that applies to an account, or to all that have none of their own (None), JSON-ready.

    `scope` says whose it is. `version` and `etag` are those of the one asked for (`own`), 0 where it was
    never set.
    """
    revision = 0 if own is None else own.revision
    return {
        "accountId": account_id,
        "scope": applies.scope,
        "policyVersion": applies.policy_version,
        **applies.terms.model_dump(mode="json", by_alias=True, exclude={"kind"}),
        "version": revision,
        "etag": f'"{revision}"',
        "updatedAt": None if own is None else rfc3339(own.updated_at),
        "updatedBy": None if own is None else own.updated_by,
    }


def _policies_by_name(
    transaction: Transaction, kind: PolicyKind, name: str
) -> tuple[Policy | None, Policy | None]:
    known = account_state(transaction, name)
    return _policies(transaction, kind, None if known is None else known[0])


def _policies(
    transaction: Transaction, kind: PolicyKind, account_id: str | None
) -> tuple[Policy | None, Policy | None]:
    """The account's own policy and the default one."""
    own = None if account_id is None else transaction.state(POLICY, policy_id(kind, account_id))
    return own, transaction.state(POLICY, policy_id(kind, DEFAULT))
