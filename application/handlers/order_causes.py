"""Every cause in an order's history gets the documents that it calls for, once (S3 §7.1)."""

from collections.abc import Sequence

from application.desk import Desk
from application.handlers.documents import PlannedDocument
from application.handlers.order_documents import (
    credit_refunds,
    draft_for_completion,
    draft_for_payment,
    draft_for_payouts,
    draft_for_refund,
    expect_refunds,
)
from application.ledger import Transaction
from domain.documents.order_state import ORDER


def draft_for_causes(
    transaction: Transaction, desk: Desk, order_id: str, of_payment: Sequence[PlannedDocument] = ()
) -> None:
    """Drafts what is called for and not drafted yet; `of_payment` where the order has just been paid.

    The invoice comes first, so that what was refunded before is credited and not merely adjusted.
    """
    state = transaction.state(ORDER, order_id)
    assert state is not None and state.order is not None, "causes take effect once the order is paid"
    draft_for_payment(transaction, order_id, of_payment)
    expect_refunds(transaction, desk, order_id)
    if of_payment:
        credit_refunds(transaction, desk, order_id)
    for cause_id in state.refunds:
        draft_for_refund(transaction, desk, order_id, cause_id)
    draft_for_completion(transaction, desk, order_id)
    draft_for_payouts(transaction, desk, order_id)
