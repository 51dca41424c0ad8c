"""Customers' payments now and in the past (contract §5)."""

from typing import Any

from litestar import Response

from application.operations.payments import GET_PAYMENT
from application.past import state_at, states_at
from application.payment_answers import payment_detail
from domain.invoicing.invoice import INVOICE, Invoice
from domain.kernel.errors import not_found
from domain.receivables.payment import PAYMENT, Payment
from interfaces.http.accounts import require_reach
from interfaces.http.answers.payments import PaymentDetailAnswer
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    AsOf,
    AsOfPosition,
    BillingPaymentId,
    MinPosition,
    moment_to_show,
    shown,
)
from interfaces.http.routes import route


@route(GET_PAYMENT)
async def get_payment(
    request: AnyRequest,
    billing_payment_id: BillingPaymentId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[PaymentDetailAnswer]:
    """One payment, now or in the past."""
    moment, head = await moment_to_show(request, as_of, as_of_position, min_position)
    system, stream = system_of(request), PAYMENT.stream(billing_payment_id)
    then = (await states_at(system.ledger, system.registry, {stream}, moment)).get(stream)
    if then is None:
        raise not_found("The payment")
    payment: Payment = then.state
    of_invoice = INVOICE.stream(payment.initiated.invoice_id)
    invoice: Invoice = await state_at(system.ledger, system.registry, of_invoice, moment)
    await require_reach(request, GET_PAYMENT, invoice.drafted.customer_account_id, "The payment")
    body: Any = payment_detail(billing_payment_id, payment, invoice, caller_of(request).permissions)
    # The past is told by the payment's own last event, as everywhere.
    position = head if moment.position == head else then.position
    return shown(body, position, headers={"ETag": etag(then.version)})


HANDLERS = (get_payment,)
