"""Setting fiscal profiles: what is recorded, and that what is stored of the answer tells nothing personal."""

from typing import Any

import pytest

from application.handlers.fiscal_profiles import ProfileChange, change_profile, profile_answer
from application.ledger import Answer, Audit, Command
from application.past import state_at_version
from domain.accounts.fiscal_profile import FISCAL_PROFILE, ProfileOwner
from domain.kernel.errors import DomainError
from domain.streams import REGISTRY
from tests.support.clocks import SetClock
from tests.support.fiscal_profile_facts import NOON, a_change, an_owner, erased
from tests.support.memory_ledger import MemoryLedger

AUDIT = Audit("default", "ana", "BUYER", "fiscal-profiles.set", "trace-1")


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(SetClock(NOON))


async def _set(ledger: MemoryLedger, change: ProfileChange) -> Answer:
    committed = await ledger.commit(Command(AUDIT, change_profile(change), frozenset({change.stream})))
    return committed.answer


async def _shown(ledger: MemoryLedger, version: int, owner: ProfileOwner | None = None) -> dict[str, Any]:
    stream = FISCAL_PROFILE.stream((owner or an_owner()).profile_id)
    return profile_answer(await state_at_version(ledger, REGISTRY, stream, version))


async def test_the_first_is_new_and_the_same_again_records_nothing(ledger: MemoryLedger) -> None:
    assert await _set(ledger, a_change()) == Answer(201, {"version": 1})
    assert await _set(ledger, a_change()) == Answer(200, {"version": 1})
    assert await _set(ledger, a_change(legalName="Tansy")) == Answer(200, {"version": 2})
    assert [event.name for event in ledger.events] == ["fiscal-profile.configured"] * 2
    with pytest.raises(DomainError, match="STALE_ETAG"):
        await _set(ledger, a_change(revision=1))


async def test_an_answer_shows_the_version_that_it_is_about(ledger: MemoryLedger) -> None:
    await _set(ledger, a_change())
    await _set(ledger, a_change(legalName="Tansy", taxId=None))
    first, second = await _shown(ledger, 1), await _shown(ledger, 2)
    assert (first["legalName"], first["version"], first["etag"]) == ("Gannet Ropeworks SA de CV", 1, '"1"')
    assert (second["legalName"], second["taxId"], second["version"]) == ("Tansy", None, 2)
    assert (second["complete"], second["missingFields"]) == (False, ["taxId"])


async def test_an_answer_says_what_a_business_lacks(ledger: MemoryLedger) -> None:
    await _set(ledger, a_change(taxId=None, address={"city": "Monterrey"}))
    shown = await _shown(ledger, 1)
    assert (shown["complete"], shown["missingFields"]) == (
        False,
        ["taxId", "address.line1", "address.countryCode"],
    )


async def test_no_stored_byte_tells_who_it_is_and_an_old_version_shows_nothing_erased(
    ledger: MemoryLedger,
) -> None:
    await _set(ledger, a_change())
    stored = ledger.events[0].state.decode()
    secrets = ("Gannet", "GODE", "Muelle", "Monterrey", "64000", "marigold", "usoCfdi")
    assert not [secret for secret in secrets if secret in stored]
    assert '"invoiceType":"B2B"' in stored
    for retention_class in ("CONTACT", "FISCAL"):
        ledger.keys.erase("party:buyer-17", retention_class)
    (again,) = ledger.read_again()
    assert again.fact != ledger.events[0].fact
    folded = REGISTRY.fold(again.stream, [again.fact, erased("CONTACT"), erased("FISCAL")])
    told = FISCAL_PROFILE.evolve(
        FISCAL_PROFILE.evolve(FISCAL_PROFILE.evolve(None, ledger.events[0].fact), erased("CONTACT")),
        erased("FISCAL"),
    )
    assert folded == told, "a cached state told of an erasure is what the history folds to after it"
    shown = profile_answer(folded)
    assert not [secret for secret in secrets if secret in str(shown)]
    assert (shown["legalName"], shown["address"], shown["invoicePreferences"]) == (
        None,
        None,
        {"type": "B2B"},
    )
    assert (shown["complete"], shown["version"]) == (False, 3)
