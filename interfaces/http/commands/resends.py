"""Sending issued documents again (contract §6)."""

from litestar import Response

from application.handlers.deliveries import resend_document
from application.operations.documents import RESEND_DOCUMENT
from domain.documents.delivery import ResendChannel
from domain.documents.document import DOCUMENT
from domain.kernel.facts import Value
from interfaces.http.bodies import JSON, RequestBody, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.reading import DocumentId
from interfaces.http.routes import route


class ResendRequest(RequestBody):
    """How its reader is told."""

    channel: ResendChannel


class ResendAnswer(Value):
    """QUEUED: the worker sends it; DELIVERED: the notification is there, under the delivery's id."""

    delivery_id: str
    document_id: str
    channel: ResendChannel
    status: str


@route(RESEND_DOCUMENT, operation_class=describing_body({JSON: schema_of(ResendRequest)}))
async def resend(
    request: AnyRequest, document_id: DocumentId, idempotency_key: IdempotencyKey = None
) -> Response[ResendAnswer]:
    """Sends the document's reader a link by e-mail again (202), or a notification (200)."""

    async def prepare() -> Prepared:
        data = await read_body(request, ResendRequest)
        scope = caller_of(request).resend_scope()
        handler = resend_document(document_id, str(system_of(request).ids.new()), data.channel, scope)
        return Prepared(handler, frozenset({DOCUMENT.stream(document_id)}))

    return await carry_out(request, RESEND_DOCUMENT, idempotency_key, prepare)


HANDLERS = (resend,)
