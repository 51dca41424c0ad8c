"""What an order receipt shows its buyer: the content whose canonical JSON is sealed and drawn (contract §6).

It is picked from the snapshot field by field, so that nothing the buyer has no business with (seller fees,
seller net, withheld taxes, e-mail addresses, extra upstream fields) can slip in.
"""

from typing import Any

from domain.documents.content_parts import (
    DocumentIdentity,
    ShownParties,
    identity_content,
    line_content,
    present,
    taxes_content,
)
from domain.documents.document_facts import Totals
from domain.documents.order_parts import buyer_amounts, buyer_totals, is_shown_to_buyer, payment_content
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.kernel.privacy import ERASED_TEXT, subject_of


def receipt_content(order: OrderData, identity: DocumentIdentity, parties: ShownParties) -> dict[str, Any]:
    """The content of a RECEIPT under the contract's camelCase names, ready for `canonical_json`.

    Absent optional fields are left out, not null. Taxes that differ only in their line are one row.
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
        "lines": [line_content(line) for line in snapshot.lines],
        "taxes": taxes_content(tuple(tax for tax in snapshot.taxes if is_shown_to_buyer(tax))),
    }


def receipt_totals(snapshot: OrderFinancialSnapshot) -> Totals:
    """The five totals under which the Document Center lists a receipt: what the buyer pays."""
    return buyer_totals(snapshot)


def receipt_names(order: OrderData) -> tuple[tuple[str, str], ...]:
    """Subject and name of the parties by whose names a receipt is found; not of those who are erased."""
    parties = order.order_party_snapshot
    return tuple(
        (subject_of(party), party.legal_name)
        for party in (parties.buyer, parties.seller, parties.platform)
        if party.legal_name != ERASED_TEXT
    )


def receipt_search_text(order: OrderData) -> tuple[str, ...]:
    """What else a search for a receipt's content should find: line descriptions and skus, once each.

    Order ids and document numbers are not among them; the read model has them as columns.
    """
    lines = order.order_financial_snapshot.lines
    texts = (*(line.description for line in lines), *(line.sku or "" for line in lines))
    return tuple(dict.fromkeys(text for text in texts if text.strip()))
