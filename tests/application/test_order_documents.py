"""What becomes of an order's documents where refunds are many, or authorities refuse."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from application.caller import Caller
from application.desk import Desk
from application.handlers.document_corrections import CorrectionRequest, replace_document
from application.handlers.document_demands import Demand, issue_for_order
from application.handlers.documents import record_failure
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.handlers.invoices import Asking
from application.identity import TokenClaims
from application.intake.intake import Reading
from application.ledger import Answer, Audit, Command, Handler, Transaction
from domain.documents.document import DOCUMENT, Document, issue, void
from domain.documents.document_facts import DocType
from domain.documents.order_state import ORDER
from domain.kernel.errors import DomainError
from domain.kernel.facts import Stamp
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from infrastructure.eventstore.deciding import LOADS_PER_COMMAND
from infrastructure.eventstore.transaction import Folded, NotLoaded, OpenTransaction
from tests.support.clocks import SetClock
from tests.support.facts import FINGERPRINT, NOON, issued, refund_data
from tests.support.memory_ledger import MemoryLedger
from tests.support.order_facts import completion_data, payout_data
from tests.support.policies import invoices, policies, policy_text
from tests.support.snapshots import order_data

AUDIT = Audit("default", "ana", "SYSTEM", "inbound.receive-events", "trace-1")
ANA = Caller(TokenClaims(sub="ana", roles=frozenset({"SUPER_ADMIN"})), "trace-1")


class Approved(CorrectionRequest):
    """A request that a second person has approved of."""

    def approver(self, transaction: Transaction) -> str:
        """Their credential."""
        return "credential-1"


class Books:
    """A ledger of one order, o-1, under own policies."""

    def __init__(self, rules: str) -> None:
        text = policy_text(rules, scope='country_codes = ["GB"]')
        self.desk = Desk(policies(text), "default")
        self.ledger = MemoryLedger(SetClock())

    async def tell(self, event_type: str, data: dict[str, Any]) -> None:
        """Upstream tells of something."""
        event = CloudEvent(
            specversion="1.0", id=f"e-{len(self.ledger.events)}", source="urn:s", type=event_type, data=data
        )
        fact = read_fact(event, Reading(FINGERPRINT, self.desk))
        assert (await self.commit(receive_fact(fact))).body.error is None

    async def commit(self, handler: Handler) -> Answer:
        """Carries a handler out."""
        return (await self.ledger.commit(Command(AUDIT, handler))).answer

    def demand(self, doc_type: DocType, caller: Caller = ANA) -> Handler:
        """Somebody asks for a document of the order."""
        return issue_for_order("o-1", Demand(doc_type, self.desk, caller))

    def replacing(self, document_id: str, caller: Caller = ANA) -> Handler:
        """Somebody has it issued anew, with a second person."""
        asking = Asking(
            subject="ana", on_behalf_of=None, permissions=frozenset(), granted=None, desk=self.desk
        )
        return replace_document(Approved(document_id, "ERROR", None, asking, caller, "fresh"))

    async def issue(self, document_id: str) -> None:
        """Its files are sealed."""

        def handle(transaction: Transaction) -> Answer:
            document = transaction.state(DOCUMENT, document_id)
            transaction.append(DOCUMENT.stream(document_id), issue(document, issued()))
            return Answer(200, None)

        await self.commit(handle)

    def documents(self, doc_type: DocType) -> list[str]:
        """The ids of the order's documents of that type."""
        return list(self.order.document_ids(doc_type))

    @property
    def order(self) -> Any:
        """The order's state."""
        return self.state(ORDER.stream("o-1"))

    def document(self, document_id: str) -> Document:
        """The document's state."""
        document: Document = self.state(DOCUMENT.stream(document_id))
        return document

    def state(self, stream: StreamId) -> Any:
        """What the stream's events fold to."""
        return REGISTRY.fold(stream, [event.fact for event in self.ledger.events if event.stream == stream])

    def loads(self, handler: Handler) -> int:
        """How often the real ledger would have to load something for a command that names nothing."""
        known: dict[StreamId, Folded] = {}
        loads = 0
        while True:
            try:
                handler(OpenTransaction(REGISTRY, dict(known), Stamp(at=NOON)))
            except NotLoaded as wanted:
                loads += 1
                versions = Counter(event.stream for event in self.ledger.events)
                known.update({each: Folded(versions[each], self.state(each)) for each in wanted.streams})
            else:
                return loads


