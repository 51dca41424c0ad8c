"""The table of lines: columns as wide as their contents, wrapped descriptions, sums carried over pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import (
    ACCENT,
    BODY,
    BODY_BOLD,
    HAIRLINE,
    INNER_LEFT,
    INNER_RIGHT,
    LABEL,
    LEADING,
    LEFT,
    RIGHT,
    SMALL,
)
from infrastructure.rendering.sheet import Page, Style
from infrastructure.rendering.typefaces import clean, width, wrap
from infrastructure.rendering.wording import SheetWords

_GAP = 12.0
_ROW_PADDING = 5.4
_HEAD_HEIGHT = 19.0
_STRIP_HEIGHT = 19.0
_WIDEST_MARK = 76.0
_NARROWEST_DESCRIPTION = 130.0


class TableHead(NamedTuple):
    """The labels of the columns; `numbers` are those that stand flush right."""

    mark: str
    description: str
    numbers: tuple[str, ...]


class Row(NamedTuple):
    """One line: a short `mark` before its description, if it has one, and its numbers as text.

    `amount_minor` is what it adds to the sums that are carried over pages, minor units; `details` stand
    below the description, small.
    """

    mark: str | None
    description: str
    numbers: tuple[str, ...]
    amount_minor: int
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class _WrappedRow:
    """A row, ready to be drawn; a line of its description is in the style of a detail or not."""

    mark: list[str]
    description: list[tuple[Style, str]]
    numbers: tuple[str, ...]
    amount_minor: int

    @property
    def line_count(self) -> int:
        """How many lines of text the row takes."""
        return max(len(self.mark), len(self.description))

    @property
    def height(self) -> float:
        """How many points it takes on one page."""
        return self.line_count * LEADING + _ROW_PADDING


class LineTable:
    """Lines to be drawn into a flow; `amount_minor` sums what has been drawn.

    `shown` writes an amount of minor units; `narrowed` makes the columns of numbers fit their room:
    `fair_widths`, or `equal_widths` with which `receipt/1` is frozen. Whoever extracts the text finds a row's
    numbers after its whole description, or with `numbers_first` after the first line of it, as the first
    templates are frozen.
    """

    def __init__(
        self,
        head: TableHead,
        rows: Sequence[Row],
        words: SheetWords,
        shown: Callable[[int], str],
        narrowed: Callable[[list[float], float], list[float]],
        *,
        numbers_first: bool,
    ) -> None:
        self.amount_minor = 0
        self._head = head
        self._words = words
        self._shown = shown
        self._narrowed = narrowed
        self._numbers_first = numbers_first
        self._lay_columns(rows)
        self._rows = [self._wrapped(row) for row in rows]

    def draw(self, flow: Flow) -> None:
        """Draws all lines; a line is kept on one page if a page can hold it."""
        flow.need(_HEAD_HEIGHT + 3 * LEADING + _STRIP_HEIGHT)
        self._draw_head(flow)
        fresh_room = flow.fresh_room - _HEAD_HEIGHT - 2 * _STRIP_HEIGHT
        for row in self._rows:
            if flow.room - _STRIP_HEIGHT < row.height <= fresh_room:
                self._turn(flow)
            self._draw_row(flow, row, may_turn=True)

    @property
    def height(self) -> float:
        """How many points the table takes on one page."""
        return _HEAD_HEIGHT + sum(row.height for row in self._rows)

    def draw_together(self, flow: Flow) -> None:
        """Draws all lines on one page, this or the next, where a page can hold them; else as `draw` does."""
        if self.height > flow.fresh_room:
            self.draw(flow)
            return
        flow.need(self.height)
        self._draw_head(flow)
        for row in self._rows:
            self._draw_row(flow, row, may_turn=False)

    def carry(self, flow: Flow) -> None:
        """Turns the page with the sum so far below the old and above the new."""
        self._draw_strip(flow, self._words.carried_forward)
        flow.turn()
        self._draw_strip(flow, self._words.brought_forward)

    def _turn(self, flow: Flow) -> None:
        self._draw_strip(flow, self._words.carried_forward)
        flow.turn()
        self._draw_head(flow)
        self._draw_strip(flow, self._words.brought_forward)

    def _lay_columns(self, rows: Sequence[Row]) -> None:
        """Numbers stand flush right in columns as wide as the widest; the description has the rest."""
        marks = [clean(row.mark) for row in rows if row.mark is not None]
        mark_width = max(_width(mark, SMALL) for mark in (*marks, self._head.mark))
        self._mark_width = min(mark_width, _WIDEST_MARK) if marks else 0.0
        self._description_x = INNER_LEFT + self._mark_width + (_GAP if marks else 0.0)
        labels = self._head.numbers
        widths = [
            max(_width(label, LABEL), *(_width(text, BODY) for text in set(texts)))
            for label, texts in zip(labels, zip(*(row.numbers for row in rows), strict=True), strict=True)
        ]
        room = INNER_RIGHT - self._description_x
        if room - sum(widths) - _GAP * len(widths) < _NARROWEST_DESCRIPTION:
            widths = self._narrowed(widths, room - _NARROWEST_DESCRIPTION)
        columns = []
        edge = INNER_RIGHT
        for label, column_width in reversed(list(zip(labels, widths, strict=True))):
            columns.append((label, edge, column_width))
            edge -= column_width + _GAP
        self._columns = tuple(reversed(columns))
        self._description_width = edge - self._description_x

    def _wrapped(self, row: Row) -> _WrappedRow:
        return _WrappedRow(
            mark=[]
            if row.mark is None
            else wrap(clean(row.mark), SMALL.weight, SMALL.size, self._mark_width),
            description=[
                *self._wrapped_text(row.description, BODY),
                *(line for detail in row.details for line in self._wrapped_text(detail, SMALL)),
            ],
            numbers=row.numbers,
            amount_minor=row.amount_minor,
        )

    def _wrapped_text(self, text: str, style: Style) -> list[tuple[Style, str]]:
        return [
            (style, line) for line in wrap(clean(text), style.weight, style.size, self._description_width)
        ]

    def _draw_head(self, flow: Flow) -> None:
        y = flow.y - 11
        if self._mark_width:
            flow.page.text(INNER_LEFT, y, LABEL, self._head.mark)
        flow.page.text(self._description_x, y, LABEL, self._head.description)
        for label, edge, column_width in self._columns:
            flow.page.text_right(edge, y, fitted(label, LABEL, column_width), label)
        flow.y -= _HEAD_HEIGHT
        flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.9, ACCENT)

    def _draw_row(self, flow: Flow, row: _WrappedRow, *, may_turn: bool) -> None:
        for index in range(row.line_count):
            if may_turn and flow.room - _STRIP_HEIGHT < LEADING + _ROW_PADDING:
                self._turn(flow)
            flow.y -= LEADING
            if index < len(row.mark):
                flow.page.text(INNER_LEFT, flow.y, SMALL, row.mark[index])
            if index < len(row.description):
                flow.page.text(self._description_x, flow.y, *row.description[index])
            if index == 0:
                first_page, first_y = flow.page, flow.y
                self.amount_minor += row.amount_minor
                if self._numbers_first:
                    self._draw_numbers(first_page, first_y, row)
        if not self._numbers_first:
            self._draw_numbers(first_page, first_y, row)
        flow.y -= _ROW_PADDING
        flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.4, HAIRLINE)

    def _draw_numbers(self, page: Page, y: float, row: _WrappedRow) -> None:
        for text, (_, edge, column_width) in zip(row.numbers, self._columns, strict=True):
            page.text_right(edge, y, fitted(text, BODY, column_width), text)

    def _draw_strip(self, flow: Flow, label: str) -> None:
        amount = self._shown(self.amount_minor)
        y = flow.y - 12.5
        flow.page.text_right(INNER_RIGHT - _width(amount, BODY_BOLD) - _GAP, y, SMALL, label)
        flow.page.text_right(INNER_RIGHT, y, BODY_BOLD, amount)
        flow.y -= _STRIP_HEIGHT
        flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.4, HAIRLINE)


def shown_quantity(line: dict[str, Any], words: SheetWords, formats: Formats) -> str:
    """A line's quantity with the symbol of its unit: `2.500 kg`."""
    quantity = formats.decimal(line["quantity"])
    unit_code = line.get("unitCode", "")
    if unit := words.units.get(unit_code, unit_code):
        quantity = f"{quantity} {clean(unit)}"
    return quantity


