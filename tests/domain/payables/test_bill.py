"""A bill is approved once, paid in parts that payments reserve first, and taken back."""

from typing import Any

import pytest

from domain.payables.bill import (
    Bill,
    BillApproved,
    BillCancellationAwaited,
    BillCancelled,
    apply,
    approve,
    bill_status,
    cancel,
    open_amount,
    release,
    reserve,
)
from tests.support.decisions import decision
from tests.support.given import given, state_after
from tests.support.payable_facts import (
    BILL_ID,
    OTHER_PAYMENT_ID,
    PAYMENT_ID,
    a_bill,
    a_cancellation,
    applied,
    released,
    reserved,
)

APPROVED = BillApproved(bill=a_bill())
CANCELLED = BillCancelled(cancellation=a_cancellation())
AWAITED = BillCancellationAwaited(cancellation=a_cancellation())
FOR_IT = {"vendor_id": "vendor-9", "currency_uom_id": "EUR"}


def standing(*facts: Any) -> tuple[str, int]:
    """A bill's status and open amount after these facts."""
    bill: Bill = state_after(*facts)
    assert bill.data is not None
    total = bill.data.total_amount
    status = bill_status(total=total, paid=bill.paid, cancelled=bill.cancelled)
    reserved_amount = sum(bill.reserved.values())
    return status, open_amount(status, total=total, paid=bill.paid, reserved=reserved_amount)


def test_a_bill_is_approved_once() -> None:
    given().when(approve, a_bill()).then(APPROVED)
    given(APPROVED).when(approve, a_bill()).then()
    given(APPROVED, CANCELLED).when(approve, a_bill()).then()


@pytest.mark.parametrize(
    "changes",
    [{"totalAmount": 9_999}, {"vendorId": "vendor-8"}, {"dueDate": "2026-04-02"}, {"glAccount": "601"}],
)
def test_another_bill_under_its_id_is_refused(changes: dict[str, Any]) -> None:
    given(APPROVED).when(approve, a_bill(**changes)).then_refused("SNAPSHOT_CONFLICT")


def test_extra_fields_are_kept() -> None:
    assert a_bill(glAccount="600").model_dump(by_alias=True)["glAccount"] == "600"


def test_payables_takes_a_bill_back_once() -> None:
    given(APPROVED).when(cancel, a_cancellation()).then(CANCELLED)
    given(APPROVED, CANCELLED).when(cancel, a_cancellation(reason="AGAIN")).then()


def test_a_cancellation_that_comes_first_waits_for_the_approval() -> None:
    given().when(cancel, a_cancellation()).then(AWAITED)
    given(AWAITED).when(cancel, a_cancellation()).then()
    given(AWAITED).when(approve, a_bill()).then(APPROVED, CANCELLED)
    assert standing(AWAITED, APPROVED, CANCELLED) == ("CANCELLED", 0)


@decision("BILL-DEC-013", "A bill stays open until payments came to its total")
def test_parts_are_reserved_applied_and_released() -> None:
    assert standing(APPROVED) == ("OPEN", 10_000)
    assert standing(APPROVED, reserved(4_000)) == ("OPEN", 6_000)
    assert standing(APPROVED, reserved(4_000), released(4_000)) == ("OPEN", 10_000)
    paid_in_part = (APPROVED, reserved(4_000), applied(4_000))
    assert standing(*paid_in_part) == ("OPEN", 6_000)
    rest = reserved(6_000, OTHER_PAYMENT_ID)
    assert standing(*paid_in_part, rest) == ("OPEN", 0)
    assert standing(*paid_in_part, rest, applied(6_000, OTHER_PAYMENT_ID)) == ("PAID", 0)


def test_a_bill_of_nothing_is_paid() -> None:
    nothing = BillApproved(bill=a_bill(totalAmount=0))
    assert standing(nothing) == ("PAID", 0)


def test_what_is_open_may_be_reserved_to_the_last_cent() -> None:
    given(APPROVED).when(reserve, PAYMENT_ID, **FOR_IT, amount=10_000).then(reserved(10_000))
    taken = given(APPROVED, reserved(4_000))
    taken.when(reserve, OTHER_PAYMENT_ID, **FOR_IT, amount=6_000).then(reserved(6_000, OTHER_PAYMENT_ID))
    refused = taken.when(reserve, OTHER_PAYMENT_ID, **FOR_IT, amount=6_001)
    refused.then_refused("ALLOCATION_EXCEEDS_OPEN_AMOUNT")


@decision("BILL-DEC-013", "Only an open bill of the vendor is payable; else the refusal says why")
def test_only_an_open_bill_of_the_vendor_is_payable() -> None:
    paid = (APPROVED, reserved(10_000), applied(10_000))
    reasons = {
        "BILL_UNKNOWN": given().when(reserve, PAYMENT_ID, **FOR_IT, amount=1),
        "BILL_CANCELLED": given(APPROVED, CANCELLED).when(reserve, PAYMENT_ID, **FOR_IT, amount=1),
        "BILL_PAID": given(*paid).when(reserve, OTHER_PAYMENT_ID, **FOR_IT, amount=1),
        "BILL_OF_ANOTHER_VENDOR": given(APPROVED).when(
            reserve, PAYMENT_ID, vendor_id="vendor-8", currency_uom_id="EUR", amount=1
        ),
    }
    for reason, decided in reasons.items():
        assert decided.then_refused("BILL_NOT_PAYABLE").reason_code == reason
    awaited = given(AWAITED).when(reserve, PAYMENT_ID, **FOR_IT, amount=1)
    assert awaited.then_refused("BILL_NOT_PAYABLE").reason_code == "BILL_UNKNOWN"


def test_a_bill_is_paid_in_its_own_currency() -> None:
    paid = given(APPROVED).when(reserve, PAYMENT_ID, vendor_id="vendor-9", currency_uom_id="USD", amount=1)
    paid.then_refused("CURRENCY_MISMATCH")


def test_a_payment_ends_its_own_reservation_once() -> None:
    under_way = given(APPROVED, reserved(4_000))
    under_way.when(apply, PAYMENT_ID).then(applied(4_000))
    under_way.when(release, PAYMENT_ID).then(released(4_000))
    for end in (apply, release):
        under_way.when(end, OTHER_PAYMENT_ID).then()
        given(APPROVED, reserved(4_000), applied(4_000)).when(end, PAYMENT_ID).then()
        given(APPROVED, reserved(4_000), released(4_000)).when(end, PAYMENT_ID).then()


@decision("BILL-DEC-013", "What is under way when a bill is cancelled is still applied; nothing else is")
def test_a_payment_under_way_is_applied_to_a_bill_that_was_cancelled_meanwhile() -> None:
    cancelled = given(APPROVED, reserved(4_000), CANCELLED)
    cancelled.when(apply, PAYMENT_ID).then(applied(4_000))
    cancelled.when(release, PAYMENT_ID).then(released(4_000))
    refused = cancelled.when(reserve, OTHER_PAYMENT_ID, **FOR_IT, amount=1)
    refused.then_refused("BILL_NOT_PAYABLE")
    assert standing(APPROVED, reserved(4_000), CANCELLED, applied(4_000)) == ("CANCELLED", 0)


@pytest.mark.parametrize("name", ["dueDate"])
@pytest.mark.parametrize("value", [0, 1_775_000_000, "2026-04-01T00:00:00Z", "2026-4-1", "20260401", None])
def test_a_due_date_is_a_calendar_date(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        a_bill(**{name: value})


def test_ids_of_bills_are_known_in_either_case() -> None:
    assert a_bill(billId=BILL_ID.upper()).bill_id == BILL_ID
