"""The gateways that the settings name, watched; where they name none, one that takes nothing."""

from datetime import timedelta

from application.gateway import Gateway, UnconfiguredGateway
from infrastructure.gateways.bank_transfers import BANK, BankTransfers
from infrastructure.gateways.observed import ObservedGateway
from infrastructure.gateways.stripe import STRIPE, STRIPE_URL, StripeGateway
from infrastructure.settings import Settings


def card_gateway(settings: Settings) -> Gateway:
    """Where customers pay."""
    api_key = settings.stripe_api_key.get_secret_value()
    if not api_key:
        return UnconfiguredGateway(STRIPE)
    stripe = StripeGateway(
        api_key,
        url=settings.stripe_url or STRIPE_URL,
        answer_seconds=settings.gateway_timeout_seconds,
        seen_within=timedelta(seconds=settings.stripe_seen_seconds),
    )
    return ObservedGateway(stripe)


def bank_gateway(settings: Settings) -> Gateway:
    """How vendors are paid."""
    if not settings.bank_url:
        return UnconfiguredGateway(BANK)
    bank = BankTransfers(
        settings.bank_api_key.get_secret_value(),
        url=settings.bank_url,
        answer_seconds=settings.gateway_timeout_seconds,
        seen_within=timedelta(seconds=settings.bank_seen_seconds),
    )
    return ObservedGateway(bank)
