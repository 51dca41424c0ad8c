"""A payment as clients see it (contract §5): one shape for commands and queries, made from states alone."""

from typing import Any

from domain.invoicing.invoice import Invoice
from domain.kernel.facts import rfc3339
from domain.receivables.payment import Payment
from domain.receivables.payment_facts import PaymentType
from domain.receivables.taken_back import Refund


def payment_type(remaining_balance: int) -> PaymentType:
    """Whether a payment that leaves so much due (minor units) pays all of it (BILL-DEC-012)."""
    return "PARTIAL_PAYMENT" if remaining_balance else "PAID_IN_FULL"


def payment_body(billing_payment_id: str, payment: Payment, invoice: Invoice) -> dict[str, Any]:
    """The payment, JSON-ready.

    Type and remaining balance are as its capture left them; before it, as it would leave them; null once it
    has ended without one.
    """
    initiated, captured, failed, void = payment.initiated, payment.captured, payment.failed, payment.void
    remaining = _remaining_balance(payment, invoice)
    return {
        "billingPaymentId": billing_payment_id,
        "invoiceId": initiated.invoice_id,
        "customerAccountId": invoice.drafted.customer_account_id,
        "status": payment.status,
        "amount": payment.amount,
        "currencyUomId": initiated.currency_uom_id,
        "paymentType": None if remaining is None else payment_type(remaining),
        "remainingBalance": remaining,
        "receiptId": captured and captured.receipt_id,
        "gateway": {"name": initiated.gateway, "reference": payment.reference},
        "initiatedAt": rfc3339(initiated.initiated_at),
        "capturedAt": captured and rfc3339(captured.captured_at),
        "refundedAmount": payment.refunded,
        "refunds": [_refund(each) for each in payment.refunds.values()],
        "voidStatus": void and void.status,
        "failure": failed and {"reason": failed.reason, "code": failed.code},
    }


def _remaining_balance(payment: Payment, invoice: Invoice) -> int | None:
    if payment.captured is not None:
        return payment.captured.remaining_balance
    return None if payment.status in {"FAILED", "VOIDED"} else max(0, invoice.balance_due - payment.amount)


def _refund(refund: Refund) -> dict[str, Any]:
    asked, done = refund.asked, refund.done
    return {
        "refundId": asked.refund_id,
        "amount": asked.amount,
        "status": "PENDING" if refund.is_under_way else refund.status,
        "reasonCode": asked.reason_code,
        "documentId": done and done.document_id,
        "refundedAt": done and rfc3339(done.refunded_at),
    }


def payment_detail(
    billing_payment_id: str, payment: Payment, invoice: Invoice, permissions: frozenset[str]
) -> dict[str, Any]:
    """The payment for a caller with these permissions: also what may be done with it, where things are."""
    return {
        **payment_body(billing_payment_id, payment, invoice),
        "allowedActions": _allowed_actions(payment, permissions),
        "links": _links(payment, invoice),
    }


def _allowed_actions(payment: Payment, permissions: frozenset[str]) -> list[str]:
    if "billing:payment:refund" not in permissions:
        return []
    possible = (("VOID", payment.is_voidable), ("REFUND", payment.refundable > 0))
    return [action for action, may in possible if may]


def _links(payment: Payment, invoice: Invoice) -> list[dict[str, str]]:
    """Where things are, never how to get there (BILL-DEC-016)."""
    refunds = (refund.done for refund in payment.refunds.values() if refund.done is not None)
    receipt_id = payment.captured.receipt_id if payment.captured else None
    targets: list[tuple[str, str, str, str | None]] = [
        ("invoice", "billing", "Invoice", payment.initiated.invoice_id),
        ("account", "crm", "Account", invoice.drafted.customer_account_id),
        ("receipt", "billing", "Receipt", receipt_id),
        *(("refund-document", "billing", "Document", done.document_id) for done in refunds),
    ]
    return [
        {"rel": rel, "targetDomain": domain, "targetType": kind, "targetId": target}
        for rel, domain, kind, target in targets
        if target is not None
    ]
