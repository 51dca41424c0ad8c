"""Paying invoices, voiding and refunding payments (contract §5): begun in the ledger, then taken on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Response
from pydantic import Field

from application.handlers.intents import UNFINISHED, in_flight, intent_stream, keyed
from application.handlers.payments import PaymentWish, RefundWish, begin_payment, begin_refund, begin_void
from application.ledger import Committed, Handler
from application.operations.operation import Operation
from application.operations.payments import PAY_INVOICE, REFUND_PAYMENT, VOID_PAYMENT
from application.validation import invalid_field
from domain.accounts.choices import ReasonCategory
from domain.kernel.errors import DomainError
from domain.kernel.facts import Identifier
from domain.kernel.money import CurrencyCode, PositiveMinorUnits
from domain.kernel.streams import StreamId
from domain.receivables.payment import PAYMENT, Payment
from domain.receivables.payment_facts import KeyedRequest, ReceiptChannel
from interfaces.http.answers.payments import PaymentAnswer
from interfaces.http.asking import asking_of
from interfaces.http.bodies import (
    JSON,
    ModelT,
    Notes,
    PaymentMethodToken,
    RequestBody,
    read_body,
    require_reason,
    schema_of,
)
from interfaces.http.commanding import Prepared, decide
from interfaces.http.guards import AnyRequest, system_of
from interfaces.http.idempotency import IdempotencyKey, answered, idempotency_claim
from interfaces.http.openapi import describing_body
from interfaces.http.problems import problem_response
from interfaces.http.reading import BillingPaymentId, InvoiceId
from interfaces.http.routes import route


class PaymentRequest(RequestBody):
    """How much of an invoice (minor units), paid with what, and what becomes of the receipt.

    `paymentMethodToken` is the gateway's reference to a payment method, never card data.
    """

    amount: PositiveMinorUnits
    currency_uom_id: CurrencyCode
    payment_method_token: PaymentMethodToken = Field(repr=False)
    no_receipt: Annotated[bool, Field(strict=True)] = False
    deliver: ReceiptChannel | None = None


class PaymentVoidRequest(RequestBody):
    """Why a payment is taken back."""

    reason_code: Identifier | None = None
    reason_notes: Notes | None = None


class PaymentRefundRequest(RequestBody):
    """How much is given back (minor units), without an amount all that is left, and why."""

    amount: PositiveMinorUnits | None = None
    currency_uom_id: CurrencyCode | None = None
    reason_code: Identifier | None = None
    reason_notes: Notes | None = None


@dataclass(frozen=True)
class _Begin:
    """How a request is begun in the ledger, and what a new payment is paid with."""

    handler: Handler
    streams: frozenset[StreamId]
    method: str | None = field(default=None, repr=False)


@route(PAY_INVOICE, operation_class=describing_body({JSON: schema_of(PaymentRequest)}))
async def pay(
    request: AnyRequest, invoice_id: InvoiceId, idempotency_key: IdempotencyKey = None
) -> Response[PaymentAnswer]:
    """The payment: 201 once its money has moved, 202 while nobody knows, 402 where it is declined."""

    async def begin(asked: KeyedRequest) -> _Begin:
        body = await read_body(request, PaymentRequest)
        if body.no_receipt and body.deliver is not None:
            raise invalid_field("deliver", "CONTRADICTION", "With noReceipt nothing is delivered.")
        system = system_of(request)
        wish = PaymentWish(
            invoice_id=invoice_id,
            amount=body.amount,
            currency_uom_id=body.currency_uom_id,
            gateway=system.cashier.gateway.name,
            no_receipt=body.no_receipt,
            deliver=body.deliver,
            asked=asked,
        )
        fresh = str(system.ids.new())
        handler = begin_payment(wish, fresh, asking_of(request))
        return _Begin(handler, wish.streams(fresh), body.payment_method_token)

    return await _carried_out(request, PAY_INVOICE, idempotency_key, begin)


@route(VOID_PAYMENT, operation_class=describing_body({JSON: schema_of(PaymentVoidRequest)}, required=False))
async def void(
    request: AnyRequest, billing_payment_id: BillingPaymentId, idempotency_key: IdempotencyKey = None
) -> Response[PaymentAnswer]:
    """The payment: 200 once it is void, 202 while nobody knows."""

    async def begin(asked: KeyedRequest) -> _Begin:
        body = await _body(request, PaymentVoidRequest)
        _check_reason("VOID", body.reason_code)
        handler = begin_void(
            billing_payment_id, body.reason_code, body.reason_notes, asked, asking_of(request)
        )
        return _Begin(handler, _streams(billing_payment_id, asked))

    return await _carried_out(request, VOID_PAYMENT, idempotency_key, begin)


@route(
    REFUND_PAYMENT, operation_class=describing_body({JSON: schema_of(PaymentRefundRequest)}, required=False)
)
async def refund(
    request: AnyRequest, billing_payment_id: BillingPaymentId, idempotency_key: IdempotencyKey = None
) -> Response[PaymentAnswer]:
    """The payment: 200 once the money is given back, 202 while nobody knows."""

    async def begin(asked: KeyedRequest) -> _Begin:
        body = await _body(request, PaymentRefundRequest)
        _check_reason("REFUND", body.reason_code)
        wish = RefundWish(
            refund_id=str(system_of(request).ids.new()),
            amount=body.amount,
            currency_uom_id=body.currency_uom_id,
            reason_code=body.reason_code,
            reason_notes=body.reason_notes,
            asked=asked,
        )
        handler = begin_refund(billing_payment_id, wish, asking_of(request))
        return _Begin(handler, _streams(billing_payment_id, asked))

    return await _carried_out(request, REFUND_PAYMENT, idempotency_key, begin)


async def _carried_out(
    request: AnyRequest,
    operation: Operation,
    key: str | None,
    begin: Callable[[KeyedRequest], Awaitable[_Begin]],
) -> Response[Any]:
    """Begins in the ledger what the gateway is then asked for, and answers what the ledger then says.

    Who hangs up does not stop it. Raises `IDEMPOTENCY_KEY_REQUIRED`, what beginning raises, and where nothing
    came of it `GATEWAY_UNAVAILABLE` or what the gateway's refusal means.
    """
    method: str | None = None

    async def prepare() -> Prepared:
        nonlocal method
        claim = await idempotency_claim(request, operation, key)
        assert claim is not None, "the key is required"
        begun = await begin(keyed(claim))
        method = begun.method
        return Prepared(begun.handler, begun.streams)

    decided = await decide(request, operation, key, prepare)
    committed, claim = decided.committed, decided.claim
    assert claim is not None, "the key is required"
    if committed.answer.status == UNFINISHED:
        system, billing_payment_id = system_of(request), committed.answer.body["billingPaymentId"]
        carrying = system.cashier.carry_out(billing_payment_id, keyed(claim), decided.audit, method)
        payment = await asyncio.shield(asyncio.ensure_future(carrying))
        stored = await system.ledger.stored(claim)
        if stored is None:
            raise _nothing_came_of_it(operation, payment, keyed(claim))
        committed = replace(stored, replayed=False)
    return _told(committed)


def _told(committed: Committed) -> Response[Any]:
    """The answer as it is stored; of a declined payment that is why, and within which trace."""
    answer = committed.answer
    response = answered(committed)
    if answer.status != HTTPStatus.PAYMENT_REQUIRED:
        return response
    declined = DomainError(
        "PAYMENT_DECLINED",
        "The payment was declined; no money has moved.",
        reason_code=answer.body["gatewayCode"] and answer.body["gatewayCode"].upper(),
    )
    problem = problem_response(declined, answer.body["correlationId"])
    problem.headers.update(response.headers)
    return problem


def _nothing_came_of_it(operation: Operation, payment: Payment, asked: KeyedRequest) -> DomainError:
    """Why a request that was begun has no answer to keep: it may be sent again as it is."""
    if payment.is_under_way(asked):
        return in_flight()
    void, refunds = payment.void, payment.refunds
    if operation is VOID_PAYMENT and void is not None and void.failed and void.failed.reason == "REFUSED":
        return DomainError(
            "PAYMENT_NOT_VOIDABLE", "The gateway does not take it back; refund it.", reason_code="REFUSED"
        )
    if operation is REFUND_PAYMENT:
        refund = [each for each in refunds.values() if each.asked.asked == asked][-1]
        if refund.failed is not None and refund.failed.reason == "REFUSED":
            return DomainError(
                "PAYMENT_NOT_REFUNDABLE", "The gateway gives nothing back.", reason_code="REFUSED"
            )
    return DomainError("GATEWAY_UNAVAILABLE", "The payment gateway cannot be reached; nothing has happened.")


async def _body(request: AnyRequest, model: type[ModelT]) -> ModelT:
    """The body, which may be left out where nothing in it is required."""
    return await read_body(request, model) if await request.body() else model()


def _check_reason(category: ReasonCategory, code: str | None) -> None:
    if code is not None:
        require_reason(category, code)


def _streams(billing_payment_id: str, asked: KeyedRequest) -> frozenset[StreamId]:
    return frozenset((PAYMENT.stream(billing_payment_id), intent_stream(asked)))


HANDLERS = (pay, void, refund)
