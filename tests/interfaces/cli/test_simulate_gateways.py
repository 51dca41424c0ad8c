"""`billing simulate-gateways`, the settings that name gateways, and what `billing run` does without any."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from application.gateway import GatewayUnavailable, PaymentInstruction
from infrastructure.gateways.bank_transfers import BANK
from infrastructure.gateways.configured import bank_gateway, card_gateway
from infrastructure.gateways.simulated_gateways import NOTICE
from infrastructure.gateways.stripe import STRIPE
from infrastructure.settings import Settings
from interfaces.cli.main import main
from interfaces.cli.simulated_payments import simulated_payments
from tests.support.gateways import totals

INSTRUCTION = PaymentInstruction("p-1:authorize", "p-1", 100, "EUR", "tok_ok")
STRIPE_SETTINGS = {"stripe_api_key": "sk_test_1", "stripe_url": "http://127.0.0.1:9"}
BANK_SETTINGS = {"bank_api_key": "key", "bank_url": "http://127.0.0.1:9"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_they_say_how_to_use_them_keep_their_state_and_end_at_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "interfaces.cli.main", "simulate-gateways", "--port", "0"],
        env={**os.environ, "BILLING_DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told.startswith(NOTICE)
        shown = dict(word.split("=", 1) for word in told.split() if "=" in word)
        values = {name.removeprefix("BILLING_").lower(): value for name, value in shown.items()}
        settings = Settings(**values)
        asyncio.run(_authorize_at_both(settings))
        assert totals(settings.stripe_url)["payments"] == {}
        process.send_signal(number)
        assert process.wait(30) == 0
    assert (tmp_path / "data" / "simulated-gateways.sqlite").exists()


async def _authorize_at_both(settings: Settings) -> None:
    transfer = PaymentInstruction("ap-1:authorize", "ap-1", 100, "EUR", "vendor:v-1")
    for gateway, instruction in ((card_gateway(settings), INSTRUCTION), (bank_gateway(settings), transfer)):
        assert (await gateway.authorize(instruction)).status == "AUTHORIZED"
        await gateway.close()


def test_a_port_that_is_taken_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit) as ended:
            main(["simulate-gateways", "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "cannot be listened on" in capsys.readouterr().err


async def test_without_settings_no_payment_is_taken() -> None:
    for gateway, name in ((card_gateway(Settings()), STRIPE), (bank_gateway(Settings()), BANK)):
        assert gateway.name == name
        for ask in (
            gateway.authorize(INSTRUCTION),
            gateway.capture("pi_1", "k"),
            gateway.void("pi_1", "k", take_back=True),
            gateway.refund("pi_1", 1, "k"),
            gateway.look_up("k"),
            gateway.payment("pi_1"),
            gateway.look_up_refund("pi_1", "k"),
        ):
            with pytest.raises(GatewayUnavailable):
                await ask
        await gateway.close()


async def test_the_settings_say_how_long_to_wait_and_to_search() -> None:
    settings = Settings(**STRIPE_SETTINGS, **BANK_SETTINGS, stripe_seen_seconds=7, bank_seen_seconds=3)
    card, bank = card_gateway(settings), bank_gateway(settings)
    assert (card.seen_within.total_seconds(), bank.seen_within.total_seconds()) == (7, 3)
    for gateway in (card, bank):
        with pytest.raises(GatewayUnavailable):
            await gateway.payment("pi_1")
        await gateway.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"stripe_url": "http://127.0.0.1:9"},
        {"bank_url": "http://127.0.0.1:9"},
        {"bank_api_key": "key"},
        {"bank_api_key": "key", "bank_url": "ftp://bank"},
        {"stripe_api_key": "sk_test_secret", "stripe_url": "stripe"},
        {"bank_webhook_secret": "whsec_secret!"},
    ],
)
def test_settings_that_do_not_fit_together_are_refused_without_being_shown(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="BILLING_") as refused:
        Settings(**wrong)
    assert "secret!" not in str(refused.value) and "sk_test_secret" not in str(refused.value)


def test_secrets_are_listed_with_commas_and_never_shown() -> None:
    settings = Settings(stripe_webhook_secret="whsec_new, whsec_old", bank_webhook_secret="whsec_c2VjcmV0")
    assert settings.stripe_webhook_secrets == ("whsec_new", "whsec_old")
    assert settings.bank_webhook_secrets == ("whsec_c2VjcmV0",)
    assert "whsec" not in repr(settings)


def test_what_is_not_configured_is_simulated_by_run_and_nothing_else() -> None:
    both = simulated_payments(Settings())
    assert both is not None and len(both.names) == 2
    told = {name.removeprefix("BILLING_").lower(): value for name, value in both.environment.items()}
    settings = Settings(**told)
    assert settings.stripe_url == settings.bank_url
    assert settings.stripe_webhook_secrets and settings.bank_webhook_secrets
    bank_only = simulated_payments(Settings(**STRIPE_SETTINGS))
    assert bank_only is not None and bank_only.names == ("payments of vendors",)
    assert not any("STRIPE" in name for name in bank_only.environment)
    assert simulated_payments(Settings(**STRIPE_SETTINGS, **BANK_SETTINGS)) is None
