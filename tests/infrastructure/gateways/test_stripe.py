"""Stripe by the real adapter and its official library, from the simulator's real server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application.gateway import (
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.gateways.simulated_gateways import SimulatedGateways
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from infrastructure.gateways.stripe import StripeGateway
from tests.infrastructure.gateways.gateway_contract import (
    AMOUNT,
    RefundingContract,
    an_instruction,
    decided,
    key,
)
from tests.infrastructure.gateways.simulated_bench import SOON, SimulatedBench
from tests.support.decisions import decision, rule
from tests.support.gateways import conditions, totals
from tests.support.house import eventually, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
async def bench(simulated: SimulatedGateways) -> AsyncIterator[SimulatedBench]:
    gateway = StripeGateway(SIMULATED_STRIPE_KEY, url=simulated.url, answer_seconds=5)
    yield SimulatedBench(simulated, gateway, "tok_", "_")
    await gateway.close()


class TestStripeGateway(RefundingContract):
    """Its bench is the module's."""


async def test_a_search_that_is_behind_misses_what_was_just_done(bench: SimulatedBench) -> None:
    conditions(bench.url, **SOON, searchLagSeconds=1)
    authorized = await bench.gateway.authorize(an_instruction(bench))
    assert await bench.gateway.look_up(key("authorize")) is None
    await asyncio.sleep(1)
    assert await bench.gateway.look_up(key("authorize")) == authorized


async def test_a_payment_method_pays_like_a_token(bench: SimulatedBench) -> None:
    instruction = PaymentInstruction(key("authorize"), "p-1", AMOUNT, "EUR", "pm_declined")
    assert (await bench.gateway.authorize(instruction)).status == "DECLINED"


@rule("PII-5")
@decision("S2", "A gateway is given a reference to a payment method, and no card")
@pytest.mark.parametrize("method", ["tok_nobody", "4242424242424242", "vendor:v-1", ""])
async def test_what_is_no_payment_method_is_refused(bench: SimulatedBench, method: str) -> None:
    instruction = PaymentInstruction(key("authorize"), "p-1", AMOUNT, "EUR", method)
    with pytest.raises(GatewayRefused):
        await bench.gateway.authorize(instruction)
    assert await bench.gateway.look_up(key("authorize")) is None


async def test_an_authorisation_that_has_lapsed_cannot_be_captured(bench: SimulatedBench) -> None:
    authorized = await bench.gateway.authorize(an_instruction(bench, "expired"))
    lapsed = await bench.gateway.capture(authorized.reference, key("capture"))
    assert lapsed == GatewayPayment(authorized.reference, "VOIDED")
    assert bench.captured("p-1") == (0, 0)


async def test_a_pending_authorisation_can_be_neither_captured_nor_voided(bench: SimulatedBench) -> None:
    conditions(bench.url, pendingSeconds=60)
    pending = await bench.gateway.authorize(an_instruction(bench, "pending"))
    with pytest.raises(GatewayRefused):
        await bench.gateway.capture(pending.reference, key("capture"))
    with pytest.raises(GatewayRefused):
        await bench.gateway.void(pending.reference, key("void"), take_back=False)


async def test_money_that_was_taken_back_whole_is_counted_as_that(bench: SimulatedBench) -> None:
    captured = await _captured(bench, "ok")
    await bench.gateway.void(captured.reference, key("void"), take_back=True)
    moved = {"count": 1, "amount": AMOUNT}
    assert totals(bench.url)["gateways"]["stripe"] == {"EUR": {"captured": moved, "voided": moved}}


@pytest.mark.parametrize(("outcome", "end"), [("refund_pending", "SUCCEEDED"), ("refund_failed", "FAILED")])
async def test_a_pending_refund_ends_later(bench: SimulatedBench, outcome: str, end: str) -> None:
    captured = await _captured(bench, outcome)
    pending = await bench.gateway.refund(captured.reference, 45, key("refund:1"))
    assert (pending.status, pending.code) == ("PENDING", None)
    ended: GatewayRefund | None = pending
    while ended is not None and ended.status == "PENDING":
        ended = await bench.gateway.look_up_refund(captured.reference, key("refund:1"))
        await asyncio.sleep(0.05)
    assert ended is not None and ended.status == end
    assert (ended.code is not None) == (end == "FAILED")
    assert await bench.gateway.refund(captured.reference, 45, key("refund:1")) == ended


