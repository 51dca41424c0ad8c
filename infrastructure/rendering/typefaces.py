"""The embedded typefaces: which font draws a character, how wide a text is and where it may break.

Fonts are parsed once a process. Every document embeds the same first subset (ASCII and what English and
Spanish documents need besides), whose bytes are made once; only rarer characters cost a subset of their own.
"""

import copy
import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from reportlab.lib import rl_accel
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFObject
from reportlab.pdfbase.ttfonts import TTFont

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Drawn where no font has the character, so that a reader sees that something stood there."""

_FOLDER = Path(__file__).parent / "fonts"
_FILES = {
    "NotoSans": "NotoSans-Regular.ttf",
    "NotoSans-Bold": "NotoSans-Bold.ttf",
    "DroidSansFallback": "DroidSansFallback.ttf",
}
_COMMON = "£€¥\u202f–—·•’“”…×°²áéíóúüñÁÉÍÓÚÑ¿¡º"
"""With ASCII, the first subset; at most the 31 characters that fit below the space. Part of the template."""

Weight = Literal["NotoSans", "NotoSans-Bold"]
"""The two weights of the text face, by the names under which reportlab knows them."""

REGULAR: Weight = "NotoSans"
BOLD: Weight = "NotoSans-Bold"
_WEIGHTS = (REGULAR, BOLD)
_FALLBACK = "DroidSansFallback"

_NEXT_SUBSET = 256
_IDEOGRAPHS = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
_CLOSING = "、。，．！？：；）」』】〕》…"
_PIECE = re.compile(rf"(\s*)([{_IDEOGRAPHS}][{_CLOSING}]*|[^\s{_IDEOGRAPHS}]+)")


class _Formatted(PDFObject):  # type: ignore[misc]
    """A PDF object whose bytes are known."""

    def __init__(self, formatted: bytes) -> None:
        self._bytes = formatted

    def format(self, document: Any) -> bytes:
        """The bytes, in whichever document."""
        return self._bytes


class _EmbeddedFont(TTFont):  # type: ignore[misc]
    """A TrueType font; a text weight's common subset is described once a process, not once a document."""

    _common_widths: _Formatted | None = None

    def addObjects(self, doc: Any) -> None:  # noqa: N802
        """Adds the subsets that the document uses; called by reportlab when the document is saved."""
        name = self.state[doc].internalName
        super().addObjects(doc)
        if self.fontName not in _WEIGHTS:
            # The fallback has no common subset: its first one is made of what this document needs.
            return
        common = doc.idToObject["BasicFonts"].dict[f"{name}+0"]
        if self._common_widths is None:
            self._common_widths = _Formatted(common.Widths.format(doc))
        common.Widths = self._common_widths


def accelerator_in_use() -> bool:
    """Whether reportlab's C accelerator measures the strings; without it rendering takes far longer."""
    return "instanceStringWidthTTF" in rl_accel._c_funcs


def warm_up() -> None:
    """Parses all fonts, so that the first document of a process is as quick as the others."""
    for name in _FILES:
        _coverage(name)


def begin_document(document: Any) -> None:
    """Gives a reportlab document the common first subset; to be called before any text is drawn in it."""
    for weight in _WEIGHTS:
        font = _font(weight)
        state = copy.copy(_common_state(weight))
        state.assignments = dict(state.assignments)
        state.subsets = [list(subset) for subset in state.subsets]
        font.state[document] = state


def clean(text: str) -> str:
    """Foreign text as it is drawn: composed characters (no font places accents), single spaces, no breaks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def runs(text: str, weight: Weight) -> list[tuple[str, str]]:
    """The text as (font name, part) by glyph coverage; a character that no font has becomes `REPLACEMENT`."""
    if _coverage(weight).issuperset(text):
        return [(weight, text)]
    parts: list[tuple[str, str]] = []
    for character in text:
        font, drawn = _drawn_by(character, weight)
        if parts and parts[-1][0] == font:
            parts[-1] = (font, parts[-1][1] + drawn)
        else:
            parts.append((font, drawn))
    return parts


def literals(text: str, weight: Weight, document: Any) -> list[tuple[str, str]]:
    """The text as (font name in the document, PDF string literal) in the subsets of a begun document."""
    common = _common_literal(text, weight)
    if common is not None:
        return [(_font(weight).getSubsetInternalName(0, document), common)]
    parts = []
    for name, part in runs(text, weight):
        font = _font(name)
        for subset, encoded in font.splitString(part, document):
            parts.append((font.getSubsetInternalName(subset, document), rl_accel.escapePDF(encoded)))
    return parts


def width(text: str, weight: Weight, size: float) -> float:
    """The text's width in points at the font size."""
    return _width_of_thousand(text, weight) * size / 1000


