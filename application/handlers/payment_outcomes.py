"""Recording what a gateway says of a payment, with all that it leads to, in one transaction (S2).

Who asked the gateway may be the request itself, the worker after a crash, or both at once: what is recorded
already is recorded no second time. Each handler answers as the request under way is to be answered; 102 means
that it goes on.
"""

from datetime import datetime

from application.desk import Desk
from application.handlers.intents import UNFINISHED
from application.handlers.invoices import announce_paid
from application.handlers.invoices import state_of as invoice_of
from application.handlers.payments import payment_answer, state_of
from application.handlers.receipts import append_receipt, append_refund_document, void_receipt
from application.ledger import Answer, Handler, Transaction
from application.payment_answers import payment_type
from domain.gateway_deferrals import DeferralReason
from domain.invoicing.invoice import INVOICE, apply_payment, release_payment, reverse_payment
from domain.receivables.payment import (
    PAYMENT,
    Payment,
    authorize,
    capture,
    defer,
    defer_asking,
    defer_refund,
    defer_void,
    fail,
    fail_refund,
    fail_void,
    refund,
    return_refund,
    void,
)
from domain.receivables.payment_facts import (
    DeferredCause,
    FailedReason,
    KeyedRequest,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeferred,
    PaymentFact,
    PaymentFailed,
    PaymentRefundDeferred,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentRefundReturned,
    PaymentVoidDeferred,
    PaymentVoided,
    PaymentVoidFailed,
    StepFailedReason,
)

DECLINED_REASONS: frozenset[FailedReason] = frozenset({"DECLINED", "REFUSED"})
"""Why a payment failed that the gateway knew of: the answer to who asked, for good."""


def answering(asked: KeyedRequest | None, billing_payment_id: str, handler: Handler) -> Handler:
    """The handler, whose answer is kept only where it is the payment's to that request; else 102.

    A request that was kept waiting too long may have been given up, and its key have begun another payment.
    """

    def handle(transaction: Transaction) -> Answer:
        waited = state_of(transaction, billing_payment_id).unanswered
        answer = handler(transaction)
        waits = state_of(transaction, billing_payment_id).unanswered
        return answer if waited == asked != waits else Answer(UNFINISHED, None)

    return handle


def record_authorized(billing_payment_id: str, reference: str) -> Handler:
    """Records that the gateway holds the money ready; from now on it may be captured."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        _append(transaction, billing_payment_id, authorize(payment, PaymentAuthorized(reference=reference)))
        return Answer(UNFINISHED, None)

    return handle


def record_deferred(billing_payment_id: str, cause: DeferredCause, reference: str | None = None) -> Handler:
    """Records that it is not known yet how the payment ends: 202."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        _append(
            transaction, billing_payment_id, defer(payment, PaymentDeferred(cause=cause, reference=reference))
        )
        return payment_answer(transaction, billing_payment_id, 202)

    return handle


def record_gateway_deferred(
    billing_payment_id: str, asked_about: Payment, reason: DeferralReason, not_before: datetime | None
) -> Handler:
    """Records that the gateway has to be asked again, and when; answers what was recorded, if anything."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        facts = defer_asking(payment, asked_about, reason, transaction.stamp.at, not_before)
        _append(transaction, billing_payment_id, facts)
        return Answer(UNFINISHED, facts[0] if facts else None)

    return handle


def record_captured(billing_payment_id: str, receipt_id: str, desk: Desk) -> Handler:
    """Records that the money has moved, and makes its receipt: 201.

    `billing.PaymentCaptured` goes out, and `billing.InvoicePaid` where nothing is due any more. Where a void
    was asked for meanwhile, it goes on: 102.
    """

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        invoice_id = payment.initiated.invoice_id
        before = invoice_of(transaction, invoice_id)
        remaining = max(0, before.balance_due - payment.amount)
        captured = PaymentCaptured(
            captured_at=transaction.stamp.at,
            payment_type=payment_type(remaining),
            remaining_balance=remaining,
            receipt_id=receipt_id,
        )
        facts = capture(payment, captured)
        if facts:
            stream = PAYMENT.stream(billing_payment_id)
            transaction.append(stream, facts)
            transaction.announce(stream, "billing.PaymentCaptured")
            transaction.append(INVOICE.stream(invoice_id), apply_payment(before, billing_payment_id))
            announce_paid(transaction, invoice_id, before)
            append_receipt(transaction, desk, billing_payment_id, receipt_id)
        if payment.is_being_voided:
            return Answer(UNFINISHED, None)
        return payment_answer(transaction, billing_payment_id, 201)

    return handle


def record_failed(
    billing_payment_id: str, reason: FailedReason, correlation_id: str, code: str | None = None
) -> Handler:
    """Records that no money moves, and lets go of what was reserved: 402 where the gateway has said no.

    Where the gateway never knew of it: 503, for the same request may begin once more. Where a void was asked
    for, it has come about: 200. `correlation_id` is the trace that a refusal, and each repeat of it, names.
    """

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        failed, voided = (
            PaymentFailed(reason=reason, code=code),
            PaymentVoided(voided_at=transaction.stamp.at),
        )
        facts = fail(payment, failed, voided)
        _append(transaction, billing_payment_id, facts)
        if facts:
            _release(transaction, billing_payment_id)
        if payment.is_being_voided:
            return payment_answer(transaction, billing_payment_id, 200)
        if reason in DECLINED_REASONS:
            return Answer(402, {"gatewayCode": code, "correlationId": correlation_id})
        return payment_answer(transaction, billing_payment_id, 503)

    return handle


def record_void_deferred(billing_payment_id: str, cause: DeferredCause) -> Handler:
    """Records that it is not known yet whether the payment is taken back: 202."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        _append(transaction, billing_payment_id, defer_void(payment, PaymentVoidDeferred(cause=cause)))
        return payment_answer(transaction, billing_payment_id, 202)

    return handle


