"""Template `order-invoice/1`: the fiscal invoice of an order, which its buyer has paid.

From top to bottom: issuer and title, the facts, the parties, what was paid, the lines with their taxes, what
they come to, all taxes, the fiscal mark.
"""

from collections.abc import Iterator
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.order_parts import OrderParts
from infrastructure.rendering.order_wording import ORDER_WORDS, OrderDocumentWords
from infrastructure.rendering.particulars import Fact, draw_facts, draw_statement
from infrastructure.rendering.sheet import Metadata, Page


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of an invoice's content (`domain.documents.order_invoice_content`) and the PDF's metadata."""
    words = ORDER_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    parts = OrderParts(content, words, formats)
    letterhead = Letterhead(
        content, words.of_orders, title=words.of_invoices.invoice, note=words.invoice_note
    )
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    parts.draw_parties(flow, words.of_invoices.bill_to)
    draw_statement(
        flow, words.paid.format(amount=parts.total()), words.nothing_left.format(order=content["orderId"])
    )
    parts.draw_amounts(flow, words.total_paid)
    return letterhead.finish(flow, subject=f"{words.of_orders.order} {content['orderId']}")


def _facts(content: dict[str, Any], words: OrderDocumentWords, formats: Formats) -> Iterator[Fact]:
    of_orders = words.of_orders
    yield Fact(words.of_invoices.invoice_number, content["number"])
    yield Fact(of_orders.issue_date, formats.day(content["issueDate"]))
    yield Fact(of_orders.order, content["orderId"])
    if "paidAt" in content:
        yield Fact(of_orders.paid_at, formats.moment(content["paidAt"]))
    if means := content.get("paymentMeansCode"):
        yield Fact(of_orders.payment_means, of_orders.payment_names.get(means, means))
    if reference := content["references"].get("rapydTransactionId"):
        yield Fact(of_orders.payment_reference, reference)
