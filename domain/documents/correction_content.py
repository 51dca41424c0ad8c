"""What a CREDIT_NOTE or ADJUSTMENT_STATEMENT of an order shows its buyer: what is taken back, and of what.

Amounts are positive, as the refund's own snapshot has them (contract §4). Taxes are those that the corrected
document showed: a credit note has all of an invoice's, an adjustment those of a receipt.
"""

from typing import Any, Literal

from domain.documents.content_parts import DocumentIdentity, ShownParties, identity_content
from domain.documents.document_facts import Corrected
from domain.documents.order_parts import (
    buyer_amounts,
    is_on_invoice,
    is_shown_to_buyer,
    lines_content,
    taxes_and_withheld,
)
from domain.documents.order_snapshot import OrderData, OrderFinancialSnapshot
from domain.kernel.facts import Value


class Cause(Value):
    """What upstream calls the refund or dispute. A credit note that somebody asked for here has none."""

    type: Literal["REFUND", "DISPUTE"]
    id: str


class TakenBack(Value):
    """What was refunded and why: a code of our reason codes, or upstream's own words."""

    refunded: OrderFinancialSnapshot
    reason: str
    corrects: Corrected
    cause: Cause | None = None


def correction_content(
    order: OrderData, taken_back: TakenBack, identity: DocumentIdentity, parties: ShownParties
) -> dict[str, Any]:
    """The content of a CREDIT_NOTE or ADJUSTMENT_STATEMENT, ready for `canonical_json`."""
    refunded, corrects = taken_back.refunded, taken_back.corrects
    is_shown = is_on_invoice if identity.doc_type == "CREDIT_NOTE" else is_shown_to_buyer
    content: dict[str, Any] = {
        **identity_content(identity),
        "issuer": parties.issuer,
        "seller": parties.seller,
        "buyer": parties.buyer,
        "orderId": order.order_id,
        "corrects": corrects.model_dump(mode="json", by_alias=True),
        "reason": taken_back.reason,
        **buyer_amounts(refunded),
        "lines": lines_content(refunded, is_shown),
        **taxes_and_withheld(refunded, is_shown),
    }
    if taken_back.cause is not None:
        content["cause"] = taken_back.cause.model_dump(by_alias=True)
    return content
