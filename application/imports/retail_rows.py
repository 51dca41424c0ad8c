"""Reading a shop's export: a CSV record becomes one checked `Row`, or an error that names its line.

Everything is checked before anything is sent, so a file with one bad row leads to nothing at all.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import NamedTuple

from domain.kernel.money import MAX_MINOR, round_half_up

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
"""The columns a file must have, in any order; further ones are ignored."""

MAX_INVOICE_NO_LENGTH = 31
"""Two invoice numbers and a hyphen make a `refundId`, which may have 64 characters."""

MAX_ID_LENGTH = 64
"""The longest upstream id (contract §2)."""

# Fifteen digits and nine decimals are what a decimal string of the door may have; their product is exact
# in sixty digits.
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_EXACT = Context(prec=60)


class RetailFileError(Exception):
    """The file cannot be imported and nothing was sent; the message says where and why."""


class Row(NamedTuple):
    """One row as the shop wrote it.

    `line_number` is the line in the file (the header is 1). `quantity` and `unit_price` (GBP) are exact and
    signed; `amount_minor` is their product in pence, rounded half up and without its sign. `sold_at` is
    wall-clock time in London. `customer_id` is empty where the shop does not know the buyer.
    """

    line_number: int
    invoice_no: str
    stock_code: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    sold_at: datetime
    customer_id: str
    country: str
    amount_minor: int


def line_amount_minor(quantity: Decimal, unit_price: Decimal) -> int:
    """Quantity × price (GBP) in pence, rounded half up, without its sign."""
    return round_half_up(_EXACT.multiply(abs(quantity), abs(unit_price)).scaleb(2, _EXACT))


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a CSV text in file order; blank lines are no rows.

    Raises `RetailFileError` for a missing column, a wrong number of columns, broken quoting, text that is
    not UTF-8, or a number, time or id that cannot be read.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise RetailFileError("The file is empty: a header line with the column names is needed.")
        places = _places(header)
        for record in reader:
            if record:
                if len(record) != len(header):
                    raise RetailFileError(
                        f"Line {reader.line_num} has {len(record)} columns, the header has {len(header)}."
                    )
                yield _row(reader.line_num, [record[place] for place in places])
    except csv.Error as error:
        raise RetailFileError(f"Line {reader.line_num} is not valid CSV: {error}.") from error
    except UnicodeDecodeError as error:
        raise RetailFileError(f"The text after line {reader.line_num} is not UTF-8.") from error


def _places(header: list[str]) -> list[int]:
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise RetailFileError(
            f"The header lacks {', '.join(missing)}; the columns needed are {', '.join(COLUMNS)}."
        )
    return [header.index(column) for column in COLUMNS]


def _row(line_number: int, values: list[str]) -> Row:
    invoice_no, stock_code, description, quantity_text, date_text, price_text, customer, country = values
    try:
        quantity = _number(quantity_text)
        unit_price = _number(price_text)
        sold_at = _moment(date_text)
    except ValueError as error:
        raise RetailFileError(f"Line {line_number}: {error}") from error
    customer_id = customer.removesuffix(".0")
    _check_length(line_number, "InvoiceNo", invoice_no, 1, MAX_INVOICE_NO_LENGTH)
    _check_length(line_number, "StockCode", stock_code, 1, MAX_ID_LENGTH)
    _check_length(line_number, "CustomerID", customer_id, 0, MAX_ID_LENGTH)
    amount_minor = line_amount_minor(quantity, unit_price)
    if amount_minor > MAX_MINOR:
        raise RetailFileError(f"Line {line_number}: quantity × price is more than {MAX_MINOR} pence.")
    return Row(
        line_number,
        _shared(invoice_no),
        _shared(stock_code),
        _shared(" ".join(description.split())),
        quantity,
        unit_price,
        sold_at,
        _shared(customer_id),
        _shared(country),
        amount_minor,
    )


def _check_length(line_number: int, column: str, value: str, shortest: int, longest: int) -> None:
    if not shortest <= len(value) <= longest:
        raise RetailFileError(
            f"Line {line_number}: {column} must have {shortest} to {longest} characters, not {len(value)}."
        )


# A shop's values repeat: each distinct one is read once and kept once, which halves time and memory.
@lru_cache(maxsize=1 << 16)
def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a decimal number.")
    return Decimal(text)


@lru_cache(maxsize=1 << 16)
def _moment(text: str) -> datetime:
    try:
        # The file's times are wall-clock times without an offset; `retail_facts` turns them into UTC.
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a time of the form YYYY-MM-DD HH:MM:SS.") from error


@lru_cache(maxsize=1 << 16)
def _shared(text: str) -> str:
    return text
