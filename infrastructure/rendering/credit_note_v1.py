"""Template `credit-note/1`: what is taken back of a work order's invoice.

It is laid out as `fiscal-invoice/1`, and says what it takes back where that says what is due. Its amounts are
positive, for they are the reader's.
"""

from collections.abc import Iterator
from typing import Any

from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.invoice_parts import InvoiceParts
from infrastructure.rendering.invoice_wording import INVOICE_WORDS, InvoiceWords
from infrastructure.rendering.letterhead import Letterhead
from infrastructure.rendering.particulars import Fact, draw_facts, draw_statement
from infrastructure.rendering.sheet import Metadata, Page


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a credit note's content (`domain.documents.invoice_content`) and the PDF's metadata."""
    words = INVOICE_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    parts = InvoiceParts(content, words, formats, has_prices=False)
    letterhead = Letterhead(content, words, title=words.credit_note, note=words.credit_note_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    parts.draw_parties(flow)
    draw_statement(
        flow,
        words.credited.format(amount=parts.grand_total()),
        words.takes_back.format(
            number=content["corrects"]["number"], date=formats.day(content["corrects"]["issueDate"])
        ),
    )
    parts.draw_amounts(flow, words.total_credited)
    return letterhead.finish(flow, subject=f"{words.work_order} {content['workOrderId']}")


def _facts(content: dict[str, Any], words: InvoiceWords, formats: Formats) -> Iterator[Fact]:
    reason = content["reasonCode"]
    yield Fact(words.credit_note_number, content["number"])
    yield Fact(words.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.reason, words.reasons.get(reason, reason))
    yield Fact(words.corrected_invoice, content["corrects"]["number"])
    yield Fact(words.work_order, content["workOrderId"], columns=2)
