"""Template `seller-statement/1`: what a sale left its seller, after coupon, taxes and fees.

From top to bottom: issuer and title, the facts and references, the parties, the net, the lines, what leads
from them to the net. What is taken from the seller is negative.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.house_style import BODY, BODY_BOLD, BODY_MUTED, SMALL
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.order_lines import order_line_table
from infrastructure.rendering.particulars import Fact, draw_facts, draw_parties, draw_statement
from infrastructure.rendering.sheet import Metadata, Page
from infrastructure.rendering.statement_parties import statement_parties
from infrastructure.rendering.statement_wording import STATEMENT_WORDS, StatementWords
from infrastructure.rendering.sums import Sum, Total, draw_sums
from infrastructure.rendering.typefaces import clean

_REFERENCES = ("rapydTransactionId", "escrowReleaseId", "refundId", "disputeId")


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a content of `domain.documents.seller_statement_content`, and the PDF's metadata."""
    words = STATEMENT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    net = formats.money(content["sellerNet"], content["currencyUomId"])
    letterhead = Letterhead(content, words.of_orders, title=words.statement, note=words.statement_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    draw_parties(flow, statement_parties(content, words.seller, words.of_orders), words.of_orders, formats)
    remark = words.status_remarks[content["payoutStatus"]].format(order=content["orderId"])
    draw_statement(flow, words.your_net.format(amount=net), remark)
    lines = order_line_table(content, words.of_orders, formats)
    lines.draw(flow)
    sums = _Sums(content, words, formats)
    draw_sums(flow, lines, list(sums.above()), Total(words.net_total, net), list(sums.below()))
    return letterhead.finish(flow, subject=f"{words.of_orders.order} {content['orderId']}")


def _facts(content: dict[str, Any], words: StatementWords, formats: Formats) -> Iterator[Fact]:
    yield Fact(words.statement_number, content["number"])
    yield Fact(words.of_orders.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.of_orders.order, content["orderId"])
    if "paidAt" in content:
        yield Fact(words.sold_at, formats.moment(content["paidAt"]))
    if "completedAt" in content:
        yield Fact(words.completed_at, formats.moment(content["completedAt"]))
    yield Fact(words.payout_status, words.statuses[content["payoutStatus"]])
    labels = (words.of_orders.payment_reference, words.escrow_release, words.refund, words.dispute)
    for label, name in zip(labels, _REFERENCES, strict=True):
        if name in content["references"]:
            yield Fact(label, content["references"][name])


class _Sums:
    """What leads from the lines to the net; a coupon of nothing is not mentioned."""

    def __init__(self, content: dict[str, Any], words: StatementWords, formats: Formats) -> None:
        self._content = content
        self._words = words
        self._formats = formats
        self._amount = partial(formats.amount, currency_code=content["currencyUomId"])

    def above(self) -> Iterator[Sum]:
        """What is added to and taken off the sale."""
        content, words = self._content, self._words
        if coupon := content["sellerCouponDiscount"]:
            yield Sum(words.your_coupon, self._amount(-coupon), BODY_MUTED)
        subtotal = self._amount(content["itemsSubtotal"])
        yield Sum(words.of_orders.items_subtotal, subtotal, BODY_BOLD, is_ruled=True)
        yield from (self._tax(tax, 1) for tax in self._taxes("ADDED", "ITEMS"))
        for fee in content["sellerFees"]:
            label = words.fees.get(fee["code"], clean(fee["code"]))
            yield Sum(label, self._amount(-fee["amount"]), BODY)
        yield from (self._tax(tax, -1) for tax in self._taxes("ADDED", "SELLER_FEE"))
        yield from (self._tax(tax, -1) for tax in content["withheldTaxes"])

    def below(self) -> Iterator[Sum]:
        """Taxes that prices and fees already hold; they add nothing to the net."""
        included = [*self._taxes("INCLUDED", "ITEMS"), *self._taxes("INCLUDED", "SELLER_FEE")]
        if included:
            yield Sum(self._words.included, "", SMALL)
        for tax in included:
            yield Sum(self._label(tax), self._amount(tax["amount"]), SMALL)

    def _taxes(self, mode: str, applies_to: str) -> list[dict[str, Any]]:
        taxes = self._content["taxes"]
        return [tax for tax in taxes if (tax["mode"], tax["appliesTo"]) == (mode, applies_to)]

    def _tax(self, tax: dict[str, Any], sign: int) -> Sum:
        return Sum(self._label(tax), self._amount(sign * tax["amount"]), BODY)

    def _label(self, tax: dict[str, Any]) -> str:
        of_orders = self._words.of_orders
        label = self._words.tax_of[f"{tax['mode']} {tax['appliesTo']}"].format(
            kind=of_orders.tax_kinds[tax["kind"]],
            rate=self._formats.rate(tax["rateBasisPoints"]),
            code=clean(tax["taxCode"]),
            base=self._amount(tax["baseAmount"]),
        )
        if reason := tax.get("exemptionReasonCode"):
            label += " · " + of_orders.exemption.format(code=clean(reason))
        return label
