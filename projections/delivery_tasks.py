"""Tasks of deliveries that did not reach their reader: what a person sees to before another try."""

from typing import cast

from domain.documents.delivery import (
    DeliveryAttemptFact,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
)
from domain.kernel.recorded import RecordedEvent
from domain.receivables.receipt import RECEIPT
from domain.receivables.receipt_facts import ReceiptDeliveryRequested, ReceiptPrinted, ReceiptReprinted
from projections.projection import Row
from projections.task_rows import opened

DELIVERY_ENDS = tuple(
    f"{stream_type}.delivery-{end}"
    for stream_type in ("document-access", "receipt")
    for end in ("failed", "unconfirmed", "bounced")
)
"""The events by which a delivery ends, for now or for good, without having reached its reader."""

SENT_OR_ASKED_FOR_AGAIN = (
    *("document-access.delivered", "document-access.resent"),
    *("receipt.delivery-requested", "receipt.delivery-sent", "receipt.printed", "receipt.reprinted"),
)
"""The events with which nothing is left to be done."""

DeliveryTold = (
    DeliveryFailed
    | DeliveryUnconfirmed
    | DeliveryBounced
    | DocumentDelivered
    | DocumentResent
    | ReceiptDeliveryRequested
    | ReceiptPrinted
    | ReceiptReprinted
)
"""What all these events tell."""

_SENT_AGAIN_BY_SOMEBODY = "POST /v1/documents/{document_id}/resend"
_SENT_AGAIN_IF_LOST = (
    "Ask the reader, or the mail server's log, whether it arrived; if not: "
    "POST /v1/documents/{document_id}/resend with EMAIL, else with IN_APP."
)
_HANDED_OVER_IF_LOST = (
    "Ask the customer, or the mail server's log, whether it arrived; if not: "
    "POST /v1/billing/receipts/{receipt_id}/deliver with EMAIL, or print it."
)
_SENT_AGAIN_ONCE_CORRECTED = (
    "Correct the account's e-mail address in CRM (crm.ACCOUNT_UPDATED), then "
    "POST /v1/billing/receipts/{receipt_id}/deliver with EMAIL, or print it."
)


def delivery_ended(row: Row, event: RecordedEvent, task_id: str) -> Row | None:
    """What is tried again by itself, or may not be sent at all, is nobody's task."""
    ended = event.name.rpartition(".")[2].replace("-", "_")
    attempts, cause = 1, ended
    of_documents, of_receipts = _SENT_AGAIN_BY_SOMEBODY, _SENT_AGAIN_ONCE_CORRECTED
    match event.fact:
        case DeliveryFailed() as failed:
            if failed.retry_at is not None or failed.reason in {"erased", "withdrawn"}:
                return row or None
            attempts, cause = failed.attempt, failed.reason
        case DeliveryUnconfirmed(attempt=attempts):
            of_documents, of_receipts = _SENT_AGAIN_IF_LOST, _HANDED_OVER_IF_LOST
    return opened(
        row,
        event,
        task_id,
        type=ended.upper(),
        cause=cause,
        attempts=attempts,
        **_undelivered(event, of_documents, of_receipts),
    )


def _undelivered(event: RecordedEvent, of_documents: str, of_receipts: str) -> Row:
    """What did not reach its reader, and what brings it there: a receipt is sent as such."""
    if event.stream.type == RECEIPT.name:
        receipt_id = event.stream.id
        resumed_by = of_receipts.format(receipt_id=receipt_id)
        return {"target_type": "receipt", "target_id": receipt_id, "resumed_by": resumed_by}
    document_id = cast(DeliveryAttemptFact, event.fact).document_id
    resumed_by = of_documents.format(document_id=document_id)
    return {"target_type": "document", "target_id": document_id, "resumed_by": resumed_by}


def delivery_task_id(document_id: str) -> str:
    """One task a document, for whoever sends it again sees to all its deliveries."""
    return f"delivery:{document_id}"
