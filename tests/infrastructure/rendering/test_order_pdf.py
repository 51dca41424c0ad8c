"""An order's invoices, corrections and statements as PDF: what a reader finds in them, and where."""

import io
import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from pypdf import PdfReader

from domain.documents.document_facts import DocType
from domain.documents.order_snapshot import OrderData
from domain.kernel.canonical import canonical_json
from infrastructure.rendering.pdf import TEMPLATES, render_pdf
from infrastructure.rendering.sheet import PAGE_WIDTH
from tests.support.golden_documents import golden_documents
from tests.support.golden_order_documents import golden_order_documents, many_lines_order
from tests.support.invoice_contents import FISCAL
from tests.support.order_documents import completion, dispute_of, order_document, payout, refund_of
from tests.support.snapshots import financial_snapshot, order_data, orders


def _pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(content))).pages]


def _text(content: bytes) -> str:
    return "\n".join(_pages(content))


def _in_order(text: str, *parts: str) -> bool:
    return re.search(".*?".join(map(re.escape, parts)), text, re.DOTALL) is not None


def _golden(name: str, **changes: Any) -> bytes:
    return canonical_json({**json.loads(golden_order_documents()[name]), **changes})


def test_an_invoice_reads_from_the_facts_over_the_parties_and_lines_to_the_taxes_and_the_stamp() -> None:
    (text,) = _pages(golden_order_documents()["order-invoice-en"])
    assert _in_order(
        text,
        "Larkfield Market Ltd",
        "Invoice number\nGB-2026-000017",
        "Order\no-1",
        "Payment method\nCard",
        "Billed to\nMarigold Tansy-Okafor\nFlat 3",
        "Sold by\nCopperline Kitchenware Ltd",
        "Issued by\nLarkfield Market Ltd",
        "£76.80 paid",
        "Order o-1 was paid when it was placed; there is nothing left to pay.",
        "KTL-07 Enamel kettle, moss green 2 34.50 -4.00 65.00",
        "Seller's coupon -10.00",
        "Items subtotal 60.00",
        "Fee credits applied -1.00",
        "VAT 20% (GB-STD) on items of 60.00 12.00",
        "Total paid £76.80",
        "GB-STD Items · added to the price · Standard 20% 60.00 12.00",
        "GB-STD Platform fee · added to the price · Standard 20% 2.00 0.40",
        "Fiscal record",
        "Authority SIMULATED AUTHORITY",
        f"UUID {FISCAL['uuid']}",
        "Stamped 14 Mar 2026, 09:27 UTC",
        f"Chain hash {FISCAL['chainHash']}",
        "Page 1 of 1",
    )


def test_an_invoice_shows_taxes_at_their_line_and_what_is_withheld_as_no_part_of_the_total() -> None:
    text = _text(golden_order_documents()["order-invoice-es-withheld"])
    assert _in_order(
        text,
        "CAF-OLLA Café de olla tostado en leña\nIVA 16% (MX-IVA), incluido: 80.00\n"
        "Retención 2.5% (MX-ISR), retenido: 12.50",
        "2.500 kg 232.0000 580.00",
        "TAZ-12 Taza de barro negro de San Bartolo Coyotepec,\npintada a mano\nIVA 16%",
        "6 24.20 -6.00 139.20",
        "Total pagado $752.70",
        "MX-IVA Artículos · incluido en el precio 16% 620.00 99.20",
        "MX-IVA Comisión de plataforma · añadido al precio 16% 25.00 4.00",
        "MX-ISR Artículos · retenido al vendedor, no forma parte del total 2.5% 620.00 15.50",
    )


def test_a_platform_fee_without_credits_is_one_row() -> None:
    text = _text(golden_order_documents()["order-invoice-de"])
    assert "Plattformgebühr 5,00" in text
    assert "Guthaben" not in text


@pytest.mark.parametrize(
    ("category", "reason", "told"),
    [
        ("AE", "VATEX-EU-AE", "Reverse charge: the customer · VATEX-EU-AE"),
        ("K", "VATEX-EU-IC", "Exempt intra-Community supply · Article 138 of"),
        ("REDUCED", None, "Reduced"),
        ("P9", None, "P9"),
    ],
)
def test_why_a_tax_is_what_it_is_stands_beside_it(category: str, reason: str | None, told: str) -> None:
    order = order_data()
    tax = order["orderFinancialSnapshot"]["taxes"][0]
    tax |= {"category": category, **({"exemptionReasonCode": reason} if reason else {})}
    content = canonical_json(order_document("FISCAL_INVOICE", order))
    assert _in_order(_text(content), "GB-STD Items · added to the price ·", *told.split(" · "))


