"""Shop rows for tests, written as short tuples."""

import csv
import io
from collections.abc import Iterable

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)

ShopRow = tuple[str, str, int | str, str, str, str]
"""Invoice, stock code, quantity, `MM-DD HH:MM` of 2021, price, customer (without `.0`)."""


def csv_lines(rows: Iterable[ShopRow], *, country: str = "United Kingdom") -> list[str]:
    """The rows as the lines of a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for invoice_no, stock_code, quantity, time, price, customer in rows:
        customer_id = f"{customer}.0" if customer else ""
        writer.writerow(
            [
                invoice_no,
                stock_code,
                f"ITEM {stock_code}",
                quantity,
                f"2021-{time}:00",
                price,
                customer_id,
                country,
            ]
        )
    return out.getvalue().splitlines(keepends=True)
