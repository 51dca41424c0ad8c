"""A watched gateway: its answers are the gateway's, and what came of each step is counted and logged."""

import pytest
import structlog
from prometheus_client import REGISTRY

from application.gateway import (
    GatewayFailed,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.gateways.observed import ObservedGateway
from tests.support.memory_gateway import MemoryGateway, once

INSTRUCTION = PaymentInstruction("p-1:authorize", "p-1", 100, "EUR", "tok_secret")


def counted(step: str, outcome: str) -> float:
    """How many steps of that kind ended so."""
    labels = {"gateway": "memory", "step": step, "outcome": outcome}
    return REGISTRY.get_sample_value("billing_gateway_seconds_count", labels) or 0


async def test_its_answers_are_the_gateways_and_are_counted_by_their_outcome() -> None:
    memory = MemoryGateway()
    gateway = ObservedGateway(memory)
    steps = (
        ("authorize", "authorized"),
        ("capture", "captured"),
        ("refund", "succeeded"),
        ("look-up", "captured"),
        ("look-up", "unknown"),
        ("payment", "captured"),
        ("look-up-refund", "succeeded"),
    )
    before = [counted(*step) for step in steps]
    authorized = await gateway.authorize(INSTRUCTION)
    reference = authorized.reference
    captured = await gateway.capture(reference, "p-1:capture")
    refund = await gateway.refund(reference, 1, "p-1:refund:1")
    assert await gateway.look_up("p-1:authorize") == captured == await memory.payment(reference)
    assert await gateway.look_up("p-2:authorize") is None
    assert await gateway.payment(reference) == captured
    assert await gateway.look_up_refund(reference, "p-1:refund:1") == refund
    assert [counted(*step) for step in steps] == [number + 1 for number in before]
    assert (gateway.name, gateway.seen_within) == (memory.name, memory.seen_within)


@pytest.mark.parametrize(
    ("failure", "outcome", "code"),
    [
        (GatewayUnconfirmed("Lost."), "unconfirmed", None),
        (GatewayUnavailable("Down."), "unavailable", None),
        (GatewayRefused("no_such_thing"), "refused", "no_such_thing"),
    ],
)
async def test_a_failure_is_passed_on_counted_and_logged_without_secrets(
    failure: GatewayFailed, outcome: str, code: str | None
) -> None:
    memory = MemoryGateway()
    memory.before = once("authorize", failure)
    before = counted("authorize", outcome)
    with structlog.testing.capture_logs() as logs, pytest.raises(type(failure)) as told:
        await ObservedGateway(memory).authorize(INSTRUCTION)
    assert told.value is failure
    assert counted("authorize", outcome) == before + 1
    assert logs == [
        {
            "event": "gateway-step-failed",
            "log_level": "warning",
            "gateway": "memory",
            "step": "authorize",
            "subject": "p-1:authorize",
            "outcome": outcome,
            "code": code,
            "cause": None,
        }
    ]