def wrap(text: str, weight: Weight, size: float, max_width: float) -> list[str]:
    """The text in lines no wider than `max_width` points; a longer word is broken anywhere.

    Lines break at spaces and beside ideographs. The text has been through `clean`; an empty one is one line.
    """
    if width(text, weight, size) <= max_width:
        return [text]
    lines: list[str] = []
    line, line_width = "", 0.0
    for space, piece in _PIECE.findall(text):
        gap = space if line else ""
        piece_width = width(piece, weight, size)
        gap_width = width(gap, weight, size) if gap else 0.0
        if line_width + gap_width + piece_width <= max_width:
            line, line_width = line + gap + piece, line_width + gap_width + piece_width
            continue
        if line:
            lines.append(line)
        *full, line = _broken(piece, weight, size, max_width) if piece_width > max_width else [piece]
        lines.extend(full)
        line_width = width(line, weight, size)
    return [*lines, line]


def shorten(text: str, weight: Weight, size: float, max_width: float) -> str:
    """The text, or as much of it as fits with an ellipsis; only for what stands in full elsewhere."""
    if width(text, weight, size) <= max_width:
        return text
    first = _broken(text, weight, size, max_width - width("…", weight, size))[0]
    return first.rstrip() + "…"


def _broken(word: str, weight: Weight, size: float, max_width: float) -> list[str]:
    parts: list[str] = []
    part, part_width = "", 0.0
    for character in word:
        character_width = width(character, weight, size)
        if part and part_width + character_width > max_width and not unicodedata.combining(character):
            parts.append(part)
            part, part_width = "", 0.0
        part, part_width = part + character, part_width + character_width
    return [*parts, part]


@lru_cache(maxsize=16_384)
def _width_of_thousand(text: str, weight: Weight) -> float:
    widths = (_font(name).stringWidth(part, 1000) for name, part in runs(text, weight))
    return float(sum(widths))


@lru_cache(maxsize=16_384)
def _common_literal(text: str, weight: Weight) -> str | None:
    """The text's literal in the common subset, the same in every document; None if it needs others."""
    codes = _common_state(weight).assignments
    encoded = [codes.get(ord(character)) for character in text.replace("\N{NO-BREAK SPACE}", " ")]
    return None if None in encoded else str(rl_accel.escapePDF(bytes(encoded)))


def _drawn_by(character: str, weight: Weight) -> tuple[str, str]:
    if character in _coverage(weight):
        return weight, character
    if character in _coverage(_FALLBACK):
        return _FALLBACK, character
    return weight, REPLACEMENT


@cache
def _coverage(name: str) -> frozenset[str]:
    face = _font(name).face
    return frozenset(chr(code) for code, glyph in face.charToGlyph.items() if glyph)


@cache
def _font(name: str) -> Any:
    font = _EmbeddedFont(name, str(_FOLDER / _FILES[name]), asciiReadable=True, shapable=False)
    font.face.makeSubset = _remembering_common(font.face.makeSubset)
    pdfmetrics.registerFont(font)
    return font


@cache
def _common_state(name: str) -> Any:
    font = _font(name)
    probe = type("Probe", (), {})()
    font.splitString(_COMMON, probe)
    state = font.state.pop(probe)
    state.nextCode = _NEXT_SUBSET
    return state


def _remembering_common(make_subset: Callable[[list[int]], bytes]) -> Callable[[list[int]], bytes]:
    """Keeps the bytes of the common subset, which every document has; others are made as they come."""
    common = tuple(map(ord, _COMMON))
    made: dict[tuple[int, ...], bytes] = {}

    def made_once(subset: list[int]) -> bytes:
        key = tuple(subset)
        if key[1 : len(common) + 1] != common:
            return make_subset(subset)
        if key not in made:
            made[key] = make_subset(subset)
        return made[key]

    return made_once
