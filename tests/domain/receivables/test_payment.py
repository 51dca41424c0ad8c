"""Which facts a payment takes, whoever tells of them, in which order and how often."""

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.facts import Fact
from domain.receivables.payment import (
    Payment,
    ask_refund,
    ask_void,
    authorize,
    capture,
    defer,
    defer_asking,
    defer_refund,
    defer_void,
    evolve,
    fail,
    fail_refund,
    fail_void,
    initiate,
    refund,
    return_refund,
    void,
)
from domain.receivables.payment_facts import (
    PaymentRefundDeferred,
    PaymentRefundFailed,
    PaymentRefundReturned,
    PaymentVoidDeferred,
    PaymentVoidFailed,
)
from tests.support.decisions import decision, rule
from tests.support.given import given, state_after
from tests.support.payment_facts import (
    AT,
    PRICE,
    asked,
    authorized,
    captured,
    deferred,
    failed,
    gateway_deferred,
    initiated,
    refund_asked,
    refunded,
    void_asked,
    voided,
)

BEGUN = (initiated(),)
HELD = (*BEGUN, authorized())
PAID = (*HELD, captured())
UNKNOWN = (*BEGUN, deferred())
REFUND_FAILED = PaymentRefundFailed(refund_id="refund-1", reason="REFUSED")
VOID_FAILED = PaymentVoidFailed(reason="REFUSED", code="already_settled")


def payment_after(*facts: Fact) -> Payment:
    state: Payment = state_after(*facts)
    return state


@pytest.mark.parametrize(
    ("history", "status", "next_step"),
    [
        (BEGUN, "INITIATED", "authorize"),
        (UNKNOWN, "PENDING", "authorize"),
        (HELD, "PENDING", "capture"),
        (PAID, "CAPTURED", None),
        ((*BEGUN, failed()), "FAILED", None),
        ((*PAID, void_asked()), "CAPTURED", "void"),
        ((*PAID, void_asked(), voided()), "VOIDED", None),
        ((*PAID, void_asked(), VOID_FAILED), "CAPTURED", None),
        ((*PAID, refund_asked(4_000)), "CAPTURED", "refund"),
        ((*PAID, refund_asked(4_000), refunded(4_000)), "PARTIALLY_REFUNDED", None),
        ((*PAID, refund_asked(PRICE), refunded(PRICE)), "REFUNDED", None),
        ((*PAID, refund_asked(PRICE), REFUND_FAILED), "CAPTURED", None),
        # The void goes first, whether or not the money is held ready by now.
        ((*BEGUN, deferred(reference="pi_1"), void_asked()), "PENDING", "void"),
        ((*UNKNOWN, void_asked()), "PENDING", "authorize"),
    ],
)
def test_a_history_says_how_the_payment_stands_and_what_is_left_to_do(
    history: tuple[Fact, ...], status: str, next_step: str | None
) -> None:
    payment = payment_after(*history)
    assert (payment.status, payment.next_step) == (status, next_step)


@decision("S2", "A repeat of what is recorded records nothing")
@pytest.mark.parametrize(
    ("history", "decide", "fact"),
    [
        (BEGUN, initiate, initiated()),
        (HELD, authorize, authorized()),
        (PAID, capture, captured()),
        (UNKNOWN, defer, deferred()),
        ((*PAID, void_asked(), voided()), void, voided()),
        ((*PAID, refund_asked(1), refunded(1)), refund, refunded(1)),
        ((*PAID, refund_asked(1), REFUND_FAILED), fail_refund, REFUND_FAILED),
        ((*PAID, void_asked(), VOID_FAILED), fail_void, VOID_FAILED),
    ],
)
def test_a_gateway_may_tell_the_same_as_often_as_it_likes(
    history: tuple[Fact, ...], decide: Any, fact: Fact
) -> None:
    given(*history).when(decide, fact).then()
    given(*history[:-1]).when(decide, fact).then(fact)


@rule("IDEM-16")
def test_no_money_is_taken_that_the_ledger_has_not_called_for() -> None:
    for history in (BEGUN, UNKNOWN, (*BEGUN, failed())):
        given(*history).when(capture, captured()).then_refused("PAYMENT_DIFFERS")


@rule("IDEM-23")
def test_what_turns_up_of_a_payment_that_failed_is_let_go_and_never_captured() -> None:
    lost = (*BEGUN, failed(reason="NOT_RECEIVED", code=None))
    given(*lost).when(authorize, authorized()).then(authorized())
    found = payment_after(*lost, authorized())
    assert (found.status, found.next_step) == ("FAILED", "void")
    gone = payment_after(*lost, authorized(), voided())
    assert (gone.status, gone.next_step) == ("FAILED", None)


