"""Money, numbers and dates as readers of a document's language and country write them (CLDR, by babel)."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, format_currency, format_decimal, format_percent, parse_pattern

from domain.kernel.money import minor_exponent

_FALLBACK_LOCALES = {"en": "en_GB", "es": "es_ES", "de": "de_DE"}
_CODE_BESIDE_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])")


@cache
def formats_of(language: str, country_code: str) -> "Formats":
    """The formats of a language as written in a country, else as in Britain, Spain or Germany."""
    try:
        return Formats(Locale(language, territory=country_code))
    except UnknownLocaleError:
        return Formats(Locale.parse(_FALLBACK_LOCALES[language]))


class Formats:
    """One locale's formats; results are remembered, because a shop's prices repeat."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self._number = str(locale.decimal_formats[None].pattern).split(".")[0]
        self._currency = str(locale.currency_formats["standard"].pattern)
        percent = str(locale.percent_formats[None].pattern)
        self._percent = percent.replace("0", "0.##")
        self._fine_percent = percent.replace("0", "0.####")
        self._pattern = cache(self._numbers_pattern)
        self.amount = lru_cache(maxsize=8192)(self._amount)
        self.money = lru_cache(maxsize=1024)(self._money)
        self.decimal = lru_cache(maxsize=8192)(self._decimal)
        self.day = lru_cache(maxsize=1024)(self._day)

    def _amount(self, amount_minor: int, currency_code: str) -> str:
        """An amount without its currency: `1,234.50`."""
        exponent = minor_exponent(currency_code)
        return self._with_fraction(Decimal(amount_minor).scaleb(-exponent), exponent)

    def _money(self, amount_minor: int, currency_code: str) -> str:
        """An amount with its currency: `£1,234.50`, `1.234,50 €`, `KWD 1.500`."""
        exponent = minor_exponent(currency_code)
        pattern = self._currency.replace("0.00", "0" + _fraction(exponent))
        text = format_currency(
            Decimal(amount_minor).scaleb(-exponent),
            currency_code,
            format=pattern,
            locale=self._locale,
            currency_digits=False,
        )
        return _CODE_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", text)

    def _decimal(self, given: str) -> str:
        """A decimal string with exactly the decimals it was given with: `1.500`."""
        return self._with_fraction(Decimal(given), len(given.partition(".")[2]))

    def _with_fraction(self, value: Decimal, decimals: int) -> str:
        return format_decimal(value, format=self._pattern(decimals), locale=self._locale)

    def _numbers_pattern(self, decimals: int) -> NumberPattern:
        return parse_pattern(self._number + _fraction(decimals))

    def rate(self, basis_points: int) -> str:
        """A rate: `21%`, `5.25%`."""
        return format_percent(
            Decimal(basis_points).scaleb(-4),
            format=self._percent,
            locale=self._locale,
            decimal_quantization=True,
        )

    def percent(self, given: str) -> str:
        """A rate in per cent that is finer than basis points, to four decimals: `6.875%`."""
        return format_percent(
            Decimal(given).scaleb(-2),
            format=self._fine_percent,
            locale=self._locale,
            decimal_quantization=True,
        )

    def _day(self, iso_date: str) -> str:
        """A calendar date: `3 November 2026`."""
        return format_date(date.fromisoformat(iso_date), "long", locale=self._locale)

    def moment(self, rfc3339_text: str) -> str:
        """A moment, in UTC and said so: `3 Nov 2026, 14:05 UTC`."""
        moment = datetime.fromisoformat(rfc3339_text)
        return f"{format_date(moment.date(), 'medium', locale=self._locale)}, {moment:%H:%M} UTC"

    def country(self, country_code: str) -> str:
        """A country's name, or nothing for ZZ; a code that CLDR does not know stays a code."""
        if country_code == "ZZ":
            return ""
        return str(self._locale.territories.get(country_code, country_code))


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""
