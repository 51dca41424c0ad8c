"""Two processes at one payment, one of them stopped for long: each pays once and is given back once."""

import asyncio
from typing import Any

import pytest

from application.gateway import GatewayNotice, GatewayRefused, GatewayUnavailable, GatewayUnconfirmed
from projections.tasks import TASKS
from tests.support.cash_desk import IN_HAND, SEEN_WITHIN, CashDesk
from tests.support.decisions import rule
from tests.support.folding import folded
from tests.support.invoicing_facts import PRICE_OF_ALL
from tests.support.memory_gateway import nothing, once
from tests.support.paused import Paused

AWAY = GatewayUnavailable("nobody there")
LOST = GatewayUnconfirmed("no answer")
BOTH_OVER = (IN_HAND + SEEN_WITHIN).total_seconds() + 1


@pytest.fixture
async def desk() -> CashDesk:
    return await CashDesk().open()


@pytest.fixture
async def paid(desk: CashDesk) -> CashDesk:
    await desk.pay(PRICE_OF_ALL)
    return desk


def given_back(desk: CashDesk) -> tuple[int, int]:
    """What the ledger and what the gateway says was given back, minor units."""
    (made,) = desk.gateway.payments.values()
    return desk.payment()[1].refunded, PRICE_OF_ALL - made.left()


def open_tasks(desk: CashDesk) -> list[str]:
    rows = folded(TASKS, desk.ledger.events)["task_v3"].values()
    return [row["type"] for row in rows if row["is_open"]]


@rule("IDEM-20")
async def test_a_refund_behind_another_is_told_as_pending_and_made_after_it(paid: CashDesk) -> None:
    identity, _ = paid.payment()
    first = Paused(paid.gateway, "refund")
    asked = asyncio.create_task(paid.refund(identity, 569, 2))
    await first.reached.wait()
    assert (await paid.refund(identity, 100, 3)).status == 202
    first.goes_on.set()
    assert (await asked).status == 200
    await paid.settle()
    assert given_back(paid) == (669, 669)
    assert (await paid.refund(identity, 100, 3)).status == 202, "the first answer is the one that is kept"
    assert given_back(paid) == (669, 669)


@rule("IDEM-19")
async def test_a_look_up_that_finds_nothing_does_not_undo_what_somebody_else_saw(desk: CashDesk) -> None:
    stopped, looked, capturing = (
        Paused(desk.gateway, "authorize"),
        Paused(desk.gateway, "look_up", answered=True),
        Paused(desk.gateway, "capture"),
    )
    asker = asyncio.create_task(desk.pay(PRICE_OF_ALL))
    await stopped.reached.wait()
    identity, _ = desk.payment()
    desk.clock.move(BOTH_OVER)
    worker = asyncio.create_task(desk.cashier.settle(identity))
    await looked.reached.wait()
    stopped.goes_on.set()
    await capturing.reached.wait()
    looked.goes_on.set()
    await worker
    capturing.goes_on.set()
    await asker
    assert (await desk.pay(PRICE_OF_ALL)).status == 201
    assert [made.captures for made in desk.gateway.payments.values()] == [1]
    assert (desk.payment()[1].status, desk.names("receipt").count("generated")) == ("CAPTURED", 1)


@rule("IDEM-23")
@pytest.mark.parametrize("is_paid_again", [False, True])
async def test_who_goes_on_after_their_payment_was_given_up_lets_its_money_go(
    desk: CashDesk, is_paid_again: bool
) -> None:
    stopped = Paused(desk.gateway, "authorize")
    asker = asyncio.create_task(desk.pay(PRICE_OF_ALL))
    await stopped.reached.wait()
    identity, _ = desk.payment()
    await desk.settle()
    assert desk.payment()[1].status == "FAILED"
    if is_paid_again:
        assert (await desk.pay(PRICE_OF_ALL)).status == 201
    stopped.goes_on.set()
    await asker
    await desk.settle()
    assert [made.status for made in desk.gateway.of_billing_payment(identity)] == ["VOIDED"]
    assert (desk.payments()[identity].status, desk.due()) == ("FAILED", [])
    assert desk.invoice().paid == (PRICE_OF_ALL if is_paid_again else 0)


@rule("IDEM-23")
async def test_what_turns_up_of_a_payment_that_was_voided_is_let_go(desk: CashDesk) -> None:
    stopped = Paused(desk.gateway, "authorize")
    asker = asyncio.create_task(desk.pay(PRICE_OF_ALL))
    await stopped.reached.wait()
    identity, _ = desk.payment()
    desk.clock.move(IN_HAND.total_seconds())
    desk.gateway.before = once("look-up", LOST)
    await desk.cashier.settle(identity)
    assert desk.names()[-2:] == ["deferred", "gateway-deferred"]
    assert (await desk.void(identity, 2)).status == 202
    await desk.settle()
    assert desk.payment()[1].status == "VOIDED"
    stopped.goes_on.set()
    await asker
    await desk.settle()
    (made,) = desk.gateway.payments.values()
    assert (made.status, made.captures, desk.payment()[1].status) == ("VOIDED", 0, "VOIDED")


@rule("IDEM-23")
@pytest.mark.parametrize("is_named", [False, True])
async def test_a_notice_of_a_payment_that_was_thought_lost_lets_its_money_go(
    desk: CashDesk, is_named: bool
) -> None:
    stopped = Paused(desk.gateway, "authorize", answered=True)
    asker = asyncio.create_task(desk.pay(PRICE_OF_ALL))
    await stopped.reached.wait()
    asker.cancel()
    identity, _ = desk.payment()
    (held,) = desk.gateway.of_billing_payment(identity)
    hidden = desk.gateway.payments.pop(held.reference)
    await desk.settle()
    assert desk.payment()[1].status == "FAILED"
    desk.gateway.payments[held.reference] = hidden
    await desk.cashier.hear(GatewayNotice(identity, held.reference if is_named else None))
    assert (held.status, held.captures, desk.payment()[1].status) == ("VOIDED", 0, "FAILED")


