"""Gateways' notices: signed, taken as a reason to ask how a payment stands, and never for its word (S2)."""

from typing import Annotated

from litestar import Response
from litestar.params import PathParameter

from application.gateway import NoticeRefused
from application.operations.payments import NOTIFY_PAYMENT
from domain.kernel.errors import DomainError, not_found
from domain.kernel.facts import Value
from interfaces.http.bodies import JSON
from interfaces.http.guards import AnyRequest, system_of
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route

ANY_NOTICE = {"type": "object", "additionalProperties": True}
"""A gateway's own words, of which only whose payment they are about is read."""


class NoticeAnswer(Value):
    """That the notice was taken."""

    received: bool = True


@route(NOTIFY_PAYMENT, operation_class=describing_body({JSON: ANY_NOTICE}))
async def notify(
    request: AnyRequest, gateway: Annotated[str, PathParameter(name="gateway")]
) -> Response[NoticeAnswer]:
    """Asks the gateway how the payment stands, and records that."""
    door = system_of(request).gateway_doors.get(gateway)
    if door is None:
        raise not_found("The gateway")
    try:
        notice = door.notices.read(await request.body(), dict(request.headers))
    except NoticeRefused:
        raise DomainError("NOTICE_REFUSED", "The notice is not signed by this gateway.") from None
    if notice is not None:
        await door.hear(notice)
    return Response(NoticeAnswer())


HANDLERS = (notify,)
