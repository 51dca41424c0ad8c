"""Which content each document of an order has: by its type and by what in the order's life caused it."""

from typing import Any, assert_never

from domain.documents.content_parts import DocumentIdentity, ShownParties
from domain.documents.correction_content import Cause, TakenBack, correction_content
from domain.documents.document_facts import Corrected, DocumentDrafted
from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_invoice_content import order_invoice_content
from domain.documents.order_snapshot import OrderData
from domain.documents.payout_statement_content import payout_statement_content
from domain.documents.receipt_content import receipt_content
from domain.documents.seller_statement_content import seller_statement_content

OrderCause = RefundData | DisputeData | CompletionData | PayoutData | None
"""What caused a document of an order; None where the payment did, or somebody who asked for it."""


def order_document_content(
    order: OrderData,
    cause: OrderCause,
    drafted: DocumentDrafted,
    identity: DocumentIdentity,
    parties: ShownParties,
) -> dict[str, Any]:
    """The content of an order's document. Raises `ValueError` where that cause has no such document.

    A CREDIT_NOTE without a cause takes the whole order back, for the reason of its verdict.
    """
    match drafted.doc_type, cause:
        case "RECEIPT", None:
            return receipt_content(order, identity, parties)
        case "FISCAL_INVOICE", None:
            return order_invoice_content(order, identity, parties)
        case "CREDIT_NOTE" | "ADJUSTMENT_STATEMENT", RefundData() | DisputeData() | None:
            taken_back = _taken_back(order, cause, drafted)
            return correction_content(order, taken_back, identity, parties)
        case "SELLER_STATEMENT", CompletionData():
            return seller_statement_content(order, cause, identity, parties)
        case "PAYOUT_STATEMENT", PayoutData():
            return payout_statement_content(order, cause, identity, parties)
        case _:
            raise ValueError(f"no content of a {drafted.doc_type} in its order")


def _taken_back(
    order: OrderData, cause: RefundData | DisputeData | None, drafted: DocumentDrafted
) -> TakenBack:
    corrects = drafted.corrects
    if corrects is None:
        raise ValueError("a correction names what it corrects")
    match cause:
        case None:
            return TakenBack(
                refunded=order.order_financial_snapshot, reason=drafted.verdict.reason, corrects=corrects
            )
        case RefundData():
            return TakenBack(
                refunded=cause.refund_snapshot,
                reason=cause.reason,
                corrects=corrects,
                cause=Cause(type="REFUND", id=cause.refund_id),
            )
        case DisputeData():
            return _of_dispute(cause, corrects)
        case _:
            assert_never(cause)


def _of_dispute(dispute: DisputeData, corrects: Corrected) -> TakenBack:
    if dispute.refund_snapshot is None:
        raise ValueError("a dispute without a refund corrects nothing")
    return TakenBack(
        refunded=dispute.refund_snapshot,
        reason=dispute.outcome,
        corrects=corrects,
        cause=Cause(type="DISPUTE", id=dispute.dispute_id),
    )
