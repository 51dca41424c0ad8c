"""Whatever is approved, paid, declined, cancelled and answered in whatever order: the sums tie."""

from datetime import timedelta
from typing import Any

from hypothesis import settings, stateful
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, invariant, multiple

from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.payables.ap_payment import (
    ApPayment,
    await_posting,
    defer,
    fail,
    hold,
    require_sound,
    succeed,
    take_answer,
)
from domain.payables.ap_payment_facts import Allocation, ApPaymentInitiated, GlAnswer, VendorPayment
from domain.payables.bill import Bill, apply, approve, bill_status, cancel, open_amount, release, reserve
from tests.support.given import state_after
from tests.support.payable_facts import BOOKED, CLOSED, NOON, UNMAPPED, a_bill, a_cancellation

BILL_IDS = [f"0195a1b0-0000-7000-8000-0000000000b{number}" for number in range(3)]
TOTAL = 100


class Payables(stateful.RuleBasedStateMachine):
    """Histories of facts as the handlers append them, beside a plain model of what must be true."""

    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.bills: dict[str, list[Fact]] = {}
        self.of_payments: dict[str, list[Fact]] = {}
        self.approved: set[str] = set()
        self.cancelled: set[str] = set()
        self.model: dict[str, tuple[dict[str, int], str]] = {}
        self.booked: set[str] = set()

    @stateful.rule(bill_id=st.sampled_from(BILL_IDS))
    def approve(self, bill_id: str) -> None:
        self._append_bill(bill_id, approve(self._bill(bill_id), a_bill(billId=bill_id, totalAmount=TOTAL)))
        self.approved.add(bill_id)

    @stateful.rule(bill_id=st.sampled_from(BILL_IDS))
    def cancel(self, bill_id: str) -> None:
        self._append_bill(bill_id, cancel(self._bill(bill_id), a_cancellation(bill_id)))
        self.cancelled.add(bill_id)

    @stateful.rule(
        target=payments,
        gross=st.integers(-1, 150),
        parts=st.dictionaries(st.sampled_from(BILL_IDS), st.integers(1, TOTAL + 1), max_size=3),
    )
    def pay(self, gross: int, parts: dict[str, int]) -> Any:
        payment_id = f"p-{len(self.model)}"
        allocations = tuple(Allocation(bill_id=each, applied_amount=parts[each]) for each in parts)
        asked = VendorPayment(
            vendor_id="vendor-9",
            gross_amount=gross,
            currency_uom_id="EUR",
            payment_ref=payment_id,
            allocations=allocations,
        )
        possible = gross > 0 and sum(parts.values()) <= gross
        possible = possible and all(
            each in self.approved - self.cancelled and parts[each] <= TOTAL - self._taken(each)
            for each in parts
        )
        try:
            require_sound(asked)
            reserved = {each: self._reserved(each, payment_id, amount) for each, amount in parts.items()}
        except DomainError:
            assert not possible
            return multiple()
        assert possible
        for each, facts in reserved.items():
            self._append_bill(each, facts)
        initiated = ApPaymentInitiated(payment=asked, gateway="bank", initiated_at=NOON)
        self.of_payments[payment_id] = [initiated]
        self.model[payment_id] = (parts, "under way")
        return payment_id

    @stateful.rule(payment_id=payments)
    def hold(self, payment_id: str) -> None:
        self._append(payment_id, hold(self._payment(payment_id), "tr-1"))

    @stateful.rule(payment_id=payments, minutes=st.integers(0, 100))
    def defer(self, payment_id: str, minutes: int) -> None:
        at = NOON + timedelta(minutes=minutes)
        self._append(payment_id, defer(self._payment(payment_id), "UNCONFIRMED", at))

    @stateful.rule(payment_id=payments)
    def succeed(self, payment_id: str) -> None:
        facts = succeed(self._payment(payment_id))
        self._append(payment_id, facts)
        if facts:
            self._append(payment_id, await_posting(self._payment(payment_id)))
            self._end(payment_id, "paid", apply)

    @stateful.rule(payment_id=consumes(payments))
    def fail(self, payment_id: str) -> None:
        facts = fail(self._payment(payment_id), "declined", None)
        self._append(payment_id, facts)
        if facts:
            self._end(payment_id, "failed", release)

    @stateful.rule(payment_id=payments, answer=st.sampled_from([BOOKED, CLOSED, UNMAPPED]))
    def answer(self, payment_id: str, answer: GlAnswer) -> None:
        self._append(payment_id, take_answer(self._payment(payment_id), answer))
        if answer == BOOKED:
            self.booked.add(payment_id)

    @invariant()
    def sums_tie(self) -> None:
        for bill_id in self.approved:
            bill = self._bill(bill_id)
            assert bill is not None
            paid, reserved = self._sum(bill_id, "paid"), self._sum(bill_id, "under way")
            assert (bill.paid, sum(bill.reserved.values())) == (paid, reserved)
            assert paid + reserved <= TOTAL, "a bill is never allocated more than its total"
            status = bill_status(total=TOTAL, paid=paid, cancelled=bill.cancelled)
            assert (status == "CANCELLED") == (bill_id in self.cancelled)
            left = open_amount(status, total=TOTAL, paid=paid, reserved=reserved)
            assert left + paid + reserved == TOTAL or status == "CANCELLED"

    @invariant()
    def a_booking_stands(self) -> None:
        for payment_id, (_, end) in self.model.items():
            status = self._payment(payment_id).status
            assert (status == "GATEWAY_FAILED") == (end == "failed")
            assert (status == "GL_POSTED") == (end == "paid" and payment_id in self.booked)

    def _reserved(self, bill_id: str, payment_id: str, amount: int) -> tuple[Fact, ...]:
        return reserve(
            self._bill(bill_id), payment_id, vendor_id="vendor-9", currency_uom_id="EUR", amount=amount
        )

    def _end(self, payment_id: str, end: str, decide: Any) -> None:
        parts, _ = self.model[payment_id]
        self.model[payment_id] = (parts, end)
        for bill_id in parts:
            self._append_bill(bill_id, decide(self._bill(bill_id), payment_id))

    def _sum(self, bill_id: str, end: str) -> int:
        return sum(parts.get(bill_id, 0) for parts, ended in self.model.values() if ended == end)

    def _taken(self, bill_id: str) -> int:
        return self._sum(bill_id, "paid") + self._sum(bill_id, "under way")

    def _bill(self, bill_id: str) -> Bill | None:
        bill: Bill | None = state_after(*self.bills.get(bill_id, ()))
        return bill

    def _payment(self, payment_id: str) -> ApPayment:
        payment: ApPayment = state_after(*self.of_payments[payment_id])
        return payment

    def _append_bill(self, bill_id: str, facts: tuple[Fact, ...]) -> None:
        self.bills.setdefault(bill_id, []).extend(facts)

    def _append(self, payment_id: str, facts: tuple[Fact, ...]) -> None:
        self.of_payments[payment_id].extend(facts)


TestPayables = Payables.TestCase
TestPayables.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
