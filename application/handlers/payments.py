"""Asking for payments, voids and refunds: the intent is recorded before the gateway knows of it (S2)."""

from dataclasses import dataclass
from typing import Any

from application.handlers.billing_rules import rules_of
from application.handlers.intents import UNFINISHED, append_intent, in_flight, intent_of, intent_stream
from application.handlers.invoices import Asking, reachable
from application.handlers.invoices import state_of as invoice_of
from application.ledger import Answer, Handler, Transaction
from application.payment_answers import payment_body
from domain.accounts.billing_rules import effective_rules
from domain.invoicing.invoice import INVOICE, Invoice, reserve_payment
from domain.kernel.errors import DomainError, not_found
from domain.kernel.streams import StreamId
from domain.receivables.payment import PAYMENT, Payment, ask_refund, ask_void, defer_refund, initiate
from domain.receivables.payment_facts import (
    KeyedRequest,
    PaymentInitiated,
    PaymentRefundAsked,
    PaymentRefundDeferred,
    PaymentVoidAsked,
    ReceiptChannel,
)


@dataclass(frozen=True)
class PaymentWish:
    """A payment that somebody wants to make, amount in minor units. `asked` is under which key."""

    invoice_id: str
    amount: int
    currency_uom_id: str
    gateway: str
    no_receipt: bool
    deliver: ReceiptChannel | None
    asked: KeyedRequest

    def streams(self, fresh_payment_id: str) -> frozenset[StreamId]:
        """What asking for it reads, as far as known beforehand."""
        invoice, payment = INVOICE.stream(self.invoice_id), PAYMENT.stream(fresh_payment_id)
        return frozenset((invoice, payment, intent_stream(self.asked)))


@dataclass(frozen=True)
class RefundWish:
    """What somebody wants given back of a payment: minor units, None for all that is left."""

    refund_id: str
    amount: int | None
    currency_uom_id: str | None
    reason_code: str | None
    reason_notes: str | None
    asked: KeyedRequest


def begin_payment(wish: PaymentWish, fresh_payment_id: str, asking: Asking) -> Handler:
    """Records that somebody pays, and reserves it of the invoice: 102 with the payment's id.

    A key whose payment never reached the gateway begins another one. Raises `IDEMPOTENCY_KEY_REUSED`,
    `IDEMPOTENCY_IN_FLIGHT`, `NOT_FOUND`, `INVOICE_NOT_PAYABLE`, `CURRENCY_MISMATCH`,
    `PAYMENT_EXCEEDS_BALANCE`, `PARTIAL_PAYMENTS_DISABLED`.
    """

    def handle(transaction: Transaction) -> Answer:
        before = intent_of(transaction, wish.asked)
        if before is not None and state_of(transaction, before).status != "FAILED":
            raise in_flight()
        invoice = reachable(transaction, wish.invoice_id, asking)
        if wish.currency_uom_id != invoice.drafted.currency_uom_id:
            raise DomainError("CURRENCY_MISMATCH", "The invoice is in another currency.")
        initiated = PaymentInitiated(
            invoice_id=wish.invoice_id,
            amount=wish.amount,
            currency_uom_id=wish.currency_uom_id,
            gateway=wish.gateway,
            no_receipt=wish.no_receipt,
            deliver=wish.deliver,
            initiated_by=asking.user_id,
            initiated_at=transaction.stamp.at,
            asked=wish.asked,
        )
        reserved = reserve_payment(
            invoice,
            fresh_payment_id,
            wish.amount,
            partial_allowed=_partial_payments_allowed(transaction, invoice),
        )
        transaction.append(PAYMENT.stream(fresh_payment_id), initiate(None, initiated))
        transaction.append(INVOICE.stream(wish.invoice_id), reserved)
        append_intent(transaction, wish.asked, fresh_payment_id)
        return _unfinished(fresh_payment_id)

    return handle


