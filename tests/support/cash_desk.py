"""A cash desk in memory: an issued invoice, a gateway, a cashier; processes die where a test says so."""

from datetime import timedelta
from typing import Any

from application.gateway import GatewayFailed
from application.handlers.intents import UNFINISHED, claim_of
from application.handlers.invoices import Asking
from application.handlers.payments import PaymentWish, RefundWish, begin_payment, begin_refund, begin_void
from application.ledger import Answer, Audit, Command, Committed, Handler, Transaction
from application.paying import Cashier
from domain.accounts.account import ACCOUNT, AccountUpdated
from domain.invoicing.invoice import INVOICE, Invoice
from domain.receivables.payment import PAYMENT, Payment
from domain.receivables.payment_facts import KeyedRequest
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds
from projections.payments import PAYMENTS
from tests.support.account_facts import NOON, account_data
from tests.support.clocks import SetClock
from tests.support.desks import DESK
from tests.support.folding import folded
from tests.support.invoicing_facts import ACCOUNT_ID, INVOICE_ID, PARTY_ID, invoice_drafted, invoice_issued
from tests.support.memory_gateway import MemoryGateway
from tests.support.memory_ledger import MemoryLedger

IN_HAND = timedelta(seconds=30)
SEEN_WITHIN = timedelta(seconds=60)
LONG = timedelta(hours=1)
"""No gateway is left unasked for longer."""
AUDIT = Audit("default", "ana", "SERVICE_ADVISOR", "payments.pay", "trace-1")
ASKING = Asking("ana", None, frozenset(), None, DESK)


class Died(BaseException):
    """The process is gone, between two lines."""


class MortalLedger(MemoryLedger):
    """Dies at its n-th commit from now: before it, or right after with nobody told."""

    dies_before: int | None = None
    dies_after: int | None = None

    async def commit(self, command: Command) -> Committed:
        """Decides and records, unless the process dies."""
        self.dies_before, before = _counted(self.dies_before)
        self.dies_after, after = _counted(self.dies_after)
        if before:
            raise Died
        committed = await super().commit(command)
        if after:
            raise Died
        return committed


def _counted(left: int | None) -> tuple[int | None, bool]:
    if left is None:
        return None, False
    return (None, True) if left == 0 else (left - 1, False)


class CashDesk:
    """`asked` requests are numbered: the same number is the same key with the same body."""

    def __init__(self) -> None:
        self.clock = SetClock(NOON)
        self.ledger = MortalLedger(self.clock)
        self.gateway = MemoryGateway("stripe", SEEN_WITHIN)
        self._ids = RandomIds()
        self.cashier = Cashier(
            *(self.ledger, REGISTRY, self.gateway, DESK.policies, self._ids, self.clock), in_hand=IN_HAND
        )

    async def open(self) -> "CashDesk":
        """CRM has told of the customer, and an invoice of 205.69 EUR is issued."""
        account = AccountUpdated.model_validate({"account": account_data(ACCOUNT_ID, PARTY_ID)})

        def handle(transaction: Transaction) -> Answer:
            transaction.append(ACCOUNT.stream(ACCOUNT_ID), (account,))
            transaction.append(INVOICE.stream(INVOICE_ID), (invoice_drafted(), invoice_issued()))
            return Answer(200, None)

        await self.ledger.commit(Command(AUDIT, handle))
        return self

    async def pay(self, amount: int, number: int = 1) -> Answer:
        """Somebody pays; what they are answered, 102 where nothing came of it."""
        asked = self.asked(number)
        wish = PaymentWish(
            invoice_id=INVOICE_ID,
            amount=amount,
            currency_uom_id="EUR",
            gateway=self.gateway.name,
            no_receipt=False,
            deliver=None,
            asked=asked,
        )
        return await self._ask(begin_payment(wish, self._fresh(), ASKING), asked, method="tok_ok")

    async def void(self, billing_payment_id: str, number: int) -> Answer:
        """Somebody has a payment taken back."""
        asked = self.asked(number)
        return await self._ask(begin_void(billing_payment_id, "ERROR", None, asked, ASKING), asked)

    async def refund(self, billing_payment_id: str, amount: int | None, number: int) -> Answer:
        """Somebody has a part of a payment given back, or all that is left."""
        asked = self.asked(number)
        wish = RefundWish(self._fresh(), amount, "EUR", "CUSTOMER_REQUEST", None, asked)
        return await self._ask(begin_refund(billing_payment_id, wish, ASKING), asked)

    async def settle(self) -> None:
        """The worker takes on what hangs, long enough after for all of it to be due."""
        self.clock.move(LONG.total_seconds())
        await self.settle_due()

    async def settle_due(self) -> None:
        """The worker takes on what is due."""
        for billing_payment_id in self.due():
            await self.cashier.settle(billing_payment_id)

    def due(self) -> list[str]:
        """What the read model lists now."""
        rows = folded(PAYMENTS, self.ledger.events)["payment_v1"].values()
        now = self.clock.now()
        return [
            row["billing_payment_id"]
            for row in rows
            if row["is_due"] and row["due_at"] <= (now - IN_HAND if row["in_hand"] else now)
        ]

    def payments(self) -> dict[str, Payment]:
        """Every payment by its id."""
        streams = {event.stream: None for event in self.ledger.events if event.stream.type == "payment"}
        return {stream.id: self._state(stream) for stream in streams}

    def payment(self) -> tuple[str, Payment]:
        """The only payment that there is."""
        (only,) = self.payments().items()
        return only

    def invoice(self) -> Invoice:
        """The invoice as it stands."""
        state: Invoice = self._state(INVOICE.stream(INVOICE_ID))
        return state

    def names(self, stream_type: str = PAYMENT.name) -> list[str]:
        """What was recorded in streams of a type, by the end of its name."""
        named = (event.name.partition(".") for event in self.ledger.events)
        return [what for of, _, what in named if of == stream_type]

    def announced(self) -> list[str]:
        """The types of the outbound facts."""
        return [each.fact_type for each in self.ledger.announcements]

    @staticmethod
    def asked(number: int) -> KeyedRequest:
        """The request of that number."""
        return KeyedRequest(key_hash=f"{number:064x}", request_hash=f"{number:064x}")

    async def _ask(self, begin: Handler, asked: KeyedRequest, method: str | None = None) -> Answer:
        claim = claim_of(asked)
        begun = await self.ledger.commit(Command(AUDIT, begin, idempotency=claim))
        if begun.answer.status != UNFINISHED:
            return begun.answer
        await self.cashier.carry_out(begun.answer.body["billingPaymentId"], asked, AUDIT, method)
        stored = await self.ledger.stored(claim)
        return begun.answer if stored is None else stored.answer

    def _fresh(self) -> str:
        return str(self._ids.new())

    def _state(self, stream: Any) -> Any:
        facts = [event.fact for event in self.ledger.events if event.stream == stream]
        return REGISTRY.fold(stream, facts)


def dying(_step: str, _subject: str) -> GatewayFailed | None:
    """The process dies while it asks the gateway."""
    raise Died
