"""Accounts and their names: three names, one account, whoever named it first (ADR 0018)."""

import pytest

from application.handlers.accounts import account_of
from domain.kernel.errors import DomainError
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID, PARTY_ID
from tests.support.counter import Counter

OTHER_ID = "0192f0c1-7a00-7000-8000-0000000000cc"


@pytest.fixture
def counter() -> Counter:
    return Counter()


async def meant_by(counter: Counter, *names: str) -> list[str | None]:
    """Which accounts the names mean now."""
    return await counter.ask(lambda transaction: [account_of(transaction, name) for name in names])


async def rules_by(counter: Counter, *names: str) -> list[tuple[str, str, int]]:
    """Account, terms and revision of the rules as each name finds them, by setting the same again."""
    answers = [await counter.put_rules(name) for name in names]
    assert {answer.status for answer in answers} == {200} and counter.names == []
    return [(a.body["accountId"], a.body["paymentTermsCode"], a.body["version"]) for a in answers]


async def test_an_account_that_crm_tells_of_is_known_by_its_id_and_its_party(counter: Counter) -> None:
    assert (await counter.crm_tells(ACCOUNT_ID, PARTY_ID)).outcome == "ACCEPTED"
    assert counter.names == ["claim.taken", "account.updated", "inbound.received"]
    assert await meant_by(counter, ACCOUNT_ID, ACCOUNT_ID.upper(), PARTY_ID, "nobody") == [
        *[ACCOUNT_ID] * 3,
        None,
    ]


async def test_the_same_content_under_another_event_is_a_duplicate(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    assert (await counter.crm_tells(ACCOUNT_ID, PARTY_ID)).outcome == "DUPLICATE"
    assert counter.names == ["inbound.received"]
    assert (await counter.crm_tells(ACCOUNT_ID, PARTY_ID, displayName="Gannet")).outcome == "ACCEPTED"
    assert counter.names == ["account.updated", "inbound.received"]


async def test_without_a_party_an_account_is_its_own(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, None)
    assert counter.names == ["account.updated", "inbound.received"]
    assert (await counter.put_rules(ACCOUNT_ID)).body["partyId"] == ACCOUNT_ID


async def test_rules_under_an_unknown_party_mint_an_account(counter: Counter) -> None:
    answer = await counter.put_rules(PARTY_ID, partyId=PARTY_ID)
    assert (answer.status, answer.body["accountId"], answer.body["partyId"]) == (201, MINTED_ID, PARTY_ID)
    assert counter.names == ["account.opened", "claim.taken", "billing-rules.configured"]
    assert await meant_by(counter, MINTED_ID, PARTY_ID) == [MINTED_ID, MINTED_ID]


async def test_rules_under_an_unknown_uuid_take_it_for_the_account(counter: Counter) -> None:
    answer = await counter.put_rules(ACCOUNT_ID)
    assert (answer.body["accountId"], answer.body["partyId"]) == (ACCOUNT_ID, ACCOUNT_ID)
    assert counter.names == ["account.opened", "billing-rules.configured"]
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    answer = await counter.put_rules(PARTY_ID)
    assert (answer.body["accountId"], answer.body["partyId"]) == (ACCOUNT_ID, PARTY_ID)


@pytest.mark.parametrize("party_id", [PARTY_ID, OTHER_ID])
async def test_a_minted_account_becomes_a_name_of_crms_with_its_rules(
    counter: Counter, party_id: str
) -> None:
    await counter.put_rules(party_id, paymentTermsCode="NET60")
    first = (await counter.put_rules(party_id)).body["accountId"]
    assert (await counter.crm_tells(ACCOUNT_ID, party_id)).outcome == "ACCEPTED"
    assert counter.names == [
        "account.aliased",
        "billing-rules.adopted",
        "account.updated",
        "inbound.received",
    ]
    assert await meant_by(counter, first, party_id, ACCOUNT_ID) == [ACCOUNT_ID] * 3
    assert await rules_by(counter, first, party_id, ACCOUNT_ID) == [(ACCOUNT_ID, "NET30", 2)] * 3


async def test_rules_of_crms_account_stand_where_its_new_name_has_some_too(counter: Counter) -> None:
    await counter.put_rules(PARTY_ID, paymentTermsCode="NET60")
    await counter.put_rules(ACCOUNT_ID)
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    assert "billing-rules.adopted" not in counter.names
    assert await rules_by(counter, MINTED_ID, PARTY_ID, ACCOUNT_ID) == [(ACCOUNT_ID, "NET30", 1)] * 3


async def test_a_party_of_one_account_is_not_given_to_another(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    outcome = await counter.crm_tells(OTHER_ID, PARTY_ID)
    assert outcome.outcome == "REJECTED" and outcome.error is not None
    assert outcome.error.code == "PARTY_CONFLICT"
    assert counter.names == ["inbound.refused"]
    assert await meant_by(counter, OTHER_ID) == [None]


async def test_nor_is_the_party_of_an_account_that_took_over_a_minted_one(counter: Counter) -> None:
    await counter.put_rules(PARTY_ID)
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    assert (await counter.crm_tells(OTHER_ID, PARTY_ID)).outcome == "REJECTED"


@pytest.mark.parametrize("first", ["CRM", "rules"])
async def test_the_name_of_a_party_never_becomes_another_account(counter: Counter, first: str) -> None:
    if first == "rules":
        await counter.put_rules(OTHER_ID)
    await counter.crm_tells(ACCOUNT_ID, OTHER_ID)
    outcome = await counter.crm_tells(OTHER_ID, "another")
    assert outcome.error is not None and outcome.error.code == "PARTY_CONFLICT"
    assert await meant_by(counter, OTHER_ID, "another") == [ACCOUNT_ID, None]


async def test_an_account_keeps_the_names_of_its_former_parties(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    await counter.crm_tells(ACCOUNT_ID, "67890")
    assert await meant_by(counter, PARTY_ID, "67890") == [ACCOUNT_ID] * 2
    assert (await counter.put_rules(PARTY_ID)).body["partyId"] == "67890"


async def test_a_body_that_names_another_account_is_refused(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    for name, party_id in ((ACCOUNT_ID, "nobody"), ("nobody", PARTY_ID), (OTHER_ID, "nobody")):
        with pytest.raises(DomainError) as refusal:
            await counter.put_rules(name, partyId=party_id)
        assert [found.field for found in refusal.value.field_errors] == ["partyId"]
    assert (await counter.put_rules(ACCOUNT_ID, partyId=PARTY_ID)).status == 201
    assert (await counter.put_rules(PARTY_ID, partyId=ACCOUNT_ID)).status == 200


async def test_a_token_bound_to_accounts_reaches_them_by_any_name_and_no_others(counter: Counter) -> None:
    await counter.crm_tells(ACCOUNT_ID, PARTY_ID)
    for granted in (ACCOUNT_ID, PARTY_ID):
        for name in (ACCOUNT_ID, PARTY_ID):
            assert (await counter.put_rules(name, frozenset({granted}))).status in {200, 201}
    for granted_ids in (frozenset({OTHER_ID}), frozenset[str]()):
        for name in (ACCOUNT_ID, "nobody"):
            with pytest.raises(DomainError, match="NOT_FOUND"):
                await counter.put_rules(name, granted_ids)
    assert (await counter.put_rules(OTHER_ID, frozenset({OTHER_ID}))).status == 201
