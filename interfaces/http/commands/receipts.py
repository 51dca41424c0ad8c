"""Handing receipts over and reprinting them (BILL-DEC-011, contract §5)."""

from typing import Any

from litestar import Response
from pydantic import Field

from application.handlers.receipt_deliveries import (
    CopyRequest,
    Handover,
    deliver_receipt,
    reprint_receipt,
)
from application.operations.receipts import DELIVER_RECEIPT, REPRINT_RECEIPT
from application.past import state_at_version
from application.receipt_printing import printed_receipt
from domain.kernel.facts import Identifier
from domain.receivables.payment_facts import ReceiptChannel
from domain.receivables.receipt import RECEIPT
from interfaces.http.answers.receipts import HandedOverAnswer
from interfaces.http.bodies import (
    JSON,
    ElevationToken,
    Notes,
    RequestBody,
    read_body,
    require_reason,
    schema_of,
)
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey, key_required
from interfaces.http.openapi import describing_body
from interfaces.http.reading import ReceiptId
from interfaces.http.routes import route


class DeliverRequest(RequestBody):
    """By which way; EMAIL needs an `Idempotency-Key`."""

    channel: ReceiptChannel


class ReprintRequest(RequestBody):
    """By which way, why, and somebody's approval where policy asks for it."""

    channel: ReceiptChannel
    reason_code: Identifier | None = None
    reason_notes: Notes | None = None
    elevation_token: ElevationToken | None = Field(default=None, repr=False)


@route(DELIVER_RECEIPT, operation_class=describing_body({JSON: schema_of(DeliverRequest)}))
async def deliver(
    request: AnyRequest, receipt_id: ReceiptId, idempotency_key: IdempotencyKey = None
) -> Response[HandedOverAnswer]:
    """The original as text for the till, or the delivery by which it is sent."""

    async def prepare() -> Prepared:
        body = await read_body(request, DeliverRequest)
        if body.channel == "EMAIL" and idempotency_key is None:
            raise key_required()
        handler = deliver_receipt(_handover(request, receipt_id, body.channel))
        return Prepared(handler, frozenset({RECEIPT.stream(receipt_id)}))

    return await _told(request, await carry_out(request, DELIVER_RECEIPT, idempotency_key, prepare))


@route(REPRINT_RECEIPT, operation_class=describing_body({JSON: schema_of(ReprintRequest)}))
async def reprint(
    request: AnyRequest, receipt_id: ReceiptId, idempotency_key: IdempotencyKey = None
) -> Response[HandedOverAnswer]:
    """A copy, which says that it is one."""

    async def prepare() -> Prepared:
        body = await read_body(request, ReprintRequest)
        if body.reason_code is not None:
            require_reason("REPRINT", body.reason_code)
        elevation = None
        if body.elevation_token is not None:
            elevation = system_of(request).elevations.read(caller_of(request), body.elevation_token)
        presented = () if elevation is None else (elevation,)
        wanted = CopyRequest(body.reason_code, body.reason_notes, elevation)
        handler = reprint_receipt(_handover(request, receipt_id, body.channel), wanted)
        streams = frozenset((RECEIPT.stream(receipt_id), *(each.stream for each in presented)))
        return Prepared(handler, streams, elevations=presented)

    return await _told(request, await carry_out(request, REPRINT_RECEIPT, idempotency_key, prepare))


def _handover(request: AnyRequest, receipt_id: str, channel: ReceiptChannel) -> Handover:
    caller = caller_of(request)
    return Handover(
        receipt_id=receipt_id,
        channel=channel,
        subject=caller.claims.sub,
        user_id=caller.on_behalf_of or caller.claims.sub,
        granted=caller.claims.account_ids,
        fresh_id=str(system_of(request).ids.new()),
    )


async def _told(request: AnyRequest, response: Response[Any]) -> Response[Any]:
    """The answer with the till's text, which no stored answer holds: it names whom the receipt is for."""
    answer = dict(response.content)
    version = answer.pop("version")
    content = content_type = None
    if answer["channel"] == "PRINT":
        system = system_of(request)
        stream = RECEIPT.stream(answer["receiptId"])
        receipt = await state_at_version(system.ledger, system.registry, stream, version)
        printed = await printed_receipt(
            system.ledger, system.registry, system.receipt_text, receipt, answer["copyNumber"]
        )
        content, content_type = printed.content, printed.content_type
    response.content = {**answer, "content": content, "contentType": content_type}
    return response


HANDLERS = (deliver, reprint)
