"""Which template new documents get, and that every one that is named can be drawn."""

from itertools import groupby

import pytest

from domain.documents.templates import NEWEST, NewestTemplate, newest_template
from infrastructure.rendering.pdf import TEMPLATES

ANY = NewestTemplate(doc_type="RECEIPT", source="ORDER", audience="BUYER", version="any/1")
IN_GERMAN = ANY.model_copy(update={"version": "in-german/1", "language": "de"})
IN_AUSTRIA = ANY.model_copy(update={"version": "in-austria/1", "country_code": "AT"})
IN_AUSTRIA_IN_GERMAN = IN_AUSTRIA.model_copy(update={"version": "in-austria-in-german/1", "language": "de"})


@pytest.mark.parametrize(
    ("country_code", "language", "version"),
    [
        ("GB", "en", "any/1"),
        ("DE", "de", "in-german/1"),
        ("AT", "en", "in-austria/1"),
        ("AT", "de", "in-austria-in-german/1"),
    ],
)
def test_the_closest_template_is_taken_whatever_the_order_of_rows(
    country_code: str, language: str, version: str
) -> None:
    rows = (IN_AUSTRIA_IN_GERMAN, IN_AUSTRIA, IN_GERMAN, ANY)
    for ordered in (rows, rows[::-1]):
        found = newest_template("RECEIPT", "ORDER", "BUYER", country_code, language, ordered)  # type: ignore[arg-type]
        assert found == version


def test_an_order_and_a_work_order_have_invoices_of_their_own() -> None:
    assert newest_template("FISCAL_INVOICE", "ORDER", "BUYER", "MX", "es") == "order-invoice/1"
    assert newest_template("FISCAL_INVOICE", "WORK_ORDER", "BUYER", "MX", "es") == "fiscal-invoice/1"


def test_what_is_made_for_a_seller_is_never_drawn_for_a_buyer() -> None:
    assert newest_template("SELLER_STATEMENT", "ORDER", "SELLER", "DE", "de") == "seller-statement/1"
    with pytest.raises(LookupError, match="no template of a SELLER_STATEMENT of a ORDER for a BUYER"):
        newest_template("SELLER_STATEMENT", "ORDER", "BUYER", "DE", "de")


def test_every_newest_template_can_be_drawn_and_none_is_named_twice_for_the_same_documents() -> None:
    assert {(row.doc_type, row.version) for row in NEWEST} <= set(TEMPLATES)

    def documents(row: NewestTemplate) -> tuple[str, ...]:
        return row.doc_type, row.source, row.audience, row.country_code or "", row.language or ""

    ordered = sorted(NEWEST, key=documents)
    assert [len(list(rows)) for _, rows in groupby(ordered, key=documents)] == [1] * len(NEWEST)
