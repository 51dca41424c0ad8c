"""Template `receipt/1`: the order receipt for its buyer.

From top to bottom: issuer and title, the facts, the parties, the lines, fees and taxes, the total. What does
not fit flows over pages that begin with the issuer and the sum brought forward.
"""

from collections.abc import Iterator
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.order_lines import order_line_table
from infrastructure.rendering.particulars import Fact, PlacedParty, draw_facts, draw_parties
from infrastructure.rendering.receipt_sums import draw_receipt_sums
from infrastructure.rendering.sheet import Metadata, Page
from infrastructure.rendering.wording import RECEIPT_WORDS, ReceiptWords


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a receipt's content (`domain.documents.receipt_content`) and the PDF's metadata."""
    words = RECEIPT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    letterhead = Letterhead(content, words, title=words.title, note=words.note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    draw_parties(flow, _parties(content, words), words, formats, as_in_receipt_1=True)
    table = order_line_table(content, words, formats, as_in_receipt_1=True)
    table.draw(flow)
    draw_receipt_sums(flow, table, content, words, formats)
    return letterhead.finish(flow, subject=f"{words.order} {content['orderId']}")


def _facts(content: dict[str, Any], words: ReceiptWords, formats: Formats) -> Iterator[Fact]:
    yield Fact(words.number, content["number"])
    yield Fact(words.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.order, content["orderId"])
    if "paidAt" in content:
        yield Fact(words.paid_at, formats.moment(content["paidAt"]))
    if means := content.get("paymentMeansCode"):
        yield Fact(words.payment_means, words.payment_names.get(means, means))
    if reference := content["references"].get("rapydTransactionId"):
        yield Fact(words.payment_reference, reference)


def _parties(content: dict[str, Any], words: ReceiptWords) -> list[PlacedParty]:
    buyer = PlacedParty(words.buyer, content["buyer"])
    if content["seller"] == content["issuer"]:
        return [buyer, PlacedParty(words.seller_and_issuer, content["issuer"])]
    return [buyer, PlacedParty(words.seller, content["seller"]), PlacedParty(words.issuer, content["issuer"])]
