"""A till over a ledger in memory: an issued invoice whose payments are captured, voided and given back."""

from typing import Any

from application.handlers.receipts import append_receipt, append_refund_document, void_receipt
from application.ledger import Answer, Audit, Command, Handler, Transaction
from domain.accounts.account import ACCOUNT, AccountUpdated
from domain.documents.document import DOCUMENT, Document
from domain.invoicing.invoice import INVOICE
from domain.invoicing.invoice_facts import InvoicePaymentApplied
from domain.receivables.payment import PAYMENT
from domain.receivables.payment_facts import (
    KeyedRequest,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentInitiated,
    PaymentRefundAsked,
    PaymentRefunded,
)
from domain.receivables.receipt import RECEIPT, Receipt
from domain.streams import REGISTRY
from tests.support.account_facts import NOON, account_data
from tests.support.clocks import SetClock
from tests.support.desks import DESK
from tests.support.invoicing_facts import (
    ACCOUNT_ID,
    INVOICE_ID,
    PARTY_ID,
    PRICE_OF_ALL,
    invoice_drafted,
    invoice_issued,
)
from tests.support.memory_ledger import MemoryLedger
from tests.support.receipt_facts import PAYMENT_ID, RECEIPT_ID, REFUND_ID

AUDIT = Audit("default", "ana", "SERVICE_ADVISOR", "payments.pay", "trace-1")
ASKED = KeyedRequest(key_hash="00", request_hash="00")


class Till:
    """An issued invoice of 205.69 EUR; `ledger` holds what is recorded."""

    def __init__(self) -> None:
        self.clock = SetClock(NOON)
        self.ledger = MemoryLedger(self.clock)

    async def open(self, email: str | None = "facturas@nandu.example") -> "Till":
        """CRM has told of the customer, and the invoice is issued."""
        contact = {"billingContact": {"email": email}} if email else {"billingContact": None}
        account = AccountUpdated.model_validate({"account": account_data(ACCOUNT_ID, PARTY_ID, **contact)})

        def handle(transaction: Transaction) -> Answer:
            transaction.append(ACCOUNT.stream(ACCOUNT_ID), (account,))
            transaction.append(INVOICE.stream(INVOICE_ID), (invoice_drafted(), invoice_issued()))
            return Answer(200, None)

        await self.do(handle)
        return self

    async def pay(
        self,
        amount: int = PRICE_OF_ALL,
        *,
        payment_id: str = PAYMENT_ID,
        receipt_id: str = RECEIPT_ID,
        no_receipt: bool = False,
        deliver: Any = None,
    ) -> None:
        """A payment is captured, as its own handlers record it."""

        def handle(transaction: Transaction) -> Answer:
            invoice = transaction.state(INVOICE, INVOICE_ID)
            assert invoice is not None
            left = invoice.balance_due - amount
            initiated = PaymentInitiated(
                invoice_id=INVOICE_ID,
                amount=amount,
                currency_uom_id="EUR",
                gateway="stripe",
                no_receipt=no_receipt,
                deliver=deliver,
                initiated_by="ana",
                initiated_at=NOON,
                asked=ASKED,
            )
            captured = PaymentCaptured(
                captured_at=self.clock.now(),
                payment_type="PARTIAL_PAYMENT" if left else "PAID_IN_FULL",
                remaining_balance=left,
                receipt_id=receipt_id,
            )
            facts = (initiated, PaymentAuthorized(reference=f"pi_{payment_id}"), captured)
            transaction.append(PAYMENT.stream(payment_id), facts)
            applied = InvoicePaymentApplied(billing_payment_id=payment_id, amount=amount)
            transaction.append(INVOICE.stream(INVOICE_ID), (applied,))
            append_receipt(transaction, DESK, payment_id, receipt_id)
            return Answer(201, None)

        await self.do(handle)

    async def void(self, reason_code: str | None = "ERROR") -> None:
        """The payment is voided."""

        def handle(transaction: Transaction) -> Answer:
            void_receipt(transaction, PAYMENT_ID, reason_code)
            return Answer(200, None)

        await self.do(handle)

    async def give_back(self, amount: int, refund_id: str = REFUND_ID) -> str:
        """A part of the payment is given back; the id of the document that shows it."""

        def handle(transaction: Transaction) -> Answer:
            stream = PAYMENT.stream(PAYMENT_ID)
            asked = PaymentRefundAsked(
                refund_id=refund_id,
                amount=amount,
                reason_code="CUSTOMER_REQUEST",
                asked_by="ana",
                asked_at=NOON,
                asked=ASKED,
            )
            transaction.append(stream, (asked,))
            document_id = append_refund_document(transaction, DESK, PAYMENT_ID, refund_id)
            done = PaymentRefunded(
                refund_id=refund_id,
                amount=amount,
                reference="re_1",
                refunded_at=NOON,
                document_id=document_id,
            )
            transaction.append(stream, (done,))
            return Answer(200, document_id)

        return str((await self.do(handle)).body)

    async def do(self, handler: Handler) -> Answer:
        """Decides and records."""
        return (await self.ledger.commit(Command(AUDIT, handler))).answer

    def receipt(self, receipt_id: str = RECEIPT_ID) -> Receipt:
        """How the receipt stands."""
        receipt = self._state(RECEIPT.stream(receipt_id))
        assert isinstance(receipt, Receipt)
        return receipt

    def document(self, document_id: str) -> Document:
        """How a document stands."""
        document = self._state(DOCUMENT.stream(document_id))
        assert isinstance(document, Document)
        return document

    def names(self) -> list[str]:
        """The names of all events, oldest first."""
        return [event.name for event in self.ledger.events]

    def _state(self, stream: Any) -> Any:
        facts = [event.fact for event in self.ledger.events if event.stream == stream]
        return REGISTRY.fold(stream, facts)
