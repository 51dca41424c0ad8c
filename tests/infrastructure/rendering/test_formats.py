"""Money, numbers and dates as readers write them, from exact integers."""

import pytest

from infrastructure.rendering.formats import formats_of

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "country", "amount_minor", "currency", "expected"),
    [
        ("en", "GB", 123450, "GBP", "£1,234.50"),
        ("en", "GB", -5, "GBP", "-£0.05"),
        ("en", "GB", 1234, "JPY", "JP¥1,234"),
        ("en", "GB", 1500, "KWD", f"KWD{NBSP}1.500"),
        ("en", "IN", 12345678900, "INR", "₹12,34,56,789.00"),
        ("es", "ES", 123450, "EUR", f"1.234,50{NBSP}€"),
        ("es", "MX", 123450, "MXN", "$1,234.50"),
        ("en", "ZZ", 2**53 - 1, "GBP", "£90,071,992,547,409.91"),
    ],
)
def test_money(language: str, country: str, amount_minor: int, currency: str, expected: str) -> None:
    assert formats_of(language, country).money(amount_minor, currency) == expected


def test_minor_units_are_those_of_iso_4217_even_where_cldr_prints_none() -> None:
    assert formats_of("en", "GB").amount(150050, "COP") == "1,500.50"
    assert formats_of("en", "GB").amount(1500, "IQD") == "1.500"


def test_a_decimal_keeps_the_decimals_it_was_given_with() -> None:
    formats = formats_of("es", "ES")
    assert formats.decimal("1234.500") == "1.234,500"
    assert formats.decimal("0.0475") == "0,0475"
    assert formats.decimal("144") == "144"
    assert formats.decimal("999999999999999.123456789") == "999.999.999.999.999,123456789"


def test_rates_lose_only_empty_decimals() -> None:
    assert [formats_of("en", "GB").rate(points) for points in (2100, 525, 0, 1_000_000)] == [
        "21%",
        "5.25%",
        "0%",
        "10,000%",
    ]
    assert formats_of("es", "ES").rate(1050) == f"10,5{NBSP}%"


def test_rates_finer_than_basis_points_are_shown_exactly() -> None:
    formats = formats_of("en", "US")
    assert [formats.percent(given) for given in ("6.875", "7.2500", "20", "0", "0.0625")] == [
        "6.875%",
        "7.25%",
        "20%",
        "0%",
        "0.0625%",
    ]
    assert formats_of("es", "ES").percent("9.5") == f"9,5{NBSP}%"


def test_dates_and_moments() -> None:
    assert formats_of("en", "GB").day("2026-11-03") == "3 November 2026"
    assert formats_of("es", "MX").day("2026-11-03") == "3 de noviembre de 2026"
    assert formats_of("en", "GB").moment("2026-11-03T14:05:06.000000Z") == "3 Nov 2026, 14:05 UTC"


def test_countries_are_named_in_the_language_and_an_unknown_one_is_not_named() -> None:
    assert formats_of("es", "ES").country("GB") == "Reino Unido"
    assert formats_of("en", "GB").country("ZZ") == ""
    assert formats_of("en", "GB").country("QQ") == "QQ"


def test_a_language_that_a_country_does_not_speak_has_formats_all_the_same() -> None:
    assert formats_of("es", "GB").amount(123450, "GBP") == "1.234,50"
    assert formats_of("en", "MX").amount(123450, "MXN") == "1,234.50"