def shown_price(line: dict[str, Any], currency_code: str, formats: Formats) -> str:
    """A line's price for one, as fine as it was given."""
    if "unitPrice" in line:
        return formats.decimal(line["unitPrice"])
    return formats.amount(line["unitAmount"], currency_code)


def fair_widths(widths: list[float], room: float) -> list[float]:
    """Column widths that, with a gap each, share `room` points: what narrow ones leave, wide ones have."""
    fair = list(widths)
    left = room - _GAP * len(widths)
    by_width = sorted(range(len(widths)), key=widths.__getitem__)
    for place, index in enumerate(by_width):
        fair[index] = min(widths[index], left / (len(widths) - place))
        left -= fair[index]
    return fair


def equal_widths(widths: list[float], room: float) -> list[float]:
    """Column widths of which none, with its gap, is above its part of `room`, whatever others need."""
    widest = room / len(widths) - _GAP
    return [min(natural, widest) for natural in widths]


def fitted(text: str, style: Style, max_width: float) -> Style:
    """The style, in a smaller size if the text would be wider than `max_width` points."""
    text_width = _width(text, style)
    return style if text_width <= max_width else style._replace(size=style.size * max_width / text_width)


def _width(text: str, style: Style) -> float:
    return width(text, style.weight, style.size)
