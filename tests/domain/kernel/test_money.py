"""Money is a whole number of minor units; everything else that looks like money is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.kernel.money import (
    MAX_MINOR,
    CurrencyCode,
    DecimalString,
    MinorUnits,
    RateBasisPoints,
    minor_exponent,
    round_half_up,
)
from tests.support.decisions import decision, rule

MONEY: TypeAdapter[int] = TypeAdapter(MinorUnits)
RATE: TypeAdapter[int] = TypeAdapter(RateBasisPoints)
CURRENCY: TypeAdapter[str] = TypeAdapter(CurrencyCode)
DECIMAL: TypeAdapter[str] = TypeAdapter(DecimalString)


@pytest.mark.parametrize("amount", ["0", "1", "7680", str(MAX_MINOR)])
def test_whole_amounts_are_taken(amount: str) -> None:
    assert MONEY.validate_json(amount) == int(amount)


@rule("IDEM-28")
@decision("S2", "A fraction, an exponent or a float is no amount")
@pytest.mark.parametrize(
    "amount",
    ["1.0", "1.5", "1e2", '"1"', "true", "false", "null", "-1", str(2**53), str(2**70), "[1]", "NaN"],
)
def test_fractions_exponents_strings_booleans_and_inexact_integers_are_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        MONEY.validate_json(amount)


@pytest.mark.parametrize("value", [1.0, True, "1", Decimal(1), None])
def test_what_only_compares_equal_to_a_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        MONEY.validate_python(value)


@pytest.mark.parametrize("rate", [-1, 1_000_001, 21.0, "2100", True])
def test_a_rate_is_a_whole_number_of_basis_points_in_bounds(rate: Any) -> None:
    assert RATE.validate_python(2100) == 2100
    with pytest.raises(ValidationError):
        RATE.validate_python(rate)


@pytest.mark.parametrize("code", ["GBP", "JPY", "KWD", "MXN", "EUR"])
def test_iso_4217_codes_are_taken(code: str) -> None:
    assert CURRENCY.validate_python(code) == code


@pytest.mark.parametrize("code", ["gbp", "GB", "GBPX", "ZZZ", "GBP\n", " GBP", "ǤBP", "", 826])
def test_other_codes_are_refused(code: Any) -> None:
    with pytest.raises(ValidationError):
        CURRENCY.validate_python(code)


@pytest.mark.parametrize("text", ["0", "1", "0.250", "144", "999999999999999.123456789"])
def test_decimals_are_strings(text: str) -> None:
    assert DECIMAL.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "01", ".5", "1.", "1e3", "1,5", "1 000", "1\n", "١", "1.1234567890", 1, 1.5, True],
)
def test_other_spellings_of_a_quantity_are_refused(text: Any) -> None:
    with pytest.raises(ValidationError):
        DECIMAL.validate_python(text)


@pytest.mark.parametrize(("code", "digits"), [("GBP", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAU", 0)])
def test_the_currency_knows_its_decimals(code: str, digits: int) -> None:
    assert minor_exponent(code) == digits


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("0.49999999999", 0), ("-0.5", -1), ("7", 7)]
)
def test_halves_are_rounded_away_from_zero(exact: str, rounded: int) -> None:
    assert round_half_up(Decimal(exact)) == rounded


@for_any(st.decimals(-(10**12), 10**12, places=6))
def test_rounding_never_moves_an_amount_by_more_than_half_a_minor_unit(exact: Decimal) -> None:
    assert abs(Decimal(round_half_up(exact)) - exact) <= Decimal("0.5")
