"""A delivery is never made twice by itself, and is retried as long as it certainly did not happen."""

from datetime import timedelta
from typing import Any

import pytest

from domain.documents.delivery import (
    MOST_ATTEMPTS,
    Delivery,
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
    deliver,
    delivery_method_of,
    fail,
    first_delivery_id,
    leave_open,
    resend,
    retry_delay,
    start,
)
from domain.documents.order_snapshot import OrderData
from domain.kernel.facts import Fact
from tests.support.delivery_facts import DELIVERY, a_resend, attempted
from tests.support.facts import DOCUMENT_ID, NOON
from tests.support.given import Decision, Given, state_after
from tests.support.snapshots import order_data

SECOND = timedelta(seconds=1)


def given(*facts: Fact) -> Given:
    """These facts of a month have happened; deciders look at its one delivery."""

    class OfDelivery(Given):
        def when(self, decide: Any, *arguments: Any, **options: Any) -> Decision:
            month = state_after(*self.facts)
            delivery = None if month is None else month.deliveries[DELIVERY.delivery_id]
            return Decision(delivery, decide, arguments, options)

    return OfDelivery(facts)


STARTED = attempted(DeliveryStarted)
DELIVERED = attempted(DocumentDelivered)
UNCONFIRMED = attempted(DeliveryUnconfirmed)
FAILED = attempted(DeliveryFailed, reason="mail_unreachable", retry_at=NOON + retry_delay(1))
FAILED_FOR_GOOD = attempted(DeliveryFailed, reason="mail_refused", reply_code=550)


def test_what_is_due_is_started_before_it_goes_out() -> None:
    given().when(start, DELIVERY, NOON, repeatable=False).then(STARTED)
    given(a_resend()).when(start, DELIVERY, NOON, repeatable=False).then(STARTED)


def test_a_retry_is_another_attempt_and_not_made_before_its_time() -> None:
    retry = given(STARTED, FAILED)
    retry.when(start, DELIVERY, NOON + retry_delay(1) - SECOND, repeatable=False).then()
    second = attempted(DeliveryStarted, attempt=2)
    retry.when(start, DELIVERY, NOON + retry_delay(1), repeatable=False).then(second)


@pytest.mark.parametrize("settled", [DELIVERED, UNCONFIRMED, FAILED_FOR_GOOD])
def test_what_is_settled_is_not_started_again(settled: Fact) -> None:
    for repeatable in (False, True):
        given(STARTED, settled).when(start, DELIVERY, NOON, repeatable=repeatable).then()


def test_an_attempt_that_nobody_finished_is_told_and_not_made_again() -> None:
    given(STARTED).when(start, DELIVERY, NOON, repeatable=False).then(UNCONFIRMED)


def test_an_attempt_that_nobody_finished_goes_on_where_that_cannot_double_it() -> None:
    given(STARTED).when(start, DELIVERY, NOON, repeatable=True).then()


def test_an_attempt_is_delivered_once() -> None:
    given(STARTED).when(deliver, DELIVERY, 1).then(DELIVERED)
    given(STARTED, DELIVERED).when(deliver, DELIVERY, 1).then()
    given(STARTED, FAILED).when(deliver, DELIVERY, 1).then()
    given().when(deliver, DELIVERY, 1).then()


def test_who_was_only_slow_may_still_tell_that_it_was_delivered() -> None:
    given(STARTED, UNCONFIRMED).when(deliver, DELIVERY, 1).then(DELIVERED)


def test_a_failure_is_retried_later_and_later() -> None:
    given(STARTED).when(fail, DELIVERY, NOON, "mail_unreachable", again=True).then(FAILED)
    waits = [retry_delay(attempt) for attempt in range(1, MOST_ATTEMPTS + 1)]
    assert waits == sorted(waits) and waits[0] == timedelta(seconds=30) and waits[-1] == timedelta(hours=6)


def test_the_last_attempt_is_not_retried() -> None:
    last = attempted(DeliveryStarted, attempt=MOST_ATTEMPTS)
    (failed,) = given(last).when(fail, DELIVERY, NOON, "mail_unreachable", again=True).facts()
    assert isinstance(failed, DeliveryFailed) and failed.retry_at is None


def test_what_was_refused_for_good_is_not_retried() -> None:
    given(STARTED).when(fail, DELIVERY, NOON, "mail_refused", again=False, reply_code=550).then(
        FAILED_FOR_GOOD
    )


def test_what_has_nobody_to_go_to_fails_without_being_started() -> None:
    erased = attempted(DeliveryFailed, reason="erased")
    given().when(fail, DELIVERY, NOON, "erased", again=False).then(erased)
    given(erased).when(fail, DELIVERY, NOON, "erased", again=False).then()
    given(STARTED, DELIVERED).when(fail, DELIVERY, NOON, "erased", again=False).then()


def test_an_end_that_nobody_knows_is_told_once() -> None:
    given(STARTED).when(leave_open, DELIVERY, 1).then(UNCONFIRMED)
    for settled in (DELIVERED, UNCONFIRMED, FAILED):
        given(STARTED, settled).when(leave_open, DELIVERY, 1).then()


def test_a_document_is_resent_five_times_in_a_day_by_both_ways_together() -> None:
    times = [NOON + timedelta(hours=hour) for hour in (0, 1, 2, 3)]
    fifth = a_resend(resent_at=NOON + timedelta(hours=4))
    assert resend(times, fifth) == (fifth,)
    times.append(fifth.resent_at)
    late = Decision(times, resend, (a_resend(resent_at=NOON + timedelta(hours=23, seconds=1)),), {})
    assert late.then_refused("RESEND_LIMIT").retry_after_seconds == 3599


def test_the_window_slides() -> None:
    times = [NOON + timedelta(hours=hour) for hour in range(5)]
    next_day = a_resend(resent_at=NOON + timedelta(hours=24))
    assert resend(times, next_day) == (next_day,)
    again = a_resend(resent_at=NOON + timedelta(hours=24, minutes=1))
    Decision([*times, next_day.resent_at], resend, (again,), {}).then_refused("RESEND_LIMIT")


def test_a_resend_in_the_app_is_done_with_its_asking() -> None:
    assert state_after(a_resend("IN_APP")).deliveries[DELIVERY.delivery_id] == Delivery(status="DELIVERED")


def test_the_delivery_of_an_issue_has_an_id_of_its_own() -> None:
    assert first_delivery_id(DOCUMENT_ID) == first_delivery_id(DOCUMENT_ID) != first_delivery_id("d-2")
    assert isinstance(a_resend(), DocumentResent)


def test_a_document_goes_by_e_mail_where_its_own_party_has_an_address() -> None:
    data = order_data()
    for role in ("buyer", "seller"):
        data["orderPartySnapshot"][role].pop("email", None)
    assert delivery_method_of("BUYER", OrderData.model_validate(data)) == "PORTAL"
    data["orderPartySnapshot"]["seller"]["email"] = "shop@example.org"
    order = OrderData.model_validate(data)
    ways = {audience: delivery_method_of(audience, order) for audience in ("BUYER", "SELLER", "FINANCE")}  # type: ignore[arg-type]
    assert ways == {"BUYER": "PORTAL", "SELLER": "EMAIL", "FINANCE": "PORTAL"}
