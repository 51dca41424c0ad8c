"""Amounts as Stripe counts them, whose units are not ISO 4217's for some currencies.

Source: Stripe's documentation, "Supported currencies": its zero-decimal and three-decimal currencies, and the
special cases of ISK and UGX.
"""

from application.gateway import GatewayRefused
from domain.kernel.money import minor_exponent

CURRENCY_NOT_SUPPORTED = "currency_not_supported"
"""Stripe does not take the currency."""

AMOUNT_NOT_SUPPORTED = "amount_not_supported"
"""Stripe takes the currency, but has no unit for an amount as fine as that."""

_TWO_DECIMALS_BY_CUSTOM = frozenset({"ISK", "UGX"})
"""They have no decimals in ISO 4217, nor at Stripe, which still counts them in hundredths."""

_NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Their last digit must be 0 at Stripe."""


def stripe_amount(amount: int, currency_uom_id: str) -> int:
    """An amount of minor units (ISO 4217) in Stripe's units, exactly. Raises `GatewayRefused`."""
    units_of_one: int = 10 ** _decimals(currency_uom_id)
    minor_of_one: int = 10 ** minor_exponent(currency_uom_id)
    units, rest = divmod(amount * units_of_one, minor_of_one)
    if rest or (currency_uom_id in _THREE_DECIMALS and units % 10):
        raise GatewayRefused(AMOUNT_NOT_SUPPORTED)
    return units


def _decimals(currency_uom_id: str) -> int:
    """How many decimals the currency has at Stripe. Raises `GatewayRefused`."""
    if currency_uom_id in _TWO_DECIMALS_BY_CUSTOM:
        return 2
    if currency_uom_id in _NO_DECIMALS:
        return 0
    if currency_uom_id in _THREE_DECIMALS:
        return 3
    if minor_exponent(currency_uom_id) == 2:
        return 2
    raise GatewayRefused(CURRENCY_NOT_SUPPORTED)
