"""Receipts as tills print them: 48 columns, nothing but ASCII, amounts whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.canonical import canonical_json
from domain.kernel.money import MAX_MINOR, minor_exponent
from infrastructure.rendering.receipt_text import COLUMNS, CONTENT_TYPE, in_ascii, receipt_text
from tests.support.golden_payments import golden_payments, payment_receipt

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200)
CONTENTS = st.fixed_dictionaries(
    {
        "language": st.sampled_from(["en", "es", "de"]),
        "countryCode": st.sampled_from(["ES", "DE", "GB", "MX", "CH", "ZA", "IN", "JP", "SE", "ZZ"]),
        "currencyUomId": st.sampled_from(["EUR", "JPY", "KWD", "CHF", "MXN"]),
        "amount": st.integers(1, MAX_MINOR),
        "remainingBalance": st.integers(0, MAX_MINOR),
        "number": TEXTS,
        "invoiceNumber": TEXTS,
        "workOrderId": TEXTS,
        "issuer": st.fixed_dictionaries({"legalName": TEXTS}),
        "billTo": st.fixed_dictionaries({"legalName": TEXTS}),
    }
)


def lines_of(content: bytes, copy_number: int = 0) -> list[str]:
    """The printed lines."""
    text = receipt_text(content, copy_number).content
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


@given(changes=CONTENTS, copy_number=st.integers(0, 10_000))
def test_any_content_is_printed_in_lines_that_every_printer_takes(
    changes: dict[str, Any], copy_number: int
) -> None:
    content = canonical_json({**json.loads(payment_receipt("en")), **changes})
    lines = lines_of(content, copy_number)
    assert all(len(line) <= COLUMNS for line in lines)
    assert all(" " <= character <= "~" for line in lines for character in line)
    assert lines == lines_of(content, copy_number)


@given(changes=CONTENTS)
def test_amounts_stand_whole_and_flush_right(changes: dict[str, Any]) -> None:
    lines = lines_of(canonical_json({**json.loads(payment_receipt("en")), **changes}))
    currency = changes["currencyUomId"]
    for amount in (changes["amount"], changes["remainingBalance"]):
        digits = str(amount).zfill(minor_exponent(currency) + 1)
        assert any(
            line.endswith(f" {currency}")
            and len(line) == COLUMNS
            and "".join(filter(str.isdigit, line)) == digits
            for line in lines
        )


def test_it_reads_as_a_receipt() -> None:
    lines = lines_of(payment_receipt("de"))
    assert "Paid by" not in lines
    assert lines[1].strip() == "QUITTUNG"
    assert "Bezahlt von              Copperline Couriers Ltd" in lines
    assert "Ausstellungsdatum                 14. Maerz 2026" in lines
    assert "BEZAHLT                               200,00 EUR" in lines
    assert "Offen aus der Rechnung                249,81 EUR" in lines
    assert "TEILZAHLUNG" in [line.strip() for line in lines]


def test_a_copy_says_so_around_what_stays_as_it_is() -> None:
    content = payment_receipt("es")
    original, copy = receipt_text(content, 0), receipt_text(content, 2)
    assert original.content in copy.content
    assert copy.content.count("*** COPIA 2 ***") == 2
    assert "COPIA" not in original.content
    assert {original.content_type, copy.content_type} == {CONTENT_TYPE}


@pytest.mark.parametrize("name", [name for name in golden_payments() if name.startswith("payment-receipt")])
def test_every_golden_receipt_can_be_printed(name: str) -> None:
    assert lines_of(golden_payments()[name])


@pytest.mark.parametrize(
    ("text", "language", "spelled"),
    [
        ("Talleres Ñandú, S.A.", "es", "Talleres Nandu, S.A."),
        ("Straße Ärmel", "de", "Strasse Aermel"),
        ("Ärmel", "en", "Armel"),
        ("“Łódź” – Æsir’s №1 €", "en", '"Lodz" - AEsir\'s No1 EUR'),
        ("山内 Auto", "en", "?? Auto"),
        ("a\x1b@\x00b\u202ec\td\ne", "en", "a @ bc d e"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "en", "??"),
    ],
)
def test_what_ascii_lacks_is_spelled_or_marked(text: str, language: str, spelled: str) -> None:
    assert in_ascii(text, language) == spelled
