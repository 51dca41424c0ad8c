"""What invoices and credit notes have in common: parties, lines, sums and the table of taxes.

Amounts are net of their line's discount, and fees that rules add stand below the lines, so that the column of
amounts adds up to the total before tax.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infrastructure.rendering.fiscal_mark import FiscalMark
from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import BODY, BODY_BOLD
from infrastructure.rendering.invoice_wording import InvoiceWords
from infrastructure.rendering.line_table import (
    LineTable,
    Row,
    TableHead,
    fair_widths,
    shown_price,
    shown_quantity,
)
from infrastructure.rendering.particulars import PlacedParty, draw_parties
from infrastructure.rendering.sums import Sum, Total, draw_sums
from infrastructure.rendering.typefaces import clean

_GAP_ABOVE_TAXES = 12.0


class InvoiceParts:
    """The parts of one content; `has_prices` tells an invoice's lines from a credit note's."""

    def __init__(
        self, content: dict[str, Any], words: InvoiceWords, formats: Formats, *, has_prices: bool
    ) -> None:
        self._content = content
        self._words = words
        self._formats = formats
        self._currency = content["currencyUomId"]
        self._amount = partial(formats.amount, currency_code=self._currency)
        self._has_prices = has_prices
        self._has_discounts = any("discountAmount" in line for line in content["lines"])
        self._taxes = [tax for tax in content["taxes"] if tax["baseAmount"]] or content["taxes"]
        self._has_categories = len(self._taxes) > 1

    def grand_total(self) -> str:
        """What it all comes to, with its currency."""
        return self._formats.money(self._content["grandTotal"], self._currency)

    def draw_parties(self, flow: Flow) -> None:
        """Draws whom it is for and who issued it."""
        parties = (
            PlacedParty(self._words.bill_to, self._content["billTo"]),
            PlacedParty(self._words.issuer, self._content["issuer"]),
        )
        draw_parties(flow, parties, self._words, self._formats)

    def draw_amounts(self, flow: Flow, total_label: str) -> None:
        """Draws the lines, what they come to, how the taxes were computed, and the fiscal mark."""
        lines, taxes = self._line_table(), self._tax_table()
        lines.draw(flow)
        total = Total(total_label, self.grand_total())
        draw_sums(flow, lines, list(self._sums()), total, kept_height=_GAP_ABOVE_TAXES + taxes.height)
        flow.y -= _GAP_ABOVE_TAXES
        taxes.draw_together(flow)
        FiscalMark(self._content).draw(flow)

    def _line_table(self) -> LineTable:
        words = self._words
        head = TableHead(
            mark=words.kind,
            description=words.description,
            numbers=(
                words.quantity,
                *((words.unit_price,) if self._has_prices else ()),
                *((words.discount,) if self._has_discounts else ()),
                *((words.tax,) if self._has_categories else ()),
                words.amount.format(currency=self._currency),
            ),
        )
        rows = [self._line(line) for line in self._content["lines"]]
        rows += [self._fee(fee) for fee in self._content["fees"]]
        return LineTable(head, rows, words, self._amount, fair_widths, numbers_first=True)

    def _line(self, line: dict[str, Any]) -> Row:
        if line["kind"] == "DISCOUNT":
            amount, price = -line["amount"], _negated(line)
        else:
            amount, price = line["amount"] - line.get("discountAmount", 0), line
        return self._row(line["kind"], line["description"], price, amount)

    def _fee(self, fee: dict[str, Any]) -> Row:
        return self._row("FEE", fee["label"], fee, fee["amount"])

    def _row(self, kind: str, description: str, item: dict[str, Any], amount_minor: int) -> Row:
        numbers = tuple(self._numbers(item, amount_minor))
        return Row(self._words.kinds[kind], description, numbers, amount_minor)

    def _numbers(self, item: dict[str, Any], amount_minor: int) -> Iterator[str]:
        yield shown_quantity(item, self._words, self._formats)
        if self._has_prices:
            is_priced = "unitPrice" in item or "unitAmount" in item
            yield shown_price(item, self._currency, self._formats) if is_priced else ""
        if self._has_discounts:
            discount = item.get("discountAmount")
            yield self._amount(-discount) if discount else ""
        if self._has_categories:
            category = item.get("taxCategory", "")
            yield clean(self._words.tax_categories.get(category, category))
        yield self._amount(amount_minor)

    def _sums(self) -> Iterator[Sum]:
        """What the total is made of. Discounts and fees of nothing are not mentioned."""
        content, words = self._content, self._words
        if content["discountTotal"] or content["feeTotal"]:
            yield Sum(words.subtotal, self._amount(content["subtotal"]), BODY)
        if content["discountTotal"]:
            yield Sum(words.discounts, self._amount(-content["discountTotal"]), BODY)
        if content["feeTotal"]:
            yield Sum(words.fees, self._amount(content["feeTotal"]), BODY)
        net_total = content["grandTotal"] - content["taxTotal"]
        yield Sum(words.net_total, self._amount(net_total), BODY_BOLD, is_ruled=True)
        yield Sum(words.tax_total, self._amount(content["taxTotal"]), BODY)

    def _tax_table(self) -> LineTable:
        words = self._words
        head = TableHead(
            mark=words.tax,
            description=words.tax_category,
            numbers=(
                words.tax_rate,
                words.taxable_amount.format(currency=self._currency),
                words.tax_amount.format(currency=self._currency),
            ),
        )
        rows = [
            Row(
                tax["taxCode"],
                self._tax_description(tax),
                (
                    self._formats.percent(tax["ratePercent"]),
                    self._amount(tax["baseAmount"]),
                    self._amount(tax["amount"]),
                ),
                tax["amount"],
            )
            for tax in self._taxes
        ]
        return LineTable(head, rows, words, self._amount, fair_widths, numbers_first=True)

    def _tax_description(self, tax: dict[str, Any]) -> str:
        words, category = self._words, tax["category"]
        description = words.tax_mentions.get(category) or words.tax_categories.get(category, category)
        if reason := tax.get("exemptionReasonCode"):
            description += f" ({words.exemption_reasons.get(reason, reason)})"
        return description


def _negated(line: dict[str, Any]) -> dict[str, Any]:
    """A DISCOUNT line whose price is below zero, as its amount is."""
    if "unitPrice" in line:
        return {**line, "unitPrice": f"-{line['unitPrice']}"}
    return {**line, "unitAmount": -line["unitAmount"]}
