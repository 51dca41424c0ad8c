"""Policies: set whole, versioned, an account's own before the default one before ours."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.accounts.policies import (
    POLICY,
    IssuanceTerms,
    PolicyAdopted,
    PolicyTerms,
    ReprintTerms,
    adopt_policy,
    configure_policy,
    effective_issuance_policy,
    effective_policy,
    effective_reprint_policy,
)
from tests.support.account_facts import MINTED_ID, NOON, policy_set, updated
from tests.support.decisions import decision
from tests.support.given import given, state_after

BY_ANA: dict[str, Any] = {"configured_by": "ana", "at": NOON}
ALWAYS = IssuanceTerms(approval_required="ALWAYS")
NEVER = IssuanceTerms(approval_required="NEVER", overridable_blockers=())


@pytest.mark.parametrize("terms", [ALWAYS, IssuanceTerms(), ReprintTerms(max_reprints=0)])
def test_a_policy_is_set_and_the_same_again_is_nothing_new(terms: PolicyTerms) -> None:
    given().when(configure_policy, terms, **BY_ANA).then(policy_set(terms))
    given(policy_set(terms)).when(configure_policy, terms, **BY_ANA).then()


def test_a_stale_revision_is_refused_even_where_nothing_would_change() -> None:
    for expected in (0, 2):
        given(policy_set(ALWAYS)).when(
            configure_policy, ALWAYS, **BY_ANA, expected_revision=expected
        ).then_refused("STALE_ETAG")
    given(policy_set(ALWAYS)).when(configure_policy, NEVER, **BY_ANA, expected_revision=1).then(
        policy_set(NEVER)
    )
    given().when(configure_policy, ALWAYS, **BY_ANA, expected_revision=0).then(policy_set(ALWAYS))


def test_an_accounts_own_policy_comes_before_the_default_one_and_that_before_ours() -> None:
    own, default = state_after(policy_set(ALWAYS), policy_set(NEVER)), state_after(policy_set(ALWAYS))
    found = effective_issuance_policy(own, default)
    assert (found.terms, found.scope, found.policy_version) == (NEVER, "ACCOUNT", "issuance/account@2")
    found = effective_issuance_policy(None, default)
    assert (found.terms, found.scope, found.policy_version) == (ALWAYS, "DEFAULT", "issuance/default@1")
    found = effective_issuance_policy(None, None)
    assert (found.terms, found.scope, found.policy_version) == (
        IssuanceTerms(),
        "BUILT_IN",
        "issuance/built-in@1",
    )
    assert effective_policy("issuance", own, default) == effective_issuance_policy(own, default)


def test_reprints_have_a_policy_of_their_own() -> None:
    terms = ReprintTerms(max_reprints=1, window_hours=1, requires_elevation=True)
    found = effective_reprint_policy(state_after(policy_set(terms)), None)
    assert (found.terms, found.policy_version) == (terms, "reprint/account@1")
    assert effective_policy("reprint", None, None).terms == ReprintTerms()


@pytest.mark.parametrize(
    ("required", "account", "needed"),
    [
        ("ALWAYS", {}, True),
        ("NEVER", {"classification": "B2C", "approvalRequired": True}, False),
        ("CONSUMERS", {}, False),
        ("CONSUMERS", {"approvalRequired": None}, False),
        ("CONSUMERS", {"approvalRequired": True}, True),
        ("CONSUMERS", {"classification": "B2C"}, True),
    ],
)
@decision("BILL-DEC-003", "Consumers and who is marked approvalRequired need an approval")
def test_who_needs_an_approval(required: Any, account: dict[str, Any], needed: bool) -> None:
    terms = IssuanceTerms(approval_required=required)
    assert terms.needs_approval(state_after(updated(**account))) is needed


def test_an_account_unknown_to_crm_is_taken_for_a_consumer() -> None:
    assert IssuanceTerms().needs_approval(None)
    assert not NEVER.needs_approval(None)


def test_an_account_adopts_a_policy_with_its_revision_or_keeps_its_own() -> None:
    of_alias = state_after(policy_set(NEVER), policy_set(ALWAYS))
    given().when(adopt_policy, of_alias, MINTED_ID).then(
        PolicyAdopted(from_account_id=MINTED_ID, policy=of_alias)
    )
    assert POLICY.evolve(None, PolicyAdopted(from_account_id=MINTED_ID, policy=of_alias)) == of_alias
    given(policy_set(NEVER)).when(adopt_policy, of_alias, MINTED_ID).then()
    given().when(adopt_policy, None, MINTED_ID).then()


def test_blockers_are_a_set() -> None:
    twice = ("MISSING_ESTIMATE_VERSION", "MISSING_APPROVAL", "MISSING_APPROVAL")
    assert IssuanceTerms(overridable_blockers=twice) == IssuanceTerms()
    with pytest.raises(ValidationError):
        IssuanceTerms.model_validate({"overridableBlockers": ["MISSING_CONTACT"]})
