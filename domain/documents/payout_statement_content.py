"""What a PAYOUT_STATEMENT shows the seller: how much of an order's money was sent to it, and when."""

from typing import Any

from domain.documents.content_parts import DocumentIdentity, ShownParties, identity_content, present
from domain.documents.document_facts import Totals
from domain.documents.order_events import PayoutData
from domain.documents.order_snapshot import OrderData
from domain.kernel.facts import rfc3339


def payout_statement_content(
    order: OrderData, payout: PayoutData, identity: DocumentIdentity, parties: ShownParties
) -> dict[str, Any]:
    """The content of a PAYOUT_STATEMENT, ready for `canonical_json`.

    `sellerNet` is what the order's sale left the seller, which one payout need not be all of; its currency is
    told where it was paid out in another.
    """
    sold_in = order.order_financial_snapshot.currency_uom_id
    return {
        **identity_content(identity),
        "issuer": parties.issuer,
        "seller": parties.seller,
        "orderId": order.order_id,
        "references": present({"rapydTransactionId": order.references.rapyd_transaction_id}),
        "payoutId": payout.payout_id,
        "escrowReleaseId": payout.escrow_release_id,
        "sentAt": rfc3339(payout.sent_at),
        "currencyUomId": payout.currency_uom_id,
        "amount": payout.amount,
        "sellerNet": order.order_financial_snapshot.seller_net,
        **present({"sellerNetCurrencyUomId": None if sold_in == payout.currency_uom_id else sold_in}),
    }


def payout_statement_totals(payout: PayoutData) -> Totals:
    """The five totals: the payout is all that the document is about, so nothing comes on top of it."""
    return Totals(
        items_subtotal=payout.amount, discount_total=0, fee_total=0, tax_total=0, grand_total=payout.amount
    )
