"""Addresses of fiscal profiles: as their owners wrote them, and in one form (S3 §6.1, `address_normalized`).

The form is made by rules, never by looking an address up, so that the same text gives the same form:

- white space, line breaks included, is one blank between words and none around; empty parts are left out;
- the country's code is in capitals, and so is a region that is a code (`nl`, `mx-nle`: up to three letters or
  digits, with or without the country's) rather than a name;
- a postal code is in capitals, and in its country's usual form where its signs can mean nothing else.
"""

import re
from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from domain.upstream import Address


class PostalAddress(Address):
    """An address of these parts and no others. The country's code is taken in either case."""

    model_config = ConfigDict(extra="forbid")

    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")] | None = None


_REGION_CODE = re.compile(r"([A-Za-z]{2}-)?[A-Za-z0-9]{1,3}")

_FIVE_DIGITS = (r"(\d{5})", r"\1")
_THREE_AND_TWO = (r"(\d{3})(\d{2})", r"\1 \2")
_SIX_DIGITS = (r"(\d{6})", r"\1")
_FOUR_DIGITS = (r"(\d{4})", r"\1")

_POSTAL_CODES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("DE", "ES", "FI", "FR", "HR", "IT", "MX", "TR"), _FIVE_DIGITS),
    **dict.fromkeys(("AT", "AU", "BE", "BG", "CH", "DK", "HU", "NO", "SI"), _FOUR_DIGITS),
    **dict.fromkeys(("CN", "CO", "IN", "RO", "SG"), _SIX_DIGITS),
    **dict.fromkeys(("CZ", "GR", "SE", "SK"), _THREE_AND_TWO),
    "BR": (r"(\d{5})(\d{3})", r"\1-\2"),
    "CA": (r"([A-Z]\d[A-Z])(\d[A-Z]\d)", r"\1 \2"),
    "GB": (r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", r"\1 \2"),
    "JP": (r"(\d{3})(\d{4})", r"\1-\2"),
    "NL": (r"(\d{4})([A-Z]{2})", r"\1 \2"),
    "PL": (r"(\d{2})(\d{3})", r"\1-\2"),
    "PT": (r"(\d{4})(\d{3})", r"\1-\2"),
    "US": (r"(\d{5})(\d{4})", r"\1-\2"),
}
"""By country: the letters and digits of a postal code, and how they are written (UPU, addressing systems)."""

_SEPARATORS = re.compile(r"[\s-]+")


def normalized_address(address: PostalAddress, country_code: str) -> PostalAddress:
    """The address in one form; `country_code` is whose postal codes count where it names no country itself.

    Normalising what is normalised changes nothing.
    """
    parts = {name: " ".join(value.split()) for name, value in address if value is not None}
    if country := parts.get("country_code"):
        parts["country_code"] = country.upper()
    if _REGION_CODE.fullmatch(region := parts.get("region", "")):
        parts["region"] = region.upper()
    if postal_code := parts.get("postal_code"):
        parts["postal_code"] = _postal_code(postal_code, parts.get("country_code") or country_code)
    return PostalAddress(**{name: value for name, value in parts.items() if value})


def _postal_code(text: str, country_code: str) -> str:
    if not text.isascii():
        return text
    capitals = text.upper()
    if country_code not in _POSTAL_CODES:
        return capitals
    pattern, form = _POSTAL_CODES[country_code]
    found = re.fullmatch(pattern, _SEPARATORS.sub("", capitals))
    return found.expand(form) if found else capitals
