"""Card numbers are found in any dress, and little else is taken for one (S2, contract §5)."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import luhn

from domain.kernel.card_numbers import (
    fact_holds_card_data,
    holds_card_data,
    holds_card_number,
    is_card_field,
)
from tests.support.decisions import rule

TEST_CARDS = (
    "4111111111111111",
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "30569309025904",
    "36227206271667",
    "3530111333300000",
    "6205500000000000004",
    "6304000000000000",
    "6759649826438453",
    "2200000000000004",
)
"""Numbers that the networks and gateways publish for tests."""

ISSUED = (
    ("4", (13, 16, 19)),
    *((prefix, (16,)) for prefix in ("51", "55", "2221", "2720", "2500")),
    *((prefix, (15,)) for prefix in ("34", "37")),
    *((prefix, (14, 16, 19)) for prefix in ("300", "305", "3095", "36", "38", "39")),
    *((prefix, (16, 19)) for prefix in ("3528", "3589", "6011", "644", "649", "65", "62", "81")),
    *((prefix, (13, 16, 19)) for prefix in ("5018", "5020", "5893", "6304", "6759", "6761", "6763")),
)
"""What numbers begin with, and how long they are, by ISO/IEC 7812 and the networks' own tables."""

DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
SEPARATORS = ("", " ", "-", ".", "  ", " - ", "\u00a0", "\u202f", "–", "−", "\u200b", "/", "_", "\t")


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """A number that some network could have given out."""
    prefix, lengths = draw(st.sampled_from(ISSUED))
    length = draw(st.sampled_from(lengths))
    rest = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return f"{prefix}{rest}{luhn.calc_check_digit(prefix + rest)}"


@st.composite
def dressed(draw: st.DrawFn) -> str:
    """Such a number as people write it: in groups, in some script, with words around it."""
    number = draw(card_numbers())
    cuts = sorted(draw(st.sets(st.integers(1, len(number) - 1), max_size=5)))
    groups = [number[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
    written = draw(st.sampled_from(SEPARATORS)).join(groups)
    written = written.translate(str.maketrans(DIGITS[0], draw(st.sampled_from(DIGITS))))
    words = st.text(st.characters(categories=("L",)), max_size=12)
    return f"{draw(words)}{draw(st.sampled_from(('', ': ', ' #')))}{written} {draw(words)}"


@rule("PII-2")
@given(dressed())
@example("tok_4242424242424242")
@example("card 4111 1111 1111 1111, exp. 12/27, cvc 123")
@example("4111 1111 1111 1111 12 27 123")
@example("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1")
@example("order 17: 5555-5555-5555-4444")
def test_a_card_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize("number", TEST_CARDS)
def test_published_test_numbers_are_found(number: str) -> None:
    assert holds_card_number(number)
    assert holds_card_number(f"pay with {number}.")


@rule("PII-2")
@given(card_numbers(), st.integers(1, 9))
def test_a_number_whose_check_digit_is_wrong_is_none(number: str, off: int) -> None:
    assert not holds_card_number(number[:-1] + str((int(number[-1]) + off) % 10))


@rule("PII-2")
@given(st.sampled_from(("0", "1", "7", "8989", "90", "99", "6100")), st.integers(13, 19), st.data())
def test_a_number_of_no_known_issuer_is_none(prefix: str, length: int, data: st.DataObject) -> None:
    wanted = length - len(prefix) - 1
    # Two of the sevens are no issuer's either, but a run of digits is read as one number only.
    rest = data.draw(st.text("0123456789", min_size=wanted, max_size=wanted))
    number = prefix + rest + luhn.calc_check_digit(prefix + rest)
    assert number.startswith("1800") or not holds_card_number(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "paid in cash",
        "4111 1111 1111",
        "invoice 2026-000417 of 2026-03-14, 12:30:15",
        "+49 30 901820, +1 (212) 555-0143",
        "DE89 3704 0044 0532 0130 00",
        "0199f0c2-7c1e-7a52-9a52-0f6f8f6b2f01",
        "41111111111111110000000",
        "4111111111111111a"[:12],
        "pm_1N3b5cKZ8x2YqLmT0aVw9RsE",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert not holds_card_number(text)


@pytest.mark.parametrize(
    "name", ["cvc", "CVV", "card_number", "cardNumber", "card-number", "CVV2", "ccNumber"]
)
def test_a_field_is_known_by_its_name(name: str) -> None:
    assert is_card_field(name)
    assert holds_card_data({"paid": [{name: "1"}]})
    assert fact_holds_card_data({"references": [{name: "1"}]})


@pytest.mark.parametrize("name", ["pan", "cardTokenId", "number", "poNumber", "cardholder", "discard"])
def test_other_fields_are_not(name: str) -> None:
    assert not is_card_field(name)


@pytest.mark.parametrize(
    "value", [["x", "4111 1111 1111 1111"], {"a": {"b": 4111111111111111}}, {"4111111111111111": 1}]
)
def test_a_request_is_looked_through_to_its_ends(value: Any) -> None:
    assert holds_card_data(value)
    assert not holds_card_data({"a": [1, 2.5, True, None, "4111"]})


@rule("PII-4")
def test_of_a_fact_only_free_text_is_looked_at() -> None:
    card = "4111111111111111"
    assert fact_holds_card_data({"lines": [{"description": f"paid by {card}"}]})
    assert fact_holds_card_data({"errorCode": "CLOSED", "errorDetail": f"no entry for {card}"})
    ids = {"orderId": card, "references": {"rapydTransactionId": card}, "lines": [{"sku": card, "amount": 4}]}
    assert not fact_holds_card_data(ids)


@rule("PII-4")
def test_the_number_of_a_barcode_in_a_description_is_no_card() -> None:
    barcode = "4006381333932"
    assert luhn.is_valid(barcode) and holds_card_number(barcode)
    assert not fact_holds_card_data({"description": f"Marker pen, EAN {barcode}"})
