"""Customers' payments through gateways that lose answers and processes that die (S2, BILL-DEC-012)."""

import pytest

from application.gateway import GatewayFailed, GatewayRefused, GatewayUnavailable, GatewayUnconfirmed
from application.handlers.intents import claim_of
from application.handlers.payment_outcomes import answering, record_failed
from application.ledger import Command
from domain.kernel.errors import DomainError
from domain.receivables.payment_facts import FailedReason
from tests.support.cash_desk import AUDIT, IN_HAND, CashDesk, Died, dying
from tests.support.decisions import decision, rule
from tests.support.invoicing_facts import PRICE_OF_ALL
from tests.support.memory_gateway import nothing, once

LOST = GatewayUnconfirmed("no answer")
AWAY = GatewayUnavailable("nobody there")
UNFINISHED = 102


@pytest.fixture
async def desk() -> CashDesk:
    return await CashDesk().open()


async def refused(asking: object) -> str:
    with pytest.raises(DomainError) as refusal:
        await asking  # type: ignore[misc]
    return refusal.value.code


@rule("AUDIT-4")
@decision("S2", "What is about to take effect outside is on record before, and what came of it after")
@decision("BILL-DEC-012", "A payment of all that is due makes the invoice PAID")
async def test_a_payment_is_taken_in_steps_that_the_ledger_knows_first(desk: CashDesk) -> None:
    answer = await desk.pay(PRICE_OF_ALL)
    assert answer.status == 201
    assert (answer.body["status"], answer.body["paymentType"], answer.body["remainingBalance"]) == (
        *("CAPTURED", "PAID_IN_FULL"),
        0,
    )
    assert desk.names() == ["initiated", "authorized", "captured"]
    assert desk.names("invoice")[2:] == ["payment-reserved", "payment-applied"]
    assert desk.names("receipt")[0] == "generated"
    assert desk.announced() == ["billing.PaymentCaptured", "billing.InvoicePaid"]
    assert (desk.invoice().status, desk.invoice().balance_due) == ("PAID", 0)


@decision("BILL-DEC-012", "A partial payment leaves the rest due, and says so")
async def test_a_partial_payment_leaves_the_rest_due(desk: CashDesk) -> None:
    answer = await desk.pay(10_000)
    assert (answer.body["paymentType"], answer.body["remainingBalance"]) == ("PARTIAL_PAYMENT", 10_569)
    assert desk.announced() == ["billing.PaymentCaptured"]
    assert desk.invoice().status == "ISSUED"


@rule("IDEM-4")
async def test_a_repeat_is_answered_as_the_first_and_charges_nothing(desk: CashDesk) -> None:
    first = await desk.pay(10_000)
    assert await desk.pay(10_000) == first
    assert len(desk.gateway.payments) == 1


