"""The names of accounts: what each means after CRM told, and after it named a minted account."""

from projections.accounts import ACCOUNTS
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID, PARTY_ID
from tests.support.folding import History, folded


def names(history: History) -> dict[str, str]:
    rows = folded(ACCOUNTS, history.events)["account_name_v1"]
    return {row["name"]: row["account_id"] for row in rows.values()}


def accounts(history: History) -> dict[str, str]:
    rows = folded(ACCOUNTS, history.events)["account_v1"]
    return {row["account_id"]: row["party_id"] for row in rows.values()}


async def test_what_crm_tells_names_an_account_by_its_id_and_its_parties() -> None:
    history = History()
    await history.crm_tells(ACCOUNT_ID, PARTY_ID)
    await history.crm_tells(ACCOUNT_ID, "67890")
    assert names(history) == {ACCOUNT_ID: ACCOUNT_ID, PARTY_ID: ACCOUNT_ID, "67890": ACCOUNT_ID}
    assert accounts(history) == {ACCOUNT_ID: "67890"}


async def test_a_minted_account_is_a_name_once_crm_tells_of_its_party() -> None:
    history = History()
    await history.set_rules(PARTY_ID)
    assert names(history) == {MINTED_ID: MINTED_ID, PARTY_ID: MINTED_ID}
    await history.crm_tells(ACCOUNT_ID, PARTY_ID)
    assert names(history) == dict.fromkeys((MINTED_ID, PARTY_ID, ACCOUNT_ID), ACCOUNT_ID)
    assert accounts(history) == {ACCOUNT_ID: PARTY_ID}


async def test_an_account_that_was_taken_for_a_partys_uuid_is_a_name_too() -> None:
    history = History()
    await history.set_rules(MINTED_ID)
    await history.crm_tells(ACCOUNT_ID, MINTED_ID)
    assert names(history) == {MINTED_ID: ACCOUNT_ID, ACCOUNT_ID: ACCOUNT_ID}
    assert accounts(history) == {ACCOUNT_ID: MINTED_ID}
