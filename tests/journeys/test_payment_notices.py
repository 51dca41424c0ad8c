"""Stripe's signed notices: what they tell is asked for at once, and nothing is ever taken for their word."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe

from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, Garage
from tests.support.gateways import STRIPE_SECRET, GatewaysProcess, captures, conditions
from tests.support.house import House, eventually
from tests.support.problems import problem

pytestmark = pytest.mark.slow

EARLIER = ("payment_intent.processing", "payment_intent.amount_capturable_updated", "payment_intent.created")
CONTRARY = ("payment_intent.payment_failed", "payment_intent.canceled", "charge.refunded", "refund.updated")
SUCCEEDED = "payment_intent.succeeded"


@dataclass
class Post:
    """A house, and a Stripe whose own notices go nowhere: only what a test sends comes in."""

    house: House
    stripe: GatewaysProcess
    garage: Garage

    def hanging(self, amount: int) -> dict[str, Any]:
        """A payment that Stripe holds ready, and of which it has told nothing for as long as it was asked."""
        conditions(self.stripe.url, {"kind": "ERROR", "step": "capture"})
        invoice = self.garage.issued()
        body = {"amount": amount, "currencyUomId": invoice["currencyUomId"], "paymentMethodToken": "tok_ok"}
        path, key = f"/invoices/{invoice['invoiceId']}/payments", {"Idempotency-Key": str(uuid4())}
        answer = self.garage.post(path, body, ADVISOR, key)
        assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
        payment: dict[str, Any] = answer.json()
        eventually(lambda: self.told(payment).count("gateway-deferred") >= 3)
        return payment

    def history(self, payment: dict[str, Any]) -> list[dict[str, Any]]:
        """What the ledger has of it."""
        path = f"/v1/audit/streams/payment/{payment['billingPaymentId']}"
        events: list[dict[str, Any]] = self.garage.client(AUDITOR).get(path).json()["events"]
        return events

    def told(self, payment: dict[str, Any]) -> list[str]:
        """What happened to it, by the end of its name."""
        return [event["type"].partition(".")[2] for event in self.history(payment)]

    def asked_again_at(self, payment: dict[str, Any]) -> datetime:
        """When the worker asks Stripe next, for all that it knows."""
        last = [event for event in self.history(payment) if event["type"] == "payment.gateway-deferred"][-1]
        return datetime.fromisoformat(last["data"]["retryAt"])

    def send(self, body: str, signature: str | None) -> httpx.Response:
        """Somebody posts a notice."""
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["Stripe-Signature"] = signature
        with self.house.client() as client:
            return client.post("/v1/billing/gateways/stripe/notices", content=body, headers=headers)

    def notify(self, payment: dict[str, Any], event_type: str) -> None:
        """Stripe posts one, as it signs it."""
        body = notice(payment, event_type)
        answer = self.send(body, signed(body))
        assert (answer.status_code, answer.json()) == (200, {"received": True})


def notice(payment: dict[str, Any], event_type: str = SUCCEEDED) -> str:
    """An event of Stripe about the payment's intent."""
    metadata = {"billingPaymentId": payment["billingPaymentId"], "billingKey": "any"}
    subject = {"id": "pi_1", "object": "payment_intent", "metadata": metadata}
    event = {"id": f"evt_{uuid4().hex}", "object": "event", "created": int(time.time()), "type": event_type}
    return json.dumps({**event, "data": {"object": subject}})


def signed(body: str, secret: str = STRIPE_SECRET, age_seconds: int = 0) -> str:
    """Stripe's header."""
    at = int(time.time()) - age_seconds
    header: str = stripe.WebhookSignature.generate_signature_header(body, secret, at)
    return header


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    folder: Path = tmp_path_factory.mktemp("notices")
    gateways = GatewaysProcess(folder / "gateways.sqlite")
    gateways.start()
    settings = {
        "BILLING_STRIPE_URL": gateways.url,
        "BILLING_STRIPE_API_KEY": "sk_test_simulated",
        "BILLING_STRIPE_WEBHOOK_SECRET": STRIPE_SECRET,
        "BILLING_STRIPE_SEEN_SECONDS": "1",
        "BILLING_GATEWAY_TIMEOUT_SECONDS": "2",
    }
    with House(folder / "data", settings) as house, Garage(house) as garage:
        yield Post(house, gateways, garage)
    gateways.stop()


@pytest.fixture
def hanging(post: Post) -> Iterator[dict[str, Any]]:
    """A payment that hangs, which only a notice can take on: the worker is stopped, and has long to wait."""
    payment = post.hanging(1_000)
    post.house.catch_up()
    stopped = post.house.signal("projections", signal.SIGSTOP)
    try:
        yield payment
    finally:
        os.kill(stopped, signal.SIGCONT)


@decision("S2", "A signed notice has the gateway asked at once, however long that would have taken otherwise")
def test_a_signed_notice_settles_what_the_worker_would_ask_for_later(
    post: Post, hanging: dict[str, Any]
) -> None:
    conditions(post.stripe.url)
    assert captures(post.stripe.url, hanging["billingPaymentId"]) == (0, 0)
    later = post.asked_again_at(hanging)
    post.notify(hanging, SUCCEEDED)
    last = post.history(hanging)[-1]
    assert last["type"] == "payment.captured"
    assert datetime.fromisoformat(last["recordedAt"]) < later
    assert captures(post.stripe.url, hanging["billingPaymentId"]) == (1, 1_000)


@decision("S2", "Notices that come again, or in any order, change nothing")
def test_notices_that_come_again_and_out_of_order_change_nothing(post: Post, hanging: dict[str, Any]) -> None:
    conditions(post.stripe.url)
    body = notice(hanging)
    signature = signed(body)
    assert post.send(body, signature).status_code == 200
    settled = post.history(hanging)
    assert [event["type"] for event in settled].count("payment.captured") == 1
    for _ in range(3):
        assert post.send(body, signature).status_code == 200
    for event_type in (*EARLIER, *CONTRARY, SUCCEEDED):
        post.notify(hanging, event_type)
    assert post.history(hanging) == settled
    assert captures(post.stripe.url, hanging["billingPaymentId"]) == (1, 1_000)


@decision("S2", "Nobody believes a notice: how the payment stands is asked for")
def test_a_notice_of_what_has_not_happened_moves_nothing(post: Post, hanging: dict[str, Any]) -> None:
    before = post.history(hanging)
    for event_type in (SUCCEEDED, *CONTRARY):
        post.notify(hanging, event_type)
    assert post.history(hanging) == before
    assert captures(post.stripe.url, hanging["billingPaymentId"]) == (0, 0)


def test_what_stripe_did_not_sign_lately_settles_nothing(post: Post, hanging: dict[str, Any]) -> None:
    conditions(post.stripe.url)
    before, body = post.history(hanging), notice(hanging)
    of_another = notice({"billingPaymentId": str(uuid4())})
    for signature in (
        *(None, "", "t=1,v1=00", signed(of_another)),
        *(signed(body, "whsec_of-somebody"), signed(body, age_seconds=310)),
    ):
        problem(post.send(body, signature), 401, "NOTICE_REFUSED")
    assert post.history(hanging) == before
    assert captures(post.stripe.url, hanging["billingPaymentId"]) == (0, 0)
    problem(post.send(of_another, signed(of_another)), 404, "NOT_FOUND")
    assert post.send(body, signed(body, age_seconds=200)).status_code == 200
    assert post.told(hanging)[-1] == "captured", "nothing but the signature was wrong"
