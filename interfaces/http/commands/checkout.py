"""Capturing and overriding a checkout's purchase order (BILL-DEC-009, contract §5)."""

import asyncio

from litestar import Response
from pydantic import Field

from application.handlers.checkout import (
    ANY_NUMBER,
    FormatUnjudged,
    FormatVerdict,
    OverrideRequest,
    capture,
    override,
)
from application.operations.checkout import CAPTURE_PO, OVERRIDE_PO
from application.validation import invalid_field
from domain.accounts.choices import is_reason
from domain.checkout.purchase_order import PoNumber
from domain.kernel.facts import Identifier
from interfaces.http.answers.checkout import PoCaptureAnswer, PoOverrideAnswer
from interfaces.http.bodies import JSON, ElevationToken, Notes, read_body, schema_of
from interfaces.http.checkouts import CheckoutId, OfAccount, asked_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route

_VERDICTS = 5
"""How often a format is looked at before the client is told that the rules keep changing."""


class CaptureRequest(OfAccount):
    """The purchase order that the customer gave."""

    po_number: PoNumber


class PoOverrideRequest(OfAccount):
    """Why, and the approvals: purpose `PO_OVERRIDE`, target the checkout."""

    reason_code: Identifier | None = None
    reason_notes: Notes | None = None
    elevation_token: ElevationToken = Field(repr=False)
    second_approver_token: ElevationToken | None = Field(default=None, repr=False)


@route(CAPTURE_PO, operation_class=describing_body({JSON: schema_of(CaptureRequest)}))
async def capture_po(
    request: AnyRequest, checkout_id: CheckoutId, idempotency_key: IdempotencyKey = None
) -> Response[PoCaptureAnswer]:
    """The purchase order: 201 if it is new.

    Its format, somebody's regular expression, is looked at between two looks at the ledger.
    """
    verdict, system = ANY_NUMBER, system_of(request)

    async def prepare() -> Prepared:
        body = await read_body(request, CaptureRequest)
        asked = asked_of(request, checkout_id, body)
        return Prepared(capture(asked, body.po_number, verdict, system.fingerprint), asked.streams)

    for _ in range(_VERDICTS):
        try:
            return await carry_out(request, CAPTURE_PO, idempotency_key, prepare)
        except FormatUnjudged as unjudged:
            if unjudged.pattern is None:
                verdict = ANY_NUMBER
            else:
                po_number = (await read_body(request, CaptureRequest)).po_number
                matches = await asyncio.to_thread(system.patterns.matches, unjudged.pattern, po_number)
                verdict = FormatVerdict(unjudged.pattern, matches)
    return await carry_out(request, CAPTURE_PO, idempotency_key, prepare)


@route(OVERRIDE_PO, operation_class=describing_body({JSON: schema_of(PoOverrideRequest)}))
async def override_po(
    request: AnyRequest, checkout_id: CheckoutId, idempotency_key: IdempotencyKey = None
) -> Response[PoOverrideAnswer]:
    """The override: 201 if it is new."""

    async def prepare() -> Prepared:
        body = await read_body(request, PoOverrideRequest)
        if body.reason_code is not None and not is_reason("PO_OVERRIDE", body.reason_code):
            raise invalid_field("reasonCode", "UNKNOWN", "It is no reason of the category PO_OVERRIDE.")
        asked = asked_of(request, checkout_id, body)
        caller, elevations = caller_of(request), system_of(request).elevations
        approval = elevations.read(caller, body.elevation_token)
        second = body.second_approver_token and elevations.read(caller, body.second_approver_token)
        asked_for = OverrideRequest(body.reason_code, body.reason_notes, approval, second or None)
        presented = (approval,) if not second else (approval, second)
        return Prepared(
            override(asked, asked_for),
            asked.streams | {each.stream for each in presented},
            elevations=presented,
        )

    return await carry_out(request, OVERRIDE_PO, idempotency_key, prepare)


HANDLERS = (capture_po, override_po)
