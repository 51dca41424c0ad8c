"""Template `payment-adjustment/1`: what was given back of a payment, and what is left of it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.house_style import BODY_BOLD
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.particulars import Fact, draw_facts, draw_parties, draw_statement
from infrastructure.rendering.payment_receipt_v1 import payment_of, payment_parties, payment_table
from infrastructure.rendering.payment_wording import PAYMENT_WORDS, PaymentWords
from infrastructure.rendering.sheet import Metadata, Page
from infrastructure.rendering.sums import Sum, Total, draw_sums


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of an adjustment's content (`domain.documents.payment_receipt_content`), and the metadata."""
    words = PAYMENT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    money = partial(formats.money, currency_code=content["currencyUomId"])
    letterhead = Letterhead(content, words, title=words.adjustment, note=words.adjustment_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    draw_parties(flow, payment_parties(content, words), words, formats)
    corrects = words.corrects.format(
        number=content["corrects"]["number"],
        date=formats.day(content["corrects"]["issueDate"]),
        amount=money(content["paidAmount"]),
    )
    draw_statement(
        flow,
        words.given_back.format(amount=money(content["amount"])),
        corrects,
        words.stays_billed,
        *_reason(content, words),
    )
    table = payment_table(content, words, formats, list(_rows(content, words)))
    table.draw(flow)
    left = Sum(words.left_of_payment, money(content["leftOfPayment"]), BODY_BOLD)
    draw_sums(flow, table, (), Total(words.total_given_back, money(content["amount"])), (left,))
    return letterhead.finish(flow, subject=f"{words.invoice} {content['invoiceNumber']}")


def _facts(content: dict[str, Any], words: PaymentWords, formats: Formats) -> Iterator[Fact]:
    yield Fact(words.adjustment_number, content["number"])
    yield Fact(words.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.corrected, content["corrects"]["number"])
    yield Fact(words.invoice, content["invoiceNumber"])
    yield Fact(words.invoice_date, formats.day(content["invoiceDate"]), columns=2)
    yield Fact(words.payment, content["billingPaymentId"], columns=2)
    yield Fact(words.refund, content["refundId"], columns=2)


def _reason(content: dict[str, Any], words: PaymentWords) -> Iterator[str]:
    if code := content.get("reasonCode"):
        yield words.reason.format(reason=words.reasons.get(code, code))


def _rows(content: dict[str, Any], words: PaymentWords) -> Iterator[tuple[str, int]]:
    paid, amount, left = content["paidAmount"], content["amount"], content["leftOfPayment"]
    yield payment_of(content, words), paid
    if before := paid - amount - left:
        yield words.given_back_before, -before
