"""An office that pays vendors, in memory: what is due is what the read model lists."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from application.ap_paying import ApPayer
from application.ap_payment_detail import ap_payment_detail
from application.gateway import GatewayUnavailable, GatewayUnconfirmed
from application.handlers.ap_payments import execute_ap_payment, streams_of_payment
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.ledger import Answer, Audit, Command
from domain.payables.ap_payment import AP_PAYMENT, ApPayment
from domain.payables.ap_payment_facts import VendorPayment
from domain.payables.bill import BILL, Bill
from domain.streams import REGISTRY
from projections.ap_payments_due import AP_PAYMENTS_DUE
from projections.projection import Row
from projections.tasks import TASKS
from tests.support.clocks import SetClock
from tests.support.desks import READING
from tests.support.folding import folded
from tests.support.memory_gateway import MemoryGateway
from tests.support.memory_ledger import MemoryLedger
from tests.support.payable_facts import BILL_ID, PAYMENT_ID, asked, bill_data

AUDIT = Audit("north", "ana", "AP_CLERK", "ap-payments.execute", "trace-1")

LOST = GatewayUnconfirmed("No answer came.")
AWAY = GatewayUnavailable("The bank cannot be reached.")


class Killed(BaseException):
    """The process is gone."""


class SetBank(MemoryGateway):
    """A bank that fails as it is told, once each: by step, before it takes effect or after."""

    def __init__(self) -> None:
        super().__init__("bank")
        self.steps: list[str] = []
        self.fails_before: dict[str, list[BaseException]] = {}
        self.fails_after: dict[str, list[BaseException]] = {}
        self.before = self._begun
        self.after = self._ended

    @property
    def moved(self) -> dict[str, int]:
        """How much was moved of what was moved at all, minor units, by reference."""
        payments = self.payments.items()
        return {name: each.captures * each.instruction.amount for name, each in payments if each.captures}

    def is_renamed(self, name: str) -> None:
        """It is another gateway from now on."""
        self._name = name

    def _begun(self, step: str, _subject: str) -> None:
        self.steps.append(step)
        _raise_next(self.fails_before.get(step))

    def _ended(self, step: str, _subject: str) -> None:
        _raise_next(self.fails_after.get(step))


def _raise_next(failures: list[BaseException] | None) -> None:
    if failures:
        raise failures.pop(0)


class PayablesOffice:
    """Bills come in, payments go out, accounting answers."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.ledger = MemoryLedger(self.clock)
        self.bank = SetBank()
        self.payer = ApPayer(self.ledger, REGISTRY, self.bank)
        self._events = 0

    async def tell(self, event_type: str, data: dict[str, Any], event_id: str | None = None) -> Outcome:
        """Upstream tells of something, under an id of its own unless one is given."""
        self._events += 1
        event = CloudEvent(
            specversion="1.0",
            id=event_id or f"e-{self._events}",
            source="urn:t",
            type=event_type,
            data=data,
        )
        fact = read_fact(event, READING)
        outcome: Outcome = (
            await self.ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        ).answer.body
        return outcome

    async def approve(self, bill_id: str = BILL_ID, **changes: Any) -> Outcome:
        """Payables approves a bill of 100.00."""
        return await self.tell("payables.BILL_APPROVED", bill_data(billId=bill_id, **changes))

    async def pay(self, payment: VendorPayment | None = None, fresh_id: str = PAYMENT_ID) -> Answer:
        """A clerk has a vendor paid; the whole bill where nothing else is said."""
        payment = payment or asked(bill=10_000)
        handler = execute_ap_payment(fresh_id, payment, self.bank.name, frozenset())
        command = Command(AUDIT, handler, streams_of_payment(fresh_id, payment))
        return (await self.ledger.commit(command)).answer

    async def answer(self, posted: bool = True, payment_id: str = PAYMENT_ID, **data: Any) -> Outcome:
        """Accounting answers: it booked the payment, or not."""
        said = {"journalEntryId": "je-17"} if posted else {"errorCode": "PERIOD_CLOSED"}
        name = "accounting.GL_POSTED" if posted else "accounting.GL_POST_FAILED"
        return await self.tell(name, {"billingPaymentId": payment_id, **said, **data})

    def due(self, now: datetime | None = None) -> list[str]:
        """What the read model lists now."""
        rows = folded(AP_PAYMENTS_DUE, self.ledger.events)["ap_payment_due_v1"].values()
        moment = now or self.clock.now()
        return [row["billing_payment_id"] for row in rows if row["due_at"] <= moment]

    async def work(self) -> None:
        """Settles every payment that is due, once."""
        for billing_payment_id in self.due():
            await self.payer.settle(billing_payment_id)

    def payment(self, payment_id: str = PAYMENT_ID) -> ApPayment:
        """A payment's state."""
        state: ApPayment = self._state(AP_PAYMENT.stream(payment_id))
        return state

    def detail(self, *permissions: str, payment_id: str = PAYMENT_ID) -> dict[str, Any]:
        """A payment as somebody with these permissions sees it."""
        return ap_payment_detail(payment_id, self.payment(payment_id), frozenset(permissions))

    def bill(self, bill_id: str = BILL_ID) -> Bill:
        """A bill's state."""
        state: Bill = self._state(BILL.stream(bill_id))
        return state

    def told(self, payment_id: str = PAYMENT_ID) -> list[str]:
        """What was recorded of a payment, by the end of its name."""
        return [event.name.partition(".")[2] for event in self._events_of(AP_PAYMENT.stream(payment_id))]

    def tasks(self) -> list[Row]:
        """The open tasks."""
        rows = folded(TASKS, self.ledger.events)["task_v3"].values()
        return [row for row in rows if row["is_open"]]

    def announced(self) -> list[str]:
        """The types of the outbound facts."""
        return [each.fact_type for each in self.ledger.announcements]

    def _state(self, stream: Any) -> Any:
        return REGISTRY.fold(stream, (event.fact for event in self._events_of(stream)))

    def _events_of(self, stream: Any) -> Iterable[Any]:
        return [event for event in self.ledger.events if event.stream == stream]
