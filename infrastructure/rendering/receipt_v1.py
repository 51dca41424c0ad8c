"""Template `receipt/1`: the order receipt for its buyer, in English and Spanish.

From top to bottom: issuer and title, the facts, the parties, the lines, fees and taxes, the total. What does
not fit flows over pages that begin with the issuer and the sum brought forward.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats, formats_of
from infrastructure.rendering.house_style import (
    ACCENT,
    ACCENT_LABEL,
    BAND,
    BODY,
    BODY_BOLD,
    BOTTOM,
    COLUMN_WIDTH,
    COLUMN_X,
    FOOTER,
    FOOTER_BOLD,
    HAIRLINE,
    ISSUER,
    LABEL,
    LEADING,
    LEFT,
    RIGHT,
    SMALL,
    TEXT_WIDTH,
    TITLE,
    TOP,
)
from infrastructure.rendering.line_table import LineTable, fitted
from infrastructure.rendering.receipt_sums import draw_sums
from infrastructure.rendering.sheet import PAGE_HEIGHT, PAGE_WIDTH, Metadata, Page, Style
from infrastructure.rendering.typefaces import clean, shorten, wrap
from infrastructure.rendering.wording import RECEIPT_WORDS, ReceiptWords

_POSTAL_CODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})
"""Where the postal code follows the city; elsewhere it stands before it."""


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a receipt's content (`domain.documents.receipt_content`) and the PDF's metadata."""
    words = RECEIPT_WORDS[content["language"]]
    formats = formats_of(content["language"], content["countryCode"])
    flow = Flow(TOP, lambda page: _begin_continuation(page, content, words))
    _draw_head(flow, content, words)
    _draw_facts(flow, list(_facts(content, words, formats)))
    _draw_parties(flow, content, words, formats)
    table = LineTable(content, words, formats)
    table.draw(flow)
    draw_sums(flow, table, content, words, formats)
    for index, page in enumerate(flow.pages, start=1):
        _draw_footer(page, content, words, words.page.format(page=index, pages=len(flow.pages)))
    return flow.pages, _metadata(content, words)


def _metadata(content: dict[str, Any], words: ReceiptWords) -> Metadata:
    return Metadata(
        title=f"{words.title} {content['number']}",
        author=clean(content["issuer"]["legalName"]),
        subject=f"{words.order} {content['orderId']}",
        keywords=f"{content['documentKey']}, {content['documentId']}",
        creator=f"billing-docs {content['templateVersion']}",
        language=content["language"],
        issued_at=datetime.fromisoformat(content["issuedAt"]),
    )


def _begin_continuation(page: Page, content: dict[str, Any], words: ReceiptWords) -> float:
    """Draws the head of a page after the first; names that stand in full on the first may be shortened."""
    y = PAGE_HEIGHT - 42
    page.box(0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, ACCENT)
    half = TEXT_WIDTH / 2 - 10
    issuer = shorten(clean(content["issuer"]["legalName"]), BODY_BOLD.weight, BODY_BOLD.size, half)
    title = words.continued.format(title=words.title, number=content["number"])
    page.text(LEFT, y, BODY_BOLD, issuer)
    page.text_right(RIGHT, y, SMALL, shorten(title, SMALL.weight, SMALL.size, half))
    page.rule(LEFT, y - 9, TEXT_WIDTH, 0.4, HAIRLINE)
    return y - 14


def _draw_head(flow: Flow, content: dict[str, Any], words: ReceiptWords) -> None:
    page, y = flow.page, flow.y
    page.box(0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, ACCENT)
    page.text_right(RIGHT, y, TITLE, words.title)
    issuer = clean(content["issuer"]["legalName"])
    for line in wrap(issuer, ISSUER.weight, ISSUER.size, TEXT_WIDTH - 150):
        page.text(LEFT, y, ISSUER, line)
        y -= 18
    flow.y = y - 8


