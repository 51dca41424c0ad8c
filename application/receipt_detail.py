"""A receipt as clients see it, with what policy leaves of reprints and what they may do (contract §5)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.accounts.policies import ReprintTerms
from domain.documents.document import Document
from domain.kernel.facts import rfc3339
from domain.receivables.receipt import Email, Receipt, allowed_actions, reprints_left


def receipt_detail(
    receipt_id: str,
    receipt: Receipt,
    document: Document,
    terms: ReprintTerms,
    at: datetime,
    permissions: frozenset[str],
) -> dict[str, Any]:
    """The receipt, JSON-ready; `terms` and `at` are of the reprint policy and the moment it is asked at.

    `deliveryStatus` is null while nobody has asked for a delivery.
    """
    generated, numbered = receipt.generated, document.numbered
    assert numbered is not None, "a receipt has its number from the beginning"
    return {
        "receiptId": receipt_id,
        "status": "ISSUED" if receipt.voided is None else "VOIDED",
        "voidedReasonCode": receipt.voided and receipt.voided.reason_code,
        "billingPaymentId": generated.billing_payment_id,
        "invoiceId": generated.invoice_id,
        "invoiceNumber": generated.invoice_number,
        "workOrderId": generated.work_order_id,
        "customerAccountId": generated.customer_account_id,
        "amount": generated.amount,
        "currencyUomId": generated.currency_uom_id,
        "paymentType": generated.payment_type,
        "remainingBalance": generated.remaining_balance,
        "number": numbered.number,
        "issuedAt": rfc3339(numbered.issued_at),
        "documentId": generated.document_id,
        "documentStatus": document.status,
        "deliveryStatus": receipt.delivery_status,
        "deliverySuppressed": generated.delivery_suppressed,
        "deliveries": list(_deliveries(receipt)),
        "adjustments": [
            {
                "refundId": each.refund_id,
                "documentId": each.document_id,
                "amount": each.amount,
                "leftOfPayment": each.left,
            }
            for each in receipt.adjustments
        ],
        "reprintPolicy": reprints_left(receipt, terms).model_dump(mode="json", by_alias=True),
        "allowedActions": allowed_actions(receipt, terms, at, permissions),
        "links": list(_links(receipt)),
    }


def _deliveries(receipt: Receipt) -> Iterator[dict[str, Any]]:
    """How it stands with print, where that was asked for, then each delivery by e-mail, oldest first."""
    if (status := receipt.status_by("PRINT")) is not None:
        yield _delivery("PRINT", status)
    for delivery_id, email in receipt.emails.items():
        yield _delivery("EMAIL", email.status, delivery_id, email)


def _delivery(
    channel: str, status: str, delivery_id: str | None = None, email: Email | None = None
) -> dict[str, Any]:
    delivery = None if email is None else email.delivery
    retry_at = None if delivery is None else delivery.retry_at
    return {
        "channel": channel,
        "status": status,
        "deliveryId": delivery_id,
        "copyNumber": 0 if email is None else email.copy_number,
        "reason": delivery and delivery.reason,
        "nextRetryAt": retry_at and rfc3339(retry_at),
    }


def _links(receipt: Receipt) -> Iterator[dict[str, str]]:
    """Where things are, never how to get there (BILL-DEC-016)."""
    generated = receipt.generated
    targets = [
        ("payment", "billing", "Payment", generated.billing_payment_id),
        ("invoice", "billing", "Invoice", generated.invoice_id),
        ("work-order", "workexec", "WorkOrder", generated.work_order_id),
        ("account", "crm", "Account", generated.customer_account_id),
        *(("document", "billing", "Document", document_id) for document_id in receipt.document_ids),
    ]
    for rel, domain, kind, target in targets:
        yield {"rel": rel, "targetDomain": domain, "targetType": kind, "targetId": target}
