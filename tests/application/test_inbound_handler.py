"""What becomes of each upstream fact, and what is recorded with it in the same transaction."""

from typing import Any

import pytest

from application.handlers.documents import DocumentEntry
from application.handlers.inbound import CloudEvent, Outcome, UpstreamFact, read_fact, receive_fact
from application.ledger import Audit, Command
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentDrafted, DocumentNumbered
from domain.documents.order_state import ORDER
from domain.inbound.inbound import INBOUND, About, InboundReceived, InboundRefused
from domain.kernel.recorded import RecordedEvent
from domain.numbering.series import NUMBER_SERIES
from domain.streams import REGISTRY
from tests.support.clocks import SetClock
from tests.support.desks import READING
from tests.support.facts import DOCUMENT_ID, KEY, NOON, SERIES_ID, an_order, paid, refund_data
from tests.support.memory_ledger import MemoryLedger
from tests.support.snapshots import financial_snapshot, order_data, party_snapshot

AUDIT = Audit("default", "importer", "SYSTEM", "inbound.receive-events", "trace-1")
RECEIPT = DocumentEntry(DOCUMENT_ID, KEY, "RECEIPT", "GB", "DRAFT")
ORDER_ACCEPTED = [
    "claim.taken",
    "order.paid-in-escrow",
    "order.document-drafted",
    "document.drafted",
    "number-series.opened",
    "number-series.number-assigned",
    "document.numbered",
    "inbound.received",
]


class Door:
    """Takes facts in over a ledger in memory and tells what each one recorded."""

    def __init__(self) -> None:
        self.clock = SetClock(NOON)
        self.ledger = MemoryLedger(self.clock)
        self.recorded: list[RecordedEvent] = []

    async def take(self, fact: UpstreamFact) -> Outcome:
        """What became of the fact; `recorded` holds the events that it led to."""
        head = len(self.ledger.events)
        committed = await self.ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        self.recorded = self.ledger.events[head:]
        written = {event.stream for event in self.recorded}
        named = fact.streams | self.ledger.expected
        assert written <= named, "a fact names every stream that it writes to"
        assert len({event.transaction_id for event in self.recorded}) <= 1
        outcome: Outcome = committed.answer.body
        return outcome

    @property
    def names(self) -> list[str]:
        """The names of the events of the last fact."""
        return [event.name for event in self.recorded]


@pytest.fixture
def door() -> Door:
    return Door()


def fact(
    event_type: str, data: dict[str, Any], event_id: str = "e-1", source: str = "urn:orders"
) -> UpstreamFact:
    return read_fact(
        CloudEvent(specversion="1.0", id=event_id, source=source, type=event_type, data=data), READING
    )


def order_paid(event_id: str = "e-1", order_id: str = "o-1", **changes: Any) -> UpstreamFact:
    return fact("orders.PAID_IN_ESCROW", order_data(order_id, **changes), event_id)


def refund_executed(
    refund_id: str = "r-1", amount: int = 1000, event_id: str = "", **changes: Any
) -> UpstreamFact:
    return fact(
        "payments.REFUND_EXECUTED", refund_data(refund_id, amount, **changes), event_id or f"e-{refund_id}"
    )


def _assert_only_the_refusal(door: Door, outcome: Outcome, code: str) -> None:
    assert (outcome.outcome, outcome.documents) == ("REJECTED", ())
    assert outcome.error is not None
    assert outcome.error.code == code
    (event,) = door.recorded
    assert isinstance(event.fact, InboundRefused)
    assert event.fact.code == code


