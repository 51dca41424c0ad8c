"""Vendors' bills in lists, payments to vendors now and in the past (BILL-DEC-013, contract §5)."""

from datetime import date
from typing import Annotated

from litestar import Response
from litestar.params import PathParameter, QueryParameter

from application.ap_payment_detail import ap_payment_detail
from application.operations.payables import GET_AP_PAYMENT, GET_AP_PAYMENT_BY_REF, LIST_BILLS
from application.past import Moment, states_at
from domain.kernel.claim import claim_stream
from domain.kernel.errors import not_found
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.bill import BillStatus
from interfaces.http.answers.payables import ApPaymentAnswer, BillPage, bill_item
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    AsOf,
    AsOfPosition,
    BillingPaymentId,
    Cursor,
    Limit,
    MinPosition,
    bad_cursor,
    moment_to_show,
    page,
    read,
    shown,
    text_cursor,
)
from interfaces.http.routes import route
from interfaces.http.trace import note_ids
from projections.bills import select_bills

VendorId = Annotated[str, PathParameter(name="vendorId")]
PaymentRef = Annotated[str, PathParameter(name="paymentRef", description="percent-encoded, slashes too")]

_BY_REF = "/by-ref/"
_LENGTH_OF_DATE = len("YYYY-MM-DD")


@route(LIST_BILLS)
async def list_bills(
    request: AnyRequest,
    vendor_id: VendorId,
    status: Annotated[BillStatus | None, QueryParameter(name="status")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[BillPage]:
    """A vendor's bills, the first due first; of a vendor that nobody told of, none."""
    statement = select_bills(vendor_id, status, _place(cursor), limit + 1)
    found = await read(request, LIST_BILLS, min_position, statement)
    permissions = caller_of(request).permissions
    items, next_cursor = page(
        found.results[0],
        limit,
        lambda row: bill_item(row, permissions),
        lambda row: f"{row['due_date'].isoformat()}{row['bill_id']}",
    )
    return shown(BillPage(items=items, next_cursor=next_cursor), found.position)


@route(GET_AP_PAYMENT)
async def get_ap_payment(
    request: AnyRequest,
    billing_payment_id: BillingPaymentId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[ApPaymentAnswer]:
    """One payment, now or in the past."""
    moment, head = await moment_to_show(request, as_of, as_of_position, min_position)
    return await _detail(request, billing_payment_id.lower(), moment, head)


@route(GET_AP_PAYMENT_BY_REF)
async def get_ap_payment_by_ref(
    request: AnyRequest,
    payment_ref: PaymentRef,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[ApPaymentAnswer]:
    """The payment that a reference names."""
    moment, head = await moment_to_show(request, as_of, as_of_position, min_position)
    named = _payment_ref(request)
    note_ids(request.scope, {"paymentRef": named})
    system, claim = system_of(request), claim_stream("PAYMENT_REF", named)
    taken = (await states_at(system.ledger, system.registry, {claim}, moment)).get(claim)
    if taken is None:
        raise not_found("The payment")
    return await _detail(request, taken.state.holder, moment, head)


async def _detail(
    request: AnyRequest, billing_payment_id: str, moment: Moment, head: int
) -> Response[ApPaymentAnswer]:
    system, stream = system_of(request), AP_PAYMENT.stream(billing_payment_id)
    then = (await states_at(system.ledger, system.registry, {stream}, moment)).get(stream)
    if then is None:
        raise not_found("The payment")
    body = ap_payment_detail(billing_payment_id, then.state, caller_of(request).permissions)
    note_ids(request.scope, body)
    # The past is told by the payment's own last event, as everywhere.
    position = head if moment.position == head else then.position
    return shown(body, position, headers={"ETag": etag(then.version)})


def _payment_ref(request: AnyRequest) -> str:
    """As it stands in the path, decoded: the router drops slashes that are part of it."""
    return request.scope["raw_path"].decode().partition(_BY_REF)[2]


def _place(cursor: str | None) -> tuple[date, str] | None:
    """The due date and id of a page's last bill. Raises `VALIDATION_FAILED`."""
    text = text_cursor(cursor)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:_LENGTH_OF_DATE]), text[_LENGTH_OF_DATE:]
    except ValueError:
        raise bad_cursor() from None


HANDLERS = (list_bills, get_ap_payment, get_ap_payment_by_ref)
