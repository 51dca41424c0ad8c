"""Whatever leaves the house has its row, and every row keeps the rules of what takes effect outside (S2)."""

import ast
from collections.abc import Iterator

import pytest

from application.gateway import GatewayUnavailable, gateway_key
from application.operations import OPERATIONS
from application.operations.unrouted import SETTLE_AP_PAYMENT, UNROUTED_OPERATIONS
from domain.streams import REGISTRY
from infrastructure.external_calls import ANY_OPERATION, EXTERNAL_CALLS, RELAY, ExternalCall
from tests.support.cash_desk import CashDesk
from tests.support.decisions import decision, rule
from tests.support.golden import EXTERNAL_CALLS_FILE, golden_external_calls
from tests.support.invoicing_facts import PRICE_OF_ALL
from tests.support.memory_gateway import once
from tests.support.source_tree import modules, name_of, parsed

NETWORK_CLIENTS = (
    *("aiohttp", "aiosmtplib", "ftplib", "http.client", "httpcore", "httpx", "imaplib", "nats", "paramiko"),
    *("requests", "smtplib", "socket", "stripe", "telnetlib", "urllib.request", "urllib3", "websockets"),
    *("google.auth", "google.cloud", "google.api_core"),
)
NETWORK_NAMES = frozenset(
    {"PyJWKClient", "open_connection", "create_connection", "sock_connect", "getaddrinfo"}
)
"""What opens connections in modules that also serve other ends."""

STAYS_HERE = {
    "infrastructure.gateways.simulated_notices": "plays the gateways, and tells the service's own API",
    "infrastructure.gateways.stripe_notices": "verifies signatures and asks nobody",
    "interfaces.cli.demo": "the service's own API, on this machine",
    "interfaces.cli.inbound_door": "the service's own API, on this machine",
    "interfaces.cli.simulated_payments": "finds a free port for the simulator, on this machine",
    "interfaces.cli.launch": "looks whether the port to listen on is free",
}
"""Modules that use a network client and do not leave the house."""

RECORDED = {operation.name: operation for operation in (*OPERATIONS, *UNROUTED_OPERATIONS)}
"""Every operation that an event can name."""

CALLS = {call.name: call for call in EXTERNAL_CALLS}

every_call = pytest.mark.parametrize("call", EXTERNAL_CALLS, ids=lambda call: call.name)