def record_voided(billing_payment_id: str) -> Handler:
    """Records that the gateway has let go of all of it: 200. What was paid is due again."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        facts = void(payment, PaymentVoided(voided_at=transaction.stamp.at))
        _append(transaction, billing_payment_id, facts)
        if facts and payment.captured is not None:
            _give_back(transaction, billing_payment_id, payment.amount)
            reason_code = None if payment.void is None else payment.void.asked.reason_code
            void_receipt(transaction, billing_payment_id, reason_code)
        elif facts:
            _release(transaction, billing_payment_id)
        return payment_answer(transaction, billing_payment_id, 200)

    return handle


def record_void_failed(
    billing_payment_id: str,
    reason: StepFailedReason,
    code: str | None = None,
    *,
    until: datetime | None = None,
) -> Handler:
    """Records that the gateway does not take it back; the payment stands.

    From `until` on somebody else may have asked for the step, too, and nothing is certain: 102.
    """

    def handle(transaction: Transaction) -> Answer:
        if until is not None and transaction.stamp.at >= until:
            return Answer(UNFINISHED, None)
        payment = state_of(transaction, billing_payment_id)
        facts = fail_void(payment, PaymentVoidFailed(reason=reason, code=code))
        _append(transaction, billing_payment_id, facts)
        return _step_failed(transaction, billing_payment_id, reason)

    return handle


def record_refund_deferred(billing_payment_id: str, refund_id: str, cause: DeferredCause) -> Handler:
    """Records that it is not known yet how a refund ends: 202."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        deferred = PaymentRefundDeferred(refund_id=refund_id, cause=cause)
        _append(transaction, billing_payment_id, defer_refund(payment, deferred))
        return payment_answer(transaction, billing_payment_id, 202)

    return handle


def record_refunded(billing_payment_id: str, refund_id: str, reference: str, desk: Desk) -> Handler:
    """Records that money was given back, and makes the document that shows it: 200. It is due again."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        asked = payment.refunds[refund_id]
        if asked.may_succeed:
            document_id = append_refund_document(transaction, desk, billing_payment_id, refund_id)
            refunded = PaymentRefunded(
                refund_id=refund_id,
                amount=asked.asked.amount,
                reference=reference,
                refunded_at=transaction.stamp.at,
                document_id=document_id,
            )
            _append(transaction, billing_payment_id, refund(payment, refunded))
            _give_back(transaction, billing_payment_id, asked.asked.amount)
        return payment_answer(transaction, billing_payment_id, 200)

    return handle


def record_refund_failed(
    billing_payment_id: str,
    refund_id: str,
    reason: StepFailedReason,
    code: str | None = None,
    *,
    until: datetime | None = None,
) -> Handler:
    """Records that nothing is given back for that refund; `until` as for `record_void_failed`."""

    def handle(transaction: Transaction) -> Answer:
        if until is not None and transaction.stamp.at >= until:
            return Answer(UNFINISHED, None)
        payment = state_of(transaction, billing_payment_id)
        failed = PaymentRefundFailed(refund_id=refund_id, reason=reason, code=code)
        _append(transaction, billing_payment_id, fail_refund(payment, failed))
        return _step_failed(transaction, billing_payment_id, reason)

    return handle


def record_refund_returned(billing_payment_id: str, refund_id: str, code: str | None) -> Handler:
    """Records that the money of a refund came back to the gateway; what it was for stays given back here."""

    def handle(transaction: Transaction) -> Answer:
        payment = state_of(transaction, billing_payment_id)
        returned = PaymentRefundReturned(refund_id=refund_id, code=code)
        _append(transaction, billing_payment_id, return_refund(payment, returned))
        return Answer(UNFINISHED, None)

    return handle


def _append(transaction: Transaction, billing_payment_id: str, facts: tuple[PaymentFact, ...]) -> None:
    transaction.append(PAYMENT.stream(billing_payment_id), facts)


def _release(transaction: Transaction, billing_payment_id: str) -> None:
    invoice_id = state_of(transaction, billing_payment_id).initiated.invoice_id
    facts = release_payment(invoice_of(transaction, invoice_id), billing_payment_id)
    transaction.append(INVOICE.stream(invoice_id), facts)


def _give_back(transaction: Transaction, billing_payment_id: str, amount: int) -> None:
    invoice_id = state_of(transaction, billing_payment_id).initiated.invoice_id
    facts = reverse_payment(invoice_of(transaction, invoice_id), billing_payment_id, amount)
    transaction.append(INVOICE.stream(invoice_id), facts)


def _step_failed(transaction: Transaction, billing_payment_id: str, reason: StepFailedReason) -> Answer:
    """A refusal is not kept: the same request may begin once more."""
    return payment_answer(transaction, billing_payment_id, 409 if reason == "REFUSED" else 503)
