"""The lower part of `receipt/1`: coupon, subtotal, fees, taxes and what was paid."""

from collections.abc import Iterator
from typing import Any

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import BODY, BODY_BOLD, BODY_MUTED, SMALL
from infrastructure.rendering.line_table import LineTable
from infrastructure.rendering.sums import Sum, Total, draw_sums
from infrastructure.rendering.typefaces import clean
from infrastructure.rendering.wording import OrderWords, ReceiptWords


def draw_receipt_sums(
    flow: Flow, table: LineTable, content: dict[str, Any], words: ReceiptWords, formats: Formats
) -> None:
    """Draws what the total is made of, the total, and the taxes that it includes."""
    draw_sums(
        flow,
        table,
        list(paid_sums(content, words, formats)),
        Total(words.total, formats.money(content["buyerTotal"], content["currencyUomId"])),
        list(_included(content, words, formats)),
    )


def paid_sums(
    content: dict[str, Any], words: OrderWords, formats: Formats, *, plain_platform_fee: str = ""
) -> Iterator[Sum]:
    """What the total is made of, of any content with the buyer's amounts; not what is nothing.

    A platform fee without credits is one row, where that has a label; `receipt/1` is frozen with three.
    """

    def amount_of(amount_minor: int) -> str:
        return formats.amount(amount_minor, content["currencyUomId"])

    if coupon := content["sellerCouponDiscount"]:
        yield Sum(words.coupon, amount_of(-coupon), BODY_MUTED)
    yield Sum(words.items_subtotal, amount_of(content["itemsSubtotal"]), BODY_BOLD, is_ruled=True)
    if plain_platform_fee and not content["feeCreditsApplied"]:
        if fee := content["platformFeeAfterCredits"]:
            yield Sum(plain_platform_fee, amount_of(fee), BODY)
    elif content["platformFeeBeforeCredits"]:
        yield Sum(words.platform_fee_before, amount_of(content["platformFeeBeforeCredits"]), BODY_MUTED)
        yield Sum(words.fee_credits, amount_of(-content["feeCreditsApplied"]), BODY_MUTED)
        yield Sum(words.platform_fee_after, amount_of(content["platformFeeAfterCredits"]), BODY)
    if content["opsFee"]:
        yield Sum(words.ops_fee, amount_of(content["opsFee"]), BODY)
    if content["processingFee"]:
        yield Sum(words.processing_fee, amount_of(content["processingFee"]), BODY)
    for tax in content["taxes"]:
        if tax["mode"] == "ADDED":
            yield Sum(_tax_label(tax, content, words, formats), amount_of(tax["amount"]), BODY)


def _included(content: dict[str, Any], words: OrderWords, formats: Formats) -> Iterator[Sum]:
    """Taxes that the prices and fees already hold; they add nothing to the total."""
    included = [tax for tax in content["taxes"] if tax["mode"] == "INCLUDED"]
    if included:
        yield Sum(words.included_taxes, "", SMALL)
    for tax in included:
        amount = formats.amount(tax["amount"], content["currencyUomId"])
        yield Sum(_tax_label(tax, content, words, formats), amount, SMALL)


def _tax_label(tax: dict[str, Any], content: dict[str, Any], words: OrderWords, formats: Formats) -> str:
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