async def test_an_accepted_order_drafts_and_numbers_its_receipt_in_the_same_transaction(door: Door) -> None:
    outcome = await door.take(order_paid())
    assert outcome == Outcome("e-1", "ACCEPTED", (RECEIPT,))
    assert door.names == ORDER_ACCEPTED
    by_name = {event.name: event.fact for event in door.recorded}
    assert by_name["order.paid-in-escrow"] == paid(an_order())
    drafted, numbered = by_name["document.drafted"], by_name["document.numbered"]
    assert isinstance(drafted, DocumentDrafted)
    assert isinstance(numbered, DocumentNumbered)
    assert (drafted.buyer_id, drafted.seller_id, drafted.issuer_entity_id) == (
        "buyer-17",
        "seller-4",
        "platform-gb",
    )
    assert drafted.totals.model_dump() == {
        "items_subtotal": 6000,
        "discount_total": 1000,
        "fee_total": 440,
        "tax_total": 1240,
        "grand_total": 7680,
    }
    assert (numbered.number, numbered.issued_at, numbered.series_id) == ("R-2026-000001", NOON, SERIES_ID)


async def test_the_issue_date_is_that_of_the_issuers_calendar(door: Door) -> None:
    door.clock.move(11 * 3600 + 1800)
    await door.take(order_paid(countryCode="IN"))
    by_name = {event.name: event.fact for event in door.recorded}
    numbered = by_name["document.numbered"]
    assert isinstance(numbered, DocumentNumbered)
    assert (numbered.issued_at.isoformat(), numbered.issue_date.isoformat()) == (
        "2026-03-14T23:30:00+00:00",
        "2026-03-15",
    )


async def test_receipts_of_one_issuer_are_numbered_in_the_order_of_their_orders(door: Door) -> None:
    for index in range(1, 4):
        await door.take(order_paid(f"e-{index}", f"o-{index}"))
    numbers = [event.fact for event in door.ledger.events if event.name == "document.numbered"]
    assert [fact.number for fact in numbers if isinstance(fact, DocumentNumbered)] == [
        "R-2026-000001",
        "R-2026-000002",
        "R-2026-000003",
    ]


async def test_another_country_or_issuer_has_a_series_of_its_own(door: Door) -> None:
    await door.take(order_paid())
    platform = {"partyId": "platform-mx", "legalName": "Alondra", "type": "B2B"}
    await door.take(order_paid("e-2", "o-2", countryCode="IE"))
    await door.take(order_paid("e-3", "o-3", orderPartySnapshot=party_snapshot(platform=platform)))
    opened = [event.stream.id for event in door.ledger.events if event.name == "number-series.opened"]
    assert opened == ["GB:platform-gb:RECEIPT", "IE:platform-gb:RECEIPT", "GB:platform-mx:RECEIPT"]


async def test_the_same_event_again_is_a_duplicate_with_what_the_first_led_to(door: Door) -> None:
    await door.take(order_paid())
    assert await door.take(order_paid()) == Outcome("e-1", "DUPLICATE", (RECEIPT,))
    assert door.names == []


async def test_the_same_order_under_a_new_event_id_is_a_duplicate_and_takes_the_id(door: Door) -> None:
    await door.take(order_paid())
    assert await door.take(order_paid("e-2")) == Outcome("e-2", "DUPLICATE", (RECEIPT,))
    assert door.names == ["inbound.received"]
    outcome = await door.take(order_paid("e-2", "o-other"))
    _assert_only_the_refusal(door, outcome, "EVENT_CONFLICT")


async def test_the_same_id_with_other_data_conflicts(door: Door) -> None:
    await door.take(order_paid())
    _assert_only_the_refusal(door, await door.take(order_paid("e-1", "o-2")), "EVENT_CONFLICT")
    _assert_only_the_refusal(door, await door.take(order_paid("e-1", note="more")), "EVENT_CONFLICT")


async def test_the_same_id_from_another_source_is_another_event(door: Door) -> None:
    await door.take(order_paid())
    other = fact("orders.PAID_IN_ESCROW", order_data("o-2"), "e-1", "urn:elsewhere")
    assert (await door.take(other)).outcome == "ACCEPTED"


