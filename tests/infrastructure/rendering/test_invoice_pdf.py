"""Invoices and credit notes as PDF: what a reader finds in them, and that everything fits the paper."""

import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from infrastructure.rendering.invoice_wording import INVOICE_WORDS
from infrastructure.rendering.line_table import fair_widths
from infrastructure.rendering.pdf import render_pdf
from tests.support.golden_invoices import golden_invoices, many_lines
from tests.support.invoice_contents import UK, Rate, credit_note, invoice, line

ONE_PART = line("PART", "Oil filter", "1", 1250, unitAmount=1250)
TERMS = ("DUE_ON_RECEIPT", "NET7", "NET10", "NET15", "NET30", "NET45", "NET60", "NET90", "EOM", "NET30_EOM")


def _pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(content))).pages]


def _text(content: bytes) -> str:
    return "\n".join(_pages(content))


def _positions(reader: PdfReader) -> list[tuple[float, float]]:
    """Where on its page each text begins, in points."""
    positions: list[tuple[float, float]] = []
    for page in reader.pages:
        page.extract_text(visitor_text=lambda _text, _cm, tm, _font, _size: positions.append((tm[4], tm[5])))
    return positions


def _in_order(text: str, *parts: str) -> bool:
    return re.search(".*?".join(map(re.escape, parts)), text, re.DOTALL) is not None


def test_an_invoice_reads_from_the_facts_over_the_parties_to_the_total_and_its_taxes() -> None:
    (text,) = _pages(golden_invoices()["invoice-en-plain"])
    assert _in_order(
        text,
        "Invoice number\nGB-F-2026-000041",
        "Date of issue\n14 March 2026",
        "Due date\n13 April 2026",
        "Payment terms\n30 days",
        "Work order\n0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0d55",
        "Billed to\nCopperline Couriers Ltd\nUnit 7, Harbour Yard\nFleet office\nScarborough YO11 1PQ",
        "Tax ID GB123456789\nIssued by\nLarkfield Motor Works Ltd",
        "£449.81 due by 13 April 2026",
        "Service Replace front brake pads and discs 2.5 h 85.00 212.50",
        "Part Brake fluid DOT 4 0.750 l 8.9850 6.74",
        "Total before tax 374.84",
        "Total due £449.81",
        "VAT Standard 20% 374.84 74.97",
        "Please state the invoice number when you pay.",
    )


def test_discounts_are_taken_off_their_line_and_discount_lines_are_below_zero() -> None:
    text = _text(golden_invoices()["invoice-en-plain"])
    assert "Part Brake disc, ventilated, 280 mm 2 59.00 -11.80 106.20" in text
    assert "Discount Fleet customer discount 1 -20.00 -20.00" in text
    assert _in_order(text, "Services and parts 402.14", "Discounts -31.80", "Fees 4.50", "Tax 74.97")


def test_a_discount_with_a_fine_price_is_below_zero_too() -> None:
    discount = line("DISCOUNT", "Loyalty", "3", 75, unitPrice="0.2495")
    assert "Discount Loyalty 3 -0.2495 -0.75" in _text(invoice([ONE_PART, discount]))


def test_fees_of_rules_stand_among_the_lines_so_that_amounts_add_up() -> None:
    text = _text(golden_invoices()["invoice-en-sales-tax"])
    assert _in_order(text, "467.96", "137.50", "Fee California tire fee 4 7.00", "Total before tax 612.46")


def test_lines_say_their_tax_category_where_there_is_more_than_one() -> None:
    mixed = _text(golden_invoices()["invoice-en-sales-tax"])
    assert "4 129.99 -52.00 Standard 467.96" in mixed
    assert "1.25 h 110.00 Not subject 137.50" in mixed
    assert "Standard" not in _text(golden_invoices()["invoice-en-plain"]).split("Total due")[0]


@pytest.mark.parametrize(
    ("language", "mentions"),
    [
        (
            "en",
            (
                "Reverse charge: the customer accounts for the tax (VATEX-EU-AE)",
                "Exempt intra-Community supply (Article 138 of Directive 2006/112/EC)",
                "Exempt from tax (Article 132 of Directive 2006/112/EC)",
            ),
        ),
        (
            "es",
            (
                "Inversión del sujeto pasivo: el destinatario liquida el impuesto (VATEX-EU-AE)",
                "Entrega intracomunitaria exenta (artículo 138 de la Directiva 2006/112/CE)",
                "Operación exenta (artículo 132 de la Directiva 2006/112/CE)",
            ),
        ),
    ],
)
def test_untaxed_amounts_come_with_what_the_law_wants_said(language: str, mentions: tuple[str, ...]) -> None:
    rates = {
        "REVERSE_CHARGE": Rate("VAT", "0", "VATEX-EU-AE"),
        "INTRA_COMMUNITY": Rate("VAT", "0", "VATEX-EU-IC"),
        "EXEMPT": Rate("VAT", "0", "VATEX-EU-132"),
    }
    lines = [{**ONE_PART, "taxCategory": category} for category in rates]
    # A mention may be wrapped, and then its row's numbers stand between its lines.
    words = set(_text(invoice(lines, rates, language=language)).split())
    for mention in mentions:
        assert words.issuperset(mention.split())


