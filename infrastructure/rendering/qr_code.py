"""QR codes as boxes on a page, of modules that reportlab's own encoder finds (ISO/IEC 18004)."""

from collections.abc import Iterator
from itertools import groupby

from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

from infrastructure.rendering.house_style import INK
from infrastructure.rendering.sheet import Page

_QUIET_MODULES = 2
"""Light modules around the code; the white paper beyond adds the other two that readers want."""


def draw_qr_code(page: Page, text: str, x: float, y: float, size: float) -> None:
    """Draws the text's code in a square of `size` points whose lower left corner is (x, y)."""
    rows = _dark_modules(text)
    module = size / (len(rows) + 2 * _QUIET_MODULES)
    for row, dark in enumerate(rows):
        top = y + size - (row + _QUIET_MODULES + 1) * module
        for column, length in _runs(dark):
            page.box(x + (column + _QUIET_MODULES) * module, top, length * module, module, INK)


def _dark_modules(text: str) -> list[list[bool]]:
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(QR8bitByte(text))
    code.make()
    count = code.getModuleCount()
    return [[bool(code.isDark(row, column)) for column in range(count)] for row in range(count)]


def _runs(dark: list[bool]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin in a row and how many follow, so that no hairline shows between them."""
    column = 0
    for is_dark, modules in groupby(dark):
        length = len(list(modules))
        if is_dark:
            yield column, length
        column += length
