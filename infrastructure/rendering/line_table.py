"""The table of lines: columns as wide as their contents, wrapped descriptions, sums carried over pages."""

from dataclasses import dataclass
from typing import Any

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
from infrastructure.rendering.sheet import Style
from infrastructure.rendering.typefaces import clean, width, wrap
from infrastructure.rendering.wording import ReceiptWords

_GAP = 12.0
_ROW_PADDING = 5.4
_HEAD_HEIGHT = 19.0
_STRIP_HEIGHT = 19.0
_WIDEST_SKU = 76.0
_NARROWEST_DESCRIPTION = 130.0


@dataclass(frozen=True)
class Row:
    """One line, ready to be drawn; `numbers` are quantity, unit price, discount and amount as text."""

    sku: list[str]
    description: list[str]
    numbers: tuple[str, ...]
    amount_minor: int

    @property
    def line_count(self) -> int:
        """How many lines of text the row takes."""
        return max(len(self.sku), len(self.description))


class LineTable:
    """The lines of a document's content, drawn into a flow; `amount_minor` sums what has been drawn."""

    def __init__(self, content: dict[str, Any], words: ReceiptWords, formats: Formats) -> None:
        self.amount_minor = 0
        self._currency = content["currencyUomId"]
        self._words = words
        self._formats = formats
        lines = content["lines"]
        self._has_discounts = any("discountAmount" in line for line in lines)
        labels = (
            words.quantity,
            words.unit_price,
            *((words.discount,) if self._has_discounts else ()),
            words.amount.format(currency=self._currency),
        )
        numbers = [self._numbers(line) for line in lines]
        self._lay_columns(lines, labels, numbers)
        self._rows = [self._row(line, texts) for line, texts in zip(lines, numbers, strict=True)]

    def draw(self, flow: Flow) -> None:
        """Draws all lines; a line is kept on one page if a page can hold it."""
        flow.need(_HEAD_HEIGHT + 3 * LEADING + _STRIP_HEIGHT)
        self._draw_head(flow)
        fresh_room = flow.fresh_room - _HEAD_HEIGHT - 2 * _STRIP_HEIGHT
        for row in self._rows:
            height = row.line_count * LEADING + _ROW_PADDING
            if flow.room - _STRIP_HEIGHT < height <= fresh_room:
                self._turn(flow)
            for index in range(row.line_count):
                if flow.room - _STRIP_HEIGHT < LEADING + _ROW_PADDING:
                    self._turn(flow)
                self._draw_text_line(flow, row, index)
            flow.y -= _ROW_PADDING
            flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.4, HAIRLINE)

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

    def _numbers(self, line: dict[str, Any]) -> tuple[str, ...]:
        formats, currency = self._formats, self._currency
        quantity = formats.decimal(line["quantity"])
        unit_code = line.get("unitCode", "")
        if unit := self._words.units.get(unit_code, unit_code):
            quantity = f"{quantity} {clean(unit)}"
        if "unitPrice" in line:
            price = formats.decimal(line["unitPrice"])
        else:
            price = formats.amount(line["unitAmount"], currency)
        amount = formats.amount(line["amount"], currency)
        if not self._has_discounts:
            return quantity, price, amount
        discount = line.get("discountAmount")
        return quantity, price, formats.amount(-discount, currency) if discount else "", amount

    def _lay_columns(
        self, lines: list[dict[str, Any]], labels: tuple[str, ...], numbers: list[tuple[str, ...]]
    ) -> None:
        """Numbers stand flush right in columns as wide as the widest; the description has the rest."""
        skus = [clean(line["sku"]) for line in lines if "sku" in line]
        sku_width = max((_width(sku, SMALL) for sku in (*skus, self._words.sku)), default=0.0)
        self._sku_width = min(sku_width, _WIDEST_SKU) if skus else 0.0
        self._description_x = INNER_LEFT + self._sku_width + (_GAP if skus else 0.0)
        widths = [
            max(_width(label, LABEL), *(_width(text, BODY) for text in set(texts)))
            for label, texts in zip(labels, zip(*numbers, strict=True), strict=True)
        ]
        room = INNER_RIGHT - self._description_x
        if room - sum(widths) - _GAP * len(widths) < _NARROWEST_DESCRIPTION:
            widest = (room - _NARROWEST_DESCRIPTION) / len(widths) - _GAP
            widths = [min(natural, widest) for natural in widths]
        columns = []
        edge = INNER_RIGHT
        for label, column_width in reversed(list(zip(labels, widths, strict=True))):
            columns.append((label, edge, column_width))
            edge -= column_width + _GAP
        self._columns = tuple(reversed(columns))
        self._description_width = edge - self._description_x

    def _row(self, line: dict[str, Any], numbers: tuple[str, ...]) -> Row:
        return Row(
            sku=wrap(clean(line["sku"]), SMALL.weight, SMALL.size, self._sku_width) if "sku" in line else [],
            description=wrap(clean(line["description"]), BODY.weight, BODY.size, self._description_width),
            numbers=numbers,
            amount_minor=line["amount"],
        )

    def _draw_head(self, flow: Flow) -> None:
        y = flow.y - 11
        if self._sku_width:
            flow.page.text(INNER_LEFT, y, LABEL, self._words.sku)
        flow.page.text(self._description_x, y, LABEL, self._words.description)
        for label, edge, column_width in self._columns:
            flow.page.text_right(edge, y, fitted(label, LABEL, column_width), label)
        flow.y -= _HEAD_HEIGHT
        flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.9, ACCENT)

    def _draw_text_line(self, flow: Flow, row: Row, index: int) -> None:
        y = flow.y - LEADING
        if index < len(row.sku):
            flow.page.text(INNER_LEFT, y, SMALL, row.sku[index])
        if index < len(row.description):
            flow.page.text(self._description_x, y, BODY, row.description[index])
        if index == 0:
            for text, (_, edge, column_width) in zip(row.numbers, self._columns, strict=True):
                flow.page.text_right(edge, y, fitted(text, BODY, column_width), text)
            self.amount_minor += row.amount_minor
        flow.y = y

    def _draw_strip(self, flow: Flow, label: str) -> None:
        amount = self._formats.amount(self.amount_minor, self._currency)
        y = flow.y - 12.5
        flow.page.text_right(INNER_RIGHT - _width(amount, BODY_BOLD) - _GAP, y, SMALL, label)
        flow.page.text_right(INNER_RIGHT, y, BODY_BOLD, amount)
        flow.y -= _STRIP_HEIGHT
        flow.page.rule(LEFT, flow.y, RIGHT - LEFT, 0.4, HAIRLINE)


def fitted(text: str, style: Style, max_width: float) -> Style:
    """The style, in a smaller size if the text would be wider than `max_width` points."""
    text_width = _width(text, style)
    return style if text_width <= max_width else style._replace(size=style.size * max_width / text_width)


def _width(text: str, style: Style) -> float:
    return width(text, style.weight, style.size)