def test_a_credit_note_says_what_it_takes_back_from_which_invoice_and_why() -> None:
    text = _text(golden_order_documents()["order-credit-note-en"])
    assert _in_order(
        text,
        "Corrects invoice\nGB-0041",
        "Refund\nrefund-8",
        "£5.00 credited to you",
        "This credit note takes the amounts below back from invoice GB-0041 of 14 March 2026.",
        "Reason: At your request",
        "Gift wrapping 1 4.995 5.00",
        "Total credited £5.00",
        "This is not a request for payment",
    )


def test_an_adjustment_says_that_it_is_no_fiscal_document_on_every_page() -> None:
    order = many_lines_order(70)
    refund = refund_of(order["orderFinancialSnapshot"])
    pages = _pages(canonical_json(order_document("ADJUSTMENT_STATEMENT", order, refund)))
    assert len(pages) > 1
    assert all("This is not a fiscal document" in page for page in pages)
    text = _text(golden_order_documents()["adjustment-de"])
    assert _in_order(
        text, "Berichtigt Beleg\nGB-0041", "Streitfall\ndispute-2", "Zugunsten des Käufers entschieden"
    )


def test_upstreams_own_words_may_be_as_long_as_they_like() -> None:
    wordy = dispute_of(financial_snapshot(), outcome="Zerbrochen angekommen. " * 8)
    pages = _pages(canonical_json(order_document("ADJUSTMENT_STATEMENT", order_data(), wordy)))
    assert " ".join(" ".join(pages).split()).count("Zerbrochen angekommen.") == 8
    endless = refund_of(financial_snapshot(), reason="because " * 3000)
    pages = _pages(canonical_json(order_document("ADJUSTMENT_STATEMENT", order_data(), endless)))
    assert " ".join(pages).count("because") == 3000


def test_a_statement_leads_from_the_sale_over_what_is_taken_off_to_the_net() -> None:
    text = _text(golden_order_documents()["seller-statement-es-withheld"])
    assert _in_order(
        text,
        "Completado\n20 mar 2026, 16:02 UTC",
        "Pago al vendedor\nEnviado",
        "Liberación de fondos\nrelease-3",
        "Vendedor\nTostadores del Águila",
        "$621.78 netos para usted",
        "Su cupón -10.00",
        "Subtotal de artículos 709.20",
        "Comisión de venta -57.00",
        "ENVÍO -5.00",
        "IVA 16% (MX-IVA) sobre sus comisiones de 62.00 -9.92",
        "Retención 2.5% (MX-ISR) sobre artículos de 620.00 -15.50",
        "Su neto $621.78",
        "IVA 16% (MX-IVA) en artículos de 620.00 99.20",
    )
    assert "Emitido por" not in text


def test_a_pending_payout_is_told_of() -> None:
    text = _text(golden_order_documents()["seller-statement-en"])
    assert _in_order(text, "Payout\nPending", "The payout of order o-1 is pending")


def test_a_statement_tells_why_a_tax_is_none() -> None:
    order = order_data()
    order["orderFinancialSnapshot"]["taxes"][0]["exemptionReasonCode"] = "VATEX-EU-G"
    content = canonical_json(order_document("SELLER_STATEMENT", order, completion()))
    assert "VAT 20% (GB-STD) added to items of 60.00 · exempt: VATEX-EU-G" in _text(content).replace(
        "\n", " "
    )


def test_no_statement_shows_the_buyer_or_what_it_paid() -> None:
    for name, content in golden_order_documents().items():
        if "statement" in name:
            text = _text(content)
            for absent in ("Marigold", "Ximena", "Süßmilch", "76.80", "752.70", "250,00", "山内", "edits"):
                assert absent not in text, (name, absent)


def test_a_payout_that_is_not_the_whole_net_shows_both() -> None:
    content = canonical_json(order_document("PAYOUT_STATEMENT", order_data(), payout(amount=6000)))
    assert _in_order(
        _text(content),
        "Payout\npayout-5",
        "Escrow release\nrelease-3",
        "Sent\n23 Mar 2026, 08:00 UTC",
        "Paid to\nCopperline Kitchenware Ltd",
        "£60.00 sent to you",
        "Sent on 23 March 2026 from the sale of order o-1.",
        "Order o-1 66.24 60.00",
        "Paid out £60.00",
    )


