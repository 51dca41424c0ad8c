"""Transfers by the real adapter, from the simulated bank's real server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from application.gateway import (
    GatewayPayment,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.gateways.bank_transfers import REFUND_NOT_SUPPORTED, BankTransfers
from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_gateways import SimulatedGateways
from tests.infrastructure.gateways.gateway_contract import AMOUNT, GatewayContract, an_instruction, key
from tests.infrastructure.gateways.simulated_bench import SimulatedBench
from tests.support.house import eventually, free_port


@pytest.fixture
async def bench(simulated: SimulatedGateways) -> AsyncIterator[SimulatedBench]:
    gateway = BankTransfers(SIMULATED_BANK_KEY, url=simulated.url, answer_seconds=5)
    yield SimulatedBench(simulated, gateway, "vendor:sim-", "-")
    await gateway.close()


class TestBankTransfers(GatewayContract):
    """Its bench is the module's."""


async def test_a_transfer_that_was_released_cannot_be_cancelled(bench: SimulatedBench) -> None:
    for name, outcome in (("p-1", "ok"), ("p-2", "pending")):
        created = await bench.gateway.authorize(an_instruction(bench, outcome, name))
        released = await bench.gateway.capture(created.reference, key("capture", name))
        with pytest.raises(GatewayRefused) as refused:
            await bench.gateway.void(created.reference, key("void", name), take_back=True)
        assert refused.value.code == "transfer_released"
        assert await bench.gateway.payment(created.reference) == released


async def test_a_declined_transfer_stays_so_when_it_is_cancelled(bench: SimulatedBench) -> None:
    declined = await bench.gateway.authorize(an_instruction(bench, "declined"))
    assert await bench.gateway.void(declined.reference, key("void"), take_back=True) == declined


async def test_a_transfer_that_has_lapsed_cannot_be_released(bench: SimulatedBench) -> None:
    created = await bench.gateway.authorize(an_instruction(bench, "expired"))
    lapsed = await bench.gateway.capture(created.reference, key("capture"))
    assert lapsed == GatewayPayment(created.reference, "VOIDED")


async def test_nothing_comes_back_by_itself(bench: SimulatedBench) -> None:
    created = await bench.gateway.authorize(an_instruction(bench))
    with pytest.raises(GatewayRefused) as refused:
        await bench.gateway.refund(created.reference, 1, key("refund:1"))
    assert refused.value.code == REFUND_NOT_SUPPORTED
    assert await bench.gateway.look_up_refund(created.reference, key("refund:1")) is None


async def test_vendors_without_a_word_in_their_id_are_paid_at_once(bench: SimulatedBench) -> None:
    instruction = PaymentInstruction(key("authorize"), "p-1", 1, "KWD", "vendor:Müller & Söhne")
    created = await bench.gateway.authorize(instruction)
    assert (await bench.gateway.capture(created.reference, key("capture"))).status == "CAPTURED"


async def test_a_card_is_no_vendor(bench: SimulatedBench) -> None:
    with pytest.raises(GatewayRefused):
        await bench.gateway.authorize(PaymentInstruction(key("authorize"), "p-1", 1, "EUR", "tok_ok"))


async def test_no_answer_in_time_leaves_the_step_open(simulated: SimulatedGateways) -> None:
    hasty = BankTransfers(SIMULATED_BANK_KEY, url=simulated.url, answer_seconds=0.3)
    bench = SimulatedBench(simulated, hasty, "vendor:sim-", "-")
    instruction = PaymentInstruction(key("authorize"), "p-1", AMOUNT, "EUR", "vendor:sim-timeout-charged-7")
    with pytest.raises(GatewayUnconfirmed):
        await hasty.authorize(instruction)
    found = await hasty.look_up(key("authorize"))
    assert found is not None and found.status == "AUTHORIZED"
    with pytest.raises(GatewayUnconfirmed):
        await hasty.capture(found.reference, key("capture"))
    eventually(lambda: bench.captured("p-1") == (1, AMOUNT))
    assert (await hasty.payment(found.reference)).status == "CAPTURED"
    await hasty.close()


async def test_a_bank_that_nobody_runs_is_unavailable() -> None:
    gateway = BankTransfers("key", url=f"http://127.0.0.1:{free_port()}", answer_seconds=5)
    for ask in (gateway.capture("tr_1", "k"), gateway.look_up("k"), gateway.payment("tr_1")):
        with pytest.raises(GatewayUnavailable):
            await ask
    await gateway.close()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"", GatewayUnconfirmed),
        (503, b'{"code":"busy"}', GatewayUnconfirmed),
        (302, b"", GatewayUnavailable),
        (401, b'{"code":"unauthorized"}', GatewayUnavailable),
        (403, b"", GatewayUnavailable),
        (404, b"<html>", GatewayUnavailable),
        (429, b"", GatewayUnavailable),
        (400, b'{"code":"malformed"}', GatewayRefused),
        (422, b'{"code":"a person\'s name"}', GatewayRefused),
        (201, b"not JSON", GatewayUnconfirmed),
        (201, b'{"transferId":"t/../x","status":"CREATED"}', GatewayUnconfirmed),
        (201, b'{"transferId":"t","status":"LOST"}', GatewayUnconfirmed),
    ],
)
async def test_answers_that_a_bank_should_not_give(status: int, body: bytes, error: type[Exception]) -> None:
    gateway = BankTransfers("key", url="http://bank.example", answer_seconds=5)
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    gateway._client = httpx.AsyncClient(transport=transport)
    instruction = PaymentInstruction(key("authorize"), "p-1", 1, "EUR", "vendor:v-1")
    with pytest.raises(error) as told:
        await gateway.authorize(instruction)
    assert "person" not in str(told.value)


async def test_a_refusal_whose_cause_cannot_be_asked_for_leaves_the_step_open() -> None:
    answers = iter((httpx.Response(409, json={"code": "transfer_ended"}), httpx.Response(401)))
    gateway = BankTransfers("key", url="http://bank.example", answer_seconds=5)
    gateway._client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: next(answers)))
    with pytest.raises(GatewayUnconfirmed):
        await gateway.capture("tr_1", key("capture"))
