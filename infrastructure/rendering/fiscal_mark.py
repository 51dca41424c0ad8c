"""What an authority or a chain has given a document, as it stands below the amounts: QR code and fields.

Content holds it as `fiscal: {authority?, uuid?, stampedAt?, qr?, chainHash?}`; without it nothing is drawn.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import formats_of
from infrastructure.rendering.house_style import (
    ACCENT_LABEL,
    COLUMN_GAP,
    HAIRLINE,
    INK,
    INNER_LEFT,
    INNER_RIGHT,
    LABEL,
    LEADING,
    LEFT,
    TEXT_WIDTH,
)
from infrastructure.rendering.qr_code import draw_qr_code
from infrastructure.rendering.sheet import Style
from infrastructure.rendering.typefaces import clean, width, wrap

_QR_SIZE = 88.0
_GAP_ABOVE = 26.0
_TITLE_HEIGHT = 13.0
_VALUE = Style(8.2, INK)
_MOST_QR_BYTES = 800
"""A longer text would make squares too small to be read from paper; it is printed instead."""


class _FiscalWords(NamedTuple):
    title: str
    authority: str
    uuid: str
    stamped_at: str
    chain_hash: str
    qr: str


_WORDS = {
    "en": _FiscalWords("Fiscal record", "Authority", "UUID", "Stamped", "Chain hash", "QR code text"),
    "es": _FiscalWords(
        "Registro fiscal", "Autoridad", "UUID", "Timbrado", "Huella de cadena", "Texto del código QR"
    ),
    "de": _FiscalWords(
        "Steuerliche Angaben", "Behörde", "UUID", "Gestempelt", "Kettenhash", "Text des QR-Codes"
    ),
}


class FiscalMark:
    """The mark of one content."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._fiscal: dict[str, Any] = content.get("fiscal", {})
        self._words = _WORDS[content["language"]]
        self._formats = formats_of(content["language"], content["countryCode"])
        qr = self._fiscal.get("qr", "")
        self._qr = qr if len(qr.encode()) <= _MOST_QR_BYTES else ""

    def draw(self, flow: Flow) -> None:
        """Draws it on one page, this or the next, where a page can hold it."""
        if not self._fiscal:
            return
        x = INNER_LEFT + (_QR_SIZE + 2 * COLUMN_GAP if self._qr else 0.0)
        value_x = x + COLUMN_GAP + max(width(label, LABEL.weight, LABEL.size) for label, _ in self._fields())
        lines = [
            (label if index == 0 else "", line)
            for label, value in self._fields()
            for index, line in enumerate(
                wrap(clean(value), _VALUE.weight, _VALUE.size, INNER_RIGHT - value_x)
            )
        ]
        height = max(_TITLE_HEIGHT + LEADING * len(lines), _QR_SIZE if self._qr else 0.0)
        flow.need(_GAP_ABOVE + min(height, flow.fresh_room - _GAP_ABOVE))
        flow.y -= _GAP_ABOVE
        flow.page.rule(LEFT, flow.y + _GAP_ABOVE / 2, TEXT_WIDTH, 0.4, HAIRLINE)
        if self._qr:
            draw_qr_code(flow.page, self._qr, INNER_LEFT, flow.y - _QR_SIZE, _QR_SIZE)
        flow.page.text(x, flow.y - 8, ACCENT_LABEL, self._words.title)
        flow.y -= _TITLE_HEIGHT
        for label, line in lines:
            flow.need(LEADING)
            flow.y -= LEADING
            if label:
                flow.page.text(x, flow.y, LABEL, label)
            flow.page.text(value_x, flow.y, _VALUE, line)

    def _fields(self) -> Iterator[tuple[str, str]]:
        fiscal, words, formats = self._fiscal, self._words, self._formats
        if authority := fiscal.get("authority"):
            yield words.authority, authority
        if uuid := fiscal.get("uuid"):
            yield words.uuid, uuid
        if stamped_at := fiscal.get("stampedAt"):
            yield words.stamped_at, formats.moment(stamped_at)
        if chain_hash := fiscal.get("chainHash"):
            yield words.chain_hash, chain_hash
        if not self._qr and (qr := fiscal.get("qr")):
            yield words.qr, qr
