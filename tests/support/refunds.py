"""Refund events as upstream sends them."""

from typing import Any

from tests.support.house import cloud_event
from tests.support.snapshots import financial_snapshot


def refund(order_id: str, refund_id: str, amount: int = 1000, **snapshot: Any) -> dict[str, Any]:
    """The event of a refund of that buyer total."""
    nothing = dict.fromkeys(
        (
            "sellerCouponDiscount",
            "platformFeeBeforeCredits",
            "feeCreditsApplied",
            "platformFeeAfterCredits",
            "opsFee",
            "processingFee",
        ),
        0,
    )
    line = {"lineId": "l-1", "description": "Enamel kettle", "quantity": "1"}
    content = financial_snapshot(
        f"snap-{order_id}-{refund_id}",
        **nothing,
        lines=[{**line, "unitAmount": amount, "amount": amount}],
        sellerFees=[],
        taxes=[],
        itemsSubtotal=amount,
        buyerTotal=amount,
        sellerNet=amount,
    )
    data = {"orderId": order_id, "refundId": refund_id, "reason": "DAMAGED"}
    return cloud_event(
        "payments.REFUND_EXECUTED",
        {**data, "refundSnapshot": {**content, **snapshot}},
        f"refund/{order_id}/{refund_id}",
    )
