"""Documents that a fiscal profile had blocked go on once it is set, each by itself, and fail no oftener."""

from typing import Any

import pytest

from application.desk import Desk
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.intake.intake import Reading
from application.ledger import Answer, Audit, Command, Transaction
from application.resuming import Resumer
from domain.accounts.fiscal_profile import FISCAL_PROFILE, ProfileOwner
from domain.documents.document_facts import DocumentIssueFailed, DocumentNumbered
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from tests.support.clocks import SetClock
from tests.support.facts import FINGERPRINT
from tests.support.fiscal_profile_facts import configured
from tests.support.memory_ledger import MemoryLedger
from tests.support.policies import invoices, policies, policy_text
from tests.support.snapshots import order_data, party_snapshot
from tests.support.workshop import Observer

AUDIT = Audit("default", "ana", "SYSTEM", "inbound.receive-events", "trace-1")
POLICIES = policies(policy_text(invoices("AUTOMATIC"), scope='country_codes = ["GB"]'))
BUYER = {"partyId": "buyer-7", "legalName": "Gannet Ropeworks", "type": "B2B"}
OWNER = ProfileOwner(owner_type="BUYER", owner_id="buyer-7", country_code="GB")


class Blocked:
    """A work list that never catches up."""

    def __init__(self, *document_ids: str) -> None:
        self.document_ids = list(document_ids)

    async def documents_to_resume(self, limit: int) -> list[str]:
        """All that were ever blocked."""
        return self.document_ids[:limit]


@pytest.fixture
async def ledger() -> MemoryLedger:
    """In which an order's invoice waits for its buyer's profile."""
    ledger = MemoryLedger(SetClock())
    data = order_data(orderPartySnapshot=party_snapshot(buyer=BUYER))
    event = CloudEvent(specversion="1.0", id="e-1", source="urn:s", type="orders.PAID_IN_ESCROW", data=data)
    fact = read_fact(event, Reading(FINGERPRINT, Desk(POLICIES, "default")))
    await ledger.commit(Command(AUDIT, receive_fact(fact)))
    return ledger


def _failures(ledger: MemoryLedger) -> list[Any]:
    return [event for event in ledger.events if isinstance(event.fact, DocumentIssueFailed)]


async def _set_profile(ledger: MemoryLedger, **changes: Any) -> None:
    def handle(transaction: Transaction) -> Answer:
        stream = FISCAL_PROFILE.stream(OWNER.profile_id)
        transaction.append(stream, (configured(OWNER, **changes),))
        return Answer(200, None)

    await ledger.commit(Command(AUDIT, handle))


async def test_an_incomplete_profile_fails_once_however_far_behind_the_list_is(ledger: MemoryLedger) -> None:
    (failed,) = _failures(ledger)
    observer = Observer()
    resumer = Resumer(ledger, Blocked(failed.stream.id), POLICIES, observer)
    assert await resumer.step() == 0, "nobody has set it yet"
    await _set_profile(ledger, taxId=None)
    assert [await resumer.step() for _ in range(3)] == [1, 0, 0]
    assert len(_failures(ledger)) == 2
    assert observer.told == [("blocked", "", "GB")]


async def test_what_is_wrong_with_one_document_holds_up_no_other(
    ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    (failed,) = _failures(ledger)
    await _set_profile(ledger)
    history = ledger.history

    async def unless_broken(stream: StreamId) -> list[RecordedEvent]:
        if stream.id == "broken":
            raise ValueError("it cannot be read")
        return await history(stream)

    monkeypatch.setattr(ledger, "history", unless_broken)
    assert await Resumer(ledger, Blocked("broken", failed.stream.id), POLICIES, Observer()).step() == 1
    numbered = [event.stream for event in ledger.events if isinstance(event.fact, DocumentNumbered)]
    assert numbered[-1] == failed.stream