def test_sums_are_carried_over_pages() -> None:
    pages = _pages(golden_order_documents()["order-invoice-en-many-pages"])
    assert len(pages) == 4
    for number, (page, following) in enumerate(pairwise(pages), start=1):
        carried = re.search(r"Carried forward ([\d.,]+)", page)
        assert carried is not None
        assert f"Brought forward {carried[1]}" in following
        assert f"Page {number} of 4" in page
    assert _in_order(pages[-1], "Items subtotal 552.95", "Total paid £663.52", "Items · added to the price")


def test_a_thousand_lines_are_drawn_and_counted() -> None:
    pages = _pages(canonical_json(order_document("FISCAL_INVOICE", many_lines_order(1000))))
    assert sum(page.count("Beeswax candle") for page in pages) == 1000
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert "Your net KWD 6.624" in _text(golden_order_documents()["seller-statement-en-dinars"])
    assert "Total abonado 7.680 JPY" in _text(golden_order_documents()["order-credit-note-es-yen"])


@pytest.mark.parametrize("name", sorted(golden_order_documents()))
def test_nothing_stands_outside_the_margins(name: str) -> None:
    for page in PdfReader(io.BytesIO(render_pdf(golden_order_documents()[name]))).pages:
        starts: list[float] = []
        page.extract_text(
            visitor_text=lambda text, _cm, tm, _font, _size, starts=starts: (
                starts.append(tm[4]) if text.strip() else None
            )
        )
        assert min(starts) >= 51.0
        assert max(starts) <= PAGE_WIDTH - 51.0


def test_a_qr_code_that_paper_cannot_carry_is_printed_as_text() -> None:
    endless = "https://authority.example/" + "0123456789" * 80
    text = _text(_golden("order-invoice-en", fiscal={"qr": endless}))
    assert _in_order(text, "Fiscal record", "QR code text")
    assert endless in text.replace("\n", "")


def test_a_qr_code_is_drawn_of_dark_modules() -> None:
    def boxes(content: bytes) -> int:
        return render_pdf(content).count(b" re f")

    with_code = boxes(_golden("order-invoice-en"))
    without = boxes(_golden("order-invoice-en", fiscal={"uuid": FISCAL["uuid"]}))
    assert with_code - without > 300


@pytest.mark.parametrize("name", ["invoice-de", "invoice-en-plain", "credit-note-en"])
def test_documents_of_work_orders_are_stamped_too(name: str) -> None:
    content = {**json.loads(golden_documents()[name]), "fiscal": FISCAL}
    assert f"UUID {FISCAL['uuid']}" in _text(canonical_json(content))


def test_a_document_in_german_needs_no_more_fonts_than_one_in_english() -> None:
    def fonts(name: str) -> int:
        page: Any = PdfReader(io.BytesIO(render_pdf(golden_documents()[name]))).pages[0]
        return len(page["/Resources"]["/Font"])

    assert fonts("receipt-de") == fonts("receipt-en-fees-and-credits") == 2


def test_every_type_has_a_golden_document_in_every_language() -> None:
    drawn = {
        (content["docType"], content["templateVersion"], content["language"])
        for content in map(json.loads, golden_documents().values())
    }
    assert drawn == {(*template, language) for template in TEMPLATES for language in ("en", "es", "de")}


CAUSES: tuple[tuple[DocType, Any], ...] = (
    ("RECEIPT", None),
    ("FISCAL_INVOICE", None),
    ("CREDIT_NOTE", None),
    ("SELLER_STATEMENT", completion()),
    ("PAYOUT_STATEMENT", payout()),
)


@given(orders())
@settings(max_examples=15, deadline=None)
def test_any_consistent_order_can_be_drawn_as_any_document_in_any_language(order: OrderData) -> None:
    snapshot = order.order_financial_snapshot.model_dump(mode="json", by_alias=True, exclude_none=True)
    for language in ("en", "es", "de"):
        for doc_type, cause in (*CAUSES, ("ADJUSTMENT_STATEMENT", refund_of(snapshot))):
            content = order_document(
                doc_type, order, cause, language=language, country_code=order.country_code
            )
            assert render_pdf(canonical_json(content)).startswith(b"%PDF-1.")
