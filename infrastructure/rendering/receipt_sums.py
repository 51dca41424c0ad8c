"""The lower part of `receipt/1`: coupon, subtotal, fees, taxes and what was paid."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import (
    ACCENT,
    BODY,
    BODY_BOLD,
    BODY_MUTED,
    HAIRLINE,
    INNER_RIGHT,
    INSET,
    LEADING,
    RIGHT,
    SMALL,
    TOTAL,
)
from infrastructure.rendering.line_table import LineTable, fitted
from infrastructure.rendering.sheet import Style
from infrastructure.rendering.typefaces import clean, width, wrap
from infrastructure.rendering.wording import ReceiptWords

_BLOCK_WIDTH = 310.0
_BAND_HEIGHT = 30.0
_PADDING = 4.2


class _Sum(NamedTuple):
    """A label in lines, an amount and how both look; `is_ruled` draws a line below."""

    label: list[str]
    amount: str
    style: Style
    is_ruled: bool = False

    @property
    def height(self) -> float:
        return len(self.label) * LEADING + _PADDING


def draw_sums(
    flow: Flow, table: LineTable, content: dict[str, Any], words: ReceiptWords, formats: Formats
) -> None:
    """Draws the sums flush right, on one page if they fit on any."""
    above = list(_paid(content, words, formats))
    below = list(_included(content, words, formats))
    height = sum(row.height for row in (*above, *below)) + _BAND_HEIGHT + 24
    if flow.room < height <= flow.fresh_room - 40:
        table.carry(flow)
    flow.y -= 8
    for row in above:
        _draw_sum(flow, row)
    flow.need(_BAND_HEIGHT + 8)
    flow.y -= 6
    _draw_total(flow, words.total, formats.money(content["buyerTotal"], content["currencyUomId"]))
    for row in below:
        _draw_sum(flow, row)


def _paid(content: dict[str, Any], words: ReceiptWords, formats: Formats) -> Iterator[_Sum]:
    """What the total is made of. A fee or coupon of nothing is not mentioned."""

    def amount_of(amount_minor: int) -> str:
        return formats.amount(amount_minor, content["currencyUomId"])

    if coupon := content["sellerCouponDiscount"]:
        yield _sum(words.coupon, amount_of(-coupon), BODY_MUTED)
    yield _sum(words.items_subtotal, amount_of(content["itemsSubtotal"]), BODY_BOLD)._replace(is_ruled=True)
    if content["platformFeeBeforeCredits"]:
        yield _sum(words.platform_fee_before, amount_of(content["platformFeeBeforeCredits"]), BODY_MUTED)
        yield _sum(words.fee_credits, amount_of(-content["feeCreditsApplied"]), BODY_MUTED)
        yield _sum(words.platform_fee_after, amount_of(content["platformFeeAfterCredits"]), BODY)
    if content["opsFee"]:
        yield _sum(words.ops_fee, amount_of(content["opsFee"]), BODY)
    if content["processingFee"]:
        yield _sum(words.processing_fee, amount_of(content["processingFee"]), BODY)
    for tax in content["taxes"]:
        if tax["mode"] == "ADDED":
            yield _sum(_tax_label(tax, content, words, formats), amount_of(tax["amount"]), BODY)


def _included(content: dict[str, Any], words: ReceiptWords, formats: Formats) -> Iterator[_Sum]:
    """Taxes that the prices and fees already hold; they add nothing to the total."""
    included = [tax for tax in content["taxes"] if tax["mode"] == "INCLUDED"]
    if included:
        yield _sum(words.included_taxes, "", SMALL)
    for tax in included:
        amount = formats.amount(tax["amount"], content["currencyUomId"])
        yield _sum(_tax_label(tax, content, words, formats), amount, SMALL)


def _tax_label(tax: dict[str, Any], content: dict[str, Any], words: ReceiptWords, formats: Formats) -> str:
    label = words.tax.format(
        kind=words.tax_kinds[tax["kind"]],
        code=clean(tax["taxCode"]),
        rate=formats.rate(tax["rateBasisPoints"]),
        target=words.tax_targets[tax["appliesTo"]],
        base=formats.amount(tax["baseAmount"], content["currencyUomId"]),
    )
    if reason := tax.get("exemptionReasonCode"):
        label += " · " + words.exemption.format(code=clean(reason))
    return label


def _sum(label: str, amount: str, style: Style) -> _Sum:
    label_width = _BLOCK_WIDTH - 2 * INSET - 12 - width(amount, style.weight, style.size)
    return _Sum(wrap(label, style.weight, style.size, label_width), amount, style)


def _draw_sum(flow: Flow, row: _Sum) -> None:
    flow.need(row.height)
    page, y = flow.page, flow.y
    for line in row.label:
        y -= LEADING
        page.text(RIGHT - _BLOCK_WIDTH + INSET, y, row.style, line)
    page.text_right(INNER_RIGHT, y, row.style, row.amount)
    flow.y = y - _PADDING
    if row.is_ruled:
        page.rule(RIGHT - _BLOCK_WIDTH, flow.y, _BLOCK_WIDTH, 0.4, HAIRLINE)


def _draw_total(flow: Flow, label: str, amount: str) -> None:
    flow.y -= _BAND_HEIGHT
    baseline = flow.y + 10.5
    amount_width = _BLOCK_WIDTH - 3 * INSET - width(label, TOTAL.weight, TOTAL.size)
    flow.page.box(RIGHT - _BLOCK_WIDTH, flow.y, _BLOCK_WIDTH, _BAND_HEIGHT, ACCENT)
    flow.page.text(RIGHT - _BLOCK_WIDTH + INSET, baseline, TOTAL, label)
    flow.page.text_right(INNER_RIGHT, baseline, fitted(amount, TOTAL, amount_width), amount)
    flow.y -= 8
