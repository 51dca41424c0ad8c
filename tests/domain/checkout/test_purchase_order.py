"""Purchase orders' numbers: how they are written, and when two of them are one (BILL-DEC-009)."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.checkout.purchase_order import PoNumber, Usage, plain_number, usages

NUMBER: TypeAdapter[str] = TypeAdapter(PoNumber)


@pytest.mark.parametrize("written", ["PO 4711", " po  4711\u00a0", "ＰＯ　４７１１", "Po\u20034711"])
def test_a_number_is_recognised_whatever_its_case_width_and_white_space(written: str) -> None:
    assert plain_number(written) == "po 4711"


@pytest.mark.parametrize("other", ["PO4711", "PO 4712", "PO-4711", "PO 47 11"])
def test_other_numbers_are_others(other: str) -> None:
    assert plain_number(other) != plain_number("PO 4711")


def test_the_plain_form_of_a_plain_form_is_itself() -> None:
    for written in ("Straße 1", "ǰ́ İstanbul", "ﬁ 2", "ϓ"):
        assert plain_number(plain_number(written)) == plain_number(written)


def test_white_space_around_a_number_is_none_of_it() -> None:
    assert NUMBER.validate_python("  PO 1 ") == "PO 1"
    assert NUMBER.validate_python(f" {'9' * 64} ") == "9" * 64


@pytest.mark.parametrize("written", ["", "   ", "9" * 65, "a\x00b", "a\tb", "a\nb", 4711, None])
def test_what_is_no_number_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        NUMBER.validate_python(written)


def test_where_a_number_may_be_used_once() -> None:
    of_account = (Usage("ACCOUNT_PO", ("a-1", "po 1")), Usage("ACCOUNT_PO", ("a-0", "po 1")))
    assert usages("NONE", ("a-1", "a-0"), "PO 1") == ()
    assert usages("ACCOUNT", ("a-1", "a-0"), "PO 1") == of_account
    assert usages("GLOBAL", ("a-1", "a-0"), "PO 1") == (*of_account, Usage("GLOBAL_PO", ("po 1",)))
