"""The receipt of template `receipt/1` drawn straight onto a reportlab canvas, page for page the same."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from benchmarks.references import plain_canvas as plain
from benchmarks.references.plain_canvas import NumberedCanvas, box, clean, draw, draw_right, width, wrap
from infrastructure.rendering import house_style as house
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import (
    BODY,
    BODY_BOLD,
    BODY_MUTED,
    BOTTOM,
    INNER_LEFT,
    INNER_RIGHT,
    INSET,
    LABEL,
    LEADING,
    LEFT,
    RIGHT,
    SMALL,
    TEXT_WIDTH,
)
from infrastructure.rendering.sheet import PAGE_HEIGHT, PAGE_WIDTH, Style
from infrastructure.rendering.wording import RECEIPT_WORDS

_CITY_FIRST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})
_FRESH_Y = PAGE_HEIGHT - 56
_STRIP = 19.0
_GAP = 12.0
_SUMS_WIDTH = 310.0


def draw_receipt(content_json: bytes) -> bytes:
    """The PDF of a receipt's canonical JSON."""
    return _Receipt(json.loads(content_json)).pdf()


def drawn_per_second(documents: list[bytes], processes: int) -> float:
    """Documents a second on so many warm processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=plain.register_fonts) as pool:
        pool.map(_drawn_size, documents[: 4 * processes], chunksize=1)
        started = time.perf_counter()
        pool.map(_drawn_size, documents, chunksize=max(1, len(documents) // 200))
        return len(documents) / (time.perf_counter() - started)


def _drawn_size(content_json: bytes) -> int:
    return len(draw_receipt(content_json))


class _Receipt:
    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.words = RECEIPT_WORDS[content["language"]]
        self.locale = _locale(content["language"], content["countryCode"])
        self.formats = Formats(self.locale)
        self.currency = content["currencyUomId"]
        self.canvas, self.buffer = plain.new_canvas(content["language"], self._footer)
        self.y = house.TOP
        self.carried_minor = 0

    def pdf(self) -> bytes:
        words, content = self.words, self.content
        self.canvas.setTitle(f"{words.title} {content['number']}")
        self.canvas.setAuthor(clean(content["issuer"]["legalName"]))
        self.canvas.setSubject(f"{words.order} {content['orderId']}")
        self._head()
        self._facts()
        self._parties()
        self._lines()
        self._sums()
        self.canvas.showPage()
        self.canvas.save()
        return self.buffer.getvalue()

    def _amount(self, amount_minor: int) -> str:
        return plain.amount(amount_minor, self.currency, self.locale)

    def _turn(self) -> None:
        self.canvas.showPage()
        y = PAGE_HEIGHT - 42
        half = TEXT_WIDTH / 2 - 10
        box(self.canvas, 0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, house.ACCENT)
        issuer = plain.shorten(clean(self.content["issuer"]["legalName"]), BODY_BOLD, half)
        title = self.words.continued.format(title=self.words.title, number=self.content["number"])
        draw(self.canvas, LEFT, y, BODY_BOLD, issuer)
        draw_right(self.canvas, RIGHT, y, SMALL, plain.shorten(title, SMALL, half))
        box(self.canvas, LEFT, y - 9, TEXT_WIDTH, 0.4, house.HAIRLINE)
        self.y = _FRESH_Y

    def _need(self, height: float) -> None:
        if self.y - BOTTOM < height:
            self._turn()

    def _head(self) -> None:
        box(self.canvas, 0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, house.ACCENT)
        draw_right(self.canvas, RIGHT, self.y, house.TITLE, self.words.title)
        issuer = clean(self.content["issuer"]["legalName"])
        for line in wrap(issuer, house.ISSUER, TEXT_WIDTH - 150):
            draw(self.canvas, LEFT, self.y, house.ISSUER, line)
            self.y -= 18
        self.y -= 8

    def _fact_texts(self) -> Iterator[tuple[str, str]]:
        content, words = self.content, self.words
        yield words.number, content["number"]
        day = date.fromisoformat(content["issueDate"])
        yield words.issue_date, format_date(day, "long", locale=self.locale)
        yield words.order, content["orderId"]
        if "paidAt" in content:
            yield words.paid_at, self.formats.moment(content["paidAt"])
        if means := content.get("paymentMeansCode"):
            yield words.payment_means, words.payment_names.get(means, means)
        if reference := content["references"].get("rapydTransactionId"):
            yield words.payment_reference, reference

    def _facts(self) -> None:
        columns = house.COLUMN_X
        cells = [(label, self._column(text, BODY_BOLD)) for label, text in self._fact_texts()]
        rows = [cells[start : start + len(columns)] for start in range(0, len(cells), len(columns))]
        heights = [16.0 + LEADING * max(len(lines) for _, lines in row) for row in rows]
        height = sum(heights) + 8
        box(self.canvas, LEFT, self.y - height, TEXT_WIDTH, height, house.BAND)
        y = self.y
        for row, row_height in zip(rows, heights, strict=True):
            for x, (label, lines) in zip(columns, row, strict=False):
                draw(self.canvas, x, y - 15.5, LABEL, label)
                for index, line in enumerate(lines):
                    draw(self.canvas, x, y - 27 - index * LEADING, BODY_BOLD, line)
            y -= row_height
        self.y -= height + 18

    def _column(self, text: str, style: Style) -> list[str]:
        return wrap(clean(text), style, house.COLUMN_WIDTH)

    def _parties(self) -> None:
        content, words = self.content, self.words
        parties = [(words.buyer, content["buyer"])]
        if content["seller"] == content["issuer"]:
            parties.append((words.seller_and_issuer, content["issuer"]))
        else:
            parties += [(words.seller, content["seller"]), (words.issuer, content["issuer"])]
        columns = []
        for label, party in parties:
            lines = [(house.ACCENT_LABEL, label)]
            lines += [(BODY_BOLD, line) for line in self._column(party["legalName"], BODY_BOLD)]
            for text in self._party_texts(party):
                lines += [(BODY, line) for line in self._column(text, BODY)]
            columns.append(lines)
        for index in range(max(map(len, columns))):
            self._need(LEADING)
            self.y -= LEADING + (2 if index == 1 else 0)
            for x, lines in zip(house.COLUMN_X, columns, strict=False):
                if index < len(lines):
                    draw(self.canvas, x, self.y, *lines[index])
        self.y -= 20

    def _party_texts(self, party: dict[str, Any]) -> Iterator[str]:
        address = party.get("address", {})
        country = address.get("countryCode", "ZZ")
        place = [address.get("city", ""), address.get("postalCode", "")]
        if country not in _CITY_FIRST:
            place.reverse()
        lines = (
            address.get("line1", ""),
            address.get("line2", ""),
            " ".join(place),
            address.get("region", ""),
            self.formats.country(country),
        )
        yield from (line for line in lines if line.strip())
        if tax_id := party.get("taxId"):
            yield self.words.tax_id.format(tax_id=tax_id)

    def _lines(self) -> None:
        table = _Table(self)
        self._need(_STRIP + 3 * LEADING + _STRIP)
        self._table_head(table)
        largest = _FRESH_Y - BOTTOM - 3 * _STRIP
        for line, numbers in zip(self.content["lines"], table.numbers, strict=True):
            sku = wrap(clean(line["sku"]), SMALL, table.sku_width) if "sku" in line else []
            description = wrap(clean(line["description"]), BODY, table.description_width)
            rows = max(len(sku), len(description))
            if self.y - BOTTOM - _STRIP < rows * LEADING + 5.4 <= largest:
                self._turn_table(table)
            for index in range(rows):
                if self.y - BOTTOM - _STRIP < LEADING + 5.4:
                    self._turn_table(table)
                self.y -= LEADING
                if index < len(sku):
                    draw(self.canvas, INNER_LEFT, self.y, SMALL, sku[index])
                if index < len(description):
                    draw(self.canvas, table.description_x, self.y, BODY, description[index])
                if index == 0:
                    for text, (_, edge, room) in zip(numbers, table.columns, strict=True):
                        draw_right(self.canvas, edge, self.y, _fitted(text, BODY, room), text)
                    self.carried_minor += line["amount"]
            self.y -= 5.4
            box(self.canvas, LEFT, self.y, RIGHT - LEFT, 0.4, house.HAIRLINE)

    def _table_head(self, table: "_Table") -> None:
        y = self.y - 11
        if table.sku_width:
            draw(self.canvas, INNER_LEFT, y, LABEL, self.words.sku)
        draw(self.canvas, table.description_x, y, LABEL, self.words.description)
        for label, edge, room in table.columns:
            draw_right(self.canvas, edge, y, _fitted(label, LABEL, room), label)
        self.y -= _STRIP
        box(self.canvas, LEFT, self.y, RIGHT - LEFT, 0.9, house.ACCENT)

    def _turn_table(self, table: "_Table") -> None:
        self._strip(self.words.carried_forward)
        self._turn()
        self._table_head(table)
        self._strip(self.words.brought_forward)

    def _strip(self, label: str) -> None:
        amount, y = self._amount(self.carried_minor), self.y - 12.5
        draw_right(self.canvas, INNER_RIGHT - width(amount, BODY_BOLD) - _GAP, y, SMALL, label)
        draw_right(self.canvas, INNER_RIGHT, y, BODY_BOLD, amount)
        self.y -= _STRIP
        box(self.canvas, LEFT, self.y, RIGHT - LEFT, 0.4, house.HAIRLINE)

    def _sums(self) -> None:
        above, below = list(self._paid()), list(self._included())
        height = sum(len(lines) * LEADING + 4.2 for lines, _, _, _ in (*above, *below)) + 54
        if self.y - BOTTOM < height <= _FRESH_Y - BOTTOM - 40:
            self._strip(self.words.carried_forward)
            self._turn()
            self._strip(self.words.brought_forward)
        self.y -= 8
        for row in above:
            self._sum(*row)
        self._need(38)
        self.y -= 36
        total = plain.money(self.content["buyerTotal"], self.currency, self.locale)
        room = _SUMS_WIDTH - 3 * INSET - width(self.words.total, house.TOTAL)
        box(self.canvas, RIGHT - _SUMS_WIDTH, self.y, _SUMS_WIDTH, 30, house.ACCENT)
        draw(self.canvas, RIGHT - _SUMS_WIDTH + INSET, self.y + 10.5, house.TOTAL, self.words.total)
        draw_right(self.canvas, INNER_RIGHT, self.y + 10.5, _fitted(total, house.TOTAL, room), total)
        self.y -= 8
        for row in below:
            self._sum(*row)

    def _row(self, label: str, amount_minor: int | None, style: Style, ruled: bool = False) -> Any:
        amount = "" if amount_minor is None else self._amount(amount_minor)
        room = _SUMS_WIDTH - 2 * INSET - 12 - width(amount, style)
        return wrap(label, style, room), amount, style, ruled

    def _paid(self) -> Iterator[Any]:
        content, words = self.content, self.words
        if coupon := content["sellerCouponDiscount"]:
            yield self._row(words.coupon, -coupon, BODY_MUTED)
        yield self._row(words.items_subtotal, content["itemsSubtotal"], BODY_BOLD, ruled=True)
        if fee := content["platformFeeBeforeCredits"]:
            yield self._row(words.platform_fee_before, fee, BODY_MUTED)
            yield self._row(words.fee_credits, -content["feeCreditsApplied"], BODY_MUTED)
            yield self._row(words.platform_fee_after, content["platformFeeAfterCredits"], BODY)
        if content["opsFee"]:
            yield self._row(words.ops_fee, content["opsFee"], BODY)
        if content["processingFee"]:
            yield self._row(words.processing_fee, content["processingFee"], BODY)
        for tax in content["taxes"]:
            if tax["mode"] == "ADDED":
                yield self._row(self._tax(tax), tax["amount"], BODY)

    def _included(self) -> Iterator[Any]:
        included = [tax for tax in self.content["taxes"] if tax["mode"] == "INCLUDED"]
        if included:
            yield self._row(self.words.included_taxes, None, SMALL)
        for tax in included:
            yield self._row(self._tax(tax), tax["amount"], SMALL)

    def _tax(self, tax: dict[str, Any]) -> str:
        label = self.words.tax.format(
            kind=self.words.tax_kinds[tax["kind"]],
            code=clean(tax["taxCode"]),
            rate=self.formats.rate(tax["rateBasisPoints"]),
            target=self.words.tax_targets[tax["appliesTo"]],
            base=self._amount(tax["baseAmount"]),
        )
        if reason := tax.get("exemptionReasonCode"):
            label += " · " + self.words.exemption.format(code=clean(reason))
        return label

    def _sum(self, lines: list[str], amount: str, style: Style, ruled: bool) -> None:
        self._need(len(lines) * LEADING + 4.2)
        for line in lines:
            self.y -= LEADING
            draw(self.canvas, RIGHT - _SUMS_WIDTH + INSET, self.y, style, line)
        draw_right(self.canvas, INNER_RIGHT, self.y, style, amount)
        self.y -= 4.2
        if ruled:
            box(self.canvas, RIGHT - _SUMS_WIDTH, self.y, _SUMS_WIDTH, 0.4, house.HAIRLINE)

    def _footer(self, canvas: NumberedCanvas, page: int, pages: int) -> None:
        content, words, y = self.content, self.words, BOTTOM - 30
        document = words.document.format(
            document_id=content["documentId"],
            template=content["templateVersion"],
            driver=content["driverVersion"],
        )
        number = plain.shorten(f"{words.title} {content['number']}", house.FOOTER, 160)
        box(canvas, LEFT, y + 13, TEXT_WIDTH, 0.4, house.HAIRLINE)
        draw(canvas, LEFT, y, house.FOOTER, words.note)
        draw_right(canvas, RIGHT, y, house.FOOTER_BOLD, words.page.format(page=page, pages=pages))
        draw(canvas, LEFT, y - 10, _fitted(document, house.FOOTER, TEXT_WIDTH - 170), document)
        draw_right(canvas, RIGHT, y - 10, house.FOOTER, number)


def _locale(language: str, country_code: str) -> Locale:
    try:
        return Locale(language, territory=country_code)
    except UnknownLocaleError:
        return Locale.parse({"en": "en_GB", "es": "es_ES"}[language])


class _Table:
    """The columns of the lines, as wide as what stands in them."""

    def __init__(self, receipt: _Receipt) -> None:
        lines, words = receipt.content["lines"], receipt.words
        has_discounts = any("discountAmount" in line for line in lines)
        labels = [words.quantity, words.unit_price]
        labels += [words.discount] if has_discounts else []
        labels.append(words.amount.format(currency=receipt.currency))
        self.numbers = [_numbers(receipt, line, has_discounts) for line in lines]
        skus = [clean(line["sku"]) for line in lines if "sku" in line]
        self.sku_width = min(max(width(sku, SMALL) for sku in (*skus, words.sku)), 76.0) if skus else 0.0
        self.description_x = INNER_LEFT + self.sku_width + (_GAP if skus else 0.0)
        widths = [
            max(width(label, LABEL), *(width(text, BODY) for text in texts))
            for label, texts in zip(labels, zip(*self.numbers, strict=True), strict=True)
        ]
        room = INNER_RIGHT - self.description_x
        if room - sum(widths) - _GAP * len(widths) < 130:
            widest = (room - 130) / len(widths) - _GAP
            widths = [min(natural, widest) for natural in widths]
        edge = INNER_RIGHT
        self.columns: list[tuple[str, float, float]] = []
        for label, column_width in reversed(list(zip(labels, widths, strict=True))):
            self.columns.insert(0, (label, edge, column_width))
            edge -= column_width + _GAP
        self.description_width = edge - self.description_x


def _numbers(receipt: _Receipt, line: dict[str, Any], has_discounts: bool) -> list[str]:
    quantity = plain.decimal(line["quantity"], receipt.locale)
    unit_code = line.get("unitCode", "")
    if unit := receipt.words.units.get(unit_code, unit_code):
        quantity = f"{quantity} {clean(unit)}"
    if "unitPrice" in line:
        price = plain.decimal(line["unitPrice"], receipt.locale)
    else:
        price = receipt._amount(line["unitAmount"])
    numbers = [quantity, price]
    if has_discounts:
        discount = line.get("discountAmount")
        numbers.append(receipt._amount(-discount) if discount else "")
    return [*numbers, receipt._amount(line["amount"])]


def _fitted(text: str, style: Style, room: float) -> Style:
    text_width = width(text, style)
    return style if text_width <= room else style._replace(size=style.size * room / text_width)