def _facts(content: dict[str, Any], words: ReceiptWords, formats: Formats) -> Iterator[tuple[str, str]]:
    yield words.number, content["number"]
    yield words.issue_date, formats.day(content["issueDate"])
    yield words.order, content["orderId"]
    if "paidAt" in content:
        yield words.paid_at, formats.moment(content["paidAt"])
    if means := content.get("paymentMeansCode"):
        yield words.payment_means, words.payment_names.get(means, means)
    if reference := content["references"].get("rapydTransactionId"):
        yield words.payment_reference, reference


def _draw_facts(flow: Flow, facts: list[tuple[str, str]]) -> None:
    """Draws the facts in a band of three columns; long ones wrap within theirs."""
    cells = [(label, _wrapped(value, BODY_BOLD)) for label, value in facts]
    rows = [cells[start : start + len(COLUMN_X)] for start in range(0, len(cells), len(COLUMN_X))]
    heights = [16.0 + LEADING * max(len(lines) for _, lines in row) for row in rows]
    height = sum(heights) + 8
    flow.page.box(LEFT, flow.y - height, TEXT_WIDTH, height, BAND)
    y = flow.y
    for row, row_height in zip(rows, heights, strict=True):
        for x, (label, lines) in zip(COLUMN_X, row, strict=False):
            flow.page.text(x, y - 15.5, LABEL, label)
            for index, line in enumerate(lines):
                flow.page.text(x, y - 27 - index * LEADING, BODY_BOLD, line)
        y -= row_height
    flow.y -= height + 18


def _draw_parties(flow: Flow, content: dict[str, Any], words: ReceiptWords, formats: Formats) -> None:
    """Draws the parties side by side, line by line, so that even endless addresses flow on."""
    parties = [(words.buyer, content["buyer"])]
    if content["seller"] == content["issuer"]:
        parties.append((words.seller_and_issuer, content["issuer"]))
    else:
        parties += [(words.seller, content["seller"]), (words.issuer, content["issuer"])]
    columns = []
    for label, party in parties:
        lines = [(ACCENT_LABEL, label)]
        lines += [(BODY_BOLD, line) for line in _wrapped(party["legalName"], BODY_BOLD)]
        for text in _party_lines(party, words, formats):
            lines += [(BODY, line) for line in _wrapped(text, BODY)]
        columns.append(lines)
    for index in range(max(len(lines) for lines in columns)):
        flow.need(LEADING)
        flow.y -= LEADING + (2 if index == 1 else 0)
        for x, lines in zip(COLUMN_X, columns, strict=False):
            if index < len(lines):
                style, text = lines[index]
                flow.page.text(x, flow.y, style, text)
    flow.y -= 20


def _wrapped(text: str, style: Style) -> list[str]:
    return wrap(clean(text), style.weight, style.size, COLUMN_WIDTH)


def _party_lines(party: dict[str, Any], words: ReceiptWords, formats: Formats) -> Iterator[str]:
    address = party.get("address", {})
    city, postal_code = address.get("city", ""), address.get("postalCode", "")
    country_code = address.get("countryCode", "ZZ")
    place = (city, postal_code) if country_code in _POSTAL_CODE_LAST else (postal_code, city)
    lines = (
        address.get("line1", ""),
        address.get("line2", ""),
        " ".join(place),
        address.get("region", ""),
        formats.country(country_code),
    )
    yield from (line for line in lines if line.strip())
    if tax_id := party.get("taxId"):
        yield words.tax_id.format(tax_id=tax_id)


def _draw_footer(page: Page, content: dict[str, Any], words: ReceiptWords, page_of_pages: str) -> None:
    y = BOTTOM - 30
    number = shorten(f"{words.title} {content['number']}", FOOTER.weight, FOOTER.size, 160)
    document = words.document.format(
        document_id=content["documentId"],
        template=content["templateVersion"],
        driver=content["driverVersion"],
    )
    page.rule(LEFT, y + 13, TEXT_WIDTH, 0.4, HAIRLINE)
    page.text(LEFT, y, FOOTER, words.note)
    page.text_right(RIGHT, y, FOOTER_BOLD, page_of_pages)
    page.text(LEFT, y - 10, fitted(document, FOOTER, TEXT_WIDTH - 170), document)
    page.text_right(RIGHT, y - 10, FOOTER, number)
