"""Bills as lists show them: what is reserved and paid of each, and how it stands."""

from typing import Any

from domain.kernel.facts import Fact
from domain.payables.bill import BILL, BillApproved, BillCancellationAwaited, BillCancelled
from projections.bills import BILLS
from tests.support.folding import History, folded
from tests.support.payable_facts import (
    BILL_ID,
    OTHER_PAYMENT_ID,
    a_bill,
    a_cancellation,
    applied,
    released,
    reserved,
)

APPROVED = BillApproved(bill=a_bill())


async def _row(*facts: Fact) -> dict[str, Any]:
    history = History()
    for fact in facts:
        await history.append(BILL.stream(BILL_ID), fact)
    return folded(BILLS, history.events)["bill_v1"].get((BILL_ID,), {})


async def _stands(*facts: Fact) -> tuple[str, int, int]:
    row = await _row(*facts)
    return row["status"], row["reserved_amount"], row["paid_amount"]


async def test_a_bill_is_shown_as_it_was_approved() -> None:
    row = await _row(APPROVED)
    assert (row["vendor_id"], row["bill_number"], row["currency_uom_id"]) == ("vendor-9", "2026/0117", "EUR")
    assert (row["total_amount"], row["due_date"].isoformat()) == (10_000, "2026-04-01")
    assert row["approved_at"] is not None


async def test_a_bill_that_was_only_cancelled_is_not_shown() -> None:
    awaited = BillCancellationAwaited(cancellation=a_cancellation())
    assert await _row(awaited) == {}
    cancelled = BillCancelled(cancellation=a_cancellation())
    assert await _stands(awaited, APPROVED, cancelled) == ("CANCELLED", 0, 0)


async def test_payments_move_its_sums() -> None:
    assert await _stands(APPROVED, reserved(4_000)) == ("OPEN", 4_000, 0)
    assert await _stands(APPROVED, reserved(4_000), released(4_000)) == ("OPEN", 0, 0)
    in_part = (APPROVED, reserved(4_000), applied(4_000))
    assert await _stands(*in_part) == ("OPEN", 0, 4_000)
    rest = (reserved(6_000, OTHER_PAYMENT_ID), applied(6_000, OTHER_PAYMENT_ID))
    assert await _stands(*in_part, *rest) == ("PAID", 0, 10_000)


async def test_what_was_under_way_is_applied_to_a_cancelled_bill() -> None:
    cancelled = BillCancelled(cancellation=a_cancellation())
    assert await _stands(APPROVED, reserved(4_000), cancelled) == ("CANCELLED", 4_000, 0)
    assert await _stands(APPROVED, reserved(4_000), cancelled, applied(4_000)) == ("CANCELLED", 0, 4_000)
