"""Template `payout-statement/1`: what was sent to a seller of one order's proceeds, and when."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.line_table import LineTable, Row, TableHead, fair_widths
from infrastructure.rendering.particulars import Fact, draw_facts, draw_parties, draw_statement
from infrastructure.rendering.sheet import Metadata, Page
from infrastructure.rendering.statement_parties import statement_parties
from infrastructure.rendering.statement_wording import STATEMENT_WORDS, StatementWords
from infrastructure.rendering.sums import Total, draw_sums


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a content of `domain.documents.payout_statement_content`, and the PDF's metadata."""
    words = STATEMENT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    amount = formats.money(content["amount"], content["currencyUomId"])
    letterhead = Letterhead(content, words.of_orders, title=words.payout_statement, note=words.payout_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    draw_parties(flow, statement_parties(content, words.paid_to, words.of_orders), words.of_orders, formats)
    sent_on = formats.day(content["sentAt"][:10])
    draw_statement(
        flow,
        words.sent.format(amount=amount),
        words.sent_of.format(date=sent_on, order=content["orderId"]),
    )
    table = _table(content, words, formats)
    table.draw(flow)
    draw_sums(flow, table, (), Total(words.paid_out, amount))
    return letterhead.finish(flow, subject=f"{words.of_orders.order} {content['orderId']}")


def _facts(content: dict[str, Any], words: StatementWords, formats: Formats) -> Iterator[Fact]:
    yield Fact(words.payout_number, content["number"])
    yield Fact(words.of_orders.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.of_orders.order, content["orderId"])
    yield Fact(words.payout, content["payoutId"])
    yield Fact(words.escrow_release, content["escrowReleaseId"])
    yield Fact(words.sent_at, formats.moment(content["sentAt"]))
    if reference := content["references"].get("rapydTransactionId"):
        yield Fact(words.of_orders.payment_reference, reference)


def _table(content: dict[str, Any], words: StatementWords, formats: Formats) -> LineTable:
    """The order's net beside what was sent of it, which need not be the same."""
    shown = partial(formats.amount, currency_code=content["currencyUomId"])
    head = TableHead(
        mark="",
        description=words.of_orders.description,
        numbers=(words.sale_net, words.of_orders.amount.format(currency=content["currencyUomId"])),
    )
    sold_in = content.get("sellerNetCurrencyUomId")
    net = formats.money(content["sellerNet"], sold_in) if sold_in else shown(content["sellerNet"])
    numbers = (net, shown(content["amount"]))
    row = Row(None, f"{words.of_orders.order} {content['orderId']}", numbers, content["amount"])
    return LineTable(head, [row], words.of_orders, shown, fair_widths, numbers_first=False)