async def test_another_snapshot_under_the_same_snapshot_id_conflicts(door: Door) -> None:
    await door.take(order_paid())
    reused = order_paid("e-2", "o-2", orderFinancialSnapshot=financial_snapshot("snap-o-1"))
    _assert_only_the_refusal(door, await door.take(reused), "SNAPSHOT_CONFLICT")
    assert not await door.ledger.history(ORDER.stream("o-2"))


@pytest.mark.parametrize(
    "changes",
    [
        {"orderFinancialSnapshot": financial_snapshot("snap-new")},
        {"orderPartySnapshot": party_snapshot(buyer={"partyId": "b", "legalName": "B", "type": "B2C"})},
        {"countryCode": "IE"},
    ],
)
async def test_another_snapshot_for_the_same_order_conflicts(door: Door, changes: dict[str, Any]) -> None:
    await door.take(order_paid())
    outcome = await door.take(order_paid("e-2", **changes))
    _assert_only_the_refusal(door, outcome, "SNAPSHOT_CONFLICT")


async def test_an_inconsistent_order_records_its_refusal_and_nothing_else(door: Door) -> None:
    wrong = order_paid(orderFinancialSnapshot=financial_snapshot("snap-o-1", buyerTotal=1))
    outcome = await door.take(wrong)
    _assert_only_the_refusal(door, outcome, "SNAPSHOT_INCONSISTENT")
    assert outcome.error is not None
    assert [error.field for error in outcome.error.field_errors] == ["orderFinancialSnapshot.buyerTotal"]


async def test_a_refusal_is_recorded_once_and_its_id_stays_free(door: Door) -> None:
    wrong = order_paid(orderFinancialSnapshot=financial_snapshot("snap-o-1", buyerTotal=1))
    await door.take(wrong)
    assert (await door.take(wrong)).outcome == "REJECTED"
    assert door.names == []
    assert (await door.take(order_paid())).outcome == "ACCEPTED"
    assert door.names == ORDER_ACCEPTED


async def test_a_refused_order_takes_neither_snapshot_id_nor_number(door: Door) -> None:
    await door.take(order_paid(orderFinancialSnapshot=financial_snapshot("snap-o-2", buyerTotal=1)))
    assert (await door.take(order_paid("e-2", "o-2"))).outcome == "ACCEPTED"
    series = door.ledger.events[-3].fact
    assert getattr(series, "number", None) == "R-2026-000001"


async def test_a_refund_of_a_paid_order_is_accepted(door: Door) -> None:
    await door.take(order_paid())
    outcome = await door.take(refund_executed())
    assert (outcome.outcome, [each.doc_type for each in outcome.documents]) == (
        "ACCEPTED",
        ["ADJUSTMENT_STATEMENT"],
    )
    assert door.names == [
        "claim.taken",
        "order.refund-executed",
        "order.document-drafted",
        "document.drafted",
        "document.linked",
        "number-series.opened",
        "number-series.number-assigned",
        "document.numbered",
        "inbound.received",
    ]


async def test_the_alias_of_an_event_type_is_the_same_event(door: Door) -> None:
    await door.take(order_paid())
    await door.take(refund_executed(event_id="e-9"))
    again = await door.take(fact("payments.REFUND", refund_data(), "e-9"))
    assert (again.outcome, door.names) == ("DUPLICATE", [])


async def test_the_same_refund_under_a_new_event_id_is_a_duplicate(door: Door) -> None:
    await door.take(order_paid())
    await door.take(refund_executed())
    assert (await door.take(refund_executed(event_id="e-9"))).outcome == "DUPLICATE"
    assert door.names == ["inbound.received"]


async def test_a_refund_beyond_what_was_paid_is_rejected(door: Door) -> None:
    await door.take(order_paid())
    await door.take(refund_executed("r-1", 7000))
    _assert_only_the_refusal(door, await door.take(refund_executed("r-2", 681)), "REFUND_EXCEEDS_PAID")


async def test_a_refund_in_another_currency_is_rejected(door: Door) -> None:
    await door.take(order_paid())
    outcome = await door.take(refund_executed(currency="EUR"))
    _assert_only_the_refusal(door, outcome, "CURRENCY_MISMATCH")


