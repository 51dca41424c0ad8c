"""Payment terms lead to due dates in the issuer's calendar."""

from datetime import date
from typing import get_args

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.accounts.payment_terms import PAYMENT_TERMS, TermsCode, due_date


@pytest.mark.parametrize(
    ("code", "issued", "due"),
    [
        ("DUE_ON_RECEIPT", date(2026, 3, 14), date(2026, 3, 14)),
        ("NET7", date(2026, 12, 28), date(2027, 1, 4)),
        ("NET30", date(2026, 1, 31), date(2026, 3, 2)),
        ("NET30", date(2028, 1, 31), date(2028, 3, 1)),
        ("NET60", date(2026, 1, 1), date(2026, 3, 2)),
        ("NET90", date(2026, 1, 1), date(2026, 4, 1)),
        ("EOM", date(2026, 2, 3), date(2026, 2, 28)),
        ("EOM", date(2028, 2, 29), date(2028, 2, 29)),
        ("EOM", date(2026, 12, 31), date(2026, 12, 31)),
        ("NET30_EOM", date(2026, 1, 15), date(2026, 2, 28)),
    ],
)
def test_a_due_date(code: TermsCode, issued: date, due: date) -> None:
    assert due_date(code, issued) == due


@for_any(issued=st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_nothing_is_due_before_it_is_issued_or_months_after_its_terms(issued: date) -> None:
    for listed in PAYMENT_TERMS:
        late = (due_date(listed.code, issued) - issued).days - listed.net_days
        assert 0 <= late <= (30 if listed.end_of_month else 0)


def test_the_codes_that_are_listed_are_those_that_are_taken() -> None:
    assert tuple(listed.code for listed in PAYMENT_TERMS) == get_args(TermsCode)
