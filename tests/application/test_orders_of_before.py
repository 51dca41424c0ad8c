"""Orders of an earlier release go on: it noted no documents in their histories, and made receipts only."""

import json
from typing import Any

import pytest

from application.caller import Caller
from application.content import document_content
from application.handlers.document_demands import Demand, issue_for_order
from application.handlers.documents import draft_document
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.handlers.order_documents import plans_of_payment
from application.identity import TokenClaims
from application.ledger import Answer, Audit, Command, Handler, Transaction
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import DocType, DocumentVoided
from domain.documents.order import order_content, pay, refund, told_content
from domain.documents.order_state import ORDER
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from tests.support.clocks import SetClock
from tests.support.desks import DESK, READING
from tests.support.facts import FINGERPRINT, a_refund, an_order, issued, refund_data
from tests.support.folding import receipt_id
from tests.support.memory_ledger import MemoryLedger
from tests.support.order_facts import completion_data
from tests.support.snapshots import order_data

AUDIT = Audit("default", "ana", "SYSTEM", "inbound.receive-events", "trace-1")
ANA = Caller(TokenClaims(sub="ana", roles=frozenset({"SUPER_ADMIN"})), "trace-1")
RECEIPT = receipt_id("o-1")


class Before:
    """A ledger with an order that was paid before, its receipt issued."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(SetClock())

    async def pays(self) -> None:
        """What the earlier release recorded of a payment."""
        order = an_order()

        def handle(transaction: Transaction) -> Answer:
            transaction.append(ORDER.stream("o-1"), pay(None, order, FINGERPRINT(order_content(order))))
            draft_document(transaction, plans_of_payment(DESK, order)[0])
            return Answer(200, None)

        await self.commits(handle)
        await self.appends(DOCUMENT.stream(RECEIPT), issued())

    async def refunds(self) -> None:
        """What the earlier release recorded of a refund: no document."""
        data = a_refund("r-old", 700)
        state = self.state(ORDER.stream("o-1"))
        for fact in refund(state, data, FINGERPRINT(told_content(data))):
            await self.appends(ORDER.stream("o-1"), fact)

    async def appends(self, stream: StreamId, fact: Fact) -> None:
        """This happens to that stream's thing."""

        def handle(transaction: Transaction) -> Answer:
            transaction.append(stream, (fact,))
            return Answer(200, None)

        await self.commits(handle)

    async def tells(self, event_type: str, data: dict[str, Any]) -> Outcome:
        """Upstream tells of something now."""
        event = CloudEvent(
            specversion="1.0", id=f"e-{len(self.ledger.events)}", source="urn:s", type=event_type, data=data
        )
        outcome: Outcome = (await self.commits(receive_fact(read_fact(event, READING)))).body
        return outcome

    async def asks(self, doc_type: DocType) -> Answer:
        """Somebody asks for a document of the order."""
        return await self.commits(issue_for_order("o-1", Demand(doc_type, DESK, ANA)))

    async def commits(self, handler: Handler) -> Answer:
        """Carries a handler out."""
        return (await self.ledger.commit(Command(AUDIT, handler))).answer

    def state(self, stream: StreamId) -> Any:
        """What the stream's events fold to."""
        return REGISTRY.fold(stream, [event.fact for event in self.ledger.events if event.stream == stream])

    def content(self, document_id: str) -> dict[str, Any]:
        """What a document says."""
        document: Document = self.state(DOCUMENT.stream(document_id))
        content: dict[str, Any] = json.loads(
            document_content(document_id, document, self.state(ORDER.stream("o-1")), {})
        )
        return content


@pytest.fixture
async def before() -> Before:
    before = Before()
    await before.pays()
    return before


async def test_a_repeated_payment_is_answered_with_the_receipt_of_then(before: Before) -> None:
    again = await before.tells("orders.PAID_IN_ESCROW", order_data())
    assert (again.outcome, [each.document_id for each in again.documents]) == ("DUPLICATE", [RECEIPT])
    await before.tells("orders.COMPLETED", completion_data())
    again = await before.tells("orders.PAID_IN_ESCROW", order_data())
    assert [each.document_id for each in again.documents] == [RECEIPT]


async def test_a_refund_corrects_the_receipt_of_then(before: Before) -> None:
    told = await before.tells("payments.REFUND_EXECUTED", refund_data("r-1", 500))
    (note,) = told.documents
    assert note.doc_type == "ADJUSTMENT_STATEMENT"
    receipt: Document = before.state(DOCUMENT.stream(RECEIPT))
    assert receipt.numbered is not None
    assert before.content(note.document_id)["corrects"]["number"] == receipt.numbered.number
    assert [link.document_id for link in receipt.linked_documents] == [note.document_id]


async def test_refunds_of_then_get_their_documents_with_whatever_happens_next(before: Before) -> None:
    await before.refunds()
    told = await before.tells("orders.COMPLETED", completion_data())
    assert [each.doc_type for each in told.documents] == ["SELLER_STATEMENT"]
    (called,) = before.state(ORDER.stream("o-1")).documents["REFUND/r-old"]
    assert before.content(called.document_id)["buyerTotal"] == 700


async def test_the_receipt_of_then_is_the_one_that_is_asked_for(before: Before) -> None:
    answer = await before.asks("RECEIPT")
    assert (answer.status, answer.body["documentId"]) == (200, RECEIPT)
    invoiced = await before.asks("FISCAL_INVOICE")
    assert (invoiced.status, invoiced.body["documentVersion"]) == (201, 1)


async def test_after_the_receipt_of_then_was_voided_comes_its_second_version(before: Before) -> None:
    await before.appends(DOCUMENT.stream(RECEIPT), DocumentVoided(reason_code="ERROR"))
    answer = await before.asks("RECEIPT")
    assert (answer.status, answer.body["documentVersion"]) == (201, 2)
    again = await before.asks("RECEIPT")
    assert (again.status, again.body["documentId"]) == (200, answer.body["documentId"])
