"""What every gateway promises; each adapter's test module runs this suite with its own `bench` fixture."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import pytest

from application.gateway import (
    Gateway,
    GatewayPayment,
    GatewayRefused,
    GatewayUnconfirmed,
    PaymentInstruction,
    gateway_key,
)
from tests.support.decisions import rule

AMOUNT = 12_345
PATIENCE_SECONDS = 20.0


class Bench(Protocol):
    """A gateway, how to make it fail, and what it moved."""

    gateway: Gateway

    def method(self, outcome: str) -> str:
        """What to pay with for that outcome: `ok`, `declined`, `pending` or `pending_declined`."""
        ...

    def well(self) -> None:
        """It works from now on."""
        ...

    def loses_answers(self, step: str) -> None:
        """It takes the step, and its answers do not arrive."""
        ...

    def hangs_up(self, step: str) -> None:
        """It neither takes the step nor answers."""
        ...

    def time_passes(self) -> None:
        """What is pending is decided soon."""
        ...

    def captured(self, billing_payment_id: str) -> tuple[int, int]:
        """How often it moved money of that payment, and how much in all."""
        ...


def an_instruction(bench: Bench, outcome: str = "ok", name: str = "p-1") -> PaymentInstruction:
    """A payment that ends so."""
    return PaymentInstruction(
        key=gateway_key(name, "authorize"),
        billing_payment_id=name,
        amount=AMOUNT,
        currency_uom_id="EUR",
        method=bench.method(outcome),
    )


def key(step: str, name: str = "p-1") -> str:
    """The key of a payment's step."""
    return gateway_key(name, step)


