"""The golden documents: small ones of each kind, whose canonical JSON and PDF must never change by accident.

    python -m tests.support.golden_documents

rewrites them; the diff is reviewed. A template that was released gets a new version instead of new hashes.
"""

import json
from pathlib import Path
from typing import Any

from domain.documents.content_parts import DocumentIdentity
from domain.documents.order_snapshot import OrderData, check_equations
from domain.kernel.canonical import canonical_json, sha256_hex
from infrastructure.rendering.pdf import render_pdf
from tests.support.golden_invoices import golden_invoices
from tests.support.golden_order_documents import golden_order_documents
from tests.support.golden_payments import golden_payments
from tests.support.order_documents import identity, receipt_of
from tests.support.snapshots import financial_snapshot, order_data, party_snapshot

FOLDER = Path(__file__).parents[1] / "golden" / "documents"
HASHES = FOLDER / "hashes.json"


def golden_documents() -> dict[str, bytes]:
    """The canonical JSON of each golden document, by file name without suffix."""
    return {**golden_receipts(), **golden_invoices(), **golden_order_documents(), **golden_payments()}


def golden_receipts() -> dict[str, bytes]:
    """Those of them that are receipts."""
    return {
        "receipt-en-fees-and-credits": _content(order_data(), identity()),
        "receipt-es-included-taxes": _content(_spanish_order(), _spanish_identity()),
        "receipt-en-many-scripts": _content(_many_scripts_order(), identity(country_code="JP")),
        "receipt-en-two-pages": _content(plain_order(60), identity(issuer_entity_id="unknown-issuer")),
    }


def plain_order(line_count: int, **changes: Any) -> dict[str, Any]:
    """An order of many lines without fees or taxes."""
    lines: list[dict[str, Any]] = [
        {
            "lineId": f"l-{number}",
            "sku": f"{21000 + number}B",
            "description": f"Beeswax candle, colour {number}, hand-dipped",
            "quantity": str(number % 12 + 1),
            "unitAmount": 85 + number,
            "amount": (number % 12 + 1) * (85 + number),
        }
        for number in range(1, line_count + 1)
    ]
    total = sum(line["amount"] for line in lines)
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "sellerCouponDiscount",
            "platformFeeBeforeCredits",
            "feeCreditsApplied",
            "platformFeeAfterCredits",
            "opsFee",
            "processingFee",
        ),
        0,
    )
    totals = {"itemsSubtotal": total, "buyerTotal": total, "sellerNet": total}
    snapshot = financial_snapshot(lines=lines, sellerFees=[], taxes=[], **nothing, **totals)
    return order_data("o-plain", **{"orderFinancialSnapshot": snapshot, **changes})


def _spanish_identity() -> DocumentIdentity:
    return identity(number="MX-R-2026/88", language="es", country_code="MX", issuer_entity_id="seller-9")


def _spanish_order() -> dict[str, Any]:
    order = plain_order(1, countryCode="MX", paymentMeansCode="30")
    snapshot = order["orderFinancialSnapshot"]
    snapshot["currencyUomId"] = "MXN"
    snapshot["lines"] = [
        {
            "lineId": "l-1",
            "kind": "GOODS",
            "description": "Café de olla tostado en leña",
            "quantity": "2.500",
            "unitCode": "KGM",
            "unitPrice": "232.0000",
            "amount": 58000,
        }
    ]
    snapshot |= {"itemsSubtotal": 58000, "opsFee": 1000, "buyerTotal": 59000, "sellerNet": 53000}
    snapshot["taxes"] = [
        _included("ITEMS", 1600, 50000, 8000),
        {**_included("OPS_FEE", 0, 1000, 0), "taxCode": "MX-EX", "exemptionReasonCode": "ART-15"},
        {
            **_included("ITEMS", 1000, 50000, 5000),
            "taxCode": "MX-ISR",
            "kind": "WITHHOLDING",
            "mode": "WITHHELD",
        },
    ]
    order["orderPartySnapshot"] = party_snapshot(
        buyer={"partyId": "b", "legalName": "Ximena Güereña Ñúñez", "type": "B2C"},
        seller={
            "partyId": "seller-9",
            "legalName": "Tostadores del Águila, S. de R.L.",
            "taxId": "TAG200101AB1",
            "address": {"city": "Xalapa", "region": "Veracruz", "postalCode": "91000", "countryCode": "MX"},
            "type": "B2B",
        },
    )
    return order


def _included(applies_to: str, rate: int, base: int, amount: int) -> dict[str, Any]:
    return {
        "taxCode": "MX-IVA",
        "kind": "VAT",
        "appliesTo": applies_to,
        "mode": "INCLUDED",
        "rateBasisPoints": rate,
        "baseAmount": base,
        "amount": amount,
    }


def _many_scripts_order() -> dict[str, Any]:
    order = plain_order(4, countryCode="JP", references={})
    snapshot = order["orderFinancialSnapshot"]
    snapshot["currencyUomId"] = "JPY"
    descriptions = (
        "伊万里焼の小皿 5枚組（染付・唐草文様）",
        "한지 조명 갓, 손으로 접은 전통 종이",
        "Χειροποίητο κεραμικό μπολ · Деревянная ложка",
        "קערה \N{SNOWMAN} ชาม",
    )
    for line, description in zip(snapshot["lines"], descriptions, strict=True):
        line["description"] = description
    order["orderPartySnapshot"] = party_snapshot(
        buyer={
            "partyId": "b",
            "legalName": "山内 楓 (Ямаути Каэдэ)",
            "type": "B2B",
            "address": {
                "line1": "桜坂三丁目十二番地八号",
                "city": "福岡市",
                "postalCode": "810-0024",
                "countryCode": "JP",
            },
        }
    )
    return order


def _content(order: dict[str, Any], document: DocumentIdentity) -> bytes:
    data = OrderData.model_validate(order)
    check_equations(data.order_financial_snapshot)
    return canonical_json(receipt_of(data, document))


def main() -> None:
    """Rewrites the golden files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    documents = golden_documents()
    for name, content in documents.items():
        (FOLDER / f"{name}.json").write_bytes(content)
    hashes = {name: sha256_hex(render_pdf(content)) for name, content in sorted(documents.items())}
    HASHES.write_text(json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    main()
