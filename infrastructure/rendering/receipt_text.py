"""A payment's receipt as text for the printer of a till: 48 columns of ASCII, from the canonical JSON.

Every ESC/POS printer prints ASCII, whatever its code page; what is not in it is spelled with what is. There
is no control character but the line feed, so that no content can tell the printer anything. The same JSON
gives the same text; a copy says so above and below it.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from application.ports import PrintedText
from infrastructure.rendering.formats import formats_of
from infrastructure.rendering.payment_wording import PAYMENT_WORDS

COLUMNS = 48
CONTENT_TYPE = "text/plain; charset=us-ascii"
_RULE = "-" * COLUMNS
_UNKNOWN = "?"
"""Stands for a character that ASCII cannot spell, such as an ideograph."""

_SPELLED = {
    **{"ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o"},
    **{"Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "Th", "þ": "th", "Ł": "L", "ł": "l", "ı": "i"},
    **{"‘": "'", "’": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'"},
    **{"‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "·": "-", "•": "-", "×": "x", "¿": "", "¡": ""},
    **{"€": "EUR", "£": "GBP", "¥": "JPY", "©": "(c)", "®": "(R)", "°": "o", "\N{SOFT HYPHEN}": ""},
}
"""What decomposing does not spell; the rest of ASCII's neighbours lose their accents."""
_SPELLED_IN = {
    "de": {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"},
}
"""What a language spells in a way of its own."""


def receipt_text(content_json: bytes, copy_number: int) -> PrintedText:
    """The text of a payment's RECEIPT; `copy_number` 0 is the original."""
    content = json.loads(content_json)
    lines = list(_Printed(content).lines())
    if copy_number:
        words = PAYMENT_WORDS[content["language"]]
        mark = [_RULE, *_centred(f"*** {words.copy.format(copy=copy_number)} ***"), _RULE]
        lines = [*mark, *lines, *mark]
    return PrintedText("".join(f"{line}\n" for line in lines), CONTENT_TYPE)


class _Printed:
    """The lines of one receipt, in the words and the spelling of its language."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._language = content["language"]
        self._words = PAYMENT_WORDS[self._language]
        self._formats = formats_of(self._language, content["countryCode"])

    def lines(self) -> Iterator[str]:
        """All of them, top to bottom."""
        content, words, formats = self._content, self._words, self._formats
        yield from self._centred(content["issuer"]["legalName"])
        yield from self._centred(words.receipt.upper())
        yield _RULE
        yield from self._pair(words.receipt_number, content["number"])
        yield from self._pair(words.issue_date, formats.day(content["issueDate"]))
        yield from self._pair(words.paid_at, formats.moment(content["capturedAt"]))
        yield from self._pair(words.invoice, content["invoiceNumber"])
        yield from self._pair(words.paid_by, content["billTo"]["legalName"])
        yield from self._pair(words.work_order, content["workOrderId"])
        yield from self._pair(words.payment, content["billingPaymentId"])
        yield _RULE
        yield from self._centred(words.payment_types[content["paymentType"]].upper())
        yield from self._pair(words.paid.upper(), self._money(content["amount"]))
        yield from self._pair(words.remaining, self._money(content["remainingBalance"]))
        yield _RULE
        yield from self._centred(words.thanks)

    def _money(self, amount_minor: int) -> str:
        """With the currency's code, for its sign may be none of ASCII's."""
        currency = self._content["currencyUomId"]
        return f"{self._formats.amount(amount_minor, currency)} {currency}"

    def _pair(self, label: str, value: str) -> Iterator[str]:
        """A label and its value on one line, or the value flush right below, broken where it has to be."""
        label, value = in_ascii(label, self._language), in_ascii(value, self._language)
        if len(label) + 1 + len(value) <= COLUMNS:
            yield label + value.rjust(COLUMNS - len(label))
            return
        yield from _broken(label)
        yield from (line.rjust(COLUMNS) for line in _broken(value))

    def _centred(self, text: str) -> Iterator[str]:
        return _centred(in_ascii(text, self._language))


def _centred(text: str) -> Iterator[str]:
    for line in _broken(text):
        yield line.center(COLUMNS).rstrip()


def _broken(text: str) -> Iterator[str]:
    """Lines of at most 48 columns; a word that is longer is broken in itself."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) <= COLUMNS:
            line = f"{line} {word}"
            continue
        if line:
            yield line
        while len(word) > COLUMNS:
            yield word[:COLUMNS]
            word = word[COLUMNS:]
        line = word
    if line:
        yield line


def in_ascii(text: str, language: str) -> str:
    """Text in printable ASCII on one line: accents off, some letters and signs spelled, others as `?`."""
    spelling = _SPELLED | _SPELLED_IN.get(language, {})
    spelled = (_spelled(character, spelling) for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(spelled).split())


def _spelled(character: str, spelling: Mapping[str, str]) -> str:
    if " " <= character <= "~":
        return character
    if character in spelling:
        return spelling[character]
    if character.isspace() or unicodedata.category(character) == "Cc":
        return " "
    decomposed = unicodedata.normalize("NFKD", character)
    bare = "".join(part for part in decomposed if not unicodedata.combining(part))
    if bare and all(" " <= part <= "~" for part in bare):
        return bare
    # What only marks its neighbour, or formats it, leaves nothing behind.
    return "" if unicodedata.category(character) in {"Mn", "Me", "Cf"} else _UNKNOWN