def begin_void(
    billing_payment_id: str,
    reason_code: str | None,
    reason_notes: str | None,
    asked: KeyedRequest,
    asking: Asking,
) -> Handler:
    """Records that a payment is to be taken back: 102 with its id.

    Raises `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_FLIGHT`, `NOT_FOUND`, `PAYMENT_NOT_VOIDABLE`.
    """

    def handle(transaction: Transaction) -> Answer:
        payment = reachable_payment(transaction, billing_payment_id, asking)
        if intent_of(transaction, asked) is not None and payment.is_being_voided:
            raise in_flight()
        wanted = PaymentVoidAsked(
            reason_code=reason_code, reason_notes=reason_notes, asked_by=asking.user_id, asked=asked
        )
        transaction.append(PAYMENT.stream(billing_payment_id), ask_void(payment, wanted))
        append_intent(transaction, asked, billing_payment_id)
        return _unfinished(billing_payment_id)

    return handle


def begin_refund(billing_payment_id: str, wish: RefundWish, asking: Asking) -> Handler:
    """Records that so much is to be given back: 102 with the payment's id.

    A gateway is asked for one refund at a time: behind another it waits, and who asked is told so: 202.

    Raises `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_FLIGHT`, `NOT_FOUND`, `CURRENCY_MISMATCH`,
    `PAYMENT_NOT_REFUNDABLE`, `REFUND_EXCEEDS_PAID`.
    """

    def handle(transaction: Transaction) -> Answer:
        payment = reachable_payment(transaction, billing_payment_id, asking)
        before = intent_of(transaction, wish.asked)
        if before is not None and payment.refunds[before].is_under_way:
            raise in_flight()
        if wish.currency_uom_id not in (None, payment.initiated.currency_uom_id):
            raise DomainError("CURRENCY_MISMATCH", "The payment is in another currency.")
        wanted = PaymentRefundAsked(
            refund_id=wish.refund_id,
            amount=wish.amount or payment.refundable or payment.amount,
            reason_code=wish.reason_code,
            reason_notes=wish.reason_notes,
            asked_by=asking.user_id,
            asked_at=transaction.stamp.at,
            asked=wish.asked,
        )
        stream = PAYMENT.stream(billing_payment_id)
        transaction.append(stream, ask_refund(payment, wanted))
        append_intent(transaction, wish.asked, wish.refund_id)
        if payment.refund_under_way is None:
            return _unfinished(billing_payment_id)
        waits = PaymentRefundDeferred(refund_id=wish.refund_id, cause="GATEWAY")
        transaction.append(stream, defer_refund(state_of(transaction, billing_payment_id), waits))
        return payment_answer(transaction, billing_payment_id, 202)

    return handle


def state_of(transaction: Transaction, billing_payment_id: str) -> Payment:
    """A payment that is known to exist."""
    payment = transaction.state(PAYMENT, billing_payment_id)
    assert payment is not None, "it was initiated"
    return payment


def payment_answer(transaction: Transaction, billing_payment_id: str, status: int) -> Answer:
    """The payment as it stands, as clients see it."""
    payment = state_of(transaction, billing_payment_id)
    invoice = invoice_of(transaction, payment.initiated.invoice_id)
    return Answer(status, payment_body(billing_payment_id, payment, invoice))


def reachable_payment(transaction: Transaction, billing_payment_id: str, asking: Asking) -> Payment:
    """The payment, for who may know of its invoice. Raises `NOT_FOUND`."""
    payment = transaction.state(PAYMENT, billing_payment_id)
    if payment is None:
        raise not_found("The payment")
    try:
        reachable(transaction, payment.initiated.invoice_id, asking)
    except DomainError:
        raise not_found("The payment") from None
    return payment


def _partial_payments_allowed(transaction: Transaction, invoice: Invoice) -> bool:
    configured = rules_of(transaction, invoice.drafted.customer_account_id)
    return effective_rules(configured, None).partial_payments_allowed


def _unfinished(billing_payment_id: str) -> Answer:
    body: dict[str, Any] = {"billingPaymentId": billing_payment_id}
    return Answer(UNFINISHED, body)
