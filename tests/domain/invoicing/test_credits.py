"""Credits of an invoice: whatever the steps, nothing is given back twice and no cent is lost."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.tax_tables import tax_rules_for
from domain.fiscal.taxes.rules import Customer
from domain.invoicing.credits import CreditTotals, credit_totals, whole_invoice
from domain.invoicing.lines import price_lines
from domain.invoicing.totals import InvoiceTotals, compute_totals, quantity_text
from domain.kernel.errors import DomainError
from tests.support.billable_scope import CURRENCIES, a_line, a_scope, billed, scope_lines

TIRE = [{"scheme": "UNSPSC", "code": "25172504"}]


def _figures(totals: CreditTotals | InvoiceTotals) -> tuple[int, ...]:
    """Every figure that has to come to zero in the end."""
    return (
        totals.subtotal,
        totals.discount_total,
        totals.fee_total,
        totals.tax_total,
        totals.grand_total,
        *(figure for row in totals.tax_breakdown for figure in (row.base_amount, row.amount)),
    )


def _summed(given_back: Sequence[CreditTotals]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*map(_figures, given_back), strict=True)))


def test_a_credit_of_everything_is_the_invoice() -> None:
    lines, totals = billed(
        a_line("1", "LABOR", unitAmount=10_001),
        a_line("2", quantity="4", unitAmount=9_999, discountAmount=7, classifications=TIRE),
        a_line("3", "FEE", unitAmount=333),
        a_line("4", "DISCOUNT", unitAmount=1_000),
        country="US",
        region="FL",
        currency="USD",
    )
    credit = credit_totals(lines, totals, {}, whole_invoice(lines))
    assert _figures(credit) == _figures(totals)
    assert [(row.code, row.quantity, row.amount) for row in credit.fee_breakdown] == [
        (row.code, row.quantity, row.amount) for row in totals.fee_breakdown
    ]
    assert [(line.line_id, line.quantity, line.amount) for line in credit.lines] == [
        ("1", "1", 10_001),
        ("2", "4", 39_996),
        ("3", "1", 333),
    ]


def test_a_part_of_a_line_takes_its_share_of_discount_fee_and_tax_along() -> None:
    lines, totals = billed(
        a_line("1", quantity="4", unitAmount=10_000, classifications=TIRE),
        a_line("2", "DISCOUNT", unitAmount=4_000),
        country="US",
        region="FL",
        currency="USD",
    )
    credit = credit_totals(lines, totals, {}, {"1": "1"})
    assert (credit.subtotal, credit.discount_total, credit.fee_total) == (10_000, 1_000, 100)
    assert (credit.tax_total, credit.grand_total) == (546, 9_646)
    assert [(row.code, row.quantity, row.amount) for row in credit.fee_breakdown] == [
        ("FL_TIRE_FEE", "1", 100)
    ]


def test_three_thirds_of_a_cent_come_to_the_cent() -> None:
    lines, totals = billed(a_line("1", quantity="3", unitPrice="0.333333"))
    given_back, before = [], Fraction(0)
    for _ in range(3):
        given_back.append(credit_totals(lines, totals, {"1": quantity_text(before)}, {"1": "1"}))
        before += 1
    assert totals.grand_total == 116
    assert _summed(given_back) == _figures(totals)


def test_half_a_cent_is_given_back_with_the_first_half() -> None:
    lines, totals = billed(a_line("1", quantity="2", unitPrice="0.0025", taxCategory="ZERO"))
    first = credit_totals(lines, totals, {}, {"1": "1"})
    second = credit_totals(lines, totals, {"1": "1"}, {"1": "1"})
    assert (totals.grand_total, first.grand_total, second.grand_total) == (1, 1, 0)


@pytest.mark.parametrize(
    ("to_credit", "code", "field", "reason"),
    [
        ({"1": "2.5"}, "CREDIT_EXCEEDS_INVOICE", "lines.0.quantity", "QUANTITY_EXCEEDS_LINE"),
        ({"9": "1"}, "VALIDATION_FAILED", "lines.0.lineId", "LINE_UNKNOWN"),
        ({"2": "1"}, "VALIDATION_FAILED", "lines.0.lineId", "LINE_UNKNOWN"),
        ({"1": "0"}, "VALIDATION_FAILED", "lines.0.quantity", "QUANTITY_NOT_POSITIVE"),
        ({}, "VALIDATION_FAILED", "lines", "LINES_MISSING"),
    ],
)
def test_what_cannot_be_credited_is_refused(
    to_credit: dict[str, str], code: str, field: str, reason: str
) -> None:
    lines, totals = billed(a_line("1", quantity="3", unitAmount=100), a_line("2", "DISCOUNT", unitAmount=1))
    with pytest.raises(DomainError) as refusal:
        credit_totals(lines, totals, {"1": "1"}, to_credit)
    assert refusal.value.code == code
    assert [(error.field, error.code) for error in refusal.value.field_errors] == [(field, reason)]


@settings(deadline=None)
@given(
    st.data(),
    st.sampled_from(
        [("MX", None, ("STANDARD", "ZERO")), ("PT", "20", ("NOR", "INT", "E")), ("US", "FL", ("STANDARD",))]
    ),
    st.sampled_from(sorted(CURRENCIES)),
)
def test_any_partial_credits_never_exceed_and_the_last_brings_every_row_to_zero(
    data: st.DataObject, place: tuple[str, str | None, tuple[str, ...]], currency: str
) -> None:
    country, region, categories = place
    currency = "USD" if country == "US" else currency
    lines = price_lines(
        a_scope(*data.draw(scope_lines(categories, CURRENCIES[currency])), currencyUomId=currency)
    )
    rules = tax_rules_for(country, region, date(2026, 11, 21))
    totals = compute_totals(lines, rules, Customer(classification="B2C"), currency)
    left = {line_id: Fraction(quantity) for line_id, quantity in whole_invoice(lines).items()}
    before: dict[str, Fraction] = {line_id: Fraction(0) for line_id in left}
    given_back: list[CreditTotals] = []
    while any(left.values()):
        chosen = data.draw(
            st.lists(st.sampled_from([key for key in left if left[key]]), unique=True, min_size=1)
        )
        step = {}
        for line_id in chosen:
            part = Fraction(data.draw(st.integers(1, 4)), 4) if len(given_back) < 4 else Fraction(1)
            quantity = Fraction(quantity_text(left[line_id] * part)) or left[line_id]
            step[line_id] = quantity
        told = {line_id: quantity_text(quantity) for line_id, quantity in before.items()}
        credit = credit_totals(
            lines, totals, told, {line_id: quantity_text(quantity) for line_id, quantity in step.items()}
        )
        assert min(_figures(credit)) >= 0
        assert credit.grand_total == (
            credit.subtotal - credit.discount_total + credit.tax_total + credit.fee_total
        )
        assert credit.tax_total == sum(row.amount for row in credit.tax_breakdown)
        assert credit.fee_total == sum(row.amount for row in credit.fee_breakdown)
        given_back.append(credit)
        for line_id, quantity in step.items():
            left[line_id] -= quantity
            before[line_id] += quantity
        assert all(given <= whole for given, whole in zip(_summed(given_back), _figures(totals), strict=True))
    assert _summed(given_back) == _figures(totals)