async def decided(
    gateway: Gateway, reference: str, until: Callable[[GatewayPayment], bool]
) -> GatewayPayment:
    """The payment once it is so."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not until(payment := await gateway.payment(reference)):
        assert time.monotonic() < give_up_at, f"it stays {payment.status}"
        await asyncio.sleep(0.05)
    return payment


class GatewayContract:
    """Subclasses give a fixture `bench`: a gateway that works and knows nothing."""

    @rule("IDEM-16")
    async def test_an_authorisation_moves_nothing(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        assert (authorized.status, authorized.code) == ("AUTHORIZED", None)
        assert bench.captured("p-1") == (0, 0)

    @rule("IDEM-15")
    async def test_the_same_key_is_the_same_payment_as_it_stands(self, bench: Bench) -> None:
        first = await bench.gateway.authorize(an_instruction(bench))
        assert await bench.gateway.authorize(an_instruction(bench)) == first
        captured = await bench.gateway.capture(first.reference, key("capture"))
        assert await bench.gateway.authorize(an_instruction(bench)) == captured

    @rule("IDEM-15")
    async def test_many_at_once_under_one_key_are_one_payment(self, bench: Bench) -> None:
        asked = (bench.gateway.authorize(an_instruction(bench)) for _ in range(8))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        told = {answer for answer in answers if isinstance(answer, GatewayPayment)}
        assert len(told) == 1
        assert all(isinstance(each, GatewayPayment | GatewayUnconfirmed) for each in answers)

    async def test_another_amount_under_a_used_key_is_refused(self, bench: Bench) -> None:
        instruction = an_instruction(bench)
        await bench.gateway.authorize(instruction)
        other = PaymentInstruction(instruction.key, "p-1", AMOUNT + 1, "EUR", instruction.method)
        with pytest.raises(GatewayRefused):
            await bench.gateway.authorize(other)

    async def test_payments_have_references_of_their_own(self, bench: Bench) -> None:
        names = [f"p-{number}" for number in range(1, 6)]
        asked = (bench.gateway.authorize(an_instruction(bench, name=name)) for name in names)
        assert len({payment.reference for payment in await asyncio.gather(*asked)}) == len(names)

    async def test_a_capture_moves_all_of_it_once(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        captured = await bench.gateway.capture(authorized.reference, key("capture"))
        assert captured == GatewayPayment(authorized.reference, "CAPTURED")
        assert await bench.gateway.capture(authorized.reference, key("capture")) == captured
        assert await bench.gateway.capture(authorized.reference, key("capture-again")) == captured
        assert await bench.gateway.payment(authorized.reference) == captured
        assert bench.captured("p-1") == (1, AMOUNT)

    async def test_many_captures_at_once_move_it_once(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        asked = (bench.gateway.capture(authorized.reference, key("capture")) for _ in range(8))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {each for each in answers if isinstance(each, GatewayPayment)} == {
            GatewayPayment(authorized.reference, "CAPTURED")
        }
        assert bench.captured("p-1") == (1, AMOUNT)

    async def test_a_voided_authorisation_stays_voided(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        voided = await bench.gateway.void(authorized.reference, key("void"), take_back=False)
        assert voided == GatewayPayment(authorized.reference, "VOIDED")
        assert await bench.gateway.void(authorized.reference, key("void"), take_back=False) == voided
        assert await bench.gateway.capture(authorized.reference, key("capture")) == voided
        assert await bench.gateway.look_up(key("authorize")) == voided
        assert bench.captured("p-1") == (0, 0)

    async def test_a_declined_payment_says_why_and_moves_nothing(self, bench: Bench) -> None:
        declined = await bench.gateway.authorize(an_instruction(bench, "declined"))
        assert declined.status == "DECLINED" and declined.code
        assert await bench.gateway.look_up(key("authorize")) == declined
        assert await bench.gateway.capture(declined.reference, key("capture")) == declined
        assert bench.captured("p-1") == (0, 0)

    async def test_a_key_that_nobody_used_finds_nothing(self, bench: Bench) -> None:
        await bench.gateway.authorize(an_instruction(bench))
        assert await bench.gateway.look_up(key("authorize", "p-2")) is None
        assert await bench.gateway.look_up('p" OR "1') is None

    async def test_a_reference_that_nobody_knows_is_refused(self, bench: Bench) -> None:
        for ask in (
            bench.gateway.payment("unknown"),
            bench.gateway.capture("unknown", key("capture")),
            bench.gateway.void("unknown", key("void"), take_back=True),
        ):
            with pytest.raises(GatewayRefused):
                await ask

    async def test_an_authorisation_whose_answer_was_lost_is_found_by_its_key(self, bench: Bench) -> None:
        bench.loses_answers("authorize")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.authorize(an_instruction(bench))
        bench.well()
        found = await bench.gateway.look_up(key("authorize"))
        assert found is not None and found.status == "AUTHORIZED"
        assert await bench.gateway.authorize(an_instruction(bench)) == found

    async def test_an_authorisation_that_was_not_taken_is_not_found_and_can_be_repeated(
        self, bench: Bench
    ) -> None:
        bench.hangs_up("authorize")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.authorize(an_instruction(bench))
        bench.well()
        assert await bench.gateway.look_up(key("authorize")) is None
        assert (await bench.gateway.authorize(an_instruction(bench))).status == "AUTHORIZED"

    @rule("IDEM-17")
    async def test_a_capture_whose_answer_was_lost_is_seen_and_not_made_again(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        bench.loses_answers("capture")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.capture(authorized.reference, key("capture"))
        bench.well()
        assert (await bench.gateway.payment(authorized.reference)).status == "CAPTURED"
        assert (await bench.gateway.capture(authorized.reference, key("capture"))).status == "CAPTURED"
        assert bench.captured("p-1") == (1, AMOUNT)

    async def test_a_capture_that_was_not_taken_is_made_by_asking_again(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        bench.hangs_up("capture")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.capture(authorized.reference, key("capture"))
        bench.well()
        assert await bench.gateway.payment(authorized.reference) == authorized
        assert (await bench.gateway.capture(authorized.reference, key("capture"))).status == "CAPTURED"
        assert bench.captured("p-1") == (1, AMOUNT)

    async def test_a_void_whose_answer_was_lost_is_seen(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        bench.loses_answers("void")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.void(authorized.reference, key("void"), take_back=False)
        bench.well()
        assert (await bench.gateway.payment(authorized.reference)).status == "VOIDED"

    @pytest.mark.parametrize(
        ("outcome", "end"), [("pending", ("AUTHORIZED", "CAPTURED")), ("pending_declined", ("DECLINED",))]
    )
    async def test_what_is_pending_is_decided_later(
        self, bench: Bench, outcome: str, end: tuple[str, ...]
    ) -> None:
        pending = await bench.gateway.authorize(an_instruction(bench, outcome))
        if pending.status == "AUTHORIZED":
            pending = await bench.gateway.capture(pending.reference, key("capture"))
        assert pending.status == "PENDING"
        assert bench.captured("p-1") == (0, 0)
        bench.time_passes()
        settled = await decided(bench.gateway, pending.reference, lambda payment: payment.status != "PENDING")
        assert settled.status in end
        assert (settled.code is not None) == (settled.status == "DECLINED")


class RefundingContract(GatewayContract):
    """What gateways promise besides that give captured money back."""

    async def test_a_captured_payment_can_be_taken_back_whole(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        voided = await bench.gateway.void(captured.reference, key("void"), take_back=True)
        assert voided == GatewayPayment(captured.reference, "VOIDED")
        assert await bench.gateway.void(captured.reference, key("void"), take_back=True) == voided
        assert await bench.gateway.void(captured.reference, key("void-again"), take_back=True) == voided
        assert await bench.gateway.payment(captured.reference) == voided
        assert await bench.gateway.look_up(key("authorize")) == voided

    async def test_what_was_captured_meanwhile_is_told_and_not_taken_back(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        assert await bench.gateway.void(captured.reference, key("void"), take_back=False) == captured
        assert (await bench.gateway.payment(captured.reference)).status == "CAPTURED"

    @rule("IDEM-22")
    async def test_a_part_is_refunded_once_a_key(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        refund = await bench.gateway.refund(captured.reference, 2_345, key("refund:1"))
        assert refund.status == "SUCCEEDED"
        assert await bench.gateway.refund(captured.reference, 2_345, key("refund:1")) == refund
        assert await bench.gateway.look_up_refund(captured.reference, key("refund:1")) == refund
        assert await bench.gateway.look_up_refund(captured.reference, key("refund:2")) is None
        other = await bench.gateway.refund(captured.reference, 10_000, key("refund:2"))
        assert other.reference != refund.reference
        assert (await bench.gateway.payment(captured.reference)).status == "CAPTURED"

    async def test_no_more_is_refunded_than_was_captured(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        await bench.gateway.refund(captured.reference, 10_000, key("refund:1"))
        for amount in (2_346, AMOUNT):
            with pytest.raises(GatewayRefused):
                await bench.gateway.refund(captured.reference, amount, key(f"refund:{amount}"))

    async def test_what_was_refunded_in_part_is_not_taken_back_whole(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        await bench.gateway.refund(captured.reference, 1, key("refund:1"))
        with pytest.raises(GatewayRefused):
            await bench.gateway.void(captured.reference, key("void"), take_back=True)

    async def test_what_was_not_captured_is_not_refunded(self, bench: Bench) -> None:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        with pytest.raises(GatewayRefused):
            await bench.gateway.refund(authorized.reference, 1, key("refund:1"))

    async def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again(self, bench: Bench) -> None:
        captured = await self._captured(bench)
        bench.loses_answers("refund")
        with pytest.raises(GatewayUnconfirmed):
            await bench.gateway.refund(captured.reference, 10_000, key("refund:1"))
        bench.well()
        found = await bench.gateway.look_up_refund(captured.reference, key("refund:1"))
        assert found is not None and found.status == "SUCCEEDED"
        assert await bench.gateway.refund(captured.reference, 10_000, key("refund:1")) == found

    async def _captured(self, bench: Bench) -> GatewayPayment:
        authorized = await bench.gateway.authorize(an_instruction(bench))
        return await bench.gateway.capture(authorized.reference, key("capture"))
