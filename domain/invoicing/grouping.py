"""Which invoices of an account belong together: the key that they share (S4, `invoiceGroupingStrategy`)."""

from typing import assert_never

from domain.accounts.choices import GroupingStrategy
from domain.invoicing.work_order import WorkOrderData
from domain.kernel.facts import Value


class Grouping(Value):
    """The account's strategy when the invoice was drafted, and the key that follows from it."""

    strategy: GroupingStrategy
    key: str


def grouping_of(strategy: GroupingStrategy, account_id: str, work_order: WorkOrderData) -> Grouping:
    """The group of an invoice. A work order without a vehicle is a group of its own."""
    match strategy:
        case "PER_WORKORDER":
            key = f"work-order:{work_order.work_order_id}"
        case "PER_VEHICLE":
            vehicle_id = work_order.vehicle_id
            key = (
                f"work-order:{work_order.work_order_id}"
                if vehicle_id is None
                else f"account:{account_id}/vehicle:{vehicle_id}"
            )
        case "SINGLE_INVOICE":
            key = f"account:{account_id}"
        case _:
            assert_never(strategy)
    return Grouping(strategy=strategy, key=key)
