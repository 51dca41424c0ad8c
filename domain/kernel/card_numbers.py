"""Card data in what people write: found so that it can be refused before anything is kept (S2, contract §5).

A card number has 13 to 19 digits, as many as cards of its issuer have, under a known issuer identification
number (IIN), and its last digit checks the others (Luhn; ISO/IEC 7812-1). Ids are never looked at: one number
in ten passes the check by chance.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError
from stdnum import luhn

CARD_DATA_REFUSED = "card_data_refused"
"""By this word of a finding a request is refused with the code of the same name."""


class _Issuer(NamedTuple):
    """Numbers that begin with `low` to `high` (as many digits each) are cards of these lengths."""

    low: str
    high: str
    lengths: range | tuple[int, ...]


_SIXTEEN_AND_MORE = range(16, 20)
_ISSUERS = (
    # Visa; thirteen digits are on old cards only, and still of the contract's lengths.
    _Issuer("4", "4", (13, 16, 18, 19)),
    # Mastercard, and Diners Club in North America
    _Issuer("51", "55", (16,)),
    _Issuer("2221", "2720", (16,)),
    # American Express
    _Issuer("34", "34", (15,)),
    _Issuer("37", "37", (15,)),
    # Diners Club
    _Issuer("300", "305", range(14, 20)),
    _Issuer("3095", "3095", range(14, 20)),
    _Issuer("36", "36", range(14, 20)),
    _Issuer("38", "39", range(14, 20)),
    # JCB
    _Issuer("3528", "3589", _SIXTEEN_AND_MORE),
    _Issuer("1800", "1800", (15,)),
    _Issuer("2131", "2131", (15,)),
    # Mir, Troy, Carnet
    _Issuer("2200", "2204", _SIXTEEN_AND_MORE),
    _Issuer("9792", "9792", (16,)),
    _Issuer("2869", "2869", (16,)),
    # UnionPay, RuPay
    _Issuer("62", "62", _SIXTEEN_AND_MORE),
    _Issuer("81", "82", _SIXTEEN_AND_MORE),
    # Discover, RuPay, Hipercard, Elo
    _Issuer("60", "60", _SIXTEEN_AND_MORE),
    _Issuer("644", "659", _SIXTEEN_AND_MORE),
    _Issuer("636", "639", _SIXTEEN_AND_MORE),
    # Maestro, and the national debit cards beside it
    _Issuer("50", "50", range(13, 20)),
    _Issuer("56", "58", range(13, 20)),
    _Issuer("6304", "6304", range(13, 20)),
    _Issuer("6390", "6390", range(13, 20)),
    _Issuer("67", "67", range(13, 20)),
)
"""The ranges that the networks publish, a little wider where they are many."""

_SHORTEST, _LONGEST = 13, 19
_SHORTEST_UPSTREAM = 15
"""Product descriptions hold the numbers of barcodes, which have up to 14 digits."""

_GROUPS = re.compile(r"[0-9]+(?:[\s./,_·•*|:-]{1,3}[0-9]+)*")
"""Digits, and what people write between groups of them."""

_CARD_NAMES = frozenset(
    (
        *("cvc", "cvc2", "cvv", "cvv2", "cvn", "csc", "ccv", "cardcvc", "cardcvv", "securitycode"),
        *("cardsecuritycode", "cardverificationcode", "cardverificationvalue"),
        *("cardnumber", "cardno", "cardnum", "cardpan", "primaryaccountnumber"),
        *("creditcard", "creditcardnumber", "ccnumber", "ccnum"),
        *("trackdata", "track1", "track2", "magstripe", "pinblock"),
    )
)
"""What fields for card data are called; `pan` alone is not among them, for it is India's tax number."""

_UPSTREAM_TEXTS = frozenset(
    (
        *("description", "reason", "displayName", "legalName", "line1", "line2", "city", "region"),
        *(
            "comment",
            "comments",
            "errorDetail",
            "memo",
            "message",
            "note",
            "notes",
            "remark",
            "remarks",
            "text",
        ),
    )
)
"""What free text is called in upstream facts; for all that is known, their other texts are ids and codes."""

T = TypeVar("T")


def holds_card_number(text: str, shortest: int = _SHORTEST) -> bool:
    """Whether a card number of so many digits or more stands in the text, in any script, in groups or not."""
    if len(text) < shortest or sum(map(str.isnumeric, text)) < shortest:
        return False
    return any(_is_card_number(number) for number in _numbers(_plain(text), shortest))


@lru_cache(maxsize=4096)
def is_card_field(name: str) -> bool:
    """Whether a field of that name is there for card data, however the name is written (`card_number`)."""
    return "".join(filter(str.isalnum, name)).casefold() in _CARD_NAMES


def holds_card_data(value: Any) -> bool:
    """Whether a card number, or a field for card data, is anywhere in a request's value (JSON or a model)."""
    match value:
        case str():
            return holds_card_number(value)
        case bool() | None:
            return False
        case int() | float():
            return holds_card_number(str(value))
        case BaseModel():
            return holds_card_data(dict(value))
        case Mapping():
            return any(
                is_card_field(name) or holds_card_number(name) or holds_card_data(held)
                for name, held in value.items()
            )
        case list() | tuple():
            return any(map(holds_card_data, value))
        case _:
            return False


def fact_holds_card_data(value: Any) -> bool:
    """Whether an upstream fact (JSON) has a field for card data, or a card number in free text, anywhere."""
    if isinstance(value, list):
        return any(map(fact_holds_card_data, value))
    if not isinstance(value, dict):
        return False
    for name, held in value.items():
        if isinstance(held, str):
            if name in _UPSTREAM_TEXTS and holds_card_number(held, _SHORTEST_UPSTREAM):
                return True
        elif isinstance(held, dict | list) and fact_holds_card_data(held):
            return True
    return any(map(is_card_field, value))


def _refusing(holds: Callable[[Any], bool]) -> BeforeValidator:
    """Looks before anything else does, so that whatever else is wrong with a card number comes after."""

    def without_card_data(value: T) -> T:
        if holds(value):
            raise PydanticCustomError(CARD_DATA_REFUSED, "Input should hold no card data")
        return value

    return BeforeValidator(without_card_data)


WITHOUT_CARD_DATA = _refusing(holds_card_data)
"""On a request's field that takes free text or a token: what holds card data is refused, and not repeated."""

FACT_WITHOUT_CARD_DATA = _refusing(fact_holds_card_data)
"""The same on what upstream tells."""


def _plain(text: str) -> str:
    """The text with ASCII digits for everybody's, one kind of dash, and nothing that cannot be seen."""
    return "".join(map(_plain_sign, unicodedata.normalize("NFKC", text)))


def _plain_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    match unicodedata.category(sign):
        case "Nd":
            return str(unicodedata.decimal(sign))
        case "Pd" | "Sm":
            return "-"
        case "Cf" | "Mn":
            return ""
        case _:
            return sign


def _numbers(text: str, shortest: int) -> Iterator[str]:
    """What could be one number: whole groups of digits that follow each other, of a card number's length."""
    for found in _GROUPS.finditer(text):
        groups = re.findall("[0-9]+", found[0])
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > _LONGEST:
                    break
                if len(number) >= shortest:
                    yield number


def _is_card_number(number: str) -> bool:
    issued = any(
        issuer.low <= number[: len(issuer.low)] <= issuer.high and len(number) in issuer.lengths
        for issuer in _ISSUERS
    )
    return issued and luhn.is_valid(number)
