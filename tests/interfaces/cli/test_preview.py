"""`billing preview`: what whoever changes a template types, and what they get to see."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from domain.documents.content_parts import DocumentIdentity
from domain.documents.order_snapshot import OrderData, check_equations
from domain.documents.templates import NEWEST, NewestTemplate
from infrastructure.rendering.pdf import render_pdf
from interfaces.cli.main import main
from interfaces.cli.samples import _SAMPLES, sample_content, sample_identity
from tests.support.golden_documents import FOLDER, golden_documents

Preview = Callable[..., tuple[int, str, str]]
"""Runs `billing preview …`: its exit code, what it printed, and the text of the PDF that it wrote."""


@pytest.fixture
def preview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Preview:
    out = tmp_path / "preview.pdf"

    def run(*arguments: str) -> tuple[int, str, str]:
        out.unlink(missing_ok=True)
        with pytest.raises(SystemExit) as ended:
            main(["preview", *arguments, "--out", str(out)])
        printed = capsys.readouterr()
        pages = PdfReader(io.BytesIO(out.read_bytes())).pages if out.exists() else []
        return (
            int(ended.value.code or 0),
            printed.out + printed.err,
            "\n".join(p.extract_text() for p in pages),
        )

    return run


@pytest.mark.parametrize(
    ("language", "country", "watermark", "title"),
    [
        ("en", "GB", "SAMPLE", "Seller statement"),
        ("es", "MX", "MUESTRA", "Liquidación de venta"),
        ("de", "DE", "MUSTER", "Verkaufsabrechnung"),
    ],
)
def test_a_sample_is_drawn_in_the_language_under_a_watermark(
    preview: Preview, language: str, country: str, watermark: str, title: str
) -> None:
    code, told, text = preview("--type", "SELLER_STATEMENT", "--language", language, "--country", country)
    assert (code, told.endswith("preview.pdf: SELLER_STATEMENT drawn by seller-statement/1\n")) == (0, True)
    assert watermark in text
    assert title in text


@pytest.mark.parametrize("row", NEWEST, ids=lambda row: row.version)
def test_every_newest_template_draws_a_sample(preview: Preview, row: NewestTemplate) -> None:
    code, told, text = preview("--type", row.doc_type, "--source", row.source, "--country", "ES", "--stamped")
    assert (code, row.version in told) == (0, True)
    assert "MUESTRA" in text


def test_a_stamp_is_shown_where_it_is_asked_for(preview: Preview) -> None:
    assert "SAMPLE AUTHORITY" in preview("--type", "FISCAL_INVOICE", "--stamped")[2]
    assert "SAMPLE AUTHORITY" not in preview("--type", "FISCAL_INVOICE")[2]


def test_a_documents_own_content_is_drawn_by_its_own_template_unless_told_otherwise(preview: Preview) -> None:
    given = str(FOLDER / "receipt-en-fees-and-credits.json")
    code, told, text = preview("--content", given)
    assert (code, "RECEIPT drawn by receipt/1" in told) == (0, True)
    assert "Marigold Tansy-Okafor" in text
    assert "Zahlungsbeleg" in preview("--content", given, "--language", "de", "--country", "DE")[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Say which --type of sample to draw, or which --content."),
        (("--type", "AUDIT_EXPORT"), "no template of a AUDIT_EXPORT"),
        (("--type", "SELLER_STATEMENT", "--audience", "BUYER"), "for a BUYER"),
        (
            ("--type", "RECEIPT", "--template", "receipt/99"),
            "receipt/99 draws no RECEIPT. Templates: payment-receipt/1, receipt/1.",
        ),
        (
            ("--type", "RECEIPT", "--template", "fiscal-invoice/1"),
            "A RECEIPT of a ORDER is drawn by receipt.",
        ),
        (("--type", "RECEIPT", "--country", "Spain"), "--country takes two capitals"),
        (("--type", "SELLER_STATEMENT", "--source", "WORK_ORDER"), "no template of a SELLER_STATEMENT"),
        (("--content", "/nowhere/at-all.json"), "No such file or directory"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2_and_nothing_is_written(
    preview: Preview, arguments: tuple[str, ...], told: str
) -> None:
    code, printed, text = preview(*arguments)
    assert (code, text) == (2, "")
    assert told in printed


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "is not a document's JSON."),
        ("{", "is not a document's JSON."),
        ("{}", "it lacks docType, language, templateVersion."),
        (
            '{"docType": "RECEIPT", "templateVersion": "receipt/1", "language": "en"}',
            "receipt/1 cannot draw this content: KeyError('countryCode').",
        ),
        (
            '{"docType": "RECEIPT", "templateVersion": "receipt/1", "language": "fr"}',
            "receipt/1 cannot draw this content: KeyError('fr').",
        ),
    ],
)
def test_content_that_is_none_is_told_of(preview: Preview, tmp_path: Path, content: str, told: str) -> None:
    given = tmp_path / "content.json"
    given.write_text(content, encoding="utf-8")
    code, printed, _ = preview("--content", str(given))
    assert code == 2
    assert told in " ".join(printed.split())


def test_a_watermark_changes_nothing_else() -> None:
    content = golden_documents()["order-invoice-en"]
    plain, marked = render_pdf(content), render_pdf(content, watermark="SAMPLE")
    assert plain != marked
    reader = PdfReader(io.BytesIO(marked))
    assert reader.pages[0].extract_text().replace("SAMPLE", "", 1).split() == (
        PdfReader(io.BytesIO(plain)).pages[0].extract_text().split()
    )


def _identity(row: NewestTemplate) -> DocumentIdentity:
    return sample_identity(row.doc_type, "en", "GB", row.version, "generic/1")


def test_the_sample_order_is_a_consistent_one() -> None:
    order = OrderData.model_validate(json.loads(_SAMPLES.read_text(encoding="utf-8"))["order"])
    check_equations(order.order_financial_snapshot)


@pytest.mark.parametrize("row", NEWEST, ids=lambda row: row.version)
def test_samples_have_the_shape_of_real_documents(row: NewestTemplate) -> None:
    golden = (json.loads(content) for content in golden_documents().values())
    real = [document for document in golden if document["templateVersion"] == row.version]
    sample = sample_content(row.doc_type, row.source, _identity(row), stamped=True)
    every = {name for document in real for name in document}
    always = set.intersection(*(set(document) for document in real))
    assert always <= sample.keys() <= every | {"fiscal", "cause"}