async def test_an_invoice_on_demand_credits_any_number_of_refunds_within_what_a_command_may_load() -> None:
    books = Books(invoices("ON_DEMAND"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    refunds = 3 * LOADS_PER_COMMAND
    for index in range(refunds):
        await books.tell("payments.REFUND_EXECUTED", refund_data(f"r-{index}", 10))
    asked = books.demand("FISCAL_INVOICE")
    assert books.loads(asked) <= LOADS_PER_COMMAND
    assert (await books.commit(asked)).status == 201
    assert len(books.documents("CREDIT_NOTE")) == refunds


async def test_what_an_authority_refused_of_a_refund_is_tried_again_when_somebody_asks() -> None:
    books = Books(invoices("AUTOMATIC"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    await books.tell("payments.REFUND_EXECUTED", refund_data())
    (note,) = books.documents("CREDIT_NOTE")
    with pytest.raises(DomainError, match="cause"):
        await books.commit(books.demand("CREDIT_NOTE"))
    await books.commit(record_failure(note, "driver_rejected", None, "TAX_ID_UNKNOWN"))
    assert books.document(note).retry_at is None
    answer = await books.commit(books.demand("CREDIT_NOTE"))
    assert (answer.status, answer.body["documentId"]) == (200, note)
    retry_at = books.document(note).retry_at
    assert retry_at is not None and retry_at - NOON < timedelta(hours=1)


async def test_a_replaced_payout_statement_stays_in_the_payouts_currency() -> None:
    books = Books(invoices("ON_DEMAND"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    await books.tell("payments.PAYOUT_SENT", payout_data(currencyUomId="EUR"))
    (statement,) = books.documents("PAYOUT_STATEMENT")
    await books.issue(statement)
    answer = await books.commit(books.replacing(statement))
    assert (answer.status, answer.body["currencyUomId"]) == (201, "EUR")


async def test_a_buyers_token_cannot_have_its_sellers_documents_made_or_replaced() -> None:
    books = Books(invoices("ON_DEMAND"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    await books.tell("orders.COMPLETED", completion_data())
    parties = books.order.order.order_party_snapshot
    permissions = frozenset({"docs.issue", "docs.void_or_replace"})
    buyer = Caller(
        TokenClaims(sub="ana", permissions=permissions, buyer_id=parties.buyer.party_id), "trace-1"
    )
    seller = Caller(
        TokenClaims(sub="ana", permissions=permissions, seller_id=parties.seller.party_id), "trace-1"
    )
    for caller, doc_type, reaches in (
        (buyer, "RECEIPT", True),
        (buyer, "SELLER_STATEMENT", False),
        (seller, "SELLER_STATEMENT", True),
    ):
        assert await _is_reached(books, books.demand(doc_type, caller)) is reaches
    (statement,) = books.documents("SELLER_STATEMENT")
    await books.issue(statement)
    assert not await _is_reached(books, books.replacing(statement, buyer))
    assert await _is_reached(books, books.replacing(statement, seller))


async def _is_reached(books: Books, handler: Handler) -> bool:
    try:
        await books.commit(handler)
    except DomainError as refused:
        assert refused.code == "NOT_FOUND"
        return False
    return True


async def test_a_payment_told_again_names_all_that_had_waited_for_it_within_what_a_command_may_load() -> None:
    books = Books(invoices("ON_DEMAND"))
    for index in range(2 * LOADS_PER_COMMAND):
        await books.tell("payments.REFUND_EXECUTED", refund_data(f"r-{index}", 10))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    event = CloudEvent(
        specversion="1.0", id="again", source="urn:s", type="orders.PAID_IN_ESCROW", data=order_data()
    )
    again = receive_fact(read_fact(event, Reading(FINGERPRINT, books.desk)))
    assert books.loads(again) <= LOADS_PER_COMMAND
    assert len((await books.commit(again)).body.documents) == 1 + 2 * LOADS_PER_COMMAND


async def test_payouts_that_waited_have_their_statements_within_what_a_command_may_load() -> None:
    books = Books(invoices("ON_DEMAND"))
    payouts = 2 * LOADS_PER_COMMAND
    for index in range(payouts):
        await books.tell("payments.PAYOUT_SENT", payout_data(f"p-{index}"))
    paid = CloudEvent(
        specversion="1.0", id="paid", source="urn:s", type="orders.PAID_IN_ESCROW", data=order_data()
    )
    pays = receive_fact(read_fact(paid, Reading(FINGERPRINT, books.desk)))
    assert books.loads(pays) <= LOADS_PER_COMMAND
    await books.commit(pays)
    assert len(books.documents("PAYOUT_STATEMENT")) == payouts


async def test_refunds_whose_credit_notes_are_void_are_credited_again_when_somebody_asks() -> None:
    books = Books(invoices("AUTOMATIC"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    for refund_id in ("r-1", "r-2"):
        await books.tell("payments.REFUND_EXECUTED", refund_data(refund_id))
    first, second = books.documents("CREDIT_NOTE")
    await books.issue(first)
    await books.commit(_voiding(first))
    answer = await books.commit(books.demand("CREDIT_NOTE"))
    assert (answer.status, answer.body["documentVersion"]) == (201, 2)
    assert books.documents("CREDIT_NOTE") == [first, answer.body["documentId"], second]
    with pytest.raises(DomainError, match="cause"):
        await books.commit(books.demand("CREDIT_NOTE"))


async def test_voided_adjustments_and_payouts_get_their_next_version_when_somebody_asks() -> None:
    books = Books(invoices("ON_DEMAND"))
    await books.tell("orders.PAID_IN_ESCROW", order_data())
    await books.tell("payments.REFUND_EXECUTED", refund_data("r-1"))
    await books.tell("payments.PAYOUT_SENT", payout_data(currencyUomId="EUR"))
    kinds: tuple[DocType, ...] = ("ADJUSTMENT_STATEMENT", "PAYOUT_STATEMENT")
    for doc_type in kinds:
        (first,) = books.documents(doc_type)
        await books.issue(first)
        with pytest.raises(DomainError, match="cause"):
            await books.commit(books.demand(doc_type))
        await books.commit(_voiding(first))
        answer = await books.commit(books.demand(doc_type))
        told = answer.body
        assert (answer.status, told["documentVersion"], told["replacesDocumentId"]) == (201, 2, None)
        assert books.documents(doc_type) == [first, told["documentId"]]
        assert told["currencyUomId"] == ("EUR" if doc_type == "PAYOUT_STATEMENT" else "GBP")
        corrected = [link["relation"] for link in told["linkedDocuments"]]
        assert corrected == (["CORRECTS"] if doc_type == "ADJUSTMENT_STATEMENT" else [])


def _voiding(document_id: str) -> Handler:
    def handle(transaction: Transaction) -> Answer:
        document = transaction.state(DOCUMENT, document_id)
        assert document is not None
        transaction.append(DOCUMENT.stream(document_id), void(document, "ERROR"))
        return Answer(200, None)

    return handle
