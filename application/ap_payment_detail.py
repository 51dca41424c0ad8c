"""A payment to a vendor as clients see it (contract §5): one shape for commands and queries."""

from typing import Any

from domain.kernel.facts import rfc3339
from domain.payables.ap_payment import ApPayment, on_account
from domain.posting import posting_error_summary


def ap_payment_detail(
    billing_payment_id: str, payment: ApPayment, permissions: frozenset[str]
) -> dict[str, Any]:
    """The detail for a caller with these permissions, JSON-ready.

    How accounting stands is only told: nobody does anything about it here (BILL-DEC-013).
    """
    asked, error = payment.asked, payment.posting_error
    detail: dict[str, Any] = {
        "billingPaymentId": billing_payment_id,
        "vendorId": asked.vendor_id,
        "grossAmount": asked.gross_amount,
        "currencyUomId": asked.currency_uom_id,
        "paymentRef": asked.payment_ref,
        "allocations": [allocation.model_dump(by_alias=True) for allocation in asked.allocations],
        "onAccountAmount": on_account(asked),
        "status": payment.status,
        "gateway": {
            "name": payment.gateway,
            "reference": payment.reference,
            "failureCode": payment.failure_code,
        },
        "journalEntryId": payment.journal_entry_id,
        "postingErrorSummary": error and posting_error_summary(error),
        "createdAt": rfc3339(payment.initiated_at),
        "links": _links(payment),
        "allowedActions": [],
    }
    if error is not None and "billing:posting-error:detail:view" in permissions:
        detail["postingErrorDetail"] = error.model_dump(mode="json", by_alias=True, exclude_none=True)
    return detail


def _links(payment: ApPayment) -> list[dict[str, str]]:
    """Where things are, never how to get there (BILL-DEC-016)."""
    asked = payment.asked
    targets: list[tuple[str, str, str, str | None]] = [
        ("vendor", "payables", "Vendor", asked.vendor_id),
        *(("bill", "payables", "Bill", allocation.bill_id) for allocation in asked.allocations),
        ("journal-entry", "accounting", "JournalEntry", payment.journal_entry_id),
    ]
    return [
        {"rel": rel, "targetDomain": domain, "targetType": kind, "targetId": target}
        for rel, domain, kind, target in targets
        if target is not None
    ]
