"""Accounts and their names: which account a name means, and what changes when CRM tells of one (ADR 0018)."""

from collections.abc import Collection

from application.ledger import Transaction
from domain.accounts.account import (
    ACCOUNT,
    Account,
    AccountData,
    alias_account,
    open_account,
    party_conflict,
    update_account,
)
from domain.accounts.billing_rules import BILLING_RULES, adopt_rules
from domain.accounts.names import account_name, is_account_id
from domain.accounts.policies import POLICY, PolicyKind, adopt_policy, policy_id
from domain.inbound.inbound import Effect
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import not_found
from domain.kernel.streams import StreamId

_POLICY_KINDS: tuple[PolicyKind, ...] = ("issuance", "reprint")


def name_streams(*names: str) -> frozenset[StreamId]:
    """What finding out which accounts the names mean reads, as far as known beforehand."""
    spelled = [account_name(name) for name in names]
    return frozenset(ACCOUNT.stream(name) for name in spelled) | frozenset(
        claim_stream("PARTY", name) for name in spelled
    )


def account_of(transaction: Transaction, name: str) -> str | None:
    """The id of the account that a name means: its own id, a former one or its party's; None if unknown."""
    account_id = account_name(name)
    if transaction.state(ACCOUNT, account_id) is None:
        claim = transaction.state(CLAIM, claim_stream("PARTY", account_id).id)
        if claim is None:
            return None
        account_id = claim.holder
    account = transaction.state(ACCOUNT, account_id)
    assert account is not None, "a party's name is claimed by an account that exists"
    return account.alias_of or account_id


def account_state(transaction: Transaction, name: str) -> tuple[str, Account] | None:
    """The id and state of the account that a name means; None if unknown."""
    account_id = account_of(transaction, name)
    if account_id is None:
        return None
    account = transaction.state(ACCOUNT, account_id)
    assert account is not None, "it has a name"
    return account_id, account


def open_if_unknown(transaction: Transaction, name: str, fresh_id: str) -> tuple[str, Account]:
    """The account that a name means, opened where nobody knows it.

    A UUID is then taken for the account's own id; any other text for its party's, and `fresh_id` (UUIDv7)
    becomes the account's.
    """
    known = account_state(transaction, name)
    if known is not None:
        return known
    party_id = account_name(name)
    account_id = party_id if is_account_id(party_id) else fresh_id
    transaction.append(ACCOUNT.stream(account_id), open_account(None, party_id))
    if account_id != party_id:
        _claim_party(transaction, party_id, account_id)
    account = transaction.state(ACCOUNT, account_id)
    assert account is not None, "it is open now"
    return account_id, account


def is_within_reach(transaction: Transaction, name: str, granted: Collection[str] | None) -> bool:
    """Whether the token's accounts, by whichever names, hold the one that is meant; None: it reaches all."""
    if granted is None or account_name(name) in {account_name(own) for own in granted}:
        return True
    account_id = account_of(transaction, name)
    return account_id is not None and any(
        account_of(transaction, own) == account_id for own in sorted(granted)
    )


def require_reach(transaction: Transaction, name: str, granted: Collection[str] | None) -> None:
    """Raises `NOT_FOUND` unless the account that is meant is within reach."""
    if not is_within_reach(transaction, name, granted):
        raise not_found("The account")


def take_account(transaction: Transaction, data: AccountData) -> Effect:
    """Records what CRM tells of an account, and gives it its party's name with all that was set under it.

    Raises `PARTY_CONFLICT` where a name would mean two accounts of which CRM told.
    """
    account_id = data.customer_account_id
    facts = update_account(transaction.state(ACCOUNT, account_id), data)
    if not facts:
        return "DUPLICATE"
    if account_of(transaction, account_id) not in {None, account_id}:
        raise party_conflict()
    party_id = data.party_id or account_id
    holder = account_state(transaction, party_id)
    if holder is None:
        if party_id != account_id:
            _claim_party(transaction, party_id, account_id)
    elif holder[0] != account_id:
        alias_id, alias = holder
        # It may refuse, so nothing is appended before: what a refused fact appended would stay.
        transaction.append(ACCOUNT.stream(alias_id), alias_account(alias, account_id))
        _adopt(transaction, alias_id, account_id)
    transaction.append(ACCOUNT.stream(account_id), facts)
    return "ACCEPTED"


def _adopt(transaction: Transaction, alias_id: str, account_id: str) -> None:
    """Moves what was set for an account to the one whose name it became."""
    rules, of_alias = (transaction.state(BILLING_RULES, of) for of in (account_id, alias_id))
    transaction.append(BILLING_RULES.stream(account_id), adopt_rules(rules, of_alias, alias_id))
    for kind in _POLICY_KINDS:
        own = policy_id(kind, account_id)
        policy, policy_of_alias = (transaction.state(POLICY, of) for of in (own, policy_id(kind, alias_id)))
        transaction.append(POLICY.stream(own), adopt_policy(policy, policy_of_alias, alias_id))


def _claim_party(transaction: Transaction, party_id: str, account_id: str) -> None:
    claim = ClaimTaken(purpose="PARTY", key=party_id, holder=account_id, fingerprint="")
    transaction.append(claim_stream("PARTY", party_id), (claim,))
