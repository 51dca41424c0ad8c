"""Contents of invoices and credit notes to draw: lines and rates in, consistent canonical JSON out.

Sums follow contract §5: tax is rounded half up once per rate, on the summed base after discounts.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from domain.kernel.canonical import canonical_json

WORK_ORDER_ID = "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0d55"
ISSUER = {
    "legalName": "Larkfield Motor Works Ltd",
    "taxId": "GB987654321",
    "address": {"line1": "14 Tannery Lane", "city": "Whitby", "postalCode": "YO21 3PU", "countryCode": "GB"},
}
CUSTOMER = {
    "legalName": "Copperline Couriers Ltd",
    "taxId": "GB123456789",
    "address": {
        "line1": "Unit 7, Harbour Yard",
        "line2": "Fleet office",
        "city": "Scarborough",
        "postalCode": "YO11 1PQ",
        "countryCode": "GB",
    },
}

FISCAL = {
    "authority": "SIMULATED AUTHORITY",
    "uuid": "5b1c1b44-7f0a-4c55-9d0e-2f6f0f3f51aa",
    "stampedAt": "2026-03-14T09:27:03.000000Z",
    "qr": "https://authority.example/verify?id=5b1c1b44-7f0a-4c55-9d0e-2f6f0f3f51aa&total=7680&re=GB987654321",
    "chainHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
"""What a stamp and a chain leave on a document."""


class Rate(NamedTuple):
    """What a tax category is charged."""

    tax_code: str
    rate_percent: str
    exemption_reason_code: str | None = None


UK = {"STANDARD": Rate("VAT", "20")}


def line(kind: str, description: str, quantity: str, amount: int, **more: Any) -> dict[str, Any]:
    """A line at the standard rate; `amount` in minor units, before `discountAmount`."""
    shown = {"kind": kind, "description": description, "quantity": quantity, "amount": amount}
    return {**shown, "taxCategory": "STANDARD", **more}


def fee(code: str, label: str, quantity: str, amount: int) -> dict[str, Any]:
    """A fee that a rule adds, taxed at the standard rate."""
    return {"code": code, "label": label, "quantity": quantity, "amount": amount}


def invoice(
    lines: Sequence[dict[str, Any]],
    rates: dict[str, Rate] = UK,
    fees: Sequence[dict[str, Any]] = (),
    **changes: Any,
) -> bytes:
    """The canonical JSON of an English invoice; `changes` replace its top-level fields."""
    return canonical_json(
        {
            **_identity("FISCAL_INVOICE", "fiscal-invoice/1", "GB-F-2026-000041"),
            "dueDate": "2026-04-13",
            "paymentTermsCode": "NET30",
            **_amounts(lines, rates, fees),
            **changes,
        }
    )


def credit_note(
    lines: Sequence[dict[str, Any]],
    rates: dict[str, Rate] = UK,
    fees: Sequence[dict[str, Any]] = (),
    **changes: Any,
) -> bytes:
    """The canonical JSON of an English credit note; `changes` replace its top-level fields."""
    return canonical_json(
        {
            **_identity("CREDIT_NOTE", "credit-note/1", "GB-C-2026-000007"),
            "corrects": {"number": "GB-F-2026-000041", "issueDate": "2026-03-02"},
            "reasonCode": "ERROR",
            **_amounts(lines, rates, fees),
            **changes,
        }
    )


def _identity(doc_type: str, template_version: str, number: str) -> dict[str, Any]:
    return {
        "documentId": "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0de1",
        "documentKey": f"i-1:{doc_type}:garage-gb:1",
        "documentVersion": 1,
        "docType": doc_type,
        "number": number,
        "issuedAt": "2026-03-14T09:27:00.000000Z",
        "issueDate": "2026-03-14",
        "language": "en",
        "countryCode": "GB",
        "issuerEntityId": "garage-gb",
        "templateVersion": template_version,
        "driverVersion": "generic/1",
        "issuer": ISSUER,
        "billTo": CUSTOMER,
        "workOrderId": WORK_ORDER_ID,
        "currencyUomId": "GBP",
    }


def _amounts(
    lines: Sequence[dict[str, Any]], rates: dict[str, Rate], fees: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    bases = dict.fromkeys(rates, 0)
    for charged in lines:
        bases[charged["taxCategory"]] += _net_amount(charged)
    bases[next(iter(rates))] += sum(added["amount"] for added in fees)
    taxes = [_tax(category, rate, bases[category]) for category, rate in rates.items()]
    subtotal = sum(charged["amount"] for charged in lines if charged["kind"] in ("LABOR", "PART"))
    fee_total = sum(charged["amount"] for charged in [*lines, *fees] if charged.get("kind", "FEE") == "FEE")
    discount_total = sum(
        charged["amount"] if charged["kind"] == "DISCOUNT" else charged.get("discountAmount", 0)
        for charged in lines
    )
    tax_total = sum(tax["amount"] for tax in taxes)
    return {
        "lines": list(lines),
        "subtotal": subtotal,
        "discountTotal": discount_total,
        "fees": list(fees),
        "feeTotal": fee_total,
        "taxes": taxes,
        "taxTotal": tax_total,
        "grandTotal": subtotal - discount_total + fee_total + tax_total,
    }


def _net_amount(charged: dict[str, Any]) -> int:
    """What a line adds to the base of its tax, minor units; below zero for a DISCOUNT."""
    if charged["kind"] == "DISCOUNT":
        return -int(charged["amount"])
    return int(charged["amount"]) - int(charged.get("discountAmount", 0))


def _tax(category: str, rate: Rate, base: int) -> dict[str, Any]:
    row = {
        "taxCode": rate.tax_code,
        "category": category,
        "ratePercent": rate.rate_percent,
        "baseAmount": base,
        "amount": int(Fraction(rate.rate_percent) * base / 100 + Fraction(1, 2)),
    }
    reason = rate.exemption_reason_code
    return row if reason is None else {**row, "exemptionReasonCode": reason}
