"""The billable scope of a work order: its shape, its rules, and exact prices in every currency."""

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.invoicing.lines import BillableScopeSnapshot, check_scope, price_lines
from domain.kernel.errors import DomainError
from domain.kernel.money import MAX_MINOR
from tests.support.billable_scope import CURRENCIES, a_line, a_scope, scope_dict


def _errors(*lines: dict[str, Any], **fields: Any) -> dict[str, str]:
    with pytest.raises(DomainError) as refusal:
        check_scope(a_scope(*lines, **fields))
    assert refusal.value.code == "SNAPSHOT_INCONSISTENT"
    return {error.field: error.code for error in refusal.value.field_errors}


@pytest.mark.parametrize(
    ("currency", "quantity", "unit_price", "amount"),
    [
        ("USD", "3", "0.335", 101),
        ("USD", "1", "0.005", 1),
        ("USD", "1", "0.004999999", 0),
        ("JPY", "2.5", "1001", 2503),
        ("KWD", "1", "1.2345", 1235),
        ("CLF", "1.5", "0.0333", 500),
        ("MXN", "999999999999.999999999", "0.000000001", 100_000),
    ],
)
def test_a_price_in_major_units_becomes_minor_units_of_the_currency(
    currency: str, quantity: str, unit_price: str, amount: int
) -> None:
    line = a_line("1", quantity=quantity, unitPrice=unit_price)
    assert price_lines(a_scope(line, currencyUomId=currency))[0].amount == amount


@given(
    st.sampled_from(sorted(CURRENCIES)),
    st.decimals(min_value=Decimal("0.000000001"), max_value=999_999, places=9),
    st.decimals(min_value=0, max_value=9_999, places=9),
)
def test_a_line_is_quantity_times_price_rounded_half_up_once(
    currency: str, quantity: Decimal, price: Decimal
) -> None:
    line = a_line("1", quantity=f"{quantity:f}", unitPrice=f"{price:f}")
    exact = Context(prec=60)
    minor = exact.scaleb(exact.multiply(quantity, price), CURRENCIES[currency])
    expected = int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=exact))
    assert price_lines(a_scope(line, currencyUomId=currency))[0].amount == expected


def test_what_no_model_describes_is_kept() -> None:
    scope = a_scope(a_line("1", unitAmount=1, bay="7"), mileage=81_000)
    kept = scope.model_dump(mode="json", by_alias=True)
    assert (kept["mileage"], kept["lines"][0]["bay"]) == (81_000, "7")


def test_priced_lines_carry_all_that_a_document_prints() -> None:
    line = a_line(
        "1",
        quantity="2",
        unitAmount=500,
        discountAmount=100,
        unitCode="H87",
        classifications=[{"scheme": "UNSPSC", "code": "25172504"}],
        exemptionReasonCode="VATEX-EU-135-1",
    )
    (priced,) = price_lines(a_scope(line))
    assert (priced.amount, priced.discount_amount, priced.net_amount) == (1000, 100, 900)
    assert (priced.unit_code, priced.classifications[0].code) == ("H87", "25172504")
    assert priced.exemption_reason_code == "VATEX-EU-135-1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"unitAmount": 1, "unitPrice": "1"},
        {},
        {"unitAmount": 1.5},
        {"unitAmount": True},
        {"unitAmount": "1"},
        {"unitAmount": MAX_MINOR + 1},
        {"unitAmount": 1, "quantity": 1},
        {"unitAmount": 1, "quantity": "1e3"},
        {"unitAmount": 1, "quantity": "-1"},
        {"unitAmount": 1, "kind": "TIP"},
        {"unitAmount": 1, "taxCategory": ""},
    ],
)
def test_a_malformed_line_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_scope(a_line("1", **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"billableScopeSnapshotId": "S-1"},
        {"currencyUomId": "XXQ"},
        {"countryCode": "Mexico"},
        {"lines": []},
        {"schemaVersion": ""},
    ],
)
def test_a_malformed_scope_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BillableScopeSnapshot.model_validate(
            {**scope_dict(a_line("1", unitAmount=1)), **wrong}, by_name=False
        )


def test_each_broken_rule_is_named_with_its_field() -> None:
    assert _errors(
        a_line("1", unitAmount=100, quantity="0.000"),
        a_line("1", unitAmount=-1),
        a_line("3", unitAmount=100, discountAmount=101),
        a_line("4", "DISCOUNT", unitAmount=1, discountAmount=1, taxCategory="ZERO"),
    ) == {
        "billableScopeSnapshot.lines.0.quantity": "QUANTITY_NOT_POSITIVE",
        "billableScopeSnapshot.lines.1.lineId": "LINE_ID_REPEATED",
        "billableScopeSnapshot.lines.1.unitAmount": "NEGATIVE_AMOUNT",
        "billableScopeSnapshot.lines.2.discountAmount": "DISCOUNT_EXCEEDS_LINE",
        "billableScopeSnapshot.lines.3.discountAmount": "DISCOUNT_ON_DISCOUNT",
        "billableScopeSnapshot.lines.3": "DISCOUNT_EXCEEDS_CATEGORY",
    }


def test_a_discount_stays_within_its_tax_category_however_that_is_spelled() -> None:
    lines = (a_line("1", unitAmount=100, taxCategory="S"), a_line("2", unitAmount=500, taxCategory="ZERO"))
    check_scope(a_scope(*lines, a_line("3", "DISCOUNT", unitAmount=100, taxCategory="standard")))
    assert _errors(*lines, a_line("3", "DISCOUNT", unitAmount=101)) == {
        "billableScopeSnapshot.lines.2": "DISCOUNT_EXCEEDS_CATEGORY"
    }


def test_amounts_of_2_to_the_53_are_refused() -> None:
    assert _errors(a_line("1", unitAmount=MAX_MINOR, quantity="2")) == {
        "billableScopeSnapshot.lines.0.quantity": "AMOUNT_TOO_LARGE",
        "billableScopeSnapshot.lines": "SUM_TOO_LARGE",
    }
    assert _errors(a_line("1", unitAmount=MAX_MINOR), a_line("2", unitAmount=1)) == {
        "billableScopeSnapshot.lines": "SUM_TOO_LARGE"
    }