def test_a_rate_is_printed_as_fine_as_the_law_has_it() -> None:
    text = _text(invoice([ONE_PART], {"STANDARD": Rate("US-MN", "6.875")}, countryCode="US"))
    assert "US-MN Standard 6.875% 12.50 0.86" in text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("terms", TERMS)
def test_payment_terms_have_words(language: str, terms: str) -> None:
    text = _text(invoice([ONE_PART], language=language, paymentTermsCode=terms))
    assert INVOICE_WORDS[language].terms[terms] in text
    assert terms not in text


def test_both_languages_have_words_for_the_same_codes() -> None:
    english, spanish = INVOICE_WORDS["en"], INVOICE_WORDS["es"]
    for codes in ("kinds", "tax_categories", "tax_mentions", "exemption_reasons", "terms", "reasons"):
        assert getattr(english, codes).keys() == getattr(spanish, codes).keys()


def test_codes_without_words_are_printed_as_they_are() -> None:
    rates = {"LUXURY": Rate("LX", "33", "WHY-7"), **UK}
    lines = [{**ONE_PART, "taxCategory": "LUXURY"}, ONE_PART]
    text = _text(invoice(lines, rates, paymentTermsCode="NET120"))
    assert "LX LUXURY (WHY-7) 33%" in text
    assert "Payment terms\nNET120" in text
    assert "Reason\nWEATHER" in _text(credit_note([ONE_PART], reasonCode="WEATHER"))


def test_a_free_invoice_asks_for_nothing() -> None:
    text = _text(invoice([{**ONE_PART, "discountAmount": 1250}]))
    assert "There is nothing to pay" in text
    assert "due by" not in text
    assert "VAT Standard 20% 0.00 0.00" in text


def test_a_credit_note_says_what_it_takes_back_of_which_invoice() -> None:
    (text,) = _pages(golden_invoices()["credit-note-en"])
    assert _in_order(
        text,
        "Credit note number\nGB-C-2026-000007",
        "Reason\nError in the invoice",
        "Corrects invoice\nGB-F-2026-000041",
        "£110.16 credited to you",
        "This credit note takes the amounts below back from invoice GB-F-2026-000041 of 2 March 2026.",
        "Service Replace front brake pads and discs 0.5 h -1.90 40.60",
        "Total credited £110.16",
        "This is not a request for payment",
    )
    assert "Unit price" not in text
    assert "Due date" not in text


def test_a_credit_note_is_silent_on_taxes_that_it_takes_nothing_of() -> None:
    reduced = Rate("VAT", "5")
    text = _text(credit_note([ONE_PART], {**UK, "REDUCED": reduced}))
    assert "Reduced" not in text
    assert "VAT Standard 20% 12.50 2.50" in text


def test_a_spanish_credit_note_speaks_spanish() -> None:
    (text,) = _pages(golden_invoices()["credit-note-es"])
    assert _in_order(
        text,
        "Nota de crédito",
        "Motivo\nA petición suya",
        "Rectifica la factura\nES-F-2026/000204",
        "61,76 € a su favor",
        "anula los importes siguientes de la factura ES-F-2026/000204 del 1 de marzo de 2026.",
        "Cargo Tasa de reciclaje 1 0,35",
        "Total abonado",
    )


def test_a_region_stands_between_city_and_postal_code_where_people_write_it_so() -> None:
    assert "Fresno, CA 93706\nUnited States" in _text(golden_invoices()["invoice-en-sales-tax"])


def test_currencies_keep_their_decimals() -> None:
    assert "JP¥12,573" in _text(golden_invoices()["invoice-en-yen"])
    assert "KWD 123,456.789" in _text(golden_invoices()["invoice-en-dinars"])


