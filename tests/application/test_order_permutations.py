"""However often and in whatever order an order's events arrive, they end in the same documents (S3 §7)."""

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from application.content import document_content
from application.desk import Desk
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.intake.intake import Reading
from application.ledger import Audit, Command
from domain.documents.document import Document
from domain.documents.document_facts import DocumentNumbered
from domain.documents.order_state import ORDER
from domain.numbering.series import NUMBER_SERIES, NumberAssigned
from domain.streams import REGISTRY
from tests.support.clocks import SetClock
from tests.support.facts import FINGERPRINT, NOON, refund_data
from tests.support.memory_ledger import MemoryLedger
from tests.support.order_facts import completion_data, dispute_data, payout_data
from tests.support.policies import invoices, policies, policy_text
from tests.support.snapshots import order_data

AUDIT = Audit("default", "upstream", "SYSTEM", "inbound.receive-events", "trace-1")
ON_DEMAND = policies()
AUTOMATIC = policies(policy_text(invoices("AUTOMATIC"), scope='country_codes = ["GB"]'))
NO_CREDIT_NOTE = """
[[rule]]
doc_type = "CREDIT_NOTE"
sources = ["ORDER"]
outcome = "FORBIDDEN"
reason = "There are none here."
"""
NO_CREDIT_NOTES = policies(
    policy_text(invoices("AUTOMATIC") + NO_CREDIT_NOTE, scope='country_codes = ["GB"]')
)
PAID = ("orders.PAID_IN_ESCROW", order_data())
PAID_MINOR = order_data()["orderFinancialSnapshot"]["buyerTotal"]

Event = tuple[str, dict[str, Any]]


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """An order that is paid, and more: refunds and disputes that never exceed it, payouts, a completion."""
    amounts = draw(st.lists(st.integers(1, PAID_MINOR // 3), max_size=3))
    events: list[Event] = [PAID]
    for index, amount in enumerate(amounts):
        if draw(st.booleans()):
            events.append(("payments.REFUND_EXECUTED", refund_data(f"r-{index}", amount)))
        else:
            events.append(("payments.DISPUTE_SAGA_COMPLETED", dispute_data(f"d-{index}", amount)))
    if draw(st.booleans()):
        events.append(("payments.DISPUTE_OUTCOME", dispute_data("d-none", None)))
    events += [
        ("payments.PAYOUT_SENT", payout_data(f"p-{index}")) for index in range(draw(st.integers(0, 2)))
    ]
    if draw(st.booleans()):
        repeated = order_data() if draw(st.booleans()) else {}
        events.append(("orders.COMPLETED", {**repeated, **completion_data()}))
    return events


@given(st.data(), lives(), st.sampled_from((ON_DEMAND, AUTOMATIC, NO_CREDIT_NOTES)))
@settings(max_examples=120, deadline=None)
def test_any_permutation_and_repetition_gives_the_same_documents(
    data: st.DataObject, life: list[Event], ruled: Any
) -> None:
    again = data.draw(st.lists(st.sampled_from(life), max_size=4))
    shuffled = data.draw(st.permutations([*life, *again]))
    expected = asyncio.run(_told(life, Desk(ruled, "default")))
    assert asyncio.run(_told(shuffled, Desk(ruled, "default"))) == expected
    assert [document["docType"] for document in expected.values()].count("RECEIPT") == 1


async def _told(events: list[Event], desk: Desk) -> dict[str, Any]:
    """By key the contents of the documents that the events led to, without what only arrival decides."""
    clock = SetClock(NOON)
    ledger = MemoryLedger(clock)
    for index, (event_type, content) in enumerate(events):
        event = CloudEvent(
            specversion="1.0", id=f"e-{index}", source="urn:s", type=event_type, data=dict(content)
        )
        fact = read_fact(event, Reading(FINGERPRINT, desk))
        committed = await ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        assert committed.answer.body.error is None, committed.answer.body.error
        clock.move(1)
    _numbers_are_accounted_for(ledger)
    return _contents(ledger)


def _numbers_are_accounted_for(ledger: MemoryLedger) -> None:
    given_out = {
        (event.stream.id, event.fact.number): event.fact.holder_id
        for event in ledger.events
        if isinstance(event.fact, NumberAssigned)
    }
    held = {
        (event.fact.series_id, event.fact.number): event.stream.id
        for event in ledger.events
        if isinstance(event.fact, DocumentNumbered)
    }
    assert given_out == held
    for series in {series_id for series_id, _ in given_out}:
        facts = [event.fact for event in ledger.events if event.stream == NUMBER_SERIES.stream(series)]
        sequences = [fact.sequence for fact in facts if isinstance(fact, NumberAssigned)]
        assert sequences == list(range(1, len(sequences) + 1))


def _contents(ledger: MemoryLedger) -> dict[str, Any]:
    order = _folded(ledger, ORDER.stream("o-1"))
    contents = {}
    for stream in dict.fromkeys(event.stream for event in ledger.events if event.stream.type == "document"):
        document: Document = _folded(ledger, stream)
        content = json.loads(document_content(stream.id, document, order, {}))
        for arrival in ("number", "issuedAt", "issueDate"):
            del content[arrival]
        if "corrects" in content:
            del content["corrects"]["number"]
        relations = {(link.document_id, link.relation) for link in document.linked_documents}
        contents[document.drafted.document_key] = {**content, "links": relations}
    return contents


def _folded(ledger: MemoryLedger, stream: Any) -> Any:
    return REGISTRY.fold(stream, [event.fact for event in ledger.events if event.stream == stream])