async def test_money_that_cannot_be_let_go_is_asked_about_seldom_and_somebody_is_told(desk: CashDesk) -> None:
    def refusing(step: str, _subject: str) -> GatewayRefused | None:
        return GatewayRefused("no") if step in {"capture", "void"} else None

    desk.gateway.before = refusing
    assert (await desk.pay(PRICE_OF_ALL)).status == 402
    identity, payment = desk.payment()
    assert (payment.status, payment.next_step) == ("FAILED", "void")
    for _ in range(25):
        await desk.settle_due()
        desk.clock.move(1)
    assert desk.gateway.asked["void", f"{identity}:void"] == 4
    await desk.settle()
    assert open_tasks(desk) == ["PAYMENT_DELAYED"]
    desk.gateway.before = nothing
    await desk.settle()
    assert open_tasks(desk) == []


async def test_a_worker_does_not_go_on_with_what_was_asked_for_meanwhile(paid: CashDesk) -> None:
    identity, _ = paid.payment()
    paid.gateway.refunds_as = "PENDING"
    assert (await paid.refund(identity, 569, 2)).status == 202
    paid.gateway.refunds_as = "SUCCEEDED"
    _decide_refund(paid)
    looking = Paused(paid.gateway, "look_up_refund", answered=True)
    worker = asyncio.create_task(paid.cashier.settle(identity))
    await looking.reached.wait()
    await paid.cashier.settle(identity)
    refunding = Paused(paid.gateway, "refund")
    asker = asyncio.create_task(paid.refund(identity, 100, 3))
    await refunding.reached.wait()
    looking.goes_on.set()
    assert await worker is False
    assert given_back(paid) == (569, 569)
    paid.gateway.before = once("refund", AWAY)
    refunding.goes_on.set()
    await asker
    assert (await paid.refund(identity, 100, 3)).status == 200
    assert given_back(paid) == (669, 669)


async def test_an_old_answer_takes_nothing_out_of_anybodys_hand(paid: CashDesk) -> None:
    identity, _ = paid.payment()
    paid.gateway.refunds_as = "PENDING"
    assert (await paid.refund(identity, 569, 2)).status == 202
    paid.gateway.refunds_as = "SUCCEEDED"
    looking = Paused(paid.gateway, "look_up_refund", answered=True)
    worker = asyncio.create_task(paid.cashier.settle(identity))
    await looking.reached.wait()
    _decide_refund(paid)
    await paid.cashier.settle(identity)
    refunding = Paused(paid.gateway, "refund")
    asker = asyncio.create_task(paid.refund(identity, 100, 3))
    await refunding.reached.wait()
    looking.goes_on.set()
    await worker
    assert paid.payment()[1].is_in_hand
    refunding.goes_on.set()
    assert (await asker).status == 200


@pytest.mark.parametrize("refunds_as", ["SUCCEEDED", "PENDING"])
async def test_a_question_that_is_refused_says_nothing_of_the_refund(paid: CashDesk, refunds_as: Any) -> None:
    identity, _ = paid.payment()
    paid.gateway.refunds_as = refunds_as
    paid.gateway.after = once("refund", LOST)
    assert (await paid.refund(identity, 569, 2)).status == 202
    paid.gateway.after = nothing
    paid.gateway.before = once("look-up-refund", GatewayRefused("resource_missing"))
    await paid.settle()
    assert [each.status for each in paid.payment()[1].refunds.values()] == ["PENDING"]
    if refunds_as == "PENDING":
        _decide_refund(paid)
    await paid.settle()
    assert given_back(paid) == (569, 569)


async def test_a_refund_whose_money_comes_back_is_somebodys_task(paid: CashDesk) -> None:
    identity, _ = paid.payment()
    assert (await paid.refund(identity, 569, 2)).status == 200
    _decide_refund(paid, "FAILED")
    for _ in range(2):
        await paid.cashier.hear(GatewayNotice(identity))
    assert paid.names()[-2:] == ["refunded", "refund-returned"]
    assert open_tasks(paid) == ["REFUND_RETURNED"]


async def test_a_void_of_what_was_captured_by_hand_records_it_and_takes_it_back(desk: CashDesk) -> None:
    desk.gateway.authorizes_as = "PENDING"
    assert (await desk.pay(PRICE_OF_ALL)).status == 202
    identity, _ = desk.payment()
    (reference,) = desk.gateway.payments
    desk.gateway.decide(reference, "CAPTURED")
    assert (await desk.void(identity, 2)).status == 200
    (made,) = desk.gateway.payments.values()
    assert (made.taken_back, desk.payment()[1].status) == (True, "VOIDED")
    assert (desk.invoice().paid, desk.names("receipt")) == (0, ["generated", "voided"])


async def test_a_crash_before_the_gateway_was_asked_alarms_nobody(desk: CashDesk) -> None:
    stopped = Paused(desk.gateway, "authorize")
    asker = asyncio.create_task(desk.pay(PRICE_OF_ALL))
    await stopped.reached.wait()
    asker.cancel()
    for _ in range(int(BOTH_OVER) + 1):
        await desk.settle_due()
        desk.clock.move(1)
        assert open_tasks(desk) == []
    assert (desk.payment()[1].status, desk.names().count("gateway-deferred")) == ("FAILED", 1)


def _decide_refund(desk: CashDesk, status: Any = "SUCCEEDED") -> None:
    (made,) = desk.gateway.payments.values()
    (key,) = made.refunds
    desk.gateway.decide_refund(made.reference, key, status)
