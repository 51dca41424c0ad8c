"""Billable scopes for tests: lines in a few words, and what hypothesis makes of them."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from application.tax_tables import tax_rules_for
from domain.fiscal.taxes.rules import Customer
from domain.invoicing.lines import BillableScopeSnapshot, InvoiceLine, price_lines
from domain.invoicing.totals import InvoiceTotals, compute_totals

TODAY = date(2026, 11, 21)
CONSUMER = Customer(classification="B2C", country_code="MX")
CURRENCIES = {"JPY": 0, "USD": 2, "KWD": 3, "CLF": 4}
"""Currencies of every exponent, with it."""


def a_line(line_id: str, kind: str = "PART", **fields: Any) -> dict[str, Any]:
    """A line of one piece in the standard category; a price is to be given."""
    return {
        "lineId": line_id,
        "kind": kind,
        "description": f"{kind} {line_id}",
        "quantity": "1",
        "taxCategory": "STANDARD",
        **fields,
    }


def scope_dict(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A scope as `workexec.WORK_ORDER_READY` brings it."""
    return {
        "billableScopeSnapshotId": "01890a5d-ac96-774b-bcce-b302099a8057",
        "schemaVersion": "1",
        "currencyUomId": "MXN",
        "issuerEntityId": "issuer-mx",
        "countryCode": "MX",
        "lines": list(lines),
        **fields,
    }


def a_scope(*lines: dict[str, Any], **fields: Any) -> BillableScopeSnapshot:
    """The same, read."""
    return BillableScopeSnapshot.model_validate(scope_dict(*lines, **fields), by_name=False)


def billed(
    *lines: dict[str, Any],
    customer: Customer = CONSUMER,
    on: date = TODAY,
    country: str = "MX",
    region: str | None = None,
    currency: str = "MXN",
) -> tuple[tuple[InvoiceLine, ...], InvoiceTotals]:
    """The priced lines and the totals of such an invoice under the packaged rules."""
    fields = {"countryCode": country, "currencyUomId": currency}
    priced = price_lines(a_scope(*lines, **fields))
    return priced, compute_totals(priced, tax_rules_for(country, region, on), customer, currency)


def _decimal_texts(digits: int, decimals: int) -> st.SearchStrategy[str]:
    return st.decimals(min_value=0, max_value=10**digits, places=decimals).map(lambda value: f"{value:f}")


@st.composite
def scope_lines(draw: st.DrawFn, categories: tuple[str, ...], exponent: int) -> list[dict[str, Any]]:
    """Charging lines, some with discounts, then DISCOUNT lines within what their category charges."""
    lines = []
    left: dict[str, int] = {}
    for number in range(draw(st.integers(1, 8))):
        quantity = draw(st.sampled_from(["1", "2", "3", "7", "0.5", "1.333", "0.000000001", "12.25"]))
        kind = draw(st.sampled_from(["LABOR", "PART", "FEE"]))
        line = a_line(f"L{number}", kind, quantity=quantity, taxCategory=draw(st.sampled_from(categories)))
        if draw(st.booleans()):
            line["unitAmount"] = draw(st.integers(0, 10**9))
        else:
            line["unitPrice"] = draw(_decimal_texts(6, min(9, exponent + 3)))
        if kind == "PART":
            codes = draw(st.sampled_from([[], ["25172504"], ["26111703"], ["25172503", "25172504"]]))
            line["classifications"] = [{"scheme": "UNSPSC", "code": code} for code in codes]
        fields = {"currencyUomId": next(code for code, places in CURRENCIES.items() if places == exponent)}
        (priced,) = price_lines(a_scope(line, **fields))
        discount = draw(st.integers(0, priced.amount))
        if draw(st.booleans()):
            line["discountAmount"] = discount
            priced = price_lines(a_scope(line, **fields))[0]
        left[line["taxCategory"]] = left.get(line["taxCategory"], 0) + priced.net_amount
        lines.append(line)
    for number, (category, most) in enumerate(sorted(left.items())):
        if draw(st.booleans()):
            amount = draw(st.integers(0, most))
            lines.append(a_line(f"D{number}", "DISCOUNT", unitAmount=amount, taxCategory=category))
    return lines
