"""Template `fiscal-invoice/1`: the invoice of a work order.

From top to bottom: issuer and title, the facts, the parties, what is due when, the lines, what they come to,
the taxes. What does not fit flows over pages that begin with the issuer and the sum brought forward.
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
    """The pages of an invoice's content (`domain.documents.invoice_content`) and the PDF's metadata."""
    words = INVOICE_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    parts = InvoiceParts(content, words, formats, has_prices=True)
    letterhead = Letterhead(content, words, title=words.invoice, note=words.invoice_note)
    flow = letterhead.begin()
    draw_facts(flow, _facts(content, words, formats))
    parts.draw_parties(flow)
    draw_statement(flow, _what_is_due(content, words, formats, parts.grand_total()))
    parts.draw_amounts(flow, words.total_due)
    return letterhead.finish(flow, subject=f"{words.work_order} {content['workOrderId']}")


def _facts(content: dict[str, Any], words: InvoiceWords, formats: Formats) -> Iterator[Fact]:
    terms = content["paymentTermsCode"]
    yield Fact(words.invoice_number, content["number"])
    yield Fact(words.issue_date, formats.day(content["issueDate"]))
    yield Fact(words.due_date, formats.day(content["dueDate"]))
    yield Fact(words.payment_terms, words.terms.get(terms, terms))
    yield Fact(words.work_order, content["workOrderId"], columns=2)


def _what_is_due(content: dict[str, Any], words: InvoiceWords, formats: Formats, amount: str) -> str:
    if not content["grandTotal"]:
        return words.nothing_due
    return words.due.format(amount=amount, date=formats.day(content["dueDate"]))
