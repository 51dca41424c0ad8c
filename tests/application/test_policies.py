"""Policies of accounts: found by any name, moved with the account, ours where nobody set one."""

import pytest

from application.handlers.billing_rules import rules_of
from application.handlers.policies import issuance_policy_of, reprint_policy_of
from domain.accounts.policies import IssuanceTerms, ReprintTerms
from domain.kernel.errors import DomainError
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID, PARTY_ID
from tests.support.counter import Counter

NEVER = IssuanceTerms(approval_required="NEVER")
ONCE = ReprintTerms(max_reprints=1)


@pytest.fixture
def counter() -> Counter:
    return Counter()


async def test_a_policy_is_set_for_all_or_for_one(counter: Counter) -> None:
    answer = await counter.set_policy("default", NEVER)
    assert (answer.status, answer.body["accountId"], answer.body["scope"]) == (201, None, "DEFAULT")
    answer = await counter.set_policy(ACCOUNT_ID, IssuanceTerms())
    assert (answer.status, answer.body["accountId"], answer.body["scope"]) == (201, ACCOUNT_ID, "ACCOUNT")
    assert (await counter.set_policy(ACCOUNT_ID, IssuanceTerms())).status == 200
    assert counter.names == []
    for name, scope in ((ACCOUNT_ID, "ACCOUNT"), ("nobody", "DEFAULT")):
        found = await counter.ask(lambda transaction, name=name: issuance_policy_of(transaction, name))
        assert found.scope == scope
    found = await counter.ask(lambda transaction: reprint_policy_of(transaction, ACCOUNT_ID))
    assert found.scope == "BUILT_IN"


async def test_policies_move_with_a_minted_account(counter: Counter) -> None:
    await counter.set_policy(PARTY_ID, NEVER)
    assert counter.names == ["account.opened", "claim.taken", "policy.configured"]
    await counter.set_policy(PARTY_ID, ONCE)
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    assert counter.names.count("policy.adopted") == 2
    for name in (PARTY_ID, MINTED_ID, ACCOUNT_ID):
        assert (await counter.set_policy(name, NEVER)).body["accountId"] == ACCOUNT_ID
        assert (await counter.set_policy(name, ONCE)).status == 200
        assert counter.names == []
        issuing = await counter.ask(lambda transaction, name=name: issuance_policy_of(transaction, name))
        assert (issuing.terms, issuing.policy_version) == (NEVER, "issuance/account@1")


async def test_a_token_bound_to_accounts_sets_only_theirs(counter: Counter) -> None:
    for name in ("default", PARTY_ID):
        with pytest.raises(DomainError, match="NOT_FOUND"):
            await counter.set_policy(name, NEVER, frozenset({ACCOUNT_ID}))
    with pytest.raises(DomainError, match="NOT_FOUND"):
        await counter.set_policy("default", NEVER, frozenset({"default"}))
    assert (await counter.set_policy(ACCOUNT_ID, NEVER, frozenset({ACCOUNT_ID}))).status == 201


async def test_rules_are_found_by_any_name_for_other_commands(counter: Counter) -> None:
    assert await counter.ask(lambda transaction: rules_of(transaction, PARTY_ID)) is None
    await counter.put_rules(PARTY_ID)
    for name in (PARTY_ID, MINTED_ID):
        rules = await counter.ask(lambda transaction, name=name: rules_of(transaction, name))
        assert rules is not None and rules.terms.payment_terms_code == "NET30"
