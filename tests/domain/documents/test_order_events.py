"""What follows a payment: completion, payouts, disputes; what comes before the payment waits for it."""

import pytest

from domain.documents.order_facts import OrderCompletionParked, OrderDisputeParked
from domain.kernel.facts import Fact
from tests.support.facts import (
    FINGERPRINT,
    a_refund,
    an_order,
    awaited,
    paid,
    pay,
    plain_amount,
    refund,
    refunded,
)
from tests.support.given import given, state_after
from tests.support.order_facts import (
    a_completion,
    a_dispute,
    a_payout,
    complete,
    completed,
    completion_awaited,
    dispute_awaited,
    dispute_completed,
    end_dispute,
    paid_out,
    pay_out,
    payout_awaited,
)

OF_THE_ORDER = paid().fingerprint
OF_ANOTHER = FINGERPRINT({"another": "order"})


def test_a_paid_order_is_completed_once_whatever_is_told_of_it_later() -> None:
    given(paid()).when(complete, a_completion()).then(completed())
    given(paid(), completed()).when(complete, a_completion(status="SENT")).then()


def test_a_completion_may_repeat_the_orders_data_but_not_tell_others() -> None:
    given(paid()).when(complete, a_completion(), OF_THE_ORDER).then(completed())
    given(paid()).when(complete, a_completion(), OF_ANOTHER).then_refused("SNAPSHOT_CONFLICT")
    given(paid(), completed()).when(complete, a_completion(), OF_ANOTHER).then_refused("SNAPSHOT_CONFLICT")


def test_a_completion_before_its_order_waits_and_is_parked_if_it_told_of_another() -> None:
    given().when(complete, a_completion(), OF_THE_ORDER).then(completion_awaited(OF_THE_ORDER))
    given(completion_awaited()).when(complete, a_completion()).then()
    given(completion_awaited(OF_THE_ORDER)).when(pay, an_order()).then(paid(), completed())
    given(completion_awaited(OF_ANOTHER)).when(pay, an_order()).then(
        paid(), OrderCompletionParked(code="SNAPSHOT_CONFLICT")
    )


def test_an_order_may_be_paid_out_in_parts_each_told_once() -> None:
    second = a_payout("p-2", amount=10)
    given(paid()).when(pay_out, a_payout()).then(paid_out())
    given(paid(), paid_out()).when(pay_out, a_payout()).then()
    given(paid(), paid_out()).when(pay_out, second).then(paid_out(second))
    given(paid(), paid_out()).when(pay_out, a_payout(amount=1)).then_refused("SNAPSHOT_CONFLICT")


def test_a_payout_before_its_order_waits_for_it() -> None:
    given().when(pay_out, a_payout()).then(payout_awaited())
    given(payout_awaited()).when(pay_out, a_payout()).then()
    given(payout_awaited()).when(pay_out, a_payout(amount=1)).then_refused("SNAPSHOT_CONFLICT")
    given(payout_awaited()).when(pay, an_order()).then(paid(), paid_out())


def test_a_dispute_that_moved_money_counts_among_the_refunds() -> None:
    given(paid()).when(end_dispute, a_dispute()).then(dispute_completed())
    history = (paid(), refunded(a_refund("r-1", 7000)))
    given(*history).when(end_dispute, a_dispute(amount=681)).then_refused("REFUND_EXCEEDS_PAID")
    given(paid(), dispute_completed(a_dispute(amount=7000))).when(refund, a_refund("r-1", 681)).then_refused(
        "REFUND_EXCEEDS_PAID"
    )
    assert state_after(paid(), refunded(), dispute_completed()).refunded == 1500


def test_a_dispute_without_money_ends_and_moves_none() -> None:
    settled = a_dispute(amount=None)
    given(paid()).when(end_dispute, settled).then(dispute_completed(settled))
    given(paid(), dispute_completed(settled)).when(end_dispute, settled).then()
    given(paid(), dispute_completed(settled)).when(end_dispute, a_dispute()).then_refused("SNAPSHOT_CONFLICT")
    assert state_after(paid(), dispute_completed(settled)).refunded == 0


def test_a_refund_and_a_dispute_do_not_share_an_id() -> None:
    given(paid(), refunded(a_refund("x"))).when(end_dispute, a_dispute("x")).then_refused("SNAPSHOT_CONFLICT")
    given(awaited(a_refund("x"))).when(end_dispute, a_dispute("x")).then_refused("SNAPSHOT_CONFLICT")
    given(dispute_awaited(a_dispute("x"))).when(refund, a_refund("x")).then_refused("SNAPSHOT_CONFLICT")


def test_money_that_a_refund_moved_is_not_moved_again_by_the_dispute_that_led_to_it() -> None:
    snapshot = plain_amount(1000, "snap-o-1-r-1")
    told = a_dispute(amount=None, refundSnapshot=snapshot)
    assert refunded().refund.refund_snapshot == told.refund_snapshot
    given(paid(), refunded()).when(end_dispute, told).then(dispute_completed(told))
    state = state_after(paid(), refunded(), dispute_completed(told))
    assert (state.refunded, list(state.refunds), list(state.disputes)) == (1000, ["r-1"], ["d-1"])


@pytest.mark.parametrize("amount", [None, 500])
def test_a_dispute_before_its_order_waits_for_it(amount: int | None) -> None:
    dispute = a_dispute(amount=amount)
    given().when(end_dispute, dispute).then(dispute_awaited(dispute))
    given(dispute_awaited(dispute)).when(end_dispute, dispute).then()
    given(dispute_awaited(dispute)).when(pay, an_order()).then(paid(), dispute_completed(dispute))


def test_a_waiting_dispute_that_proves_too_large_is_parked_and_may_be_told_again() -> None:
    large = a_dispute(amount=7681)
    parked = OrderDisputeParked(dispute_id="d-1", code="REFUND_EXCEEDS_PAID")
    given(dispute_awaited(large)).when(pay, an_order()).then(paid(), parked)
    history: tuple[Fact, ...] = (dispute_awaited(large), paid(), parked)
    given(*history).when(end_dispute, a_dispute()).then(dispute_completed())
    assert state_after(*history, dispute_completed()).parked == {}


def test_everything_that_waited_takes_effect_in_the_order_in_which_it_came() -> None:
    waiting = (payout_awaited(), dispute_awaited(), completion_awaited(), awaited())
    given(*waiting).when(pay, an_order()).then(
        paid(), paid_out(), dispute_completed(), completed(), refunded()
    )
    assert (
        state_after(*waiting, paid(), paid_out(), dispute_completed(), completed(), refunded()).waiting == {}
    )
