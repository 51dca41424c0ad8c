"""Money is an integer in minor units beside an ISO 4217 code; quantities and fine prices are decimal strings.

JSON integers of 2^53 or more are refused, because half of the world's clients would round them (contract §2).
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Annotated

from iso4217 import Currency
from pydantic import AfterValidator, Field, StringConstraints

MAX_MINOR = 2**53 - 1
"""The largest amount, in minor units, that every JSON reader keeps exactly."""

_EXPONENTS = {currency.code: currency.exponent for currency in Currency}


def _known_currency(code: str) -> str:
    if code not in _EXPONENTS:
        raise ValueError("is not an ISO 4217 currency code")
    return code


MinorUnits = Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]
"""A non-negative amount in minor units of the currency named beside it."""

PositiveMinorUnits = Annotated[int, Field(strict=True, ge=1, le=MAX_MINOR)]
"""An amount in minor units that moves money: at least 1."""

SignedMinorUnits = Annotated[int, Field(strict=True, ge=-MAX_MINOR, le=MAX_MINOR)]
"""An amount in minor units that is taken off where it is negative."""

RateBasisPoints = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
"""A rate in hundredths of a per cent: 2100 is 21 %."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
"""ISO 4217, three capitals."""

DecimalString = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$")]
"""A non-negative decimal, as a string: a quantity, or a price in major units finer than the minor unit."""


def minor_exponent(currency_code: str) -> int:
    """How many decimals the currency's major unit has: GBP 2, JPY 0, KWD 3 (ISO 4217)."""
    return _EXPONENTS[currency_code] or 0


def round_half_up(value: Decimal) -> int:
    """Round an exact amount of minor units to a whole one, halves away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def half_up(value: Fraction) -> int:
    """Round any exact amount to a whole one, halves away from zero; no precision can run out."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole
