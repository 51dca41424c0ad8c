"""Receipts and adjustments of payments as PDF: what a reader finds in them, and where."""

import io
import re

import pytest
from pypdf import PdfReader

from infrastructure.rendering.pdf import render_pdf
from tests.support.golden_payments import golden_payments, payment_adjustment, payment_receipt


def _text(content: bytes) -> str:
    (page,) = PdfReader(io.BytesIO(render_pdf(content))).pages
    return page.extract_text().replace("\N{NO-BREAK SPACE}", " ")


def _in_order(text: str, *parts: str) -> bool:
    return re.search(".*?".join(map(re.escape, parts)), text, re.DOTALL) is not None


def test_a_receipt_reads_from_the_facts_over_who_paid_whom_to_what_is_still_due() -> None:
    assert _in_order(
        _text(payment_receipt("en")),
        "Larkfield Motor Works Ltd",
        "Receipt number\nR-2026-000123",
        "Status\nPartial payment",
        "Payment\n0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0dd2",
        "Paid by\nCopperline Couriers Ltd",
        "Paid to\nLarkfield Motor Works Ltd",
        "£200.00 received",
        "£249.81 is still due",
        "Payment of invoice F-2026-000123",
        "Still due of the invoice £249.81",
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "paid in full"), ("es", "pagada por completo"), ("de", "vollständig bezahlt")],
)
def test_what_is_paid_in_full_says_so(language: str, words: str) -> None:
    content = payment_receipt(language, paymentType="PAID_IN_FULL", remainingBalance=0)
    assert words in _text(content)


def test_an_adjustment_says_what_came_back_and_what_is_left() -> None:
    assert _in_order(
        _text(payment_adjustment("de")),
        "Korrekturnummer\nA-2026-000123",
        "Korrigiert die Quittung\nR-2026-000122",
        "50,00 € an Sie erstattet",
        "Grund: auf Ihren Wunsch",
        "Früher erstattet -25,00",
        "Rest der Zahlung 125,00 €",
    )


def test_a_first_adjustment_names_none_before_it_and_a_foreign_reason_as_it_is() -> None:
    text = _text(golden_payments()["payment-adjustment-en-first"])
    assert "Given back before" not in text
    assert "Reason: GOODWILL" in text
    assert "Reason" not in _text(payment_adjustment("en", reasonCode=""))


def test_currencies_without_decimals_have_none() -> None:
    text = _text(golden_payments()["payment-receipt-en-yen"])
    assert "1,234,567" in text
    assert "24,981" in text
