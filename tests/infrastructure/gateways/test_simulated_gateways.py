"""The simulator itself: what it repeats, what it counts, how it fails, and that no crash makes it forget."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from application.gateway import GatewayNotice, GatewayPayment, GatewayUnavailable, GatewayUnconfirmed
from infrastructure.gateways.bank_transfers import BankNotices, BankTransfers
from infrastructure.gateways.simulated_bank import SIMULATED_BANK_KEY
from infrastructure.gateways.simulated_gateways import NOTICE, SimulatedGateways
from infrastructure.gateways.simulated_stripe import SIMULATED_STRIPE_KEY
from infrastructure.gateways.stripe import StripeGateway
from infrastructure.gateways.stripe_notices import StripeNotices
from tests.infrastructure.gateways.gateway_contract import AMOUNT, an_instruction, key
from tests.infrastructure.gateways.simulated_bench import SimulatedBench
from tests.support.gateways import (
    BANK_SECRET,
    STRIPE_SECRET,
    GatewaysProcess,
    captures,
    conditions,
    simulated_gateways,
    totals,
)
from tests.support.house import eventually
from tests.support.receivers import OK, Answer, Post, a_receiver

FORM = {
    "amount": "500",
    "currency": "eur",
    "capture_method": "manual",
    "confirm": "true",
    "error_on_requires_action": "true",
    "payment_method": "pm_ok",
    "metadata[billingPaymentId]": "p-1",
    "metadata[billingKey]": "p-1:authorize",
}


def ask(
    url: str, method: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> httpx.Response:
    """A request to the simulated Stripe."""
    bearer = {"Authorization": f"Bearer {SIMULATED_STRIPE_KEY}"}
    return httpx.request(
        method,
        f"{url}/v1/{path}",
        data=form,
        headers={**bearer, **headers},
        trust_env=False,
        verify=False,
        timeout=30,
    )


def create(url: str, idempotency_key: str, **changes: str) -> httpx.Response:
    """Makes an intent."""
    return ask(url, "POST", "payment_intents", {**FORM, **changes}, **{"Idempotency-Key": idempotency_key})


def payments_told(posts: list[Post]) -> list[str]:
    """What kinds of events or notices came, as they came."""
    return [json.loads(post.body)["type"] for post in posts]


def test_every_answer_says_that_it_is_a_simulation(simulated: SimulatedGateways) -> None:
    url = simulated.url
    for answer in (
        create(url, "k"),
        ask(url, "GET", "payment_intents/pi_1"),
        ask(url, "GET", "customers"),
        ask(url, "GET", "payment_intents/pi_1", Authorization="Bearer sk_live_1"),
        httpx.get(f"{url}/simulated/totals", trust_env=False),
        httpx.get(f"{url}/elsewhere", trust_env=False),
        httpx.put(f"{url}/simulated/conditions", content=b"nonsense", trust_env=False),
    ):
        assert answer.headers["X-Simulated"] == NOTICE
    assert create(url, "k").json()["id"].startswith("pi_sim_")


def test_a_repeat_gets_the_first_answer_byte_for_byte(simulated: SimulatedGateways) -> None:
    first = create(simulated.url, "k-1")
    ask(simulated.url, "POST", f"payment_intents/{first.json()['id']}/capture")
    again = create(simulated.url, "k-1")
    assert again.content == first.content and again.status_code == first.status_code
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    declined = create(simulated.url, "k-2", payment_method="pm_declined")
    assert declined.status_code == 402
    assert create(simulated.url, "k-2", payment_method="pm_declined").content == declined.content


def test_a_key_with_other_parameters_is_refused(simulated: SimulatedGateways) -> None:
    create(simulated.url, "k-1")
    other = create(simulated.url, "k-1", amount="501")
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_request_that_is_not_of_its_form_keeps_its_key_free(simulated: SimulatedGateways) -> None:
    assert create(simulated.url, "k-1", amount="-1").status_code == 400
    assert create(simulated.url, "k-1", payment_method="pm_nobody").status_code == 400
    assert create(simulated.url, "k-1").status_code == 200


def test_two_keys_for_one_payment_are_a_double_charge_that_shows(simulated: SimulatedGateways) -> None:
    for idempotency_key in ("k-1", "k-2"):
        reference = create(simulated.url, idempotency_key).json()["id"]
        ask(simulated.url, "POST", f"payment_intents/{reference}/capture")
    assert captures(simulated.url, "p-1") == (2, 1_000)


async def test_what_was_moved_is_counted_by_gateway_currency_and_payment(
    simulated: SimulatedGateways,
) -> None:
    stripe = StripeGateway(SIMULATED_STRIPE_KEY, url=simulated.url, answer_seconds=5)
    bank = BankTransfers(SIMULATED_BANK_KEY, url=simulated.url, answer_seconds=5)
    card = SimulatedBench(simulated, stripe, "tok_", "_")
    vendor = SimulatedBench(simulated, bank, "vendor:sim-", "-")
    paid = await stripe.authorize(an_instruction(card))
    await stripe.capture(paid.reference, key("capture"))
    await stripe.refund(paid.reference, 45, key("refund:1"))
    transfer = await bank.authorize(an_instruction(vendor, name="ap-1"))
    await bank.capture(transfer.reference, key("capture", "ap-1"))
    counted = totals(simulated.url)
    captured, refunded = {"count": 1, "amount": AMOUNT}, {"count": 1, "amount": 45}
    assert counted["gateways"] == {
        "stripe": {"EUR": {"captured": captured, "refunded": refunded}},
        "bank": {"EUR": {"captured": captured}},
    }
    assert counted["payments"] == {
        "p-1": {"gateway": "stripe", "currencyUomId": "EUR", "captured": captured, "refunded": refunded},
        "ap-1": {"gateway": "bank", "currencyUomId": "EUR", "captured": captured},
    }
    await stripe.close()
    await bank.close()


def test_a_fault_hits_the_same_requests_for_the_same_seed(simulated: SimulatedGateways) -> None:
    def failing(seed: int, series: str) -> list[bool]:
        conditions(simulated.url, {"kind": "ERROR", "step": "authorize", "oneIn": 3, "seed": seed})
        return [
            create(simulated.url, f"{series}-{n}", **{"metadata[billingKey]": f"key-{n}"}).status_code == 500
            for n in range(30)
        ]

    first = failing(1, "a")
    assert 3 <= sum(first) <= 18
    with simulated.book.changing():
        simulated.book._write("DELETE FROM request")
    assert failing(1, "b") == first
    with simulated.book.changing():
        simulated.book._write("DELETE FROM request")
    assert failing(2, "c") != first


def test_what_no_fault_can_be_is_refused(simulated: SimulatedGateways) -> None:
    for told in (
        {"faults": [{"kind": "EARTHQUAKE"}]},
        {"faults": [{"kind": "REPEATED"}]},
        {"faults": [{"kind": "SLOW", "step": "notice"}]},
        {"pendingSeconds": -1},
    ):
        answer = httpx.put(f"{simulated.url}/simulated/conditions", json=told, trust_env=False)
        assert answer.status_code == 400
    assert httpx.get(f"{simulated.url}/simulated/conditions", trust_env=False).json()["faults"] == []


async def test_notices_are_signed_and_tell_what_became_of_a_payment(tmp_path: Path) -> None:
    with a_receiver() as receiver, simulated_gateways(tmp_path / "s.sqlite", receiver.url) as simulated:
        stripe = StripeGateway(SIMULATED_STRIPE_KEY, url=simulated.url, answer_seconds=5)
        bank = BankTransfers(SIMULATED_BANK_KEY, url=simulated.url, answer_seconds=5)
        card = SimulatedBench(simulated, stripe, "tok_", "_")
        vendor = SimulatedBench(simulated, bank, "vendor:sim-", "-")
        conditions(simulated.url, pendingSeconds=0.2)
        intent = await stripe.authorize(an_instruction(card, "pending"))
        transfer = await bank.authorize(an_instruction(vendor, "pending", "ap-1"))
        await bank.capture(transfer.reference, key("capture", "ap-1"))
        eventually(lambda: len(receiver.posts) == 5)
        of_stripe = [post for post in receiver.posts if "stripe-signature" in post.headers]
        of_bank = [post for post in receiver.posts if "webhook-signature" in post.headers]
        assert payments_told(of_stripe) == [
            "payment_intent.processing",
            "payment_intent.amount_capturable_updated",
        ]
        assert payments_told(of_bank) == ["transfer.created", "transfer.released", "transfer.settled"]
        told = GatewayNotice("p-1", intent.reference)
        for post in of_stripe:
            assert StripeNotices([STRIPE_SECRET]).read(post.body, post.headers) == told
        for post in of_bank:
            assert BankNotices([BANK_SECRET]).read(post.body, post.headers) == GatewayNotice("ap-1")
        await stripe.close()
        await bank.close()


def test_a_notice_is_sent_until_it_is_taken(tmp_path: Path) -> None:
    answers = [Answer(500), Answer(503), OK]

    def reply(_: Post) -> Answer:
        return answers.pop(0) if answers else OK

    with a_receiver(reply) as receiver, simulated_gateways(tmp_path / "s.sqlite", receiver.url) as simulated:
        create(simulated.url, "k-1")
        eventually(lambda: len(receiver.posts) == 3)
        assert len({post.body for post in receiver.posts}) == 1
        time.sleep(0.5)
        assert len(receiver.posts) == 3


def test_notices_are_repeated_and_overtake_each_other_as_faults_say(tmp_path: Path) -> None:
    with a_receiver() as receiver, simulated_gateways(tmp_path / "s.sqlite", receiver.url) as simulated:
        delayed = {"kind": "DELAYED", "step": "notice", "seconds": 1.5, "seed": 7}
        conditions(simulated.url, {"kind": "REPEATED", "step": "notice"}, delayed)
        made = [create(simulated.url, f"k-{n}").json()["id"] for n in range(8)]
        eventually(lambda: len(receiver.posts) == 16)
        told = [json.loads(post.body)["data"]["object"]["id"] for post in receiver.posts]
        assert sorted(told) == sorted(made * 2)
        assert list(dict.fromkeys(told)) != made


async def test_an_answer_that_comes_late_is_an_answer(simulated: SimulatedGateways) -> None:
    patient = StripeGateway(SIMULATED_STRIPE_KEY, url=simulated.url, answer_seconds=5)
    bench = SimulatedBench(simulated, patient, "tok_", "_")
    bench.fails("LATE", "authorize", seconds=0.3)
    assert (await patient.authorize(an_instruction(bench))).status == "AUTHORIZED"
    await patient.close()


@pytest.mark.slow
async def test_killed_gateways_forget_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    with a_receiver(lambda _: Answer(503)) as receiver:
        process = GatewaysProcess(
            tmp_path / "gateways.sqlite",
            {"BILLING_PORT": str(receiver.port), "BILLING_STRIPE_WEBHOOK_SECRET": STRIPE_SECRET},
        )
        await asyncio.to_thread(process.start)
        stripe = StripeGateway(SIMULATED_STRIPE_KEY, url=process.url, answer_seconds=5)
        instruction = an_instruction(_Tokens())
        authorized = await stripe.authorize(instruction)
        pending = await stripe.authorize(an_instruction(_Tokens(), "pending", "p-2"))
        conditions(process.url, {"kind": "LOST", "step": "capture"})
        with pytest.raises(GatewayUnconfirmed):
            await stripe.capture(authorized.reference, key("capture"))
        process.kill()
        with pytest.raises((GatewayUnavailable, GatewayUnconfirmed)):
            await stripe.payment(authorized.reference)
        await asyncio.to_thread(process.start)
        captured = GatewayPayment(authorized.reference, "CAPTURED")
        assert await stripe.payment(authorized.reference) == captured
        with pytest.raises(GatewayUnconfirmed):
            await stripe.capture(authorized.reference, key("capture"))
        conditions(process.url)
        assert await stripe.authorize(instruction) == captured
        assert await stripe.capture(authorized.reference, key("capture")) == captured
        assert captures(process.url, "p-1") == (1, AMOUNT)
        receiver.reply = lambda _: OK
        so_far = len(receiver.posts)
        wanted = {
            ("p-1", "payment_intent.amount_capturable_updated"),
            ("p-1", "payment_intent.succeeded"),
            ("p-2", "payment_intent.processing"),
            ("p-2", "payment_intent.amount_capturable_updated"),
        }
        await asyncio.to_thread(
            eventually, lambda: {_event(post) for post in receiver.posts[so_far:]} == wanted
        )
        assert (await stripe.payment(pending.reference)).status == "AUTHORIZED"
        assert process.stop() == 0
        await stripe.close()


@pytest.mark.slow
async def test_gateways_that_are_killed_again_and_again_capture_each_payment_once(tmp_path: Path) -> None:
    process = GatewaysProcess(tmp_path / "gateways.sqlite")
    await asyncio.to_thread(process.start)
    stripe = StripeGateway(SIMULATED_STRIPE_KEY, url=process.url, answer_seconds=5)
    names = [f"p-{number}" for number in range(20)]
    running = [asyncio.create_task(_pay_whatever_happens(stripe, name)) for name in names]
    for _ in range(2):
        await asyncio.sleep(0.3)
        process.kill()
        await asyncio.to_thread(process.start)
    await asyncio.gather(*running)
    assert [captures(process.url, name) for name in names] == [(1, AMOUNT)] * len(names)
    assert totals(process.url)["gateways"]["stripe"]["EUR"]["captured"] == {
        "count": len(names),
        "amount": AMOUNT * len(names),
    }
    assert process.stop() == 0
    await stripe.close()


class _Tokens:
    """As much of a bench as an instruction needs."""

    def method(self, outcome: str) -> str:
        return f"tok_{outcome}"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not asked of it")


async def _pay_whatever_happens(stripe: StripeGateway, name: str) -> None:
    """Authorises and captures under the same keys until both are known to be done."""
    while True:
        try:
            authorized = await stripe.authorize(an_instruction(_Tokens(), name=name))
            captured = await stripe.capture(authorized.reference, key("capture", name))
        except (GatewayUnavailable, GatewayUnconfirmed):
            await asyncio.sleep(0.05)
        else:
            assert captured.status == "CAPTURED"
            return


def _event(post: Post) -> tuple[str, str]:
    event = json.loads(post.body)
    return event["data"]["object"]["metadata"]["billingPaymentId"], event["type"]
