"""Template `payment-receipt/1`: what was paid of an invoice, and what is still due."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.house_style import BODY_BOLD
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.line_table import LineTable, Row, TableHead, fair_widths
from infrastructure.rendering.particulars import Fact, PlacedParty, draw_facts, draw_parties, draw_statement
from infrastructure.rendering.payment_wording import PAYMENT_WORDS, PaymentWords
from infrastructure.rendering.sheet import Metadata, Page
from infrastructure.rendering.sums import Sum, Total, draw_sums


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a content of `domain.documents.payment_receipt_content`, and the PDF's metadata."""
    words = PAYMENT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    money = partial(formats.money, currency_code=content["currencyUomId"])
    letterhead = Letterhead(content, words, title=words.receipt, note=words.receipt_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    draw_parties(flow, payment_parties(content, words), words, formats)
    draw_statement(
        flow, words.received.format(amount=money(content["amount"])), _settled(content, words, formats)
    )
    table = payment_table(content, words, formats, [(payment_of(content, words), content["amount"])])
    table.draw(flow)
    remaining = Sum(words.remaining, money(content["remainingBalance"]), BODY_BOLD)
    draw_sums(flow, table, (), Total(words.paid, money(content["amount"])), (remaining,))
    return letterhead.finish(flow, subject=f"{words.invoice} {content['invoiceNumber']}")


def payment_parties(content: dict[str, Any], words: PaymentWords) -> tuple[PlacedParty, PlacedParty]:
    """Who paid whom."""
    return PlacedParty(words.paid_by, content["billTo"]), PlacedParty(words.paid_to, content["issuer"])


def payment_of(content: dict[str, Any], words: PaymentWords) -> str:
    """Of which invoice it is."""
    return words.payment_of.format(number=content["invoiceNumber"])


def payment_table(
    content: dict[str, Any], words: PaymentWords, formats: Formats, rows: list[tuple[str, int]]
) -> LineTable:
    """Descriptions beside amounts (minor units)."""
    shown = partial(formats.amount, currency_code=content["currencyUomId"])
    heading = words.amount.format(currency=content["currencyUomId"])
    head = TableHead(mark="", description=words.description, numbers=(heading,))
    lines = [Row(None, description, (shown(amount),), amount) for description, amount in rows]
    return LineTable(head, lines, words, shown, fair_widths, numbers_first=False)


def _settled(content: dict[str, Any], words: PaymentWords, formats: Formats) -> str:
    """Whether all of the invoice is paid, and else what is still due of it, in a sentence."""
    sentence = words.in_full if content["paymentType"] == "PAID_IN_FULL" else words.in_part
    return sentence.format(
        number=content["invoiceNumber"],
        date=formats.day(content["invoiceDate"]),
        amount=formats.money(content["remainingBalance"], content["currencyUomId"]),
    )


def _facts(content: dict[str, Any], words: PaymentWords, formats: Formats) -> Iterator[Fact]:
    yield Fact(words.receipt_number, content["number"])
    yield Fact(words.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.paid_at, formats.moment(content["capturedAt"]))
    yield Fact(words.invoice, content["invoiceNumber"])
    yield Fact(words.invoice_date, formats.day(content["invoiceDate"]))
    yield Fact(words.status, words.payment_types[content["paymentType"]])
    yield Fact(words.payment, content["billingPaymentId"], columns=2)
    yield Fact(words.work_order, content["workOrderId"], columns=2)