async def test_a_known_refund_with_other_amounts_is_rejected(door: Door) -> None:
    await door.take(order_paid())
    await door.take(refund_executed())
    outcome = await door.take(refund_executed("r-1", 999, "e-9"))
    _assert_only_the_refusal(door, outcome, "SNAPSHOT_CONFLICT")


async def test_a_refund_under_the_orders_own_snapshot_id_is_rejected(door: Door) -> None:
    await door.take(order_paid())
    data = refund_data()
    data["refundSnapshot"]["snapshotId"] = "snap-o-1"
    outcome = await door.take(fact("payments.REFUND_EXECUTED", data, "e-9"))
    _assert_only_the_refusal(door, outcome, "SNAPSHOT_CONFLICT")


async def test_a_refund_before_its_order_waits_and_takes_effect_with_it(door: Door) -> None:
    assert await door.take(refund_executed()) == Outcome("e-r-1", "WAITING")
    assert door.names == ["claim.taken", "order.refund-awaited", "inbound.received"]
    assert (await door.take(refund_executed())).outcome == "DUPLICATE"
    outcome = await door.take(order_paid())
    assert (outcome.outcome, outcome.documents[0]) == ("ACCEPTED", RECEIPT)
    assert [each.doc_type for each in outcome.documents] == ["RECEIPT", "ADJUSTMENT_STATEMENT"]
    order = _state(door, ORDER.stream("o-1"))
    assert (order.refunded, order.waiting, order.parked) == (1000, {}, {})


async def test_a_waiting_refund_that_proves_invalid_is_parked_and_its_order_is_accepted(door: Door) -> None:
    await door.take(refund_executed(amount=7681))
    assert (await door.take(order_paid())).outcome == "ACCEPTED"
    assert door.names == [*ORDER_ACCEPTED[:2], "order.refund-parked", *ORDER_ACCEPTED[2:]]
    order = _state(door, ORDER.stream("o-1"))
    assert (order.refunded, order.parked) == (0, {"REFUND/r-1": "REFUND_EXCEEDS_PAID"})


async def test_a_received_fact_is_recorded_with_its_effect_and_fingerprint(door: Door) -> None:
    fact_taken = refund_executed()
    await door.take(fact_taken)
    received = door.recorded[-1].fact
    assert isinstance(received, InboundReceived)
    assert received == InboundReceived(
        source="urn:orders",
        event_id="e-r-1",
        type="payments.REFUND_EXECUTED",
        data_fingerprint=fact_taken.fingerprint,
        about=About(stream_type="order", stream_id="o-1"),
        effect="WAITING",
    )
    assert door.recorded[-1].stream == INBOUND.stream(fact_taken.stream_id)


async def test_extra_fields_called_like_ours_neither_count_nor_harm(door: Door) -> None:
    extras = {"paid_at": "whenever", "order_id": "o-999", "country_code": 7}
    data = {**order_data(), **extras}
    del data["paidAt"]
    assert (await door.take(fact("orders.PAID_IN_ESCROW", data))).outcome == "ACCEPTED"
    order = _state(door, ORDER.stream("o-1")).order
    assert (order.order_id, order.paid_at, order.country_code) == ("o-1", None, "GB")
    assert order.__pydantic_extra__ == extras


async def test_every_state_loads_again_from_what_was_recorded(door: Door) -> None:
    await door.take(refund_executed())
    await door.take(order_paid())
    document = _state(door, DOCUMENT.stream(DOCUMENT_ID))
    series = _state(door, NUMBER_SERIES.stream(SERIES_ID))
    assert document.numbered.number == "R-2026-000001"
    assert (series.next_sequence, series.assigned, series.last_issued_at) == (2, 1, NOON)


def _state(door: Door, stream: Any) -> Any:
    return REGISTRY.fold(stream, [event.fact for event in door.ledger.events if event.stream == stream])
