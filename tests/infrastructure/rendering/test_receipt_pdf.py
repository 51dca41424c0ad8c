"""Receipts as PDF: what a reader finds in them, and that their bytes hang on nothing but their content."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from pypdf import PdfReader

from domain.documents.order_snapshot import OrderData
from domain.kernel.canonical import canonical_json
from infrastructure.rendering.pdf import UnknownTemplateError, render_pdf
from tests.support.golden_documents import HASHES, golden_documents, plain_order
from tests.support.order_documents import identity, receipt_of
from tests.support.snapshots import order_data, orders, party_snapshot

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[3]


def _rendered(order: dict[str, Any], **changes: Any) -> bytes:
    content = receipt_of(OrderData.model_validate(order), identity(**changes))
    return render_pdf(canonical_json(content))


def _pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def _amounts_before(label: str, pages: list[str]) -> list[str]:
    """What is printed beside a label, once a page that has it."""
    found = (re.search(rf"{label}\s*([\d,.]+)", page) for page in pages)
    return [match.group(1) for match in found if match]


def test_a_receipt_shows_parties_lines_fees_taxes_and_total() -> None:
    (text,) = _pages(_rendered(order_data()))
    for shown in (
        "Receipt",
        "GB-R-2026-000123",
        "14 March 2026",
        "14 Mar 2026, 09:26 UTC",
        "Card",
        "payment_o-1",
        "Marigold Tansy-Okafor",
        "Whitby YO21 3PU",
        "Copperline Kitchenware Ltd",
        "Larkfield Market Ltd",
        "Tax ID GB987654321",
        "KTL-07",
        "Enamel kettle, moss green",
        "34.50",
        "-4.00",
        "4.995",
        "VAT 20% (GB-STD) on items of 60.00",
        "£76.80",
        "It is not a tax invoice",
        "Page 1 of 1",
    ):
        assert shown in text
    assert re.search(r"Platform fee before credits\s*3\.00\s*Fee credits applied\s*-1\.00", text)
    assert re.search(r"Platform fee after credits\s*2\.00", text)
    assert "example.org" not in text


def test_a_spanish_receipt_speaks_spanish() -> None:
    (text,) = _pages(render_pdf(golden_documents()["receipt-es-included-taxes"]))
    for shown in (
        "Recibo",
        "14 de marzo de 2026",
        "Vendido y emitido por",
        "2.500 kg",
        "232.0000",
        "Total pagado",
    ):
        assert shown in text
    assert "No es una factura" in text
    assert re.search(r"Impuestos ya incluidos\s*IVA 16% \(MX-IVA\) sobre artículos de 500\.00\s*80\.00", text)


def test_names_in_other_scripts_can_be_read_and_what_cannot_be_drawn_is_marked() -> None:
    (text,) = _pages(render_pdf(golden_documents()["receipt-en-many-scripts"]))
    for shown in ("山内 楓", "Ямаути Каэдэ", "伊万里焼の小皿", "한지 조명 갓", "Χειροποίητο", "JP¥1,230"):
        assert shown in text
    assert "\N{REPLACEMENT CHARACTER}" in text


def test_seven_hundred_lines_flow_over_numbered_pages_with_carried_sums() -> None:
    order = plain_order(700)
    amounts = [line["amount"] for line in order["orderFinancialSnapshot"]["lines"]]
    pages = _pages(_rendered(order))
    assert len(pages) > 10
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Receipt GB-R-2026-000123" in page
    shown = [int(number) for page in pages for number in re.findall(r"Beeswax candle, colour (\d+),", page)]
    assert shown == list(range(1, 701))
    carried = _amounts_before("Carried forward", pages)
    assert carried == _amounts_before("Brought forward", pages)
    assert len(carried) == len(pages) - 1
    done = 0
    for page, sum_shown in zip(pages, carried, strict=False):
        done += page.count("Beeswax candle")
        assert sum_shown.replace(",", "") == f"{sum(amounts[:done]) / 100:.2f}"


def test_the_longest_texts_and_numbers_of_all_still_fit_the_paper() -> None:
    words = {"line1": "x " * 150, "line2": "Y" * 300, "city": "z" * 300, "region": "漢" * 300}
    party = {"partyId": "W" * 64, "legalName": "W" * 300, "taxId": "T" * 50, "type": "B2B", "address": words}
    order = plain_order(1, orderPartySnapshot=party_snapshot(buyer=party, seller=party, platform=party))
    most = 2**53 - 1
    snapshot = order["orderFinancialSnapshot"]
    snapshot["lines"][0] |= {
        "sku": "S" * 100,
        "description": "W" * 1000,
        "quantity": "999999999999999.123456789",
        "unitAmount": most,
        "discountAmount": most,
        "amount": most,
    }
    snapshot |= {"currencyUomId": "KWD", "itemsSubtotal": most, "buyerTotal": most, "sellerNet": most}
    pdf = _rendered(order, number="N" * 64, issuer_entity_id="W" * 64)
    reader = PdfReader(io.BytesIO(pdf))
    assert "".join(page.extract_text() for page in reader.pages).count("Y") == 600
    positions: list[tuple[float, float]] = []
    for page in reader.pages:
        page.extract_text(visitor_text=lambda _text, _cm, tm, _font, _size: positions.append((tm[4], tm[5])))
    assert all(0 <= x <= 560 and 30 <= y <= 842 for x, y in positions if (x, y) != (0, 0))


@given(orders())
@settings(max_examples=25, deadline=None)
def test_any_consistent_order_can_be_drawn(order: OrderData) -> None:
    content = canonical_json(receipt_of(order, identity(language="es", country_code=order.country_code)))
    assert render_pdf(content).startswith(b"%PDF-1.")


def test_the_file_describes_itself_without_clock_or_host() -> None:
    reader = PdfReader(io.BytesIO(_rendered(order_data())))
    assert reader.metadata is not None
    assert reader.metadata.title == "Receipt GB-R-2026-000123"
    assert reader.metadata.author == "Larkfield Market Ltd"
    assert reader.metadata.subject == "Order o-1"
    assert reader.metadata.creation_date_raw == "D:20260314092700+00'00'"
    assert str(reader.root_object["/Lang"]) == "en"


def test_all_fonts_are_embedded_and_the_east_asian_one_only_where_it_is_used() -> None:
    def fonts(pdf: bytes) -> dict[str, bool]:
        page: Any = PdfReader(io.BytesIO(pdf)).pages[0]
        resources = page["/Resources"]["/Font"]
        return {
            font["/BaseFont"].split("+")[1]: "/FontFile2" in font["/FontDescriptor"]
            for font in (reference.get_object() for reference in resources.values())
        }

    assert fonts(_rendered(order_data())) == {"NotoSans-Regular": True, "NotoSans-Bold": True}
    many_scripts = fonts(render_pdf(golden_documents()["receipt-en-many-scripts"]))
    assert many_scripts.pop("DroidSansFallback")


def test_nothing_in_the_file_is_compressed_so_that_no_zlib_version_matters() -> None:
    for content in golden_documents().values():
        assert b"FlateDecode" not in render_pdf(content)


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"},
        {"PYTHONHASHSEED": "4242", "TZ": "America/Lima", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "86400"},
    ],
)
def test_another_process_in_another_place_draws_the_same_bytes(environment: dict[str, str]) -> None:
    program = (
        "import sys, json, hashlib; from infrastructure.rendering.pdf import render_pdf\n"
        "documents = json.load(sys.stdin)\n"
        "print(json.dumps([hashlib.sha256(render_pdf(d.encode())).hexdigest() for d in documents]))"
    )
    documents = [content.decode() for content in golden_documents().values()]
    finished = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(documents[::-1]),
        env={**os.environ, **environment, "PYTHONPATH": str(PROJECT)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [hashlib.sha256(render_pdf(document.encode())).hexdigest() for document in documents]
    assert json.loads(finished.stdout)[::-1] == expected


@pytest.mark.parametrize(
    "before", ["株式会社山田", "서울 상사", "Ωμέγα", "Привет", "עברית", "😀", "ȸ ɐ ẞ ⅓ ₿"]
)
def test_what_a_process_drew_before_changes_no_byte(before: str) -> None:
    program = (
        "import sys, json, hashlib; from infrastructure.rendering.pdf import render_pdf\n"
        "first, *documents = json.load(sys.stdin)\n"
        "render_pdf(first.encode())\n"
        "print(json.dumps([hashlib.sha256(render_pdf(d.encode())).hexdigest() for d in documents]))"
    )
    order = order_data("o-before")
    order["orderPartySnapshot"]["buyer"]["legalName"] = before
    first = canonical_json(receipt_of(OrderData.model_validate(order), identity())).decode()
    documents = golden_documents()
    finished = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([first, *(content.decode() for content in documents.values())]),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert dict(zip(documents, json.loads(finished.stdout), strict=True)) == json.loads(HASHES.read_text())


def test_a_changed_character_changes_the_file() -> None:
    assert _rendered(order_data("o-1")) != _rendered(order_data("o-2"))


def test_a_template_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(UnknownTemplateError):
        _rendered(order_data(), template_version="receipt/999")
    with pytest.raises(UnknownTemplateError):
        _rendered(order_data(), doc_type="FISCAL_INVOICE")