def network_clients(tree: ast.Module) -> Iterator[str]:
    """What a module could reach others with, by the names of clients that it imports or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                imported = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                imported = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in NETWORK_NAMES:
                yield name
                continue
            case _:
                continue
        for name in imported:
            if any(name == client or name.startswith(f"{client}.") for client in NETWORK_CLIENTS):
                yield name


def _told() -> set[str]:
    return {adapter for call in EXTERNAL_CALLS for adapter in call.adapters}


@rule("IDEM-24")
def test_whoever_uses_a_network_client_has_a_row_or_a_reason() -> None:
    using = {
        name_of(path).removesuffix(".py").replace("/", ".")
        for path in modules()
        if any(network_clients(parsed(path)))
    }
    assert using - _told() - STAYS_HERE.keys() == set()
    assert STAYS_HERE.keys() <= using, "a reason that nothing needs"


@pytest.mark.parametrize(
    "source",
    [
        "import httpx",
        "import httpx as web",
        "from stripe import StripeClient",
        "from google.cloud import storage",
        "from google import cloud",
        "import urllib.request",
        "from urllib import request",
        "from socket import create_connection",
        "import asyncio\nasyncio.open_connection('example.org', 80)",
        "from jwt import PyJWKClient as Client\nPyJWKClient('https://example.org')",
    ],
)
def test_a_module_that_reaches_out_is_found(source: str) -> None:
    assert list(network_clients(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["from http import HTTPStatus", "from urllib.parse import quote", "import jwt"]
)
def test_other_modules_are_not(source: str) -> None:
    assert not list(network_clients(ast.parse(source)))


@every_call
def test_an_adapter_is_a_module_that_there_is(call: ExternalCall) -> None:
    known = {name_of(path).removesuffix(".py").replace("/", ".") for path in modules()}
    assert call.adapters and set(call.adapters) <= known


@every_call
def test_a_call_is_made_for_something(call: ExternalCall) -> None:
    assert call.caused_by
    assert set(call.caused_by) <= RECORDED.keys() | {RELAY, ANY_OPERATION}


@decision("S2", "Every call outside with an effect has its key, and says what repeats and races come to")
@every_call
def test_an_effect_outside_has_a_key_and_says_what_a_repeat_gets(call: ExternalCall) -> None:
    if "external_effect" in call.classification:
        assert call.idempotency.key not in {"", "none"}
        assert call.idempotency.replay and call.idempotency.inflight
        for operation in (RECORDED[name] for name in call.caused_by if name in RECORDED):
            assert "external_effect" in operation.classification
            assert operation.row()["idempotency"]["required"]


@rule("AUDIT-3")
@decision("S2", "Whatever takes effect outside for good is recorded as an audit event")
@every_call
def test_what_cannot_be_taken_back_is_recorded(call: ExternalCall) -> None:
    if "irreversible" in call.classification:
        assert call.audit_event is not None
    if call.audit_event is not None:
        REGISTRY.by_name(call.audit_event)


@rule("IDEM-24")
@decision("S2", "Every call outside says what is redacted of it")
@every_call
def test_every_integration_says_how_long_how_often_and_what_else(call: ExternalCall) -> None:
    row = call.row()
    assert all(row[name] for name in ("success", "timeout", "retries", "fallback", "redaction"))


def test_every_operation_that_takes_effect_outside_leads_to_a_call() -> None:
    """By itself, or by what workers do after it."""
    caused = {name for call in EXTERNAL_CALLS for name in call.caused_by}
    caused |= {
        name for operation in UNROUTED_OPERATIONS if operation.name in caused for name in operation.caused_by
    }
    outside = {name for name, operation in RECORDED.items() if "external_effect" in operation.classification}
    assert outside <= caused


def test_only_a_payment_method_that_is_sent_is_redacted() -> None:
    holding = {call.name for call in EXTERNAL_CALLS if "paymentMethodToken" in call.redaction}
    assert holding == {"stripe.authorize"}


@rule("IDEM-15")
@decision("S2", "Each step at a provider goes out under a key of its payment, or is taken once")
@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("stripe.authorize", "authorize"), ("stripe.void", "void"), ("stripe.refund", "refund")),
        ("bank.create-transfer", "authorize"),
    ],
)
def test_a_step_at_a_gateway_goes_out_under_its_key(name: str, step: str) -> None:
    assert CALLS[name].idempotency.key.startswith(gateway_key("PAYMENT", step))
    assert "same key" in CALLS[name].idempotency.inflight or name == "stripe.authorize"


@rule("IDEM-15")
def test_a_step_without_a_key_is_one_that_its_gateway_takes_once() -> None:
    keyless = [
        call for call in EXTERNAL_CALLS if call.classification and call.idempotency.key.startswith("none")
    ]
    assert {call.name for call in keyless} == {
        *("stripe.capture", "bank.release-transfer", "bank.cancel-transfer"),
    }
    assert all(call.idempotency.key.endswith(" once") for call in keyless)


@rule("IDEM-24")
@pytest.mark.parametrize(
    ("step", "answered", "told"),
    [
        ("authorize", 102, "503 with Retry-After, and the payment has FAILED"),
        ("capture", 202, "certainly not taken, or unknown: 202, it is PENDING"),
        ("void", 102, "503 with Retry-After, and the payment stands as it was"),
        ("refund", 102, "503 with Retry-After, and the payment stands as it was"),
    ],
)
async def test_a_row_tells_what_comes_of_a_gateway_that_is_away(step: str, answered: int, told: str) -> None:
    """102 is the ledger's word for a request of which nothing came; clients get 503 then."""
    desk = await CashDesk().open()
    stands = "CAPTURED"
    if step in {"authorize", "capture"}:
        desk.gateway.before = once(step, GatewayUnavailable("nobody there"))
        answer = await desk.pay(PRICE_OF_ALL)
        stands = "FAILED" if step == "authorize" else "PENDING"
    else:
        await desk.pay(PRICE_OF_ALL)
        desk.gateway.before = once(step, GatewayUnavailable("nobody there"))
        identity, _ = desk.payment()
        answer = await (desk.void(identity, 2) if step == "void" else desk.refund(identity, 1, 2))
    assert (answer.status, desk.payment()[1].status) == (answered, stands)
    assert told in CALLS[f"stripe.{step}"].fallback


@pytest.mark.parametrize("name", ["bank.create-transfer", "bank.release-transfer", "bank.look-up"])
def test_no_request_waits_for_the_bank(name: str) -> None:
    call = CALLS[name]
    assert call.caused_by == (SETTLE_AP_PAYMENT.name,)
    assert not any(word in str(call.row()) for word in ("409", "503", "202", "FAILED"))


@pytest.mark.parametrize("verb", ["pay", "void", "refund"])
def test_what_a_request_does_at_stripe_may_begin_with_a_look(verb: str) -> None:
    assert f"payments.{verb}" in CALLS["stripe.look-up"].caused_by


def test_the_catalog_is_the_golden_one() -> None:
    assert golden_external_calls() == EXTERNAL_CALLS_FILE.read_text(encoding="utf-8")


def test_names_are_unique() -> None:
    assert len({call.name for call in EXTERNAL_CALLS}) == len(EXTERNAL_CALLS)
