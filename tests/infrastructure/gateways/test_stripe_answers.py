"""What Stripe may answer, the simulator does not, and what of it is taken for granted."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from application.gateway import (
    GatewayFailed,
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.gateways.stripe import StripeGateway
from tests.support.canned_server import Canned, CannedServer
from tests.support.decisions import decision, rule

INSTRUCTION = PaymentInstruction("p-1:authorize", "p-1", 1_000, "EUR", "tok_visa")
SECRET = "sk_test_do-not-tell"


def intent(status: str, **more: Any) -> dict[str, Any]:
    """A PaymentIntent as Stripe answers it, as far as it is read."""
    return {"id": "pi_1", "object": "payment_intent", "status": status, "currency": "eur", **more}


def error(status: int, **told: Any) -> Canned:
    """Stripe's envelope of an error."""
    return Canned(status, json.dumps({"error": {"message": "Card of Ana Person.", **told}}).encode())


def fine(body: dict[str, Any], **headers: str) -> Canned:
    """An answer in JSON."""
    return Canned(200, json.dumps(body).encode(), headers)


@asynccontextmanager
async def gateway_at(*answers: Canned) -> AsyncIterator[tuple[StripeGateway, CannedServer]]:
    """The adapter at a server that answers so."""
    with CannedServer(*answers).serving() as server:
        gateway = StripeGateway(SECRET, url=server.url, answer_seconds=5)
        try:
            yield gateway, server
        finally:
            await gateway.close()


@pytest.mark.parametrize(
    ("answer", "failure", "code"),
    [
        (Canned(302, headers={"Location": "https://elsewhere.example/"}), GatewayUnavailable, None),
        (error(401, type="invalid_request_error"), GatewayUnavailable, None),
        (error(403, type="invalid_request_error"), GatewayUnavailable, None),
        (error(404, type="invalid_request_error"), GatewayUnavailable, None),
        (Canned(404, b"<html>"), GatewayUnavailable, None),
        (error(429, type="invalid_request_error", code="lock_timeout"), GatewayUnavailable, None),
        (error(400, type="invalid_request_error", code="rate_limit"), GatewayUnavailable, None),
        (error(409, type="idempotency_error", code="idempotency_key_in_use"), GatewayUnconfirmed, None),
        (error(409, type="invalid_request_error"), GatewayUnconfirmed, None),
        (error(500, type="api_error"), GatewayUnconfirmed, None),
        (error(503, type="api_error"), GatewayUnconfirmed, None),
        (Canned(502, b"<html>"), GatewayUnconfirmed, None),
        (Canned(400, b"<html>"), GatewayUnconfirmed, None),
        (Canned(200, b""), GatewayUnconfirmed, None),
        (Canned(200, b"[]"), GatewayUnconfirmed, None),
        (Canned(200, b'{"id":"pi_1"}'), GatewayUnconfirmed, None),
        (Canned(200, b'{"id":"../v1/x","status":"succeeded","currency":"eur"}'), GatewayUnconfirmed, None),
        (Canned(200, b'{"id":"pi_1","sta', cut=True), GatewayUnconfirmed, None),
        (fine(intent("moved_to_the_moon")), GatewayUnconfirmed, None),
        (error(400, type="idempotency_error"), GatewayRefused, "idempotency_key_reused"),
        (
            error(400, type="invalid_request_error", code="amount_too_small"),
            GatewayRefused,
            "amount_too_small",
        ),
        (error(400, type="invalid_request_error"), GatewayRefused, "invalid_request_error"),
        (
            error(400, type="invalid_request_error", code="Ana Person"),
            GatewayRefused,
            "invalid_request_error",
        ),
        (error(402, type="card_error", code="card_declined"), GatewayRefused, "card_declined"),
    ],
)
async def test_what_an_answer_to_an_authorisation_means(
    answer: Canned, failure: type[GatewayFailed], code: str | None
) -> None:
    async with gateway_at(answer) as (gateway, server):
        with pytest.raises(failure) as told:
            await gateway.authorize(INSTRUCTION)
    assert getattr(told.value, "code", None) == code
    assert "Person" not in str(told.value) and SECRET not in str(told.value)
    assert len(server.heard) == 1, "nothing is asked twice"


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        (intent("requires_capture"), "AUTHORIZED", None),
        (intent("processing"), "PENDING", None),
        (intent("succeeded"), "CAPTURED", None),
        (intent("canceled"), "VOIDED", None),
        (intent("requires_action"), "DECLINED", "authentication_required"),
        (intent("requires_confirmation"), "DECLINED", "requires_confirmation"),
        (
            intent(
                "requires_payment_method",
                last_payment_error={"code": "card_declined", "decline_code": "insufficient_funds"},
            ),
            "DECLINED",
            "insufficient_funds",
        ),
        (
            intent("requires_payment_method", last_payment_error={"code": "expired_card"}),
            "DECLINED",
            "expired_card",
        ),
        (intent("requires_payment_method"), "DECLINED", "requires_payment_method"),
    ],
)
async def test_how_a_payment_stands(told: dict[str, Any], status: Any, code: str | None) -> None:
    async with gateway_at(fine(told)) as (gateway, _):
        assert await gateway.payment("pi_1") == GatewayPayment("pi_1", status, code)