def test_a_payment_fails_once_and_not_after_its_money_has_moved() -> None:
    given(*BEGUN).when(fail, failed(), voided()).then(failed())
    given(*UNKNOWN).when(fail, failed(), voided()).then(failed())
    given(*PAID).when(fail, failed(), voided()).then()
    given(*BEGUN, failed()).when(fail, failed(), voided()).then()


def test_a_payment_that_fails_while_it_is_being_voided_is_void() -> None:
    given(*UNKNOWN, void_asked()).when(fail, failed(), voided()).then(voided())


def test_money_that_moved_while_a_void_was_asked_for_is_recorded_and_then_taken_back() -> None:
    history = (*HELD, deferred(), void_asked())
    given(*history).when(capture, captured()).then(captured())
    payment = payment_after(*history, captured())
    assert (payment.status, payment.next_step) == ("CAPTURED", "void")


@pytest.mark.parametrize(
    "history",
    [
        BEGUN,
        HELD,
        (*BEGUN, failed()),
        (*PAID, void_asked()),
        (*PAID, void_asked(), voided()),
        (*PAID, refund_asked(1)),
        (*PAID, refund_asked(1), refunded(1)),
    ],
)
def test_only_what_was_answered_and_stands_whole_is_voided(history: tuple[Fact, ...]) -> None:
    given(*history).when(ask_void, void_asked(9)).then_refused("PAYMENT_NOT_VOIDABLE")


@pytest.mark.parametrize(
    "history",
    [PAID, UNKNOWN, (*PAID, void_asked(), VOID_FAILED), (*PAID, refund_asked(1), REFUND_FAILED)],
)
def test_what_stands_whole_may_be_voided(history: tuple[Fact, ...]) -> None:
    given(*history).when(ask_void, void_asked(9)).then(void_asked(9))


@rule("IDEM-22")
@decision("BILL-DEC-012", "Refunds never exceed what was paid")
def test_refunds_take_no_more_than_is_left() -> None:
    given(*PAID).when(ask_refund, refund_asked(PRICE)).then(refund_asked(PRICE))
    given(*PAID).when(ask_refund, refund_asked(PRICE + 1)).then_refused("REFUND_EXCEEDS_PAID")
    under_way = (*PAID, refund_asked(6_000))
    given(*under_way).when(ask_refund, refund_asked(4_001, "refund-2")).then_refused("REFUND_EXCEEDS_PAID")
    given(*under_way).when(ask_refund, refund_asked(4_000, "refund-2")).then(refund_asked(4_000, "refund-2"))
    given(*under_way, REFUND_FAILED).when(ask_refund, refund_asked(PRICE, "refund-2")).then(
        refund_asked(PRICE, "refund-2")
    )


@pytest.mark.parametrize(
    "history",
    [
        BEGUN,
        UNKNOWN,
        (*BEGUN, failed()),
        (*PAID, void_asked()),
        (*PAID, void_asked(), voided()),
        (*PAID, refund_asked(PRICE), refunded(PRICE)),
    ],
)
def test_of_what_does_not_stand_nothing_is_refunded(history: tuple[Fact, ...]) -> None:
    given(*history).when(ask_refund, refund_asked(1, "refund-9")).then_refused("PAYMENT_NOT_REFUNDABLE")


def test_who_asked_is_told_once_that_nobody_knows() -> None:
    deferred_void = PaymentVoidDeferred(cause="UNCONFIRMED")
    given(*PAID, void_asked()).when(defer_void, deferred_void).then(deferred_void)
    given(*PAID, void_asked(), deferred_void).when(defer_void, deferred_void).then()
    deferred_refund = PaymentRefundDeferred(refund_id="refund-1", cause="GATEWAY")
    given(*PAID, refund_asked(1)).when(defer_refund, deferred_refund).then(deferred_refund)
    given(*PAID, refund_asked(1), deferred_refund).when(defer_refund, deferred_refund).then()


def test_that_the_gateway_tells_nothing_new_is_counted_until_it_does() -> None:
    soon, later = AT + timedelta(seconds=1), AT + timedelta(seconds=5)
    first, second = gateway_deferred(retry_at=soon), gateway_deferred(attempt=2, retry_at=later)
    unknown, held = payment_after(*UNKNOWN), payment_after(*UNKNOWN, authorized())
    given(*UNKNOWN).when(defer_asking, unknown, "PENDING", AT).then(first)
    given(*UNKNOWN, first).when(defer_asking, unknown, "PENDING", AT).then()
    given(*UNKNOWN, first).when(defer_asking, unknown, "PENDING", soon).then(second)
    given(*UNKNOWN, second, authorized()).when(defer_asking, held, "PENDING", AT).then(first)


