"""An order is paid once, then refunded in parts, never beyond what was paid."""

from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.documents.order import order_content
from domain.documents.order_facts import OrderRefunded
from domain.documents.order_state import ORDER, Order, evolve
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.streams import REGISTRY
from tests.support.facts import FINGERPRINT, a_refund, an_order, awaited, paid, parked, pay, refund, refunded
from tests.support.given import given, state_after
from tests.support.snapshots import financial_snapshot, orders, party_snapshot

PAID_AMOUNT = 7680


def test_a_consistent_order_is_recorded_with_its_fingerprint() -> None:
    given().when(pay, an_order()).then(paid())


def test_the_same_order_again_changes_nothing() -> None:
    given(paid()).when(pay, an_order()).then()


def test_what_no_document_shows_may_differ_in_a_repeat() -> None:
    repeat = an_order(paidAt="2026-03-15T00:00:00Z", paymentMeansCode="30", references={}, note="again")
    given(paid()).when(pay, repeat).then()


@pytest.mark.parametrize(
    "changes",
    [
        {"countryCode": "IE"},
        {"orderFinancialSnapshot": financial_snapshot("snap-other")},
        {"orderPartySnapshot": party_snapshot(buyer={"partyId": "b", "legalName": "B", "type": "B2C"})},
    ],
)
def test_a_known_order_with_another_snapshot_conflicts(changes: dict[str, Any]) -> None:
    given(paid()).when(pay, an_order(**changes)).then_refused("SNAPSHOT_CONFLICT")


def test_an_inconsistent_order_is_refused() -> None:
    wrong = an_order(orderFinancialSnapshot=financial_snapshot(buyerTotal=7681))
    given().when(pay, wrong).then_refused("SNAPSHOT_INCONSISTENT", "orderFinancialSnapshot.buyerTotal")


def test_an_inconsistent_repeat_conflicts_because_the_first_snapshot_is_immutable() -> None:
    wrong = an_order(orderFinancialSnapshot=financial_snapshot(buyerTotal=7681))
    given(paid()).when(pay, wrong).then_refused("SNAPSHOT_CONFLICT")


def test_a_refund_of_a_paid_order_takes_effect() -> None:
    given(paid()).when(refund, a_refund()).then(refunded())


def test_the_whole_amount_may_be_refunded_in_parts() -> None:
    given(paid(), refunded(a_refund("r-1", 7000))).when(refund, a_refund("r-2", 680)).then(
        refunded(a_refund("r-2", 680))
    )


def test_one_penny_more_than_was_paid_is_refused() -> None:
    history = (paid(), refunded(a_refund("r-1", 7000)))
    given(*history).when(refund, a_refund("r-2", 681)).then_refused("REFUND_EXCEEDS_PAID")


def test_a_refund_in_another_currency_is_refused() -> None:
    foreign = a_refund(currency="EUR")
    given(paid()).when(refund, foreign).then_refused("CURRENCY_MISMATCH", "refundSnapshot.currencyUomId")


def test_an_inconsistent_refund_is_refused_naming_its_field() -> None:
    wrong = a_refund(sellerNet=1)
    given(paid()).when(refund, wrong).then_refused("SNAPSHOT_INCONSISTENT", "refundSnapshot.sellerNet")


def test_an_inconsistent_refund_does_not_even_wait() -> None:
    wrong = a_refund(sellerNet=1)
    given().when(refund, wrong).then_refused("SNAPSHOT_INCONSISTENT", "refundSnapshot.sellerNet")


def test_the_same_refund_again_changes_nothing() -> None:
    given(paid(), refunded()).when(refund, a_refund()).then()


def test_a_known_refund_with_other_data_conflicts() -> None:
    given(paid(), refunded()).when(refund, a_refund(amount=999)).then_refused("SNAPSHOT_CONFLICT")


def test_a_refund_before_its_order_waits() -> None:
    given().when(refund, a_refund()).then(awaited())


def test_a_waiting_refund_again_changes_nothing() -> None:
    given(awaited()).when(refund, a_refund()).then()


