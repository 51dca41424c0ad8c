"""Orders that were recorded before their documents were noted in their history."""

from typing import Any

from application.handlers.documents import draft_document
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.handlers.order_documents import plans_of_payment
from application.ledger import Answer, Audit, Command, Transaction
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentDrafted
from domain.documents.order import order_content, pay
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import ORDER
from tests.support.clocks import SetClock
from tests.support.desks import DESK, READING
from tests.support.facts import refund_data
from tests.support.memory_ledger import MemoryLedger
from tests.support.snapshots import order_data

AUDIT = Audit("default", "shop", "SYSTEM", "inbound.receive-events", "trace-1")
PAID = order_data("o-1")


def recorded_of_old(transaction: Transaction) -> Answer:
    """The order is paid and has its receipt, which its history does not tell."""
    order = OrderData.model_validate(PAID, by_name=False)
    facts = pay(None, order, READING.fingerprint(order_content(order)))
    transaction.append(ORDER.stream("o-1"), facts)
    for plan in plans_of_payment(DESK, order):
        transaction.expect(plan.streams)
        draft_document(transaction, plan)
    return Answer(200, None)


async def told(ledger: MemoryLedger, event_type: str, data: dict[str, Any]) -> Outcome:
    """What the door answers to an event."""
    event_id = f"{event_type}/{len(ledger.events)}"
    event = CloudEvent(specversion="1.0", id=event_id, source="urn:s", type=event_type, data=data)
    fact = read_fact(event, READING)
    outcome: Outcome = (await ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))).answer.body
    return outcome


async def test_its_receipt_is_told_of_and_corrected_whatever_happened_since() -> None:
    ledger = MemoryLedger(SetClock())
    await ledger.commit(Command(AUDIT, recorded_of_old))
    (receipt,) = (await told(ledger, "orders.PAID_IN_ESCROW", PAID)).documents
    assert receipt.doc_type == "RECEIPT"
    refund = refund_data("r-1", 500, order_id="o-1")
    (adjustment,) = (await told(ledger, "payments.REFUND_EXECUTED", refund)).documents
    again = await told(ledger, "orders.PAID_IN_ESCROW", PAID)
    assert (again.outcome, again.documents) == ("DUPLICATE", (receipt,))
    assert adjustment.doc_type == "ADJUSTMENT_STATEMENT"
    (drafted, *_) = await ledger.history(DOCUMENT.stream(adjustment.document_id))
    assert isinstance(drafted.fact, DocumentDrafted)
    (link,) = drafted.fact.linked_documents
    assert (link.relation, link.document_id) == ("CORRECTS", receipt.document_id)
