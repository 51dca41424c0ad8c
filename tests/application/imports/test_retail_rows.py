"""Reading the file: what is taken, and which error names which line."""

from decimal import Decimal

import pytest

from application.imports.retail_rows import RetailFileError, line_amount_minor, read_rows
from tests.support.retail_samples import HEADER, csv_lines

GOOD = "1,A,TEA,2,2021-01-04 09:15:00,1.25,7.0,France\r\n"
HEADER_LINE = ",".join(HEADER) + "\r\n"


def test_columns_are_found_by_name_in_any_order_and_further_ones_ignored() -> None:
    lines = [
        "Country,Extra,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo\r\n",
        'France,x,7.0,1.25,2021-01-04 09:15:00,2," TEA  FOR\nTWO ",A,1\r\n',
    ]
    (row,) = read_rows(lines)
    assert (row.invoice_no, row.stock_code, row.description) == ("1", "A", "TEA FOR TWO")
    assert (row.quantity, row.unit_price, row.amount_minor) == (Decimal(2), Decimal("1.25"), 250)
    assert (row.customer_id, row.country) == ("7", "France")
    assert row.sold_at.isoformat() == "2021-01-04T09:15:00"


def test_a_header_without_some_columns_is_told_which() -> None:
    with pytest.raises(RetailFileError, match=r"lacks Quantity, UnitPrice;"):
        list(read_rows(["InvoiceNo,StockCode,Description,InvoiceDate,CustomerID,Country\r\n"]))


def test_an_empty_file_is_an_error_and_a_header_alone_is_not() -> None:
    with pytest.raises(RetailFileError, match="empty"):
        list(read_rows([]))
    assert list(read_rows([HEADER_LINE])) == []


def test_blank_lines_are_no_rows() -> None:
    assert len(list(read_rows([HEADER_LINE, "\r\n", GOOD, "\r\n"]))) == 1


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("Quantity", "two", "'two' is not a decimal number"),
        ("Quantity", "", "'' is not a decimal number"),
        ("Quantity", "1e3", "'1e3' is not a decimal number"),
        ("Quantity", "٣", "is not a decimal number"),
        ("UnitPrice", "NaN", "'NaN' is not a decimal number"),
        ("UnitPrice", "1,25", "'1,25' is not a decimal number"),
        ("UnitPrice", "1.0000000001", "is not a decimal number"),
        ("UnitPrice", "999999999999999", "is more than 9007199254740991 pence"),
        ("InvoiceDate", "04/01/2021 09:15", "is not a time of the form"),
        ("InvoiceDate", "2021-02-30 09:15:00", "is not a time of the form"),
        ("InvoiceNo", "", "InvoiceNo must have 1 to 31 characters, not 0"),
        ("InvoiceNo", "9" * 32, "InvoiceNo must have 1 to 31 characters, not 32"),
        ("StockCode", "", "StockCode must have 1 to 64 characters"),
        ("CustomerID", "9" * 65, "CustomerID must have 0 to 64 characters"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error_naming_its_line(
    column: str, value: str, message: str
) -> None:
    values = dict(zip(HEADER, GOOD.strip().split(","), strict=True)) | {column: value}
    bad = ",".join(f'"{values[name]}"' for name in HEADER)
    with pytest.raises(RetailFileError, match="Line 3") as raised:
        list(read_rows([HEADER_LINE, GOOD, bad + "\r\n", GOOD]))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("1,A,TEA,2,2021-01-04 09:15:00,1.25,7.0\r\n", "Line 3 has 7 columns, the header has 8"),
        ('1,A,"TEA"S,2,2021-01-04 09:15:00,1.25,7.0,France\r\n', "Line 3 is not valid CSV"),
        ('1,A,"TEA,2,2021-01-04 09:15:00,1.25,7.0,France\r\n', "not valid CSV: unexpected end of data"),
    ],
)
def test_a_broken_record_is_an_error_naming_its_line(bad: str, message: str) -> None:
    with pytest.raises(RetailFileError, match=message):
        list(read_rows([HEADER_LINE, GOOD, bad]))


@pytest.mark.parametrize(
    ("quantity", "price", "pence"),
    [("1", "0.005", 1), ("1", "0.0049", 0), ("-3", "0.335", 101), ("2", "-0.5", 100), ("0.5", "0.01", 1)],
)
def test_amounts_are_rounded_half_up_to_the_penny_without_their_sign(
    quantity: str, price: str, pence: int
) -> None:
    assert line_amount_minor(Decimal(quantity), Decimal(price)) == pence


def test_the_longest_numbers_are_multiplied_exactly() -> None:
    # 123456789.123456785 × 0.000000001 ends in a half penny only in the eighteenth decimal.
    assert line_amount_minor(Decimal("500000.000000001"), Decimal("0.000000001")) == 0
    assert line_amount_minor(Decimal("5000000.000000001"), Decimal("0.000000001")) == 1
    assert line_amount_minor(Decimal("4999999.999999999"), Decimal("0.000000001")) == 0


def test_only_a_final_point_zero_is_cut_from_a_customer_id() -> None:
    rows = list(read_rows(csv_lines([("1", "A", 1, "01-01 10:00", "1", "90.0")])))
    assert rows[0].customer_id == "90.0"
