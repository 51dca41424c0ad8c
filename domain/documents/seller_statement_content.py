"""What a SELLER_STATEMENT shows the seller: the sale, its fees and taxes, and what is left of it (S3 §4.3).

It is picked field by field, so that nothing of the buyer's side can slip in: no fee credits or platform fees
(S3 §5.3), no buyer's total, and of the buyer nothing but the order.
"""

from typing import Any

from domain.documents.content_parts import DocumentIdentity, ShownParties, identity_content, present
from domain.documents.document_facts import Totals
from domain.documents.order_events import CompletionData
from domain.documents.order_parts import lines_content, payment_content, taxes_and_withheld
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot, SnapshotTax
from domain.kernel.facts import rfc3339


def seller_statement_content(
    order: OrderData, completion: CompletionData, identity: DocumentIdentity, parties: ShownParties
) -> dict[str, Any]:
    """The content of a SELLER_STATEMENT, ready for `canonical_json`. Absent optional fields are left out."""
    snapshot = order.order_financial_snapshot
    content: dict[str, Any] = {
        **identity_content(identity),
        "issuer": parties.issuer,
        "seller": parties.seller,
        "orderId": order.order_id,
        "references": references_content(order),
        **present({"paidAt": payment_content(order).get("paidAt")}),
        "payoutStatus": completion.payout_status,
        "currencyUomId": snapshot.currency_uom_id,
        "lines": lines_content(snapshot, touches_seller),
        "sellerCouponDiscount": snapshot.seller_coupon_discount,
        "itemsSubtotal": snapshot.items_subtotal,
        "sellerFees": [{"code": fee.code, "amount": fee.amount} for fee in snapshot.seller_fees],
        **taxes_and_withheld(snapshot, touches_seller),
        "sellerNet": snapshot.seller_net,
    }
    if completion.completed_at is not None:
        content["completedAt"] = rfc3339(completion.completed_at)
    return content


def references_content(order: OrderData) -> dict[str, str]:
    """Under which names other systems know the order's money, as far as they told."""
    references = order.references
    return present(
        {
            "rapydTransactionId": references.rapyd_transaction_id,
            "escrowReleaseId": references.escrow_release_id,
            "refundId": references.refund_id,
            "disputeId": references.dispute_id,
        }
    )


def touches_seller(tax: SnapshotTax) -> bool:
    """Taxes on what the seller sells and on what it pays the platform; those of the buyer's fees are not."""
    return tax.applies_to in ("ITEMS", "SELLER_FEE")


def seller_statement_totals(snapshot: OrderFinancialSnapshot) -> Totals:
    """The five totals, as the seller sees them: items_subtotal + fee_total + tax_total = grand_total.

    `grand_total` is the seller's net. What is taken from the seller is negative: `fee_total` its fees,
    `tax_total` taxes added to the items less those added to its fees and those withheld.
    """
    taxes = snapshot.taxes
    added = sum(tax.amount for tax in taxes if tax.mode == "ADDED" and tax.applies_to == "ITEMS")
    on_fees = sum(tax.amount for tax in taxes if tax.mode == "ADDED" and tax.applies_to == "SELLER_FEE")
    withheld = sum(tax.amount for tax in taxes if tax.mode == "WITHHELD")
    return Totals(
        items_subtotal=snapshot.items_subtotal,
        discount_total=snapshot.seller_coupon_discount,
        fee_total=-sum(fee.amount for fee in snapshot.seller_fees),
        tax_total=added - on_fees - withheld,
        grand_total=snapshot.seller_net,
    )