@pytest.mark.parametrize(
    ("status", "reason", "refund"),
    [
        ("pending", None, GatewayRefund("re_1", "PENDING")),
        ("requires_action", None, GatewayRefund("re_1", "PENDING")),
        ("succeeded", None, GatewayRefund("re_1", "SUCCEEDED")),
        ("failed", "expired_or_canceled_card", GatewayRefund("re_1", "FAILED", "expired_or_canceled_card")),
        ("canceled", None, GatewayRefund("re_1", "FAILED", "canceled")),
    ],
)
async def test_how_a_refund_stands(status: str, reason: str | None, refund: GatewayRefund) -> None:
    told = {"id": "re_1", "status": status, "failure_reason": reason, "metadata": {"billingKey": "k"}}
    async with gateway_at(fine({"data": [told], "has_more": False})) as (gateway, _):
        assert await gateway.look_up_refund("pi_1", "k") == refund


async def test_a_declined_card_leaves_a_payment_that_can_be_found() -> None:
    declined = intent("requires_payment_method", last_payment_error={"decline_code": "lost_card"})
    answer = error(402, type="card_error", code="card_declined", payment_intent=declined)
    async with gateway_at(answer) as (gateway, _):
        assert await gateway.authorize(INSTRUCTION) == GatewayPayment("pi_1", "DECLINED", "lost_card")


async def test_a_repeated_answer_is_not_how_it_stands() -> None:
    stale = fine(intent("requires_capture"), **{"Idempotent-Replayed": "true"})
    async with gateway_at(stale, fine(intent("canceled"))) as (gateway, _):
        assert (await gateway.authorize(INSTRUCTION)).status == "VOIDED"


async def test_a_capture_that_was_refused_because_it_was_made_is_a_capture() -> None:
    refused = error(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    async with gateway_at(refused, fine(intent("succeeded"))) as (gateway, _):
        assert (await gateway.capture("pi_1", "k")).status == "CAPTURED"
    async with gateway_at(refused, fine(intent("requires_capture"))) as (gateway, _):
        with pytest.raises(GatewayRefused):
            await gateway.capture("pi_1", "k")
    async with gateway_at(refused, error(401)) as (gateway, _):
        with pytest.raises(GatewayUnconfirmed):
            await gateway.capture("pi_1", "k")


@pytest.mark.parametrize("away", [error(429, type="rate_limit_error"), error(401), Canned(404, b"<html>")])
async def test_that_stripe_is_away_after_a_step_was_taken_leaves_it_open(away: Canned) -> None:
    refunded = {"id": "re_1", "status": "succeeded", "metadata": {}}
    none_yet = fine({"data": [], "has_more": False})
    async with gateway_at(fine(intent("succeeded")), none_yet, fine(refunded), away) as (gateway, _):
        with pytest.raises(GatewayUnconfirmed):
            await gateway.void("pi_1", "p-1:void", take_back=True)
    again = fine(intent("requires_capture"), **{"Idempotent-Replayed": "true"})
    async with gateway_at(again, away) as (gateway, _):
        with pytest.raises(GatewayUnconfirmed):
            await gateway.authorize(INSTRUCTION)


async def test_a_void_of_what_was_captured_meanwhile_takes_it_back() -> None:
    refused = error(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    refund = {"id": "re_1", "status": "succeeded", "metadata": {"billingStep": "VOID"}}
    charge = {"id": "ch_1", "refunds": {"data": [refund], "has_more": False}}
    answers = (
        fine(intent("requires_capture")),
        refused,
        fine(intent("succeeded")),
        fine({"data": []}),
        fine(refund),
        fine(intent("succeeded", latest_charge=charge)),
    )
    async with gateway_at(*answers) as (gateway, server):
        assert (await gateway.void("pi_1", "p-1:void", take_back=True)).status == "VOIDED"
    assert [heard.path.partition("?")[0] for heard in server.heard] == [
        "/v1/payment_intents/pi_1",
        "/v1/payment_intents/pi_1/cancel",
        "/v1/payment_intents/pi_1",
        "/v1/refunds",
        "/v1/refunds",
        "/v1/payment_intents/pi_1",
    ]


@rule("IDEM-15")
@rule("PII-5")
@decision("S2", "The provider is given an idempotency key as well, the same for every repeat of a step")
async def test_what_goes_out(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    caplog.set_level(logging.DEBUG)
    async with gateway_at(fine(intent("requires_capture"))) as (gateway, server):
        await gateway.authorize(INSTRUCTION)
        await gateway.authorize(INSTRUCTION)
    first, second = server.heard
    assert first.headers["authorization"] == f"Bearer {SECRET}"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "p-1:authorize"
    assert first.body == second.body
    form = first.body.decode()
    for part in (
        "amount=1000&",
        "currency=eur&",
        "capture_method=manual&",
        "confirm=true&",
        "metadata[billingPaymentId]=p-1&metadata[billingKey]=p-1%3Aauthorize",
        "automatic_payment_methods[allow_redirects]=never",
        "payment_method_data[card][token]=tok_visa",
    ):
        assert part in form
    assert "x-stripe-client-telemetry" not in second.headers
    assert "platform" not in first.headers["x-stripe-client-user-agent"]
    assert SECRET not in caplog.text and "tok_visa" not in caplog.text


@rule("PII-5")
async def test_the_environment_cannot_make_the_library_talk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stripe._util.STRIPE_LOG", "debug")
    async with gateway_at(fine(intent("requires_capture"))) as (gateway, _):
        await gateway.authorize(INSTRUCTION)
    assert capsys.readouterr().err == ""


def test_an_instruction_does_not_show_what_is_paid_with() -> None:
    assert "tok_visa" not in repr(INSTRUCTION)
