"""Sample contents to preview templates with: invented documents of every type, of a packaged order."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from domain.documents.content_parts import DocumentIdentity, identity_content, shown_parties
from domain.documents.correction_content import Cause, TakenBack, correction_content
from domain.documents.document_facts import Corrected, DocType
from domain.documents.order_events import CompletionData, PayoutData
from domain.documents.order_invoice_content import order_invoice_content
from domain.documents.order_snapshot import OrderData
from domain.documents.payout_statement_content import payout_statement_content
from domain.documents.receipt_content import receipt_content
from domain.documents.seller_statement_content import seller_statement_content
from domain.documents.templates import Source

_SAMPLES = Path(__file__).with_name("sample_documents.json")
_ISSUED_AT = datetime(2026, 3, 14, 9, 27, tzinfo=UTC)
SAMPLE_DAY = _ISSUED_AT.date()
"""The day of all samples."""
_DOCUMENT_ID = "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0de1"
_OF_WORK_ORDER: dict[DocType, str] = {
    "FISCAL_INVOICE": "invoice",
    "CREDIT_NOTE": "creditNote",
    "RECEIPT": "paymentReceipt",
    "ADJUSTMENT_STATEMENT": "paymentAdjustment",
}
"""Of what stands in the samples under which name."""
_MARKS = {
    "authority": "SAMPLE AUTHORITY",
    "uuid": "5b1c1b44-7f0a-4c55-9d0e-2f6f0f3f51aa",
    "stampedAt": "2026-03-14T09:27:03.000000Z",
    "qr": "https://authority.example/verify?id=5b1c1b44-7f0a-4c55-9d0e-2f6f0f3f51aa",
    "chainHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


def sample_content(
    doc_type: DocType, source: Source, identity: DocumentIdentity, *, stamped: bool
) -> dict[str, Any]:
    """A sample document's content; with the marks of an authority and a chain where it is `stamped`.

    Raises `LookupError` where such a source has no such document.
    """
    samples = json.loads(_SAMPLES.read_text(encoding="utf-8"))
    if source == "ORDER":
        content = _of_order(doc_type, OrderData.model_validate(samples["order"]), identity)
    else:
        if doc_type not in _OF_WORK_ORDER:
            raise LookupError(f"A work order has no {doc_type}.")
        content = {**samples[_OF_WORK_ORDER[doc_type]], **identity_content(identity)}
    return {**content, "fiscal": _MARKS} if stamped else content


def sample_identity(
    doc_type: DocType, language: Any, country_code: str, template_version: str, driver_version: str
) -> DocumentIdentity:
    """Which document a sample is."""
    return DocumentIdentity(
        document_id=_DOCUMENT_ID,
        document_key=f"sample-1001:{doc_type}:sample-platform:1",
        document_version=1,
        doc_type=doc_type,
        number=f"{doc_type[0]}-2026-000123",
        issued_at=_ISSUED_AT,
        issue_date=SAMPLE_DAY,
        language=language,
        country_code=country_code,
        issuer_entity_id="sample-platform",
        template_version=template_version,
        driver_version=driver_version,
    )


def _of_order(doc_type: DocType, order: OrderData, identity: DocumentIdentity) -> dict[str, Any]:
    parties = shown_parties(order.order_party_snapshot, identity.issuer_entity_id, {})
    snapshot = order.order_financial_snapshot
    match doc_type:
        case "RECEIPT":
            return receipt_content(order, identity, parties)
        case "FISCAL_INVOICE":
            return order_invoice_content(order, identity, parties)
        case "CREDIT_NOTE" | "ADJUSTMENT_STATEMENT":
            corrected: DocType = "FISCAL_INVOICE" if doc_type == "CREDIT_NOTE" else "RECEIPT"
            taken_back = TakenBack(
                refunded=snapshot,
                reason="CUSTOMER_REQUEST",
                corrects=Corrected(
                    doc_type=corrected, number=f"{corrected[0]}-2026-000117", issue_date=date(2026, 3, 2)
                ),
                cause=Cause(type="REFUND", id="sample-refund-7"),
            )
            return correction_content(order, taken_back, identity, parties)
        case "SELLER_STATEMENT":
            completion = CompletionData(
                order_id=order.order_id, payout_status="PENDING", completed_at=_ISSUED_AT
            )
            return seller_statement_content(order, completion, identity, parties)
        case "PAYOUT_STATEMENT":
            payout = PayoutData(
                order_id=order.order_id,
                payout_id="sample-payout-5",
                escrow_release_id="release-1001",
                amount=snapshot.seller_net,
                currency_uom_id=snapshot.currency_uom_id,
                sent_at=_ISSUED_AT,
            )
            return payout_statement_content(order, payout, identity, parties)
        case _:
            raise LookupError(f"An order has no {doc_type}.")
