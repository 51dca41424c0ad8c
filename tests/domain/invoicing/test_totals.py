"""The totals of an invoice: golden examples of each country, refusals, and sums that hold for any input."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.tax_tables import tax_rules_for
from domain.fiscal.taxes.rules import Customer
from domain.invoicing.lines import price_lines
from domain.invoicing.totals import InvoiceTotals, compute_totals
from domain.kernel.errors import DomainError
from domain.kernel.money import MAX_MINOR, half_up
from tests.support.billable_scope import CURRENCIES, a_line, a_scope, billed, scope_lines
from tests.support.decisions import decision

PORTUGUESE_FIRM = Customer(classification="B2B", tax_id_present=True, country_code="PT")
TIRE = [{"scheme": "UNSPSC", "code": "25172504"}]
BATTERY = [{"scheme": "unspsc", "code": "26111703"}]


def _rows(totals: InvoiceTotals) -> list[tuple[str, int, int, int]]:
    return [(row.rule_id, row.rate_basis_points, row.base_amount, row.amount) for row in totals.tax_breakdown]


def _sums(totals: InvoiceTotals) -> tuple[int, int, int, int, int]:
    return (
        totals.subtotal,
        totals.discount_total,
        totals.fee_total,
        totals.tax_total,
        totals.grand_total,
    )


def _missing(**options: Any) -> tuple[str, ...]:
    lines = options.pop("lines", (a_line("1", unitAmount=100),))
    with pytest.raises(DomainError) as refusal:
        billed(*lines, **options)
    assert refusal.value.code == "BILLING_DATA_INCOMPLETE"
    return refusal.value.missing_fields


def test_mexico_charges_16_percent_on_labor_parts_and_fees_after_discounts() -> None:
    _, totals = billed(
        a_line("1", "LABOR", unitAmount=100_000),
        a_line("2", "PART", unitAmount=25_050, quantity="2", discountAmount=100),
        a_line("3", "FEE", unitAmount=5_000),
        a_line("4", "DISCOUNT", unitAmount=10_000),
        a_line("5", "PART", unitAmount=7_777, taxCategory="Z"),
    )
    assert _sums(totals) == (157_877, 10_100, 5_000, 23_200, 175_977)
    assert _rows(totals) == [("MX-IVA-16", 1600, 145_000, 23_200), ("MX-IVA-0", 0, 7_777, 0)]
    assert totals.rule_version.startswith("MX/")


def test_tax_is_rounded_half_up_once_on_the_summed_base() -> None:
    _, totals = billed(*(a_line(str(number), unitAmount=3) for number in range(3)), country="DE")
    assert _rows(totals) == [("DE-UST-STANDARD-2021", 1900, 9, 2)]
    _, totals = billed(a_line("1", unitAmount=50), country="ES", customer=PORTUGUESE_FIRM)
    assert totals.tax_total == 11


def test_spain_has_three_rates_and_other_taxes_beyond_the_mainland() -> None:
    lines = (
        a_line("1", unitAmount=1000, taxCategory="S"),
        a_line("2", unitAmount=1000, taxCategory="AA"),
        a_line("3", unitAmount=1000, taxCategory="super-reduced"),
    )
    _, totals = billed(*lines, country="ES", region="ES-MD", currency="EUR")
    assert [row.amount for row in totals.tax_breakdown] == [210, 100, 40]
    _, canary = billed(*lines[:2], country="ES", region="TF", currency="EUR")
    assert [(row.tax_code, row.amount) for row in canary.tax_breakdown] == [("IGIC", 70), ("IGIC", 30)]
    _, melilla = billed(a_line("1", "LABOR", unitAmount=1000), country="ES", region="ML", currency="EUR")
    assert [(row.tax_code, row.amount) for row in melilla.tax_breakdown] == [("IPSI", 40)]


@pytest.mark.parametrize(
    ("region", "rates"), [(None, [23, 13, 6]), ("20", [16, 9, 4]), ("PT-30", [22, 12, 4])]
)
def test_portugal_charges_less_on_its_islands(region: str | None, rates: list[int]) -> None:
    lines = [
        a_line(category, unitAmount=100, taxCategory=category) for category in ("NOR", "INTERMEDIATE", "RED")
    ]
    _, totals = billed(*lines, country="PT", region=region, currency="EUR")
    assert [row.amount for row in totals.tax_breakdown] == rates


@pytest.mark.parametrize(
    ("on", "tax"), [(date(2020, 6, 30), 19), (date(2020, 7, 1), 16), (date(2021, 1, 1), 19)]
)
def test_germany_charges_what_the_day_asks(on: date, tax: int) -> None:
    assert billed(a_line("1", unitAmount=100), country="DE", on=on)[1].tax_total == tax


def test_texas_taxes_parts_and_shows_untaxed_labor() -> None:
    _, totals = billed(
        a_line("1", "LABOR", unitAmount=10_000),
        a_line("2", "PART", unitAmount=10_000),
        country="US",
        region="TX",
        currency="USD",
    )
    labor, parts = totals.tax_breakdown
    assert (labor.category, labor.base_amount, labor.amount) == ("OUT_OF_SCOPE", 10_000, 0)
    assert labor.exemption_reason_code == "US-LABOR-NOT-TAXED"
    assert (parts.category, parts.kind, parts.amount) == ("STANDARD", "SALES", 625)


def test_a_discount_line_is_shared_by_taxed_and_untaxed_lines_of_its_category() -> None:
    _, totals = billed(
        a_line("1", "LABOR", unitAmount=10_000),
        a_line("2", "PART", unitAmount=20_001),
        a_line("3", "DISCOUNT", unitAmount=1_000),
        country="US",
        region="US-TX",
        currency="USD",
    )
    assert [row.base_amount for row in totals.tax_breakdown] == [9_667, 19_334]
    assert [share.discount_amount for share in totals.line_shares] == [333, 667]


def test_florida_taxes_labor_only_with_parts() -> None:
    labor = a_line("1", "LABOR", unitAmount=10_000)
    place = {"country": "US", "region": "FL", "currency": "USD"}
    assert billed(labor, **place)[1].tax_total == 0
    assert billed(labor, a_line("2", unitAmount=100), **place)[1].tax_total == 606


def test_a_rate_finer_than_a_basis_point_is_charged_exactly() -> None:
    _, totals = billed(a_line("1", unitAmount=1_000_000), country="US", region="MN", currency="USD")
    (row,) = totals.tax_breakdown
    assert (row.rate_percent, row.rate_basis_points, row.amount) == ("6.875", 688, 68_750)


def test_california_adds_its_fees_to_tires_and_batteries() -> None:
    _, totals = billed(
        a_line("1", unitAmount=10_000, quantity="4", classifications=TIRE),
        a_line("2", unitAmount=15_000, classifications=BATTERY),
        a_line("3", "FEE", unitAmount=500),
        country="US",
        region="CA",
        currency="USD",
    )
    assert [
        (row.code, row.quantity, row.unit_amount, row.amount, row.rule_id) for row in totals.fee_breakdown
    ] == [
        ("FEE", "1", 500, 500, None),
        ("CA_TIRE_FEE", "4", 175, 700, "US-CA-TIRE-FEE"),
        ("CA_BATTERY_FEE", "1", 200, 200, "US-CA-BATTERY-FEE-2022"),
    ]
    assert _rows(totals) == [
        ("US-CA-SALES-202001", 725, 55_500, 4_024),
        ("US-OUT-OF-SCOPE", 0, 900, 0),
    ]
    assert _sums(totals) == (55_000, 0, 1_400, 4_024, 60_424)


def test_fees_are_due_on_parts_not_on_the_labor_that_fits_them() -> None:
    _, totals = billed(
        a_line("1", "LABOR", unitAmount=10_000, classifications=TIRE),
        a_line("2", unitAmount=10_000, classifications=[{"scheme": "HS", "code": "25172504"}]),
        country="US",
        region="CA",
        currency="USD",
    )
    assert totals.fee_breakdown == ()


def test_florida_taxes_its_fees() -> None:
    _, totals = billed(
        a_line("1", unitAmount=10_000, classifications=TIRE), country="US", region="FL", currency="USD"
    )
    assert _rows(totals) == [("US-FL-SALES-202001", 600, 10_100, 606)]


def test_reverse_charge_is_for_a_business_with_a_tax_id_in_another_country_of_the_eu() -> None:
    line = a_line("1", "LABOR", unitAmount=1000, taxCategory="AE")
    (row,) = billed(line, country="ES", customer=PORTUGUESE_FIRM)[1].tax_breakdown
    assert (row.category, row.rate_basis_points, row.amount) == ("REVERSE_CHARGE", 0, 0)
    assert row.exemption_reason_code == "VATEX-EU-AE"
    for changed, missing in (
        ({"classification": "B2C"}, "customerAccount.classification"),
        ({"tax_id_present": False}, "customerAccount.taxId"),
        ({"country_code": "ES"}, "customerAccount.billingAddress.countryCode"),
        ({"country_code": "US"}, "customerAccount.billingAddress.countryCode"),
        ({"country_code": None}, "customerAccount.billingAddress.countryCode"),
    ):
        customer = PORTUGUESE_FIRM.model_copy(update=changed)
        assert _missing(lines=(line,), country="ES", customer=customer) == (missing,)


@pytest.mark.parametrize(
    ("country", "customer", "fine"), [("ES", "US", True), ("ES", "FR", False), ("MX", "MX", False)]
)
def test_exports_go_abroad(country: str, customer: str, fine: bool) -> None:
    line = a_line("1", unitAmount=1000, taxCategory="G")
    buyer = Customer(classification="B2C", country_code=customer)
    if fine:
        assert billed(line, country=country, customer=buyer)[1].tax_total == 0
    else:
        assert _missing(lines=(line,), country=country, customer=buyer) == (
            "customerAccount.billingAddress.countryCode",
        )


def test_an_exempt_line_says_why_in_the_words_of_the_line_or_of_the_rule() -> None:
    _, totals = billed(
        a_line("1", unitAmount=1000, taxCategory="E"),
        a_line("2", unitAmount=500, taxCategory="EXEMPT", exemptionReasonCode="VATEX-EU-135-1"),
        a_line("3", unitAmount=100, exemptionReasonCode="ignored, for it is taxed"),
        country="DE",
    )
    assert [(row.exemption_reason_code, row.base_amount) for row in totals.tax_breakdown] == [
        ("VATEX-EU-132", 1000),
        ("VATEX-EU-135-1", 500),
        (None, 100),
    ]


def test_what_no_rule_covers_is_refused_and_named() -> None:
    assert _missing(country="FR") == ("billableScopeSnapshot.countryCode",)
    assert _missing(country="US") == ("billableScopeSnapshot.regionCode",)
    assert _missing(country="US", region="ZZ") == ("billableScopeSnapshot.regionCode",)
    assert _missing(country="MX", on=date(1990, 1, 1)) == ("billableScopeSnapshot.countryCode",)
    for category in ("REDUCED", "VAT?"):
        lines = (a_line("1", unitAmount=1), a_line("2", unitAmount=1, taxCategory=category))
        assert _missing(lines=lines) == ("billableScopeSnapshot.lines.1.taxCategory",)
    lines = (a_line("1", unitAmount=1), a_line("2", "DISCOUNT", unitAmount=0, taxCategory="VAT?"))
    assert _missing(lines=lines) == ("billableScopeSnapshot.lines.1.taxCategory",)
    assert _missing(country="ES", region="CE") == ("billableScopeSnapshot.lines.0.taxCategory",)


def test_a_fee_in_another_currency_than_the_invoice_is_refused() -> None:
    lines = (a_line("1", unitAmount=1, classifications=TIRE),)
    assert _missing(lines=lines, country="US", region="CA", currency="MXN") == (
        "billableScopeSnapshot.currencyUomId",
    )


def test_totals_of_2_to_the_53_are_refused() -> None:
    with pytest.raises(DomainError) as refusal:
        billed(a_line("1", unitAmount=MAX_MINOR))
    assert refusal.value.code == "SNAPSHOT_INCONSISTENT"
    assert refusal.value.field_errors[0].code == "SUM_TOO_LARGE"


PLACES = (
    ("MX", None, ("STANDARD", "ZERO", "E")),
    ("ES", "CN", ("S", "AA", "H", "Z", "E", "O")),
    ("PT", "30", ("NOR", "INT", "RED", "ISE")),
    ("US", "CA", ("STANDARD", "EXEMPT")),
    ("US", "MN", ("STANDARD", "EXEMPT")),
)


@settings(deadline=None)
@given(st.data(), st.sampled_from(PLACES), st.sampled_from(sorted(CURRENCIES)))
@decision("BILL-DEC-002", "Breakdowns of taxes and fees agree with the totals")
def test_breakdowns_and_totals_agree_to_the_minor_unit_for_any_lines(
    data: st.DataObject, place: tuple[str, str | None, tuple[str, ...]], currency: str
) -> None:
    country, region, categories = place
    currency = "USD" if region == "CA" else currency
    lines = price_lines(
        a_scope(*data.draw(scope_lines(categories, CURRENCIES[currency])), currencyUomId=currency)
    )
    rules = tax_rules_for(country, region, date(2026, 11, 21))
    totals = compute_totals(lines, rules, Customer(classification="B2C"), currency)
    assert totals.tax_total == sum(row.amount for row in totals.tax_breakdown)
    assert totals.fee_total == sum(row.amount for row in totals.fee_breakdown)
    assert totals.subtotal == sum(line.amount for line in lines if line.kind in ("LABOR", "PART"))
    assert totals.discount_total == sum(
        line.amount if line.kind == "DISCOUNT" else line.discount_amount for line in lines
    )
    assert totals.grand_total == (
        totals.subtotal - totals.discount_total + totals.tax_total + totals.fee_total
    )
    bases = sum(row.base_amount for row in totals.tax_breakdown)
    assert bases == totals.subtotal - totals.discount_total + totals.fee_total
    charging = [line for line in lines if line.kind != "DISCOUNT"]
    for line, share in zip(charging, totals.line_shares, strict=True):
        assert share.taxable_amount + share.discount_amount == line.amount
        assert share.discount_amount >= line.discount_amount
    for row in totals.tax_breakdown:
        assert row.amount == half_up(row.base_amount * Fraction(row.rate_percent) / 100)
    assert InvoiceTotals.model_validate_json(totals.model_dump_json(by_alias=True)) == totals
