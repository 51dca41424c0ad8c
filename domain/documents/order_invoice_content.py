"""What the FISCAL_INVOICE of an order shows its buyer: as the receipt does, with every tax by its line.

Taxes that are withheld from the seller are on it too, for the law of countries that withhold wants them
there; they are part of no total (S3 §5.5).
"""

from typing import Any

from domain.documents.content_parts import DocumentIdentity, ShownParties, identity_content, present
from domain.documents.order_parts import (
    buyer_amounts,
    is_on_invoice,
    lines_content,
    payment_content,
    taxes_and_withheld,
)
from domain.documents.order_snapshot import OrderData


def order_invoice_content(
    order: OrderData, identity: DocumentIdentity, parties: ShownParties
) -> dict[str, Any]:
    """The content of an order's FISCAL_INVOICE, ready for `canonical_json`.

    The issuer is whom `identity.issuer_entity_id` names; `seller` is always the order's. Absent optional
    fields are left out.
    """
    snapshot = order.order_financial_snapshot
    return {
        **identity_content(identity),
        "issuer": parties.issuer,
        "seller": parties.seller,
        "buyer": parties.buyer,
        "orderId": order.order_id,
        "references": present({"rapydTransactionId": order.references.rapyd_transaction_id}),
        **payment_content(order),
        **buyer_amounts(snapshot),
        "lines": lines_content(snapshot, is_on_invoice),
        **taxes_and_withheld(snapshot, is_on_invoice),
    }
