"""The embedded typefaces: which font draws a character, how wide a text is and where it may break.

Fonts are parsed once a process. Documents of a language embed the same first subset (ASCII and what these
documents need besides, their alphabet), whose bytes are made once; only rarer characters cost a subset of
their own.
"""

import copy
import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reportlab.lib import rl_accel
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFDocument, PDFObject
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

_GERMAN = "£€¥\u202f–—·•’“”„…×°²äöüÄÖÜß§éèáóñçø"
"""The same of documents in German."""

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


class _Prepared(PDFObject):  # type: ignore[misc]
    """A PDF object whose bytes are known, but for the references to others that go where `%b` stands."""

    def __init__(self, pattern: bytes, *references: Any) -> None:
        self._pattern = pattern
        self._references = references

    def format(self, document: Any) -> bytes:
        """The bytes, with the references as they are numbered in the document."""
        if not self._references:
            return self._pattern
        return self._pattern % tuple(reference.format(document) for reference in self._references)


class _CommonSubset(NamedTuple):
    """The four PDF objects of a weight's common subset, as patterns; made once a process."""

    to_unicode: bytes
    font_file: bytes
    descriptor: bytes
    font: bytes

    def add(self, document: Any, internal_name: str) -> None:
        """Adds the objects to a document, numbered in the order in which reportlab would."""

        def added(pattern: bytes, *references: Any) -> Any:
            return document.Reference(_Prepared(pattern, *references))

        to_unicode = added(self.to_unicode)
        descriptor = added(self.descriptor, added(self.font_file))
        name = _Prepared(b"/" + internal_name.encode())
        font = added(self.font, descriptor, name, to_unicode)
        document.idToObject["BasicFonts"].dict[internal_name] = font


class _EmbeddedFont(TTFont):  # type: ignore[misc]
    """A TrueType font; a text weight's common subset is described once a process, not once a document."""

    def addObjects(self, doc: Any) -> None:  # noqa: N802
        """Adds the subsets that the document uses; called by reportlab when the document is saved."""
        state = self.state[doc]
        # The fallback has no common subset: its first one is made of what this document needs.
        if self.fontName in _WEIGHTS and len(state.subsets) == 1:
            internal_name = self.getSubsetInternalName(0, doc)[1:]
            _common_subset(self.fontName, state.alphabet).add(doc, internal_name)
            del self.state[doc]
        else:
            super().addObjects(doc)


def accelerator_in_use() -> bool:
    """Whether reportlab's C accelerator measures the strings; without it rendering takes far longer."""
    return "instanceStringWidthTTF" in rl_accel._c_funcs


def warm_up() -> None:
    """Parses all fonts, so that the first document of a process is as quick as the others."""
    for name in _FILES:
        _coverage(name)


def alphabet_of(language: str) -> str:
    """What documents in the language commonly hold beside ASCII."""
    return _GERMAN if language == "de" else _COMMON


def begin_document(document: Any, alphabet: str) -> None:
    """Gives a reportlab document the common first subset; to be called before any text is drawn in it."""
    for weight in _WEIGHTS:
        font = _font(weight)
        state = copy.copy(_common_state(weight, alphabet))
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


@lru_cache(maxsize=16_384)
def common_literal(text: str, weight: Weight, alphabet: str) -> str | None:
    """The text as a PDF string literal in the common subset, the same always; None if it needs more."""
    codes = _common_state(weight, alphabet).assignments
    encoded = [codes.get(ord(character)) for character in text.replace("\N{NO-BREAK SPACE}", " ")]
    return None if None in encoded else str(rl_accel.escapePDF(bytes(encoded)))


def common_font(weight: Weight, document: Any) -> str:
    """The name of the common subset in a begun document, which embeds it from now on."""
    return str(_font(weight).getSubsetInternalName(0, document))


def literals(text: str, weight: Weight, document: Any) -> list[tuple[str, str]]:
    """The text as (font name in the document, PDF string literal) in the subsets of a begun document."""
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
def _common_state(name: str, alphabet: str) -> Any:
    font = _font(name)
    probe = type("Probe", (), {})()
    font.splitString(alphabet, probe)
    state = font.state.pop(probe)
    state.nextCode = _NEXT_SUBSET
    state.alphabet = alphabet
    return state


@cache
def _common_subset(weight: str, alphabet: str) -> _CommonSubset:
    """What reportlab would add to a document for the common subset, with its references taken out."""
    font = _font(weight)
    probe = PDFDocument(compression=0, invariant=1)
    begin_document(probe, alphabet)
    internal_name = font.getSubsetInternalName(0, probe)
    TTFont.addObjects(font, probe)
    described = probe.idToObject[internal_name[1:]]
    to_unicode = probe.idToObject[described.ToUnicode.name]
    descriptor = probe.idToObject[described.FontDescriptor.name]
    font_file = probe.idToObject[descriptor.dict["FontFile2"].name]
    reference = _Prepared(b"%b")
    described.ToUnicode = described.FontDescriptor = descriptor.dict["FontFile2"] = reference
    named = b"/Name " + internal_name.encode()
    return _CommonSubset(
        to_unicode=to_unicode.format(probe),
        font_file=font_file.format(probe),
        descriptor=descriptor.format(probe),
        font=described.format(probe).replace(named, b"/Name %b"),
    )


def _remembering_common(make_subset: Callable[[list[int]], bytes]) -> Callable[[list[int]], bytes]:
    """Keeps the bytes of common subsets, which many documents have; others are made as they come."""
    common = {tuple(map(ord, alphabet)) for alphabet in (_COMMON, _GERMAN)}
    made: dict[tuple[int, ...], bytes] = {}

    def made_once(subset: list[int]) -> bytes:
        key = tuple(subset)
        if key[1 : len(_COMMON) + 1] not in common:
            return make_subset(subset)
        if key not in made:
            made[key] = make_subset(subset)
        return made[key]

    return made_once
