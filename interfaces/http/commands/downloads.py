"""Download tokens and the sealed bytes they stand for (contract §6)."""

from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from application.operations.documents import CREATE_DOWNLOAD_TOKEN, DOWNLOAD_DOCUMENT
from domain.documents.access import FileFormat
from domain.kernel.errors import not_found
from domain.kernel.facts import Utc, Value
from interfaces.http.bodies import JSON, RequestBody, read_body, schema_of
from interfaces.http.guards import AnyRequest, caller_of, origin_of, system_of
from interfaces.http.idempotency import IdempotencyKey, check_key
from interfaces.http.openapi import describing_body, describing_file
from interfaces.http.queries.documents import document_in_scope
from interfaces.http.reading import DocumentId, MinPosition, shown
from interfaces.http.routes import route


class DownloadTokenRequest(RequestBody):
    """Which of the document's files."""

    format: FileFormat = "PDF"


class DownloadToken(Value):
    """A link that works for a few minutes; never stored, never logged."""

    download_token: str
    expires_at: Utc
    url: str


@route(CREATE_DOWNLOAD_TOKEN, operation_class=describing_body({JSON: schema_of(DownloadTokenRequest)}))
async def create_download_token(
    request: AnyRequest,
    document_id: DocumentId,
    idempotency_key: IdempotencyKey = None,
    min_position: MinPosition = None,
) -> Response[DownloadToken]:
    """A short-lived link to one of an issued document's files; a repeated key gets a fresh one."""
    data = await read_body(request, DownloadTokenRequest)
    if idempotency_key is not None:
        check_key(idempotency_key)
    row, position = await document_in_scope(request, CREATE_DOWNLOAD_TOKEN, document_id, min_position)
    if row["issued"] is None or (data.format == "FISCAL" and row["stamp"] is None):
        raise not_found("The file")
    caller = caller_of(request)
    role = caller.acting_role(CREATE_DOWNLOAD_TOKEN.permissions)
    issued = system_of(request).downloads.make_token(caller, document_id, data.format, role)
    url = f"/v1/documents/download?token={issued.token}"
    token = DownloadToken(download_token=issued.token, expires_at=issued.expires_at, url=url)
    return shown(token, position, status_code=201, headers={"Cache-Control": "no-store"})


@route(DOWNLOAD_DOCUMENT, operation_class=describing_file("application/pdf", JSON, "application/xml"))
async def download_document(
    request: AnyRequest, token: Annotated[str, QueryParameter(name="token", min_length=1, max_length=2000)]
) -> Response[Any]:
    """The sealed bytes; that they were handed out is recorded first."""
    ip, device = origin_of(request)
    file = await system_of(request).downloads.redeem(
        token,
        ip=ip,
        device=device,
        correlation_id=request.scope["state"]["correlation_id"],
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{file.file_name}"',
        "Cache-Control": "private, no-store",
        "X-Content-SHA256": file.sha256,
        "X-Content-Type-Options": "nosniff",
    }
    return shown(file.content, file.position, media_type=file.content_type, headers=headers)


HANDLERS = (create_download_token, download_document)
