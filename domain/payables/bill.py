"""A vendor's bill: OPEN once payables approved it, PAID once payments came to its total, or CANCELLED.

Commands: approve, cancel, reserve, apply, release (BILL-DEC-013). A payment reserves its part of a bill
before any money moves, so that no two are allocated the same part; it is applied when the money has moved and
released when it certainly will not. A cancelled bill takes no more reservations; what was reserved before is
under way and is still applied, for the money may have left already.
"""

from types import MappingProxyType
from typing import Literal, assert_never

from pydantic import Field

from domain.kernel.errors import DomainError
from domain.kernel.facts import CalendarDate, Fact, Identifier, Uuid, Value
from domain.kernel.money import CurrencyCode, MinorUnits, PositiveMinorUnits
from domain.kernel.streams import EventType, StreamType
from domain.upstream import SnapshotValue

BillStatus = Literal["OPEN", "PAID", "CANCELLED"]

_NOT_PAYABLE = MappingProxyType(
    {
        "BILL_UNKNOWN": "Payables has approved no such bill.",
        "BILL_OF_ANOTHER_VENDOR": "The bill is another vendor's.",
        "BILL_CANCELLED": "The bill was cancelled.",
        "BILL_PAID": "The bill is paid.",
    }
)
"""Why a bill cannot be paid: reason codes with their sentences."""


class BillData(SnapshotValue):
    """A bill as `payables.BILL_APPROVED` brings it; `total_amount` in minor units."""

    bill_id: Uuid
    vendor_id: Identifier
    bill_number: Identifier
    currency_uom_id: CurrencyCode
    total_amount: MinorUnits
    due_date: CalendarDate


class BillCancellation(SnapshotValue):
    """Which bill `payables.BILL_CANCELLED` takes back. What else it repeats of the bill is only kept.

    Where that differs from the bill it is still this bill: in doubt no money goes out.
    """

    bill_id: Uuid


class BillApproved(Fact):
    """Payables approved the bill; it may be paid."""

    bill: BillData


class BillCancellationAwaited(Fact):
    """Payables cancelled a bill whose approval has not come yet; it takes effect when that comes."""

    cancellation: BillCancellation


class BillCancelled(Fact):
    """Payables took the bill back."""

    cancellation: BillCancellation


class BillPaymentReserved(Fact):
    """A payment is about to pay that much of the bill, minor units."""

    billing_payment_id: str
    amount: PositiveMinorUnits


class BillPaymentApplied(Fact):
    """A payment paid what it had reserved, minor units."""

    billing_payment_id: str
    amount: PositiveMinorUnits


class BillPaymentReleased(Fact):
    """A payment failed; what it had reserved, minor units, may be paid by another one."""

    billing_payment_id: str
    amount: PositiveMinorUnits


BillFact = (
    BillApproved
    | BillCancellationAwaited
    | BillCancelled
    | BillPaymentReserved
    | BillPaymentApplied
    | BillPaymentReleased
)
"""Everything that a bill's history may hold."""


class Bill(Value):
    """A bill's state. By payment id, minor units: `payments` that stand, `reserved` for those to come.

    `data` is None while nothing but its cancellation, `awaited`, is known of it.
    """

    data: BillData | None = None
    awaited: BillCancellation | None = None
    cancelled: bool = False
    payments: dict[str, int] = Field(default_factory=dict)
    reserved: dict[str, int] = Field(default_factory=dict)

    @property
    def paid(self) -> int:
        """The sum of the payments that stand, minor units."""
        return sum(self.payments.values())


def bill_status(*, total: int, paid: int, cancelled: bool) -> BillStatus:
    """How a bill of these amounts (minor units) stands. What payables took back stays CANCELLED."""
    if cancelled:
        return "CANCELLED"
    return "PAID" if paid >= total else "OPEN"


def open_amount(status: BillStatus, *, total: int, paid: int, reserved: int) -> int:
    """What may still be allocated to a bill, minor units: neither paid nor reserved, and of an open one."""
    return total - paid - reserved if status == "OPEN" else 0


def approve(bill: Bill | None, data: BillData) -> tuple[BillApproved | BillCancelled, ...]:
    """Opens the bill; the same again: (). Raises `SNAPSHOT_CONFLICT` for another bill under the same id.

    A cancellation that came before takes effect at once.
    """
    if bill is not None and bill.data is not None:
        if bill.data != data:
            raise DomainError("SNAPSHOT_CONFLICT", "This bill was recorded with other data.")
        return ()
    approved = BillApproved(bill=data)
    if bill is None or bill.awaited is None:
        return (approved,)
    return (approved, BillCancelled(cancellation=bill.awaited))


