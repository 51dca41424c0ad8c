"""How `order-credit-note/1` and `adjustment-statement/1` are laid out: what is taken back, and of what."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.order_parts import OrderParts
from infrastructure.rendering.order_wording import OrderDocumentWords
from infrastructure.rendering.particulars import Fact, draw_facts, draw_statement
from infrastructure.rendering.sheet import Metadata, Page


class CorrectionWords(NamedTuple):
    """The words in which the two differ; braces are filled in here."""

    title: str
    number: str
    note: str
    corrected: str
    buyer: str
    statement: str
    takes_back: str
    total: str


def lay_out_correction(
    content: dict[str, Any], words: OrderDocumentWords, own: CorrectionWords
) -> tuple[list[Page], Metadata]:
    """The pages of a content of `domain.documents.correction_content`, and the PDF's metadata."""
    formats = formats_of(content["language"], content["countryCode"])
    parts = OrderParts(content, words, formats)
    letterhead = Letterhead(content, words.of_orders, title=own.title, note=own.note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, own, formats))
    parts.draw_parties(flow, own.buyer)
    reason, corrects = content["reason"], content["corrects"]
    draw_statement(
        flow,
        own.statement.format(amount=parts.total()),
        own.takes_back.format(number=corrects["number"], date=formats.day(corrects["issueDate"])),
        words.reason.format(reason=words.of_invoices.reasons.get(reason, reason)),
    )
    parts.draw_amounts(flow, own.total)
    return letterhead.finish(flow, subject=f"{words.of_orders.order} {content['orderId']}")


def _facts(
    content: dict[str, Any], words: OrderDocumentWords, own: CorrectionWords, formats: Formats
) -> Iterator[Fact]:
    yield Fact(own.number, content["number"])
    yield Fact(words.of_orders.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.of_orders.order, content["orderId"])
    yield Fact(own.corrected, content["corrects"]["number"])
    if cause := content.get("cause"):
        yield Fact(words.refund if cause["type"] == "REFUND" else words.dispute, cause["id"])
