"""Accounts: what CRM told last counts, and an account of which it never told may become another's name."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.accounts.account import (
    ACCOUNT,
    Account,
    AccountAliased,
    AccountOpened,
    AccountPersonalDataErased,
    AccountUpdated,
    alias_account,
    open_account,
    update_account,
)
from domain.kernel.privacy import ERASED_TEXT
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID, PARTY_ID, an_account, updated
from tests.support.given import given, state_after

OPENED = AccountOpened(party_id=PARTY_ID)


def test_an_account_is_opened_once() -> None:
    given().when(open_account, PARTY_ID).then(OPENED)
    given(OPENED).when(open_account, PARTY_ID).then()


def test_what_crm_tells_is_recorded_and_the_same_again_is_not() -> None:
    given().when(update_account, an_account()).then(updated())
    given(OPENED).when(update_account, an_account()).then(updated())
    given(updated()).when(update_account, an_account()).then()


@pytest.mark.parametrize(
    "changes", [{"displayName": "Gannet Ropes"}, {"taxId": None}, {"loyaltyTier": "gold"}]
)
def test_the_newest_that_crm_told_counts(changes: dict[str, Any]) -> None:
    given(updated()).when(update_account, an_account(**changes)).then(updated(**changes))
    assert state_after(updated(), updated(**changes)).data == an_account(**changes)


def test_an_update_that_names_no_party_leaves_the_account_its_own() -> None:
    given().when(update_account, an_account(party_id=None)).then(updated(party_id=ACCOUNT_ID))
    given(updated()).when(update_account, an_account(party_id=None)).then()
    given(OPENED).when(update_account, an_account(party_id=None)).then(updated())


def test_an_account_that_crm_never_told_of_becomes_a_name_of_another() -> None:
    given(OPENED).when(alias_account, ACCOUNT_ID).then(AccountAliased(account_id=ACCOUNT_ID))
    assert state_after(OPENED, AccountAliased(account_id=ACCOUNT_ID)).alias_of == ACCOUNT_ID


def test_an_account_that_crm_told_of_never_becomes_a_name() -> None:
    given(updated()).when(alias_account, MINTED_ID).then_refused("PARTY_CONFLICT")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customerAccountId", "12345"),
        ("classification", "B2G"),
        ("creditLimit", -1),
        ("creditLimit", 10.5),
        ("creditLimit", "100"),
        ("currencyUomId", "POUND"),
        ("approvalRequired", "yes"),
        ("displayName", ""),
        ("partyId", ""),
    ],
)
def test_what_cannot_be_an_account_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        an_account(**{field: value})


def test_erasing_the_party_leaves_what_its_terms_are() -> None:
    state: Any = state_after(updated(loyaltyTier="gold"))
    for retention_class in ("CONTACT", "FISCAL"):
        erased = AccountPersonalDataErased(
            subject=f"party:{PARTY_ID}", retention_class=retention_class, key_id="k", positions=(1,)
        )
        state = ACCOUNT.evolve(state, erased)
    assert isinstance(state, Account) and state.data is not None
    assert state.data == an_account(
        displayName=ERASED_TEXT, taxId=None, billingAddress=None, billingContact=None
    )
    assert state.email is None and state.data.credit_limit == 500_000


def test_erasing_somebody_else_changes_nothing() -> None:
    erased = AccountPersonalDataErased(
        subject="party:another", retention_class="FISCAL", key_id="k", positions=(1,)
    )
    assert state_after(updated(), erased) == state_after(updated())


def test_only_a_real_address_counts_as_one() -> None:
    for contact in (None, {}, {"email": ""}):
        (fact,) = update_account(None, an_account(billingContact=contact))
        assert isinstance(fact, AccountUpdated)
        assert state_after(fact).email is None
    assert state_after(updated()).email == "marigold@example.org"