def cancel(
    bill: Bill | None, cancellation: BillCancellation
) -> tuple[BillCancelled | BillCancellationAwaited, ...]:
    """Takes the bill back, or remembers that before its approval; one taken back already: ()."""
    if bill is None:
        return (BillCancellationAwaited(cancellation=cancellation),)
    if bill.data is None or bill.cancelled:
        return ()
    return (BillCancelled(cancellation=cancellation),)


def reserve(
    bill: Bill | None, billing_payment_id: str, *, vendor_id: str, currency_uom_id: str, amount: int
) -> tuple[BillPaymentReserved, ...]:
    """Reserves a part (minor units) of the bill for a payment to that vendor.

    Raises `BILL_NOT_PAYABLE` with the reason, `CURRENCY_MISMATCH`, `ALLOCATION_EXCEEDS_OPEN_AMOUNT`.
    """
    if bill is None or bill.data is None:
        raise _not_payable("BILL_UNKNOWN")
    if bill.data.vendor_id != vendor_id:
        raise _not_payable("BILL_OF_ANOTHER_VENDOR")
    total, paid = bill.data.total_amount, bill.paid
    status = bill_status(total=total, paid=paid, cancelled=bill.cancelled)
    if status != "OPEN":
        raise _not_payable(f"BILL_{status}")
    if bill.data.currency_uom_id != currency_uom_id:
        raise DomainError("CURRENCY_MISMATCH", "The bill is in another currency than the payment.")
    if amount > open_amount(status, total=total, paid=paid, reserved=sum(bill.reserved.values())):
        raise DomainError("ALLOCATION_EXCEEDS_OPEN_AMOUNT", "The allocation exceeds the bill's open amount.")
    return (BillPaymentReserved(billing_payment_id=billing_payment_id, amount=amount),)


def apply(bill: Bill, billing_payment_id: str) -> tuple[BillPaymentApplied, ...]:
    """Lets what the payment reserved count as paid; where it has nothing reserved: ()."""
    amount = bill.reserved.get(billing_payment_id)
    if amount is None:
        return ()
    return (BillPaymentApplied(billing_payment_id=billing_payment_id, amount=amount),)


def release(bill: Bill, billing_payment_id: str) -> tuple[BillPaymentReleased, ...]:
    """Frees what the payment reserved; where it has nothing reserved: ()."""
    amount = bill.reserved.get(billing_payment_id)
    if amount is None:
        return ()
    return (BillPaymentReleased(billing_payment_id=billing_payment_id, amount=amount),)


def _not_payable(reason_code: str) -> DomainError:
    return DomainError("BILL_NOT_PAYABLE", _NOT_PAYABLE[reason_code], reason_code=reason_code)


def evolve(bill: Bill | None, fact: BillFact) -> Bill:
    """Folds one fact of a bill."""
    bill = bill or Bill()
    match fact:
        case BillApproved():
            return bill.model_copy(update={"data": fact.bill})
        case BillCancellationAwaited():
            return bill.model_copy(update={"awaited": fact.cancellation})
        case BillCancelled():
            return bill.model_copy(update={"cancelled": True, "awaited": None})
        case BillPaymentReserved():
            reserved = {**bill.reserved, fact.billing_payment_id: fact.amount}
            return bill.model_copy(update={"reserved": reserved})
        case BillPaymentApplied():
            payments = {**bill.payments, fact.billing_payment_id: fact.amount}
            return _freed(bill, fact.billing_payment_id).model_copy(update={"payments": payments})
        case BillPaymentReleased():
            return _freed(bill, fact.billing_payment_id)
        case _:
            assert_never(fact)


def _freed(bill: Bill, billing_payment_id: str) -> Bill:
    reserved = {each: amount for each, amount in bill.reserved.items() if each != billing_payment_id}
    return bill.model_copy(update={"reserved": reserved})


BILL: StreamType[Bill] = StreamType(
    "bill",
    (
        EventType("bill.approved", BillApproved),
        EventType("bill.cancellation-awaited", BillCancellationAwaited),
        EventType("bill.cancelled", BillCancelled),
        EventType("bill.payment-reserved", BillPaymentReserved),
        EventType("bill.payment-applied", BillPaymentApplied),
        EventType("bill.payment-released", BillPaymentReleased),
    ),
    evolve,
)