def test_an_answer_about_a_payment_that_has_got_somewhere_since_is_no_news() -> None:
    pending = payment_after(
        *PAID, refund_asked(1), PaymentRefundDeferred(refund_id="refund-1", cause="GATEWAY")
    )
    since = (*PAID, refund_asked(1), refunded(1), refund_asked(2, "refund-2", 4))
    given(*since).when(defer_asking, pending, "PENDING", AT).then()
    given(*PAID).when(defer_asking, payment_after(*HELD), "PENDING", AT).then()


@rule("IDEM-16")
def test_a_payment_that_the_gateway_is_known_to_know_cannot_have_been_lost_on_the_way() -> None:
    for reason in ("NOT_RECEIVED", "GATEWAY_UNAVAILABLE"):
        lost = failed(reason=reason, code=None)
        given(*BEGUN).when(fail, lost, voided()).then(lost)
        given(*HELD).when(fail, lost, voided()).then()


@rule("IDEM-23")
def test_what_turns_up_of_a_payment_that_was_voided_before_is_let_go() -> None:
    unknown_void = (*UNKNOWN, void_asked(), voided())
    given(*unknown_void).when(authorize, authorized()).then(authorized())
    assert payment_after(*unknown_void, authorized()).next_step == "void"
    given(*HELD, deferred(), void_asked(), voided()).when(authorize, authorized()).then()


def test_that_somebody_reached_the_gateway_after_all_is_news() -> None:
    away = PaymentRefundFailed(refund_id="refund-1", reason="GATEWAY_UNAVAILABLE")
    given(*PAID, refund_asked(1), away).when(refund, refunded(1)).then(refunded(1))
    given(*PAID, refund_asked(1), REFUND_FAILED).when(refund, refunded(1)).then()
    no_void = PaymentVoidFailed(reason="GATEWAY_UNAVAILABLE")
    given(*PAID, void_asked(), no_void).when(void, voided()).then(voided())
    given(*PAID, void_asked(), VOID_FAILED).when(void, voided()).then()


def test_a_refund_whose_money_came_back_is_told_of_once() -> None:
    returned = PaymentRefundReturned(refund_id="refund-1", code="lost_or_stolen_card")
    given(*PAID, refund_asked(1), refunded(1)).when(return_refund, returned).then(returned)
    given(*PAID, refund_asked(1), refunded(1), returned).when(return_refund, returned).then()
    given(*PAID, refund_asked(1), REFUND_FAILED).when(return_refund, returned).then()
    assert payment_after(*PAID, refund_asked(1), refunded(1), returned).status == "PARTIALLY_REFUNDED"


def test_what_was_asked_for_is_under_way_until_it_has_ended() -> None:
    assert payment_after(*BEGUN).is_under_way(asked())
    assert not payment_after(*PAID).is_under_way(asked())
    assert payment_after(*PAID, void_asked(2)).is_under_way(asked(2))
    assert not payment_after(*PAID, void_asked(2), voided()).is_under_way(asked(2))
    two = (*PAID, refund_asked(1, number=3), refund_asked(1, "refund-2", 4), refunded(1))
    assert [payment_after(*two).is_under_way(asked(number)) for number in (3, 4, 5)] == [False, True, False]


def test_what_the_gateway_was_asked_on_about_is_in_nobodys_hand() -> None:
    assert payment_after(*BEGUN).is_in_hand
    assert not payment_after(*BEGUN, gateway_deferred()).is_in_hand
    assert payment_after(*PAID, refund_asked(1)).is_in_hand
    assert not payment_after(*PAID).is_in_hand


@pytest.mark.parametrize(
    ("history", "number"),
    [
        (BEGUN, 1),
        (HELD, 1),
        (UNKNOWN, None),
        (PAID, None),
        ((*PAID, void_asked(2)), 2),
        ((*PAID, void_asked(2), PaymentVoidDeferred(cause="GATEWAY")), None),
        ((*PAID, refund_asked(1, number=3)), 3),
        ((*PAID, refund_asked(1), PaymentRefundDeferred(refund_id="refund-1", cause="GATEWAY")), None),
    ],
)
def test_a_request_waits_for_its_answer_until_it_has_one(
    history: tuple[Fact, ...], number: int | None
) -> None:
    assert payment_after(*history).unanswered == (None if number is None else asked(number))


def test_folding_changes_no_state_that_somebody_holds() -> None:
    payment = payment_after(*PAID, refund_asked(1))
    evolve(payment, refunded(1))
    assert payment.refunded == 0