async def test_what_is_taken_back_is_void_once_the_money_is_back(bench: SimulatedBench) -> None:
    captured = await _captured(bench, "refund_pending")
    assert await bench.gateway.void(captured.reference, key("void"), take_back=True) == captured
    assert await bench.gateway.void(captured.reference, key("void-again"), take_back=True) == captured
    await decided(bench.gateway, captured.reference, lambda payment: payment.status == "VOIDED")
    assert totals(bench.url)["payments"]["p-1"]["voided"] == {"count": 1, "amount": AMOUNT}


async def test_a_void_whose_refund_fails_is_refused_and_leaves_the_payment_captured(
    bench: SimulatedBench,
) -> None:
    captured = await _captured(bench, "refund_failed")
    with pytest.raises(GatewayRefused):
        for _ in range(400):
            assert await bench.gateway.void(captured.reference, key("void"), take_back=True) == captured
            await asyncio.sleep(0.05)
    assert await bench.gateway.void(captured.reference, key("void-again"), take_back=True) == captured
    assert "voided" not in totals(bench.url)["payments"]["p-1"]


async def test_a_refund_is_found_among_more_than_a_page(bench: SimulatedBench) -> None:
    captured = await _captured(bench, "ok")
    first = await bench.gateway.refund(captured.reference, 1, key("refund:0"))
    for number in range(1, 102):
        await bench.gateway.refund(captured.reference, 1, key(f"refund:{number}"))
    assert await bench.gateway.look_up_refund(captured.reference, key("refund:0")) == first
    assert await bench.gateway.refund(captured.reference, 1, key("refund:0")) == first


async def test_a_server_error_leaves_the_step_open(bench: SimulatedBench) -> None:
    bench.fails("ERROR", "authorize")
    with pytest.raises(GatewayUnconfirmed):
        await bench.gateway.authorize(an_instruction(bench))


async def test_no_answer_in_time_leaves_the_step_open(simulated: SimulatedGateways) -> None:
    hasty = StripeGateway(SIMULATED_STRIPE_KEY, url=simulated.url, answer_seconds=0.3)
    bench = SimulatedBench(simulated, hasty, "tok_", "_")
    with pytest.raises(GatewayUnconfirmed):
        await hasty.authorize(an_instruction(bench, "timeout_charged"))
    found = await hasty.look_up(key("authorize"))
    assert found is not None and found.status == "AUTHORIZED"
    with pytest.raises(GatewayUnconfirmed):
        await hasty.capture(found.reference, key("capture"))
    eventually(lambda: bench.captured("p-1") == (1, AMOUNT))
    assert (await hasty.payment(found.reference)).status == "CAPTURED"
    with pytest.raises(GatewayUnconfirmed):
        await hasty.authorize(an_instruction(bench, "timeout", "p-2"))
    assert await hasty.look_up(key("authorize", "p-2")) is None
    await hasty.close()


async def test_while_a_request_is_under_way_the_same_key_is_not_taken_again(bench: SimulatedBench) -> None:
    bench.fails("SLOW", "authorize", seconds=1, times=1)
    first = asyncio.create_task(bench.gateway.authorize(an_instruction(bench)))
    await asyncio.sleep(0.3)
    with pytest.raises(GatewayUnconfirmed):
        await bench.gateway.authorize(an_instruction(bench))
    assert await bench.gateway.authorize(an_instruction(bench, name="p-2"))
    assert await bench.gateway.look_up(key("authorize")) in {None, await first}


async def test_a_stripe_that_nobody_runs_is_unavailable() -> None:
    gateway = StripeGateway("sk_test", url=f"http://127.0.0.1:{free_port()}", answer_seconds=5)
    instruction = PaymentInstruction(key("authorize"), "p-1", AMOUNT, "EUR", "tok_ok")
    for ask in (gateway.authorize(instruction), gateway.capture("pi_1", "k"), gateway.look_up("k")):
        with pytest.raises(GatewayUnavailable):
            await ask
    await gateway.close()


async def test_a_wrong_key_means_that_nothing_is_taken(simulated: SimulatedGateways) -> None:
    gateway = StripeGateway("sk_live_real", url=simulated.url, answer_seconds=5)
    instruction = PaymentInstruction(key("authorize"), "p-1", AMOUNT, "EUR", "tok_ok")
    with pytest.raises(GatewayUnavailable):
        await gateway.authorize(instruction)
    await gateway.close()


async def test_its_name_and_how_far_its_search_may_be_behind() -> None:
    gateway = StripeGateway("sk_test", answer_seconds=1)
    assert (gateway.name, gateway.seen_within) == ("stripe", timedelta(seconds=60))
    await gateway.close()


async def _captured(bench: SimulatedBench, outcome: str) -> GatewayPayment:
    authorized = await bench.gateway.authorize(an_instruction(bench, outcome))
    return await bench.gateway.capture(authorized.reference, key("capture"))
