"""The golden documents of an order's life: every part of their templates, in each language."""

from typing import Any

from domain.documents.order_contents import OrderCause
from domain.kernel.canonical import canonical_json
from tests.support.invoice_contents import FISCAL
from tests.support.order_documents import completion, dispute_of, order_document, payout, refund_of
from tests.support.snapshots import financial_snapshot, order_data, party_snapshot

_MEXICAN = {"language": "es", "country_code": "MX", "issuer_entity_id": "seller-9"}
_GERMAN = {"language": "de", "country_code": "DE", "issuer_entity_id": "platform-de"}
_NO_FEES = dict.fromkeys(
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
_XALAPA = {
    "partyId": "seller-9",
    "legalName": "Tostadores del Águila, S. de R.L.",
    "taxId": "TAG200101AB1",
    "address": {
        "line1": "Calle Clavijero 118",
        "city": "Xalapa",
        "region": "Veracruz",
        "postalCode": "91000",
        "countryCode": "MX",
    },
    "type": "B2B",
}
_PUEBLA = {
    "partyId": "buyer-31",
    "legalName": "Ximena Güereña Ñúñez",
    "taxId": "GUNX850312QX4",
    "address": {"line1": "Av. Reforma 904", "city": "Puebla", "postalCode": "72000", "countryCode": "MX"},
    "type": "B2B",
}
_LEIPZIG = {
    "partyId": "platform-de",
    "legalName": "Lerchenfeld Marktplatz GmbH",
    "taxId": "DE136695976",
    "address": {
        "line1": "Große Fleischergasse 12",
        "city": "Leipzig",
        "postalCode": "04109",
        "countryCode": "DE",
    },
    "type": "B2B",
}
_OLDENBURG = {
    "partyId": "buyer-52",
    "legalName": "Jörg Süßmilch-Großkreutz",
    "address": {
        "line1": "Kämpenstraße 3",
        "city": "Oldenburg",
        "postalCode": "26121",
        "countryCode": "DE",
    },
    "type": "B2C",
}
_SOLINGEN = {
    "partyId": "seller-6",
    "legalName": "Schmiede Äußerer Höhscheid OHG",
    "taxId": "DE811907980",
    "address": {
        "line1": "Schützenstraße 41",
        "city": "Solingen",
        "postalCode": "42659",
        "countryCode": "DE",
    },
    "type": "B2B",
}


def golden_order_documents() -> dict[str, bytes]:
    """The canonical JSON of each, by file name without suffix."""
    english, mexican, german = order_data(), mexican_order(), german_order()
    completed, sent = completion(), completion(payoutStatus="SENT")
    disputed = dispute_of(_refunded(german), outcome="Zugunsten des Käufers entschieden")
    documents: dict[str, Any] = {
        "order-invoice-en": ("FISCAL_INVOICE", english, None, {"fiscal": FISCAL}),
        "order-invoice-es-withheld": ("FISCAL_INVOICE", mexican, None, _MEXICAN),
        "order-invoice-de": ("FISCAL_INVOICE", german, None, _GERMAN),
        "order-credit-note-en": ("CREDIT_NOTE", english, refund_of(_refunded(english)), {}),
        "order-credit-note-es": ("CREDIT_NOTE", mexican, refund_of(_refunded(mexican)), _MEXICAN),
        "order-credit-note-de": ("CREDIT_NOTE", german, None, _GERMAN),
        "adjustment-en": ("ADJUSTMENT_STATEMENT", english, dispute_of(_refunded(english)), {}),
        "adjustment-es": ("ADJUSTMENT_STATEMENT", mexican, refund_of(_refunded(mexican)), _MEXICAN),
        "adjustment-de": ("ADJUSTMENT_STATEMENT", german, disputed, _GERMAN),
        "seller-statement-en": ("SELLER_STATEMENT", english, completed, {}),
        "seller-statement-es-withheld": ("SELLER_STATEMENT", mexican, sent, _MEXICAN),
        "seller-statement-de": ("SELLER_STATEMENT", german, completed, _GERMAN),
        "payout-statement-en": ("PAYOUT_STATEMENT", english, payout(), {}),
        "payout-statement-es": ("PAYOUT_STATEMENT", mexican, payout(currencyUomId="MXN"), _MEXICAN),
        "payout-statement-de": ("PAYOUT_STATEMENT", german, payout(currencyUomId="EUR"), _GERMAN),
        "receipt-de": ("RECEIPT", german, None, _GERMAN),
        "order-invoice-en-many-pages": ("FISCAL_INVOICE", many_lines_order(70), None, {}),
        "seller-statement-en-dinars": ("SELLER_STATEMENT", _in_currency("KWD"), sent, {}),
        "order-credit-note-es-yen": (
            "CREDIT_NOTE",
            _in_currency("JPY"),
            None,
            {**_MEXICAN, "country_code": "JP"},
        ),
    }
    return {
        name: _document(doc_type, order, cause, f"{order['countryCode']}-2026-{number:06}", changes)
        for number, (name, (doc_type, order, cause, changes)) in enumerate(documents.items(), start=17)
    }


def mexican_order() -> dict[str, Any]:
    """An order of two lines with taxes by line, included and withheld, and taxes on fees."""
    taxes = [
        *_iva_and_withholding("l-1", 50000),
        *_iva_and_withholding("l-2", 12000),
        _tax("MX-IVA", "VAT", "ADDED", "PLATFORM_FEE", 1600, 2500),
        _tax("MX-IVA", "VAT", "INCLUDED", "PROCESSING_FEE", 1600, 1250),
        _tax("MX-IVA", "VAT", "ADDED", "SELLER_FEE", 1600, 6200),
    ]
    withheld = sum(tax["amount"] for tax in taxes if tax["mode"] == "WITHHELD")
    subtotal, fee_after = 58000 + 13920 - 1000, 2500
    snapshot = financial_snapshot(
        "snap-mx",
        currencyUomId="MXN",
        lines=[
            {
                "lineId": "l-1",
                "sku": "CAF-OLLA",
                "description": "Café de olla tostado en leña",
                "quantity": "2.500",
                "unitCode": "KGM",
                "unitPrice": "232.0000",
                "amount": 58000,
            },
            {
                "lineId": "l-2",
                "sku": "TAZ-12",
                "description": "Taza de barro negro de San Bartolo Coyotepec, pintada a mano",
                "quantity": "6",
                "unitAmount": 2420,
                "discountAmount": 600,
                "amount": 13920,
            },
        ],
        sellerCouponDiscount=1000,
        itemsSubtotal=subtotal,
        platformFeeBeforeCredits=4000,
        feeCreditsApplied=1500,
        platformFeeAfterCredits=fee_after,
        opsFee=0,
        processingFee=1450,
        sellerFees=[{"code": "COMMISSION", "amount": 5700}, {"code": "ENVÍO", "amount": 500}],
        taxes=taxes,
        buyerTotal=subtotal + fee_after + 1450 + 400,
        sellerNet=subtotal - 6200 - 992 - withheld,
    )
    return _order(snapshot, "MX", buyer=_PUEBLA, seller=_XALAPA)


def german_order() -> dict[str, Any]:
    """An order with included VAT at two rates and a line of a very long word."""
    taxes = [
        _tax("DE-USt", "VAT", "INCLUDED", "ITEMS", 1900, 18487, lineId="l-1", category="S"),
        _tax("DE-USt", "VAT", "INCLUDED", "ITEMS", 700, 2336, lineId="l-2", category="AA"),
        _tax("DE-USt", "VAT", "INCLUDED", "PLATFORM_FEE", 1900, 420, category="S"),
        _tax("DE-USt", "VAT", "ADDED", "SELLER_FEE", 1900, 1960, category="S"),
    ]
    snapshot = financial_snapshot(
        "snap-de",
        currencyUomId="EUR",
        lines=[
            {
                "lineId": "l-1",
                "sku": "KM-240",
                "description": "Küchenmesser, 24 cm, in der Geschenkverpackungsaufbewahrungsschatulle",
                "quantity": "2",
                "unitAmount": 11000,
                "amount": 22000,
            },
            {
                "lineId": "l-2",
                "description": "Buch „Schärfen für Anfänger“",
                "quantity": "1",
                "unitAmount": 2500,
                "amount": 2500,
            },
        ],
        sellerCouponDiscount=0,
        itemsSubtotal=24500,
        platformFeeBeforeCredits=500,
        feeCreditsApplied=0,
        platformFeeAfterCredits=500,
        opsFee=0,
        processingFee=0,
        sellerFees=[{"code": "COMMISSION", "amount": 1960}],
        taxes=taxes,
        buyerTotal=25000,
        sellerNet=24500 - 1960 - 372,
    )
    return _order(snapshot, "DE", buyer=_OLDENBURG, seller=_SOLINGEN, platform=_LEIPZIG)


def many_lines_order(line_count: int) -> dict[str, Any]:
    """An order of so many lines, each with a tax of its own, and names that hardly fit."""
    lines = [
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
    taxes = [
        _tax("GB-STD", "VAT", "ADDED", "ITEMS", 2000, line["amount"], lineId=line["lineId"]) for line in lines
    ]
    added = sum(tax["amount"] for tax in taxes)
    snapshot = financial_snapshot(
        **_NO_FEES,
        lines=lines,
        sellerFees=[],
        taxes=taxes,
        itemsSubtotal=total,
        buyerTotal=total + added,
        sellerNet=total + added,
    )
    buyer = {
        "partyId": "buyer-90",
        "legalName": "Αδελφοί Παπακωνσταντινοπούλου & Торгово-Промышленная Компания 株式会社山内楓",
        "type": "B2B",
    }
    return _order(snapshot, "GB", buyer=buyer)


def _in_currency(code: str) -> dict[str, Any]:
    """The sample order's amounts as minor units of another currency, for an East Asian buyer."""
    buyer = {
        "partyId": "buyer-8",
        "legalName": "山内 楓 (Ямаути Каэдэ)",
        "address": {
            "line1": "桜坂三丁目十二番地八号",
            "city": "福岡市",
            "postalCode": "810-0024",
            "countryCode": "JP",
        },
        "type": "B2C",
    }
    seller = {
        "partyId": "seller-9",
        "legalName": "Ωμέγα Κεραμικά Α.Ε. · 한지 공방 · Гончарная мастерская «Юность»",
        "taxId": "EL094014201",
        "type": "B2B",
    }
    return _order(financial_snapshot(currencyUomId=code), "GB", buyer=buyer, seller=seller)


def _order(snapshot: dict[str, Any], country_code: str, **parties: Any) -> dict[str, Any]:
    return order_data(
        countryCode=country_code,
        orderFinancialSnapshot=snapshot,
        orderPartySnapshot=party_snapshot(**parties),
        references={"rapydTransactionId": "payment_77", "escrowReleaseId": "release-3"},
    )


def _refunded(order: dict[str, Any]) -> dict[str, Any]:
    """Of an order's financial snapshot what its last line comes to, with the taxes of that line."""
    paid = order["orderFinancialSnapshot"]
    line = paid["lines"][-1]
    taxes = [tax for tax in paid["taxes"] if tax.get("lineId") == line["lineId"]]
    withheld = sum(tax["amount"] for tax in taxes if tax["mode"] == "WITHHELD")
    totals = {"itemsSubtotal": line["amount"], "buyerTotal": line["amount"]}
    totals["sellerNet"] = line["amount"] - withheld
    changes = {"lines": [line], "taxes": taxes, "sellerFees": [], "snapshotId": "snap-refund"}
    return {**paid, **_NO_FEES, **totals, **changes}


def _iva_and_withholding(line_id: str, base: int) -> list[dict[str, Any]]:
    return [
        _tax("MX-IVA", "VAT", "INCLUDED", "ITEMS", 1600, base, lineId=line_id),
        _tax("MX-ISR", "WITHHOLDING", "WITHHELD", "ITEMS", 250, base, lineId=line_id),
    ]


def _tax(
    code: str, kind: str, mode: str, applies_to: str, rate: int, base: int, **more: Any
) -> dict[str, Any]:
    amount = (base * rate + 5000) // 10000
    row = {"taxCode": code, "kind": kind, "mode": mode, "appliesTo": applies_to, "rateBasisPoints": rate}
    return {**row, "baseAmount": base, "amount": amount, **more}


def _document(
    doc_type: Any, order: dict[str, Any], cause: OrderCause, number: str, changes: dict[str, Any]
) -> bytes:
    fiscal = {"fiscal": changes["fiscal"]} if "fiscal" in changes else {}
    own = {name: value for name, value in changes.items() if name != "fiscal"}
    return canonical_json({**order_document(doc_type, order, cause, number=number, **own), **fiscal})
