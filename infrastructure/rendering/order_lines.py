"""The table of an order's lines: item, description with the taxes of the line, quantity, price and amount."""

from collections.abc import Iterator
from typing import Any

from infrastructure.rendering.formats import Formats
from infrastructure.rendering.line_table import (
    LineTable,
    Row,
    TableHead,
    equal_widths,
    fair_widths,
    shown_price,
    shown_quantity,
)
from infrastructure.rendering.typefaces import clean
from infrastructure.rendering.wording import OrderWords


def order_line_table(
    content: dict[str, Any], words: OrderWords, formats: Formats, *, as_in_receipt_1: bool = False
) -> LineTable:
    """The lines of a content, each with the taxes that it names; `receipt/1` is frozen with other columns."""
    currency = content["currencyUomId"]
    lines = content["lines"]
    has_discounts = any("discountAmount" in line for line in lines)
    head = TableHead(
        mark=words.sku,
        description=words.description,
        numbers=(
            words.quantity,
            words.unit_price,
            *((words.discount,) if has_discounts else ()),
            words.amount.format(currency=currency),
        ),
    )

    def numbers(line: dict[str, Any]) -> Iterator[str]:
        yield shown_quantity(line, words, formats)
        yield shown_price(line, currency, formats)
        if has_discounts:
            discount = line.get("discountAmount")
            yield formats.amount(-discount, currency) if discount else ""
        yield formats.amount(line["amount"], currency)

    def details(line: dict[str, Any]) -> Iterator[str]:
        for tax in line.get("taxes", ()):
            yield words.line_tax.format(
                kind=words.tax_kinds[tax["kind"]],
                rate=formats.rate(tax["rateBasisPoints"]),
                code=clean(tax["taxCode"]),
                mode=words.tax_modes[tax["mode"]],
                amount=formats.amount(tax["amount"], currency),
            )

    rows = [
        Row(line.get("sku"), line["description"], tuple(numbers(line)), line["amount"], tuple(details(line)))
        for line in lines
    ]
    return LineTable(
        head,
        rows,
        words,
        lambda amount: formats.amount(amount, currency),
        equal_widths if as_in_receipt_1 else fair_widths,
        numbers_first=as_in_receipt_1,
    )
