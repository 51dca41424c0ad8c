"""The golden documents of payments: receipts and adjustments, in each language."""

from typing import Any

from domain.kernel.canonical import canonical_json
from tests.support.invoice_contents import WORK_ORDER_ID

PAYMENT_ID = "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0dd2"
REFUND_ID = "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0dd4"
_LANGUAGES: dict[str, dict[str, Any]] = {
    "en": {"language": "en", "countryCode": "GB", "currencyUomId": "GBP"},
    "es": {"language": "es", "countryCode": "ES", "currencyUomId": "EUR"},
    "de": {"language": "de", "countryCode": "DE", "currencyUomId": "EUR"},
}


def golden_payments() -> dict[str, bytes]:
    """The canonical JSON of each, by file name without suffix."""
    in_full = {"paymentType": "PAID_IN_FULL", "remainingBalance": 0}
    long_names = {
        "issuer": {"legalName": "Talleres Mecánicos y Electromecánicos Hermanos Güell-Ñíguez, S.L.U."},
        "billTo": {"legalName": "山内自動車部品株式会社 (Yamauchi Auto Parts K.K.), sucursal en España"},
    }
    yen = {"countryCode": "JP", "currencyUomId": "JPY", "amount": 1_234_567}
    return {
        "payment-receipt-en": payment_receipt("en"),
        "payment-receipt-es-long-names": payment_receipt("es", **in_full, **long_names),
        "payment-receipt-de": payment_receipt("de", **in_full),
        "payment-receipt-en-yen": payment_receipt("en", **yen),
        **{f"payment-adjustment-{language}": payment_adjustment(language) for language in _LANGUAGES},
        "payment-adjustment-en-first": payment_adjustment("en", leftOfPayment=15_000, reasonCode="GOODWILL"),
    }


def payment_receipt(language: str, **changes: Any) -> bytes:
    """The canonical JSON of a receipt; `changes` replace its top-level fields."""
    return canonical_json(
        {
            **_common("RECEIPT", "payment-receipt/1", language),
            "amount": 20_000,
            "capturedAt": "2026-03-14T09:26:58.000000Z",
            "paymentType": "PARTIAL_PAYMENT",
            "remainingBalance": 24_981,
            **changes,
        }
    )


def payment_adjustment(language: str, **changes: Any) -> bytes:
    """The canonical JSON of an adjustment; `changes` replace its top-level fields."""
    return canonical_json(
        {
            **_common("ADJUSTMENT_STATEMENT", "payment-adjustment/1", language),
            "corrects": {"docType": "RECEIPT", "issueDate": "2026-03-14", "number": "R-2026-000122"},
            "refundId": REFUND_ID,
            "paidAmount": 20_000,
            "amount": 5_000,
            "leftOfPayment": 12_500,
            "reasonCode": "CUSTOMER_REQUEST",
            **changes,
        }
    )


def _common(doc_type: str, template: str, language: str) -> dict[str, Any]:
    return {
        "documentId": "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0de1",
        "documentKey": f"receipt-1:{doc_type}:larkfield:1",
        "documentVersion": 1,
        "docType": doc_type,
        "number": f"{doc_type[0]}-2026-000123",
        "issuedAt": "2026-03-14T09:27:00.000000Z",
        "issueDate": "2026-03-14",
        "issuerEntityId": "larkfield",
        "templateVersion": template,
        "driverVersion": "generic/1",
        "issuer": {"legalName": "Larkfield Motor Works Ltd"},
        "billTo": {"legalName": "Copperline Couriers Ltd"},
        "invoiceId": "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0dd3",
        "invoiceNumber": "F-2026-000123",
        "invoiceDate": "2026-03-13",
        "workOrderId": WORK_ORDER_ID,
        "billingPaymentId": PAYMENT_ID,
        **_LANGUAGES[language],
    }
