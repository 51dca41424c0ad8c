"""Amounts in Stripe's units: exact, or refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from application.gateway import GatewayRefused
from domain.kernel.money import MAX_MINOR, minor_exponent
from infrastructure.gateways.stripe_amounts import (
    AMOUNT_NOT_SUPPORTED,
    CURRENCY_NOT_SUPPORTED,
    stripe_amount,
)

UNITS_OF_ONE = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"), 1),
    **dict.fromkeys(("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 1),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 1000),
    **dict.fromkeys(("ISK", "UGX", "EUR", "USD", "HUF", "TWD", "MXN"), 100),
}
"""How many of Stripe's units a major unit has, as its documentation lists them."""


@pytest.mark.parametrize(
    ("currency", "amount", "units"),
    [
        ("EUR", 1_234, 1_234),
        ("JPY", 500, 500),
        ("ISK", 5, 500),
        ("UGX", 5, 500),
        ("MGA", 500, 5),
        ("KWD", 5_120, 5_120),
        ("HUF", 1_045, 1_045),
    ],
)
def test_an_amount_in_the_units_of_stripe(currency: str, amount: int, units: int) -> None:
    assert stripe_amount(amount, currency) == units


@pytest.mark.parametrize(("currency", "amount"), [("KWD", 5_124), ("MGA", 501), ("MGA", 1)])
def test_an_amount_that_is_finer_than_a_unit_is_refused(currency: str, amount: int) -> None:
    with pytest.raises(GatewayRefused) as refused:
        stripe_amount(amount, currency)
    assert refused.value.code == AMOUNT_NOT_SUPPORTED


@pytest.mark.parametrize("currency", ["IQD", "LYD", "CLF", "UYI", "XAU", "XXX"])
def test_a_currency_whose_unit_stripe_does_not_tell_is_refused(currency: str) -> None:
    with pytest.raises(GatewayRefused) as refused:
        stripe_amount(100, currency)
    assert refused.value.code == CURRENCY_NOT_SUPPORTED


@given(st.sampled_from(sorted(UNITS_OF_ONE)), st.integers(min_value=0, max_value=MAX_MINOR))
def test_no_amount_is_ever_rounded(currency: str, amount: int) -> None:
    exact = Fraction(amount * UNITS_OF_ONE[currency], 10 ** minor_exponent(currency))
    try:
        units = stripe_amount(amount, currency)
    except GatewayRefused:
        assert exact.denominator > 1 or (UNITS_OF_ONE[currency] == 1000 and exact % 10)
    else:
        assert type(units) is int and units == exact


@given(st.sampled_from([currency.code for currency in Currency]), st.integers(1, MAX_MINOR))
def test_every_currency_is_converted_or_refused(currency: str, amount: int) -> None:
    try:
        assert stripe_amount(amount, currency) > 0
    except GatewayRefused as refused:
        assert refused.code in {AMOUNT_NOT_SUPPORTED, CURRENCY_NOT_SUPPORTED}
