"""The block of sums below a document's lines: labels and amounts, and the total in a band."""

from collections.abc import Sequence
from typing import NamedTuple

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.house_style import (
    ACCENT,
    HAIRLINE,
    INNER_RIGHT,
    INSET,
    LEADING,
    RIGHT,
    TOTAL,
)
from infrastructure.rendering.line_table import LineTable, fitted
from infrastructure.rendering.sheet import Style
from infrastructure.rendering.typefaces import width, wrap

_BLOCK_WIDTH = 310.0
_BAND_HEIGHT = 30.0
_PADDING = 4.2


class Sum(NamedTuple):
    """A label, an amount as text and how both look; `is_ruled` draws a line below."""

    label: str
    amount: str
    style: Style
    is_ruled: bool = False

    @property
    def lines(self) -> list[str]:
        """The label, wrapped beside its amount."""
        weight, size = self.style.weight, self.style.size
        room = _BLOCK_WIDTH - 2 * INSET - 12 - width(self.amount, weight, size)
        return wrap(self.label, weight, size, room)

    @property
    def height(self) -> float:
        """How many points it takes."""
        return len(self.lines) * LEADING + _PADDING


class Total(NamedTuple):
    """What it all comes to, with its currency."""

    label: str
    amount: str


def draw_sums(
    flow: Flow,
    table: LineTable,
    above: Sequence[Sum],
    total: Total,
    below: Sequence[Sum] = (),
    kept_height: float = 0.0,
) -> None:
    """Draws the sums flush right, on one page if they fit on any; `table` is what they sum up.

    What follows them in the next `kept_height` points is to stand on that page too.
    """
    height = sum(row.height for row in (*above, *below)) + _BAND_HEIGHT + 24 + kept_height
    if flow.room < height <= flow.fresh_room - 40:
        table.carry(flow)
    flow.y -= 8
    for row in above:
        _draw_sum(flow, row)
    flow.need(_BAND_HEIGHT + 8)
    flow.y -= 6
    _draw_total(flow, total)
    for row in below:
        _draw_sum(flow, row)


def _draw_sum(flow: Flow, row: Sum) -> None:
    flow.need(row.height)
    page, y = flow.page, flow.y
    for line in row.lines:
        y -= LEADING
        page.text(RIGHT - _BLOCK_WIDTH + INSET, y, row.style, line)
    page.text_right(INNER_RIGHT, y, row.style, row.amount)
    flow.y = y - _PADDING
    if row.is_ruled:
        page.rule(RIGHT - _BLOCK_WIDTH, flow.y, _BLOCK_WIDTH, 0.4, HAIRLINE)


def _draw_total(flow: Flow, total: Total) -> None:
    flow.y -= _BAND_HEIGHT
    baseline = flow.y + 10.5
    amount_width = _BLOCK_WIDTH - 3 * INSET - width(total.label, TOTAL.weight, TOTAL.size)
    flow.page.box(RIGHT - _BLOCK_WIDTH, flow.y, _BLOCK_WIDTH, _BAND_HEIGHT, ACCENT)
    flow.page.text(RIGHT - _BLOCK_WIDTH + INSET, baseline, TOTAL, total.label)
    flow.page.text_right(INNER_RIGHT, baseline, fitted(total.amount, TOTAL, amount_width), total.amount)
    flow.y -= 8