def test_a_waiting_refund_with_other_data_conflicts() -> None:
    given(awaited()).when(refund, a_refund(amount=999)).then_refused("SNAPSHOT_CONFLICT")


def test_waiting_refunds_take_effect_with_their_order_in_the_order_they_came() -> None:
    second, first = a_refund("r-2", 20), a_refund("r-1", 10)
    given(awaited(second), awaited(first)).when(pay, an_order()).then(
        paid(), refunded(second), refunded(first)
    )


def test_a_waiting_refund_that_proves_too_large_is_parked_and_the_others_take_effect() -> None:
    large, small = a_refund("r-1", PAID_AMOUNT + 1), a_refund("r-2", PAID_AMOUNT)
    given(awaited(large), awaited(small)).when(pay, an_order()).then(
        paid(), parked("r-1", "REFUND_EXCEEDS_PAID"), refunded(small)
    )


def test_waiting_refunds_that_are_too_large_together_are_parked_from_the_first_that_exceeds() -> None:
    first, second, third = a_refund("r-1", 7000), a_refund("r-2", 681), a_refund("r-3", 680)
    given(awaited(first), awaited(second), awaited(third)).when(pay, an_order()).then(
        paid(), refunded(first), parked("r-2"), refunded(third)
    )


def test_a_waiting_refund_in_another_currency_is_parked() -> None:
    given(awaited(a_refund(currency="EUR"))).when(pay, an_order()).then(
        paid(), parked("r-1", "CURRENCY_MISMATCH")
    )


def test_nothing_waits_once_the_order_has_come() -> None:
    state = state_after(awaited(), awaited(a_refund("r-2", 9000)), paid(), refunded(), parked("r-2"))
    assert state.waiting == {}
    assert state.parked == {"REFUND/r-2": "REFUND_EXCEEDS_PAID"}
    assert state.refunded == 1000


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        ORDER.evolve(None, Fact())


@for_any(orders())
def test_any_consistent_order_is_recorded_once(order: Any) -> None:
    given().when(pay, order).then(paid(order))
    given(paid(order)).when(pay, order).then()


@for_any(orders())
def test_the_fingerprint_survives_a_round_trip_through_json(order: Any) -> None:
    again = type(order).model_validate_json(order.model_dump_json(by_alias=True))
    assert FINGERPRINT(order_content(again)) == FINGERPRINT(order_content(order))


_attempts = st.lists(
    st.one_of(
        st.just("pay"),
        st.tuples(st.sampled_from(("r-1", "r-2", "r-3", "r-4")), st.integers(0, PAID_AMOUNT + 100)),
    ),
    max_size=12,
)


def _told(attempts: list[Any]) -> list[Fact]:
    state: Order | None = None
    facts: list[Fact] = []
    for attempt in attempts:
        try:
            decided = pay(state, an_order()) if attempt == "pay" else refund(state, a_refund(*attempt))
        except DomainError:
            continue
        for fact in decided:
            state = evolve(state, fact)
        facts.extend(decided)
    return facts


@for_any(_attempts)
def test_refunds_never_exceed_what_was_paid(attempts: list[Any]) -> None:
    facts = _told(attempts)
    amounts = [fact.refund.refund_snapshot.buyer_total for fact in facts if isinstance(fact, OrderRefunded)]
    assert sum(amounts) <= PAID_AMOUNT
    refund_ids = [fact.refund.refund_id for fact in facts if isinstance(fact, OrderRefunded)]
    assert len(refund_ids) == len(set(refund_ids))
    if facts:
        assert state_after(*facts).refunded == sum(amounts)


@for_any(_attempts, st.data())
def test_a_history_folds_to_the_same_state_wherever_it_is_split(attempts: list[Any], data: Any) -> None:
    facts = _told(attempts)
    split = data.draw(st.integers(0, len(facts)))
    stream = ORDER.stream("o-1")
    before = REGISTRY.fold(stream, facts[:split])
    assert REGISTRY.fold(stream, facts[split:], before) == REGISTRY.fold(stream, facts)