def test_many_lines_flow_over_numbered_pages_with_carried_sums() -> None:
    pages = _pages(many_lines(300))
    assert len(pages) > 5
    amounts = [(number % 4 + 1) * (1150 + number) for number in range(1, 301)]
    done = 0
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Invoice GB-F-2026-000041" in page
        if number > 1:
            assert f"Brought forward {sum(amounts[:done]) / 100:,.2f}" in page
        done += page.count("Wiper blade")
        if number < len(pages):
            assert f"Carried forward {sum(amounts[:done]) / 100:,.2f}" in page
    assert done == 300


@pytest.mark.parametrize("count", range(14, 28))
def test_the_taxes_stand_on_the_page_of_the_total(count: int) -> None:
    *before, last = _pages(many_lines(count))
    assert "Total due" in last
    assert "Taxable amount" in last
    assert not any("Total due" in page or "Taxable amount" in page for page in before)


def test_more_taxes_than_a_page_holds_flow_on() -> None:
    rates = {f"CATEGORY-{number}": Rate(f"T{number}", "1") for number in range(60)}
    lines = [{**ONE_PART, "taxCategory": category} for category in rates]
    pages = _pages(invoice(lines, rates))
    shown = [int(found) for page in pages for found in re.findall(r"T(\d+) CATEGORY", page)]
    assert shown == list(range(60))


def test_the_longest_texts_and_numbers_of_all_still_fit_the_paper() -> None:
    address = {
        "line1": "x " * 150,
        "line2": "Y" * 300,
        "city": "z" * 300,
        "region": "漢" * 300,
        "countryCode": "US",
    }
    party = {"legalName": "W" * 300, "taxId": "T" * 50, "address": address}
    most = 2**53 - 1
    longest: dict[str, Any] = {
        "description": "W" * 1000,
        "quantity": "999999999999999.123456789",
        "unitCode": "U" * 50,
        "unitAmount": most,
        "amount": most,
        "discountAmount": most,
    }
    lines = [{**ONE_PART, **longest}, {**ONE_PART, "taxCategory": "C" * 50}]
    rates = {"STANDARD": Rate("X" * 50, "99.9999", "R" * 50), "C" * 50: Rate("Y", "0")}
    changes = {"number": "N" * 64, "workOrderId": "O" * 64, "issuer": party, "billTo": party}
    sums = dict.fromkeys(("subtotal", "discountTotal", "feeTotal", "taxTotal", "grandTotal"), most)
    corrects = {"number": "N" * 64, "issueDate": "2026-03-02"}
    for content in (
        invoice(lines, rates, **changes, **sums, currencyUomId="KWD", paymentTermsCode="P" * 50),
        credit_note(lines, rates, **changes, **sums, currencyUomId="CLF", corrects=corrects, language="es"),
    ):
        reader = PdfReader(io.BytesIO(render_pdf(content)))
        assert "".join(page.extract_text() for page in reader.pages).count("Y") >= 600
        assert all(0 <= x <= 560 and 30 <= y <= 842 for x, y in _positions(reader) if (x, y) != (0, 0))


def test_where_columns_are_tight_only_the_widest_are_drawn_smaller() -> None:
    assert fair_widths([30.0, 90.0, 10.0, 80.0], 48.0 + 160.0) == [30.0, 60.0, 10.0, 60.0]
    assert fair_widths([30.0, 40.0], 24.0 + 100.0) == [30.0, 40.0]


_LINES = st.lists(
    st.builds(
        lambda kind, text, quantity, amount, discounted: line(
            kind,
            text or "-",
            quantity,
            amount,
            unitAmount=amount,
            **({"discountAmount": 1} if discounted else {}),
        ),
        st.sampled_from(("LABOR", "PART", "FEE")),
        st.text(
            st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), max_size=60
        ),
        st.sampled_from(("1", "2.5", "0.125")),
        st.integers(1, 10**9),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(_LINES, st.sampled_from(("en", "es")), st.sampled_from(("GBP", "JPY", "KWD", "CLF")))
@settings(max_examples=25, deadline=None)
def test_any_invoice_and_its_credit_can_be_drawn(
    lines: list[dict[str, Any]], language: str, currency: str
) -> None:
    changes = {"language": language, "currencyUomId": currency}
    assert render_pdf(invoice(lines, **changes)).startswith(b"%PDF-1.")
    assert render_pdf(credit_note(lines, **changes)).startswith(b"%PDF-1.")


def test_the_file_describes_itself() -> None:
    reader = PdfReader(io.BytesIO(render_pdf(golden_invoices()["credit-note-es"])))
    assert reader.metadata is not None
    assert reader.metadata.title == "Nota de crédito ES-C-2026/000012"
    assert reader.metadata.subject == "Orden de trabajo 0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0d55"
    assert str(reader.root_object["/Lang"]) == "es"
