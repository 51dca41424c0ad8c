"""An order's documents to test with: their causes, what was drafted, and their contents."""

from datetime import UTC, date, datetime
from typing import Any

from domain.documents.content_parts import DocumentIdentity, shown_parties
from domain.documents.document_facts import Corrected, DocType, Verdict
from domain.documents.order_contents import OrderCause, order_document_content
from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_snapshot import OrderData
from domain.documents.receipt_content import receipt_content
from domain.documents.templates import newest_template
from tests.support.facts import drafted

AUDIENCES: dict[DocType, Any] = {"SELLER_STATEMENT": "SELLER", "PAYOUT_STATEMENT": "SELLER"}


def identity(**changes: Any) -> DocumentIdentity:
    """The identity of an English receipt; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "document_id": "0195a1c4-7d2e-7c3b-9f10-5b1f2a9c0de1",
        "document_key": "o-1:RECEIPT:platform-gb:1",
        "document_version": 1,
        "doc_type": "RECEIPT",
        "number": "GB-R-2026-000123",
        "issued_at": datetime(2026, 3, 14, 9, 27, tzinfo=UTC),
        "issue_date": date(2026, 3, 14),
        "language": "en",
        "country_code": "GB",
        "issuer_entity_id": "platform-gb",
        "template_version": "receipt/1",
        "driver_version": "generic/1",
    }
    return DocumentIdentity(**{**fields, **changes})


def receipt_of(order: OrderData, document: DocumentIdentity) -> dict[str, Any]:
    """The content of an order's receipt, its parties as the snapshot has them."""
    parties = shown_parties(order.order_party_snapshot, document.issuer_entity_id, {})
    return receipt_content(order, document, parties)


def completion(**changes: Any) -> CompletionData:
    """The sample order's completion, its payout not yet sent."""
    given = {"orderId": "o-1", "payoutStatus": "PENDING", "completedAt": "2026-03-20T16:02:00.000000Z"}
    return CompletionData.model_validate({**given, **changes})


def payout(**changes: Any) -> PayoutData:
    """The payout of the sample order's whole net."""
    return PayoutData.model_validate(
        {
            "orderId": "o-1",
            "payoutId": "payout-5",
            "escrowReleaseId": "release-3",
            "amount": 6624,
            "currencyUomId": "GBP",
            "sentAt": "2026-03-23T08:00:00.000000Z",
            **changes,
        }
    )


def refund_of(snapshot: dict[str, Any], **changes: Any) -> RefundData:
    """A refund of what the financial snapshot holds."""
    given = {"orderId": "o-1", "refundId": "refund-8", "reason": "CUSTOMER_REQUEST"}
    return RefundData.model_validate({**given, "refundSnapshot": snapshot, **changes})


def dispute_of(snapshot: dict[str, Any] | None, **changes: Any) -> DisputeData:
    """A dispute that ended in the buyer's favour, with a refund of what the financial snapshot holds."""
    given = {"orderId": "o-1", "disputeId": "dispute-2", "outcome": "Arrived broken: refunded"}
    return DisputeData.model_validate({**given, "refundSnapshot": snapshot, **changes})


def order_document(
    doc_type: DocType, order: dict[str, Any] | OrderData, cause: OrderCause = None, **changes: Any
) -> dict[str, Any]:
    """The content of an order's document; `changes` replace its identity's fields."""
    data = order if isinstance(order, OrderData) else OrderData.model_validate(order)
    corrected_type: DocType = "FISCAL_INVOICE" if doc_type == "CREDIT_NOTE" else "RECEIPT"
    corrected = Corrected(doc_type=corrected_type, number="GB-0041", issue_date=identity().issue_date)
    given = {"document_key": f"o-1:{doc_type}:platform-gb:1", "doc_type": doc_type, **changes}
    document = identity(**given)
    template = newest_template(
        doc_type, "ORDER", AUDIENCES.get(doc_type, "BUYER"), document.country_code, document.language
    )
    document = document.model_copy(update={"template_version": template})
    parties = shown_parties(data.order_party_snapshot, document.issuer_entity_id, {})
    asked_for = Verdict(policy="GENERIC", version="generic/1", reason="CUSTOMER_REQUEST")
    draft = drafted(doc_type=doc_type, corrects=corrected, verdict=asked_for)
    return order_document_content(data, cause, draft, document, parties)