@rule("IDEM-9")
async def test_a_declined_payment_is_answered_so_for_good_and_frees_the_balance(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "DECLINED"
    answer = await desk.pay(PRICE_OF_ALL)
    assert (answer.status, answer.body["gatewayCode"]) == (402, "card_declined")
    desk.gateway.authorizes_as = "AUTHORIZED"
    assert await desk.pay(PRICE_OF_ALL) == answer
    assert (await desk.pay(PRICE_OF_ALL, number=2)).status == 201


@rule("IDEM-8")
async def test_while_a_request_is_under_way_its_repeat_is_told_so(desk: CashDesk) -> None:
    desk.gateway.before = dying
    with pytest.raises(Died):
        await desk.pay(10_000)
    assert await refused(desk.pay(10_000)) == "IDEMPOTENCY_IN_FLIGHT"


@rule("IDEM-21")
async def test_what_is_under_way_is_reserved(desk: CashDesk) -> None:
    desk.gateway.before = dying
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    assert await refused(desk.pay(1, number=2)) == "PAYMENT_EXCEEDS_BALANCE"


@rule("IDEM-9")
async def test_a_gateway_that_is_away_is_told_at_once_and_the_same_request_may_come_again(
    desk: CashDesk,
) -> None:
    desk.gateway.before = once("authorize", AWAY)
    assert (await desk.pay(10_000)).status == UNFINISHED
    assert desk.invoice().reserved == {}
    assert (await desk.pay(10_000)).status == 201
    assert [each.status for each in desk.payments().values()] == ["FAILED", "CAPTURED"]


@rule("AUDIT-5")
@rule("IDEM-17")
@pytest.mark.parametrize("step", ["authorize", "capture"])
@decision("S2", "An external success whose answer is lost is found by asking the provider")
async def test_an_answer_that_is_lost_is_looked_up(desk: CashDesk, step: str) -> None:
    desk.gateway.after = once(step, LOST)
    answer = await desk.pay(PRICE_OF_ALL)
    assert (answer.status, answer.body["status"]) == (202, "PENDING")
    await desk.settle()
    identity, payment = desk.payment()
    assert payment.status == "CAPTURED"
    assert [each.captures for each in desk.gateway.of_billing_payment(identity)] == [1]
    assert (await desk.pay(PRICE_OF_ALL)) == answer, "the first answer is the one that is kept"


async def test_what_never_reached_the_gateway_fails_and_its_key_may_pay_after_all(desk: CashDesk) -> None:
    desk.gateway.before = dying
    with pytest.raises(Died):
        await desk.pay(10_000)
    desk.gateway.before = nothing
    await desk.settle()
    _, payment = desk.payment()
    assert payment.failed is not None and payment.failed.reason == "NOT_RECEIVED"
    assert desk.invoice().reserved == {}
    assert (await desk.pay(10_000)).status == 201


@rule("IDEM-18")
async def test_a_look_up_that_finds_nothing_is_believed_only_when_it_is_certain(desk: CashDesk) -> None:
    desk.gateway.before = dying
    with pytest.raises(Died):
        await desk.pay(10_000)
    desk.gateway.before = nothing
    identity, _ = desk.payment()
    desk.clock.move(31)
    assert not await desk.cashier.settle(identity)
    assert desk.payment()[1].status == "INITIATED"


@rule("IDEM-20")
async def test_what_is_in_somebodys_hand_is_left_to_them(desk: CashDesk) -> None:
    desk.gateway.after = dying
    with pytest.raises(Died):
        await desk.pay(10_000)
    desk.gateway.after = nothing
    identity, _ = desk.payment()
    desk.clock.move(29)
    assert not await desk.cashier.settle(identity)
    desk.clock.move(1)
    assert await desk.cashier.settle(identity)
    assert desk.payment()[1].status == "CAPTURED"


@rule("IDEM-23")
@decision("S2", "No money is taken that the ledger has not called for")
async def test_an_authorisation_that_turns_up_late_is_let_go(desk: CashDesk) -> None:
    desk.ledger.dies_before = 1
    with pytest.raises(Died):
        await desk.pay(10_000)
    identity, _ = desk.payment()
    (held,) = desk.gateway.of_billing_payment(identity)
    hidden = desk.gateway.payments.pop(held.reference)
    await desk.settle()
    assert desk.payment()[1].status == "FAILED"
    desk.gateway.payments[held.reference] = hidden
    # The process that was taken for dead goes on: it records what it was told, and lets the money go.
    await desk.cashier.settle(identity)
    assert (held.captures, desk.payment()[1].status) == (0, "FAILED")


@rule("IDEM-19")
@pytest.mark.parametrize("commit", range(3))
@pytest.mark.parametrize("when", ["dies_before", "dies_after"])
async def test_a_process_may_die_at_any_commit(desk: CashDesk, when: str, commit: int) -> None:
    setattr(desk.ledger, when, commit)
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    await desk.settle()
    answer = await desk.pay(PRICE_OF_ALL)
    assert (answer.status, desk.invoice().status) == (201, "PAID")
    captures = [payment.captures for payment in desk.gateway.payments.values()]
    assert sum(captures) == 1
    assert desk.names("receipt").count("generated") == 1
    assert desk.announced().count("billing.PaymentCaptured") == 1


@rule("IDEM-19")
@pytest.mark.parametrize("step", ["authorize", "capture"])
async def test_a_process_may_die_after_the_gateway_has_taken_a_step(desk: CashDesk, step: str) -> None:
    def failing(taken: str, _subject: str) -> None:
        if taken == step:
            raise Died

    desk.gateway.after = failing
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    desk.gateway.after = nothing
    await desk.settle()
    answer = await desk.pay(PRICE_OF_ALL)
    assert (answer.status, answer.body["status"]) == (201, "CAPTURED")
    assert [payment.captures for payment in desk.gateway.payments.values()] == [1]


@rule("IDEM-20")
async def test_a_pending_payment_is_captured_once_it_is_authorised(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "PENDING"
    assert (await desk.pay(PRICE_OF_ALL)).status == 202
    (reference,) = desk.gateway.payments
    await desk.settle()
    assert desk.payment()[1].status == "PENDING"
    desk.gateway.decide(reference, "AUTHORIZED")
    await desk.settle()
    assert desk.payment()[1].status == "CAPTURED"


@rule("IDEM-20")
async def test_a_gateway_that_tells_nothing_is_asked_less_and_less_often(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "PENDING"
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    for wait in (1, 4, 16):
        assert desk.due() == [identity]
        await desk.settle_due()
        assert await desk.cashier.settle(identity) is False, "a notice that tells nothing changes nothing"
        desk.clock.move(wait - 1)
        assert desk.due() == []
        desk.clock.move(1)
    assert desk.names()[-3:] == ["gateway-deferred"] * 3
    (reference,) = desk.gateway.payments
    desk.gateway.decide(reference, "AUTHORIZED")
    await desk.settle_due()
    assert (desk.payment()[1].status, desk.due()) == ("CAPTURED", [])


async def test_a_gateway_that_is_away_is_asked_until_it_is_back(desk: CashDesk) -> None:
    desk.gateway.before = dying
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    desk.clock.move(IN_HAND.total_seconds())
    for attempt in range(1, 5):
        desk.gateway.before = lambda _step, _subject: AWAY
        await desk.settle()
        deferred = desk.payment()[1].gateway_deferred
        assert deferred is not None
        assert (deferred.reason, deferred.attempt, deferred.is_overdue) == (
            *("UNAVAILABLE", attempt),
            attempt > 3,
        )
    desk.gateway.before = nothing
    await desk.settle()
    assert (desk.payment()[1].status, desk.invoice().reserved) == ("FAILED", {})


async def test_a_pending_payment_may_be_declined_in_the_end(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "PENDING"
    await desk.pay(PRICE_OF_ALL)
    (reference,) = desk.gateway.payments
    desk.gateway.decide(reference, "DECLINED")
    await desk.settle()
    assert (desk.payment()[1].status, desk.invoice().payable) == ("FAILED", PRICE_OF_ALL)


async def test_a_void_takes_all_of_it_back_and_it_is_due_again(desk: CashDesk) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    answer = await desk.void(identity, 2)
    assert (answer.status, answer.body["status"]) == (200, "VOIDED")
    assert (desk.invoice().status, desk.invoice().balance_due) == ("ISSUED", PRICE_OF_ALL)
    assert await desk.void(identity, 2) == answer
    assert await refused(desk.void(identity, 3)) == "PAYMENT_NOT_VOIDABLE"


async def test_a_void_whose_answer_is_lost_is_found_done(desk: CashDesk) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    desk.gateway.after = once("void", LOST)
    answer = await desk.void(identity, 2)
    assert (answer.status, answer.body["voidStatus"]) == (202, "PENDING")
    await desk.settle()
    assert desk.payment()[1].status == "VOIDED"


async def test_a_void_waits_until_the_money_is_back(desk: CashDesk) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    desk.gateway.refunds_as = "PENDING"
    answer = await desk.void(identity, 2)
    assert (answer.status, answer.body["status"], answer.body["voidStatus"]) == (202, "CAPTURED", "PENDING")
    await desk.settle()
    assert (desk.payment()[1].status, desk.invoice().balance_due) == ("CAPTURED", 0)
    desk.gateway.refunds_as = "SUCCEEDED"
    await desk.settle()
    assert (desk.payment()[1].status, desk.invoice().balance_due) == ("VOIDED", PRICE_OF_ALL)


async def test_a_void_whose_money_never_comes_back_leaves_the_payment(desk: CashDesk) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    desk.gateway.refunds_as = "PENDING"
    await desk.void(identity, 2)
    desk.gateway.refunds_as = "FAILED"
    await desk.settle()
    payment = desk.payment()[1]
    assert (payment.status, payment.void and payment.void.status) == ("CAPTURED", "FAILED")
    assert desk.invoice().status == "PAID"


async def test_a_void_of_what_was_captured_unheard_of_records_both(desk: CashDesk) -> None:
    desk.gateway.after = once("capture", LOST)
    assert (await desk.pay(PRICE_OF_ALL)).status == 202
    identity, _ = desk.payment()
    answer = await desk.void(identity, 2)
    assert (answer.status, answer.body["status"]) == (200, "VOIDED")
    (paid,) = desk.gateway.of_billing_payment(identity)
    assert (paid.captures, paid.taken_back) == (1, True)
    assert desk.names()[-3:] == ["void-asked", "captured", "voided"]
    assert desk.names("receipt") == ["generated", "voided"]
    assert desk.invoice().payable == PRICE_OF_ALL


@pytest.mark.parametrize("failure", [LOST, AWAY])
@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_void_of_what_nobody_knows_of_waits_until_somebody_does(
    desk: CashDesk, lost: str, failure: GatewayFailed
) -> None:
    """Whether the payment never reached the gateway, or its answer never came back."""
    setattr(desk.gateway, lost, once("authorize", LOST))
    assert (await desk.pay(PRICE_OF_ALL)).status == 202
    identity, _ = desk.payment()
    desk.gateway.before = once("look-up", failure)
    answer = await desk.void(identity, 2)
    assert (answer.status, answer.body["voidStatus"]) == (202, "PENDING")
    await desk.settle()
    assert (desk.payment()[1].status, desk.due()) == ("VOIDED", [])
    assert desk.invoice().payable == PRICE_OF_ALL
    assert [held.status for held in desk.gateway.of_billing_payment(identity)] in ([], ["VOIDED"])


async def test_a_void_of_what_may_still_arrive_waits_for_it(desk: CashDesk) -> None:
    desk.gateway.before = once("authorize", LOST)
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    assert (await desk.void(identity, 2)).status == 202
    await desk.settle()
    assert desk.payment()[1].status == "VOIDED"


@pytest.mark.parametrize("verb", ["void", "refund"])
async def test_who_was_given_up_no_longer_says_that_nothing_has_happened(desk: CashDesk, verb: str) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()

    def away_too_late(taken: str, _subject: str) -> GatewayFailed | None:
        if taken != verb:
            return None
        desk.clock.move(IN_HAND.total_seconds())
        return AWAY

    desk.gateway.before = away_too_late
    asking = desk.void(identity, 2) if verb == "void" else desk.refund(identity, 569, 2)
    assert (await asking).status == UNFINISHED
    assert desk.names()[-1] == f"{verb}-asked"
    desk.gateway.before = nothing
    await desk.settle()
    assert desk.names()[-1] == {"void": "voided", "refund": "refunded"}[verb]


async def test_who_was_given_up_does_not_answer_for_the_next_payment_of_the_key(desk: CashDesk) -> None:
    """Its key has begun another payment, which is answered by what becomes of that one."""
    desk.ledger.dies_after = 0
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    given_up, _ = desk.payment()
    await desk.settle()
    desk.ledger.dies_after = 0
    with pytest.raises(Died):
        await desk.pay(PRICE_OF_ALL)
    late = record_failed(given_up, "DECLINED", "trace-1", "card_declined")
    keeping = answering(desk.asked(1), given_up, late)
    committed = await desk.ledger.commit(Command(AUDIT, keeping, idempotency=claim_of(desk.asked(1))))
    assert committed.answer.status == UNFINISHED
    assert await desk.ledger.stored(claim_of(desk.asked(1))) is None


@pytest.mark.parametrize(
    ("failure", "reason"), [(GatewayRefused("settled"), "REFUSED"), (AWAY, "GATEWAY_UNAVAILABLE")]
)
async def test_a_void_that_fails_leaves_the_payment_and_may_be_asked_again(
    desk: CashDesk, failure: Exception, reason: FailedReason
) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    desk.gateway.before = once("void", failure)  # type: ignore[arg-type]
    assert (await desk.void(identity, 2)).status == UNFINISHED
    void = desk.payment()[1].void
    assert void is not None and void.failed is not None and void.failed.reason == reason
    assert (await desk.void(identity, 2)).status == 200


@decision("BILL-DEC-012", "A refund gives money back and makes it due again")
async def test_refunds_give_back_and_are_documented(desk: CashDesk) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    answer = await desk.refund(identity, 569, 2)
    assert (answer.status, answer.body["status"], answer.body["refundedAmount"]) == (
        *(200, "PARTIALLY_REFUNDED"),
        569,
    )
    assert answer.body["refunds"][0]["documentId"] is not None
    assert (desk.invoice().status, desk.invoice().balance_due) == ("ISSUED", 569)
    whole = await desk.refund(identity, None, 3)
    assert (whole.body["status"], whole.body["refundedAmount"]) == ("REFUNDED", PRICE_OF_ALL)
    assert await refused(desk.refund(identity, 1, 4)) == "PAYMENT_NOT_REFUNDABLE"
    assert await refused(desk.void(identity, 5)) == "PAYMENT_NOT_VOIDABLE"


@rule("IDEM-22")
@pytest.mark.parametrize("commit", range(2))
@pytest.mark.parametrize("when", ["dies_before", "dies_after"])
async def test_a_refund_survives_any_death(desk: CashDesk, when: str, commit: int) -> None:
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    setattr(desk.ledger, when, commit)
    with pytest.raises(Died):
        await desk.refund(identity, 569, 2)
    await desk.settle()
    assert (await desk.refund(identity, 569, 2)).status == 200
    (paid,) = desk.gateway.of_billing_payment(identity)
    assert (paid.left(), desk.payment()[1].refunded) == (PRICE_OF_ALL - 569, 569)


async def test_a_payment_of_another_gateway_waits_for_it(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "PENDING"
    await desk.pay(PRICE_OF_ALL)
    identity, _ = desk.payment()
    desk.gateway._name = "another"
    assert not await desk.cashier.settle(identity)
    assert desk.payment()[1].status == "PENDING"
    assert desk.names()[-1] == "gateway-deferred"
