"""A reportlab canvas as its guide shows it (fonts, measured strings, "page n of m"), and babel's numbers.

Nothing is remembered from one document to the next. Only for processes that draw nothing else: reportlab
shares a typeface between fonts, and the service's own has been taught to remember.
"""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.numbers import format_currency, format_decimal
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from domain.kernel.money import minor_exponent
from infrastructure import rendering
from infrastructure.rendering.sheet import PAGE_HEIGHT, PAGE_WIDTH, Colour, Style

_FILES = {
    "NotoSans": "NotoSans-Regular.ttf",
    "NotoSans-Bold": "NotoSans-Bold.ttf",
    "DroidSansFallback": "DroidSansFallback.ttf",
}
_FALLBACK = "DroidSansFallback"
_IDEOGRAPHS = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
_CLOSING = "、。，．！？：；）」』】〕》…"
_PIECE = re.compile(rf"(\s*)([{_IDEOGRAPHS}][{_CLOSING}]*|[^\s{_IDEOGRAPHS}]+)")


@cache
def characters_of(font: str) -> frozenset[int]:
    """The code points that a font can draw; the first call registers it, once a process."""
    folder = Path(str(rendering.__path__[0])) / "fonts"
    registered = TTFont(font, str(folder / _FILES[font]))
    pdfmetrics.registerFont(registered)
    return frozenset(code for code, glyph in registered.face.charToGlyph.items() if glyph)


def register_fonts() -> None:
    """Parses and registers every font."""
    for font in _FILES:
        characters_of(font)


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """The guide's recipe: pages are kept until their number is known, then each gets its footer."""

    def __init__(self, *arguments: Any, footer: Callable[["NumberedCanvas", int, int], None], **options: Any):
        super().__init__(*arguments, **options)
        self._kept: list[dict[str, Any]] = []
        self._footer = footer

    def showPage(self) -> None:  # noqa: N802
        """Keeps the page and begins another."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Writes the pages."""
        kept = self._kept
        for number, page in enumerate(kept, start=1):
            self.__dict__.update(page)
            self._footer(self, number, len(kept))
            super().showPage()
        super().save()


def new_canvas(
    language: str, footer: Callable[[NumberedCanvas, int, int], None]
) -> tuple[NumberedCanvas, BytesIO]:
    """A canvas that writes into a buffer, without compression and without the clock, as our documents are."""
    register_fonts()
    buffer = BytesIO()
    canvas = NumberedCanvas(
        buffer,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        pageCompression=0,
        invariant=1,
        lang=language,
        initialFontName="NotoSans",
        footer=footer,
    )
    return canvas, buffer


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """The text as (font, part), by which font has the characters."""
    if characters_of(font).issuperset(map(ord, text)):
        return [(font, text)]
    parts: list[tuple[str, str]] = []
    for character in text:
        chosen, drawn = font, character
        if ord(character) not in characters_of(font):
            if ord(character) in characters_of(_FALLBACK):
                chosen = _FALLBACK
            else:
                drawn = "\N{REPLACEMENT CHARACTER}"
        if parts and parts[-1][0] == chosen:
            parts[-1] = (chosen, parts[-1][1] + drawn)
        else:
            parts.append((chosen, drawn))
    return parts


def width(text: str, style: Style) -> float:
    """The text's width in points."""
    return float(
        sum(pdfmetrics.stringWidth(part, font, style.size) for font, part in runs(text, style.weight))
    )


def draw(canvas: Canvas, x: float, y: float, style: Style, text: str) -> None:
    """A text that starts at x."""
    canvas.setFillColorRGB(*style.colour)
    for font, part in runs(text, style.weight):
        canvas.setFont(font, style.size)
        canvas.drawString(x, y, part)
        x += pdfmetrics.stringWidth(part, font, style.size)


def draw_right(canvas: Canvas, x: float, y: float, style: Style, text: str) -> None:
    """A text that ends at x."""
    draw(canvas, x - width(text, style), y, style, text)


def box(canvas: Canvas, x: float, y: float, box_width: float, height: float, colour: Colour) -> None:
    """A filled rectangle."""
    canvas.setFillColorRGB(*colour)
    canvas.rect(x, y, box_width, height, stroke=0, fill=1)


def clean(text: str) -> str:
    """Composed characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def wrap(text: str, style: Style, room: float) -> list[str]:
    """The text in lines of at most `room` points, broken at spaces and beside ideographs."""
    if width(text, style) <= room:
        return [text]
    lines, line = [], ""
    for space, piece in _PIECE.findall(text):
        longer = line + (space if line else "") + piece
        if width(longer, style) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _broken(piece, style, room)
        lines += full
    return [*lines, line]


def shorten(text: str, style: Style, room: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width(text, style) <= room:
        return text
    return _broken(text, style, room - width("…", style))[0].rstrip() + "…"


def _broken(word: str, style: Style, room: float) -> list[str]:
    parts = [""]
    for character in word:
        if parts[-1] and width(parts[-1] + character, style) > room and not unicodedata.combining(character):
            parts.append("")
        parts[-1] += character
    return parts


def amount(amount_minor: int, currency: str, locale: Locale) -> str:
    """An amount without its currency."""
    exponent = minor_exponent(currency)
    return _number(Decimal(amount_minor).scaleb(-exponent), exponent, locale)


def decimal(given: str, locale: Locale) -> str:
    """A decimal string with the decimals that it was given with."""
    return _number(Decimal(given), len(given.partition(".")[2]), locale)


def money(amount_minor: int, currency: str, locale: Locale) -> str:
    """An amount with its currency."""
    exponent = minor_exponent(currency)
    pattern = str(locale.currency_formats["standard"].pattern).replace("0.00", "0" + _fraction(exponent))
    value = Decimal(amount_minor).scaleb(-exponent)
    text = format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)
    return re.sub(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])", "\N{NO-BREAK SPACE}", text)


def _number(value: Decimal, decimals: int, locale: Locale) -> str:
    whole = str(locale.decimal_formats[None].pattern).split(".")[0]
    return format_decimal(value, format=whole + _fraction(decimals), locale=locale)


def _fraction(decimals: int) -> str:
    return "." + "0" * decimals if decimals else ""
