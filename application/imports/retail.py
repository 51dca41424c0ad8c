"""A shop's rows, in file order, mapped to orders, refunds and refusals (contract §4, Import).

A row is refused by the first rule that applies: an `A…` number is an ADJUSTMENT; a negative quantity
without `C` is a NEGATIVE_QUANTITY; a price of zero or less is NO_PRICE, for cancelled rows too. What else
begins with `C` is a cancelled line and goes to `retail_refunds`; the rest are order lines. The letters are
matched as they stand, in capitals.

An order's time, buyer and country are those of its first line that was not refused. A quantity of zero is no
reason to refuse: it is an order line over nothing. Only the countries of orders must have a name we know,
since nothing else uses them.
"""

from collections.abc import Iterable

from application.imports.retail_facts import country_code
from application.imports.retail_refunds import Order, Refund, group_refunds, match_cancellations
from application.imports.retail_report import Refused, RetailImport
from application.imports.retail_rows import Row, read_rows

ADJUSTMENT = "ADJUSTMENT"
NEGATIVE_QUANTITY = "NEGATIVE_QUANTITY"
NO_PRICE = "NO_PRICE"


def map_retail(lines: Iterable[str]) -> RetailImport:
    """Map the text lines of a CSV file. Raises `RetailFileError` naming the line that cannot be read."""
    row_count, row_amount_minor = 0, 0
    refused: dict[str, Refused] = {}
    order_lines: dict[str, list[Row]] = {}
    cancelled: list[Row] = []
    for row in read_rows(lines):
        row_count += 1
        row_amount_minor += row.amount_minor
        reason = refusal(row)
        if reason is not None:
            _refuse(refused, reason, row)
        elif row.invoice_no.startswith("C"):
            cancelled.append(row)
        else:
            order_lines.setdefault(row.invoice_no, []).append(row)
    orders = sorted(
        (_order(order_id, rows) for order_id, rows in order_lines.items()), key=lambda order: order.age_key
    )
    matches = list(match_cancellations(orders, cancelled))
    for match in matches:
        if match.refused is not None:
            _refuse(refused, match.refused, match.row)
    refunds = sorted(group_refunds(matches), key=_refund_age_key)
    return RetailImport(row_count, row_amount_minor, orders, refunds, refused)


def refusal(row: Row) -> str | None:
    """The first rule that refuses a row on its own, if any."""
    if row.invoice_no.startswith("A"):
        return ADJUSTMENT
    if row.quantity < 0 and not row.invoice_no.startswith("C"):
        return NEGATIVE_QUANTITY
    if row.unit_price <= 0:
        return NO_PRICE
    return None


def _order(order_id: str, rows: list[Row]) -> Order:
    first = rows[0]
    return Order(
        order_id=order_id,
        lines=tuple(rows),
        country_code=country_code(first.country, first.line_number),
        amount_minor=sum(row.amount_minor for row in rows),
    )


def _refund_age_key(refund: Refund) -> tuple[object, int]:
    row = refund.pieces[0].row
    return (row.sold_at, row.line_number)


def _refuse(refused: dict[str, Refused], reason: str, row: Row) -> None:
    entry = refused.setdefault(reason, Refused())
    entry.rows += 1
    entry.amount_minor += row.amount_minor
