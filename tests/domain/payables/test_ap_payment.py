"""A payment to a vendor: asked for once, made by the gateway, booked by accounting in any order."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.payables.ap_payment import (
    STATE_TABLE,
    ApPaymentCommand,
    ApPaymentStatus,
    await_posting,
    defer,
    fail,
    hold,
    on_account,
    require_same,
    require_sound,
    succeed,
    take_answer,
)
from domain.payables.ap_payment_facts import (
    ApPaymentGatewayFailed,
    ApPaymentGlAnswerParked,
    ApPaymentGlAnswerReceived,
    ApPaymentGlPostFailed,
    GlAnswer,
    VendorPayment,
)
from tests.support.decisions import decision, rule
from tests.support.given import given, state_after
from tests.support.payable_facts import (
    BOOKED,
    CLOSED,
    HELD,
    NOON,
    POSTED,
    POSTING,
    SUCCEEDED,
    UNMAPPED,
    asked,
    deferred,
    initiated,
)

DECLINED = ApPaymentGatewayFailed(code="account_closed")
NOT_POSTED = ApPaymentGlPostFailed(posting_error=CLOSED.posting_error)  # type: ignore[arg-type]
HISTORIES: dict[ApPaymentStatus, tuple[Fact, ...]] = {
    "INITIATED": (initiated(),),
    "GATEWAY_PENDING": (initiated(), HELD),
    "GATEWAY_SUCCEEDED": (initiated(), HELD, SUCCEEDED),
    "GATEWAY_FAILED": (initiated(), DECLINED),
    "GL_POST_PENDING": (initiated(), HELD, SUCCEEDED, POSTING),
    "GL_POSTED": (initiated(), HELD, SUCCEEDED, POSTING, POSTED),
    "GL_POST_FAILED": (initiated(), HELD, SUCCEEDED, POSTING, NOT_POSTED),
}
"""A shortest history to each status."""

COMMANDS: dict[ApPaymentCommand, tuple[Any, ...]] = {
    "hold": (hold, "tr-1"),
    "succeed": (succeed,),
    "fail": (fail, "account_closed", None),
    "defer": (defer, "PENDING", NOON),
    "await-posting": (await_posting,),
    "post": (take_answer, BOOKED),
    "fail-posting": (take_answer, UNMAPPED),
}


@decision("BILL-DEC-013", "The statuses are seven, and one table says how they follow each other")
@pytest.mark.parametrize("status", HISTORIES)
@pytest.mark.parametrize("command", COMMANDS)
def test_each_status_follows_as_the_table_says(command: ApPaymentCommand, status: ApPaymentStatus) -> None:
    assert set(HISTORIES) == set(get_args(ApPaymentStatus))
    history = HISTORIES[status]
    assert state_after(*history).status == status
    decide, *arguments = COMMANDS[command]
    after = STATE_TABLE[command].get(status)
    try:
        facts = given(*history).when(decide, *arguments).facts()
    except DomainError:
        facts = ()
    if after is not None:
        assert state_after(*history, *facts).status == after and facts
    else:
        assert state_after(*history, *facts).status == status


@decision("BILL-DEC-013", "The gross amount is above zero")
@pytest.mark.parametrize("gross", [0, -1])
def test_the_gross_amount_is_above_zero(gross: int) -> None:
    with pytest.raises(DomainError) as refusal:
        require_sound(asked(gross))
    assert refusal.value.code == "GROSS_AMOUNT_NOT_POSITIVE"


@decision("BILL-DEC-013", "Allocations come to the gross amount at most; the rest is on account")
def test_allocations_come_to_the_gross_amount_at_most() -> None:
    for payment, rest in ((asked(10_000, bill=6_000, other=4_000), 0), (asked(10_000, bill=1), 9_999)):
        require_sound(payment)
        assert on_account(payment) == rest
    require_sound(asked(10_000))
    assert on_account(asked(10_000)) == 10_000
    with pytest.raises(DomainError) as refusal:
        require_sound(asked(10_000, bill=6_000, other=4_001))
    assert refusal.value.code == "ALLOCATIONS_EXCEED_GROSS"


@rule("IDEM-14")
def test_a_reference_names_one_payment_with_its_allocations_in_any_order() -> None:
    payment = state_after(initiated(asked(10_000, bill=6_000, other=4_000)))
    same = asked(10_000, bill=6_000, other=4_000)
    require_same(payment, same)
    require_same(payment, same.model_copy(update={"allocations": same.allocations[::-1]}))
    for other in (
        asked(10_001, bill=6_000, other=4_000),
        asked(10_000, bill=6_000),
        asked(10_000, bill=4_000, other=6_000),
        same.model_copy(update={"vendor_id": "vendor-8"}),
        same.model_copy(update={"currency_uom_id": "USD"}),
    ):
        with pytest.raises(DomainError) as refusal:
            require_same(payment, other)
        assert refusal.value.code == "PAYMENT_REF_CONFLICT"


def test_a_bill_is_named_once() -> None:
    twice = asked(10_000, bill=6_000).allocations * 2
    with pytest.raises(ValueError, match="A bill is named once"):
        VendorPayment.model_validate({**asked().model_dump(), "allocations": twice})


def test_who_repeats_what_is_known_records_nothing() -> None:
    given(initiated(), HELD).when(hold, "tr-2").then()
    given(*HISTORIES["GL_POST_PENDING"]).when(succeed).then()
    given(*HISTORIES["GL_POST_PENDING"]).when(fail, "account_closed", None).then()
    given(*HISTORIES["GATEWAY_FAILED"]).when(fail, "account_closed", None).then()
    given(*HISTORIES["GATEWAY_FAILED"]).when(succeed).then()


def test_the_reference_of_what_failed_stays_known() -> None:
    assert state_after(initiated(), HELD, DECLINED).reference == "tr-1"
    failed = ApPaymentGatewayFailed(code="account_closed", reference="tr-2")
    assert state_after(initiated(), failed).reference == "tr-2"


def test_the_gateway_is_asked_again_less_and_less_often() -> None:
    again = given(initiated(), HELD, deferred("PENDING", 2))
    retry_at = NOON + timedelta(seconds=16)
    again.when(defer, "PENDING", NOON).then(deferred("PENDING", 3, retry_at))
    again.when(defer, "PENDING", NOON - timedelta(seconds=1)).then()


def test_attempts_are_counted_anew_for_another_reason_and_from_each_step() -> None:
    soon = NOON + timedelta(seconds=1)
    given(initiated(), deferred("UNAVAILABLE", 5)).when(defer, "PENDING", NOON).then(
        deferred("PENDING", 1, soon)
    )
    given(initiated(), deferred("PENDING", 5), HELD).when(defer, "PENDING", NOON).then(
        deferred("PENDING", 1, soon)
    )


@decision("BILL-DEC-013", "Accounting's answers come repeated and in any order: a booking wins")
def test_a_booking_wins_over_a_refusal_in_any_order() -> None:
    waiting = HISTORIES["GL_POST_PENDING"]
    given(*waiting).when(take_answer, BOOKED).then(POSTED)
    given(*waiting).when(take_answer, CLOSED).then(NOT_POSTED)
    given(*waiting, NOT_POSTED).when(take_answer, CLOSED).then()
    given(*waiting, NOT_POSTED).when(take_answer, BOOKED).then(POSTED)
    for late in (BOOKED, CLOSED, GlAnswer(journal_entry_id="je-18")):
        given(*waiting, POSTED).when(take_answer, late).then()
    booked = state_after(*waiting, NOT_POSTED, POSTED)
    assert (booked.posting_error, booked.journal_entry_id) == (None, "je-17")


def test_another_refusal_takes_the_place_of_the_last() -> None:
    again = ApPaymentGlPostFailed(posting_error=UNMAPPED.posting_error)  # type: ignore[arg-type]
    given(*HISTORIES["GL_POST_FAILED"]).when(take_answer, UNMAPPED).then(again)
    assert state_after(*HISTORIES["GL_POST_FAILED"], again).posting_error == UNMAPPED.posting_error


@decision("BILL-DEC-013", "What accounting answers before the gateway's success takes effect with that")
@pytest.mark.parametrize("status", ["INITIATED", "GATEWAY_PENDING"])
def test_an_answer_before_the_success_waits_for_it(status: ApPaymentStatus) -> None:
    early = ApPaymentGlAnswerReceived(answer=BOOKED)
    refusal = ApPaymentGlAnswerReceived(answer=CLOSED)
    history = HISTORIES[status]
    given(*history).when(take_answer, BOOKED).then(early)
    given(*history, early).when(take_answer, BOOKED).then()
    given(*history, early).when(take_answer, CLOSED).then()
    given(*history, refusal).when(take_answer, CLOSED).then()
    given(*history, refusal).when(take_answer, BOOKED).then(early)
    assert state_after(*history, early).status == status


def test_it_takes_effect_with_the_success() -> None:
    early = (initiated(), HELD, ApPaymentGlAnswerReceived(answer=BOOKED))
    given(*early, SUCCEEDED).when(await_posting).then(POSTING, POSTED)
    refused = (initiated(), HELD, ApPaymentGlAnswerReceived(answer=CLOSED), SUCCEEDED)
    given(*refused).when(await_posting).then(POSTING, NOT_POSTED)
    assert state_after(*refused, POSTING, NOT_POSTED).awaiting is None


def test_an_answer_for_what_failed_is_refused_or_parked() -> None:
    refused = given(*HISTORIES["GATEWAY_FAILED"]).when(take_answer, BOOKED)
    refused.then_refused("PAYMENT_NOT_POSTABLE")
    early = given(initiated(), ApPaymentGlAnswerReceived(answer=BOOKED))
    parked = ApPaymentGlAnswerParked(answer=BOOKED)
    early.when(fail, "account_closed", None).then(DECLINED, parked)
