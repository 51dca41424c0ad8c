"""What an order's invoices and corrections have in common: parties, lines, sums and the table of taxes."""

from functools import partial
from typing import Any

from infrastructure.rendering.fiscal_mark import FiscalMark
from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.line_table import LineTable, Row, TableHead, fair_widths
from infrastructure.rendering.order_lines import order_line_table
from infrastructure.rendering.order_wording import CATEGORY_OF_CODE, OrderDocumentWords
from infrastructure.rendering.particulars import PlacedParty, draw_parties
from infrastructure.rendering.receipt_sums import paid_sums
from infrastructure.rendering.sums import Total, draw_sums

_GAP_ABOVE_TAXES = 12.0


class OrderParts:
    """The parts of one content that shows what a buyer paid or gets back."""

    def __init__(self, content: dict[str, Any], words: OrderDocumentWords, formats: Formats) -> None:
        self._content = content
        self._words = words
        self._formats = formats
        self._currency = content["currencyUomId"]
        self._amount = partial(formats.amount, currency_code=self._currency)

    def total(self) -> str:
        """What it all comes to, with its currency."""
        return self._formats.money(self._content["buyerTotal"], self._currency)

    def draw_parties(self, flow: Flow, buyer_label: str) -> None:
        """Draws whom it is for, who sold and who issued it."""
        content, words = self._content, self._words.of_orders
        parties = [PlacedParty(buyer_label, content["buyer"])]
        if content["seller"] == content["issuer"]:
            parties.append(PlacedParty(words.seller_and_issuer, content["issuer"]))
        else:
            parties.append(PlacedParty(words.seller, content["seller"]))
            parties.append(PlacedParty(words.issuer, content["issuer"]))
        draw_parties(flow, parties, words, self._formats)

    def draw_amounts(self, flow: Flow, total_label: str) -> None:
        """Draws the lines, what they come to, all taxes, and what an authority or a chain has to say."""
        words = self._words.of_orders
        lines = order_line_table(self._content, words, self._formats)
        taxes = self._tax_table()
        lines.draw(flow)
        platform_fee = self._words.taxed["PLATFORM_FEE"]
        sums = list(paid_sums(self._content, words, self._formats, plain_platform_fee=platform_fee))
        draw_sums(flow, lines, sums, Total(total_label, self.total()))
        if taxes:
            flow.y -= _GAP_ABOVE_TAXES
            taxes.draw_together(flow)
        FiscalMark(self._content).draw(flow)

    def _tax_table(self) -> LineTable | None:
        words = self._words.of_invoices
        taxes = [*self._content["taxes"], *self._content["withheldTaxes"]]
        if not taxes:
            return None
        head = TableHead(
            mark=words.tax,
            description=words.tax_category,
            numbers=(
                words.tax_rate,
                words.taxable_amount.format(currency=self._currency),
                words.tax_amount.format(currency=self._currency),
            ),
        )
        rows = [self._tax(tax) for tax in taxes]
        return LineTable(head, rows, words, self._amount, fair_widths, numbers_first=False)

    def _tax(self, tax: dict[str, Any]) -> Row:
        numbers = (
            self._formats.rate(tax["rateBasisPoints"]),
            self._amount(tax["baseAmount"]),
            self._amount(tax["amount"]),
        )
        return Row(tax["taxCode"], self._tax_description(tax), numbers, tax["amount"])

    def _tax_description(self, tax: dict[str, Any]) -> str:
        """What is taxed and how, and why where it is not."""
        words, given = self._words.of_invoices, tax.get("category", "")
        category = CATEGORY_OF_CODE.get(given, given)
        parts = [self._words.taxed[tax["appliesTo"]], self._words.mode_remarks[tax["mode"]]]
        if category:
            parts.append(words.tax_mentions.get(category) or words.tax_categories.get(category, category))
        if reason := tax.get("exemptionReasonCode"):
            parts.append(words.exemption_reasons.get(reason, reason))
        return " · ".join(parts)
