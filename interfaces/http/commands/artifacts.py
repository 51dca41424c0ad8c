"""Tokens for artifacts' contents, and the contents that they stand for (BILL-DEC-005)."""

import re
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Response
from litestar.params import PathParameter, QueryParameter

from application.operations.artifacts import CREATE_ARTIFACT_TOKEN, DOWNLOAD_ARTIFACT
from application.ports import Found
from domain.kernel.errors import not_found
from domain.kernel.facts import Identifier
from interfaces.http.answers.artifacts import ArtifactToken, link
from interfaces.http.bodies import JSON, RequestBody, read_body, schema_of
from interfaces.http.guards import AnyRequest, caller_if_told, caller_of, origin_of, system_of
from interfaces.http.idempotency import IdempotencyKey, check_key
from interfaces.http.openapi import describing_body, describing_file
from interfaces.http.reading import MinPosition, head_reached, read, shown
from interfaces.http.routes import route
from projections.accounts import select_account_names
from projections.invoice_artifacts import select_invoice_of_artifact

ArtifactRefId = Annotated[str, PathParameter(name="artifactRefId")]


class ArtifactTokenRequest(RequestBody):
    """Which invoice is meant where several refer to the artifact; else the one that did last."""

    invoice_id: Identifier | None = None


@route(
    CREATE_ARTIFACT_TOKEN,
    operation_class=describing_body({JSON: schema_of(ArtifactTokenRequest)}, required=False),
)
async def create_artifact_token(
    request: AnyRequest,
    artifact_ref_id: ArtifactRefId,
    idempotency_key: IdempotencyKey = None,
    min_position: MinPosition = None,
) -> Response[ArtifactToken]:
    """A link to the artifact's content, for one use; a repeated key gets a fresh one. It needs no body."""
    has_body = bool(await request.body())
    asked = await read_body(request, ArtifactTokenRequest) if has_body else ArtifactTokenRequest()
    if idempotency_key is not None:
        check_key(idempotency_key)
    invoice_id, position = await _invoice_in_reach(request, artifact_ref_id, asked.invoice_id, min_position)
    artifacts, caller = system_of(request).artifacts, caller_of(request)
    await artifacts.one(invoice_id, artifact_ref_id)
    role = caller.acting_role(CREATE_ARTIFACT_TOKEN.permissions)
    issued = artifacts.make_token(caller, invoice_id, artifact_ref_id, role)
    token = ArtifactToken(download_token=issued.token, expires_at=issued.expires_at, url=link(issued))
    return shown(token, position, status_code=201, headers={"Cache-Control": "no-store"})


@route(DOWNLOAD_ARTIFACT, operation_class=describing_file("*/*"))
async def download_artifact(
    request: AnyRequest, token: Annotated[str, QueryParameter(name="token", min_length=1, max_length=4000)]
) -> Response[Any]:
    """The content; that it was handed out is recorded first. A bearer token, if there is one, is checked."""
    ip, device = origin_of(request)
    downloaded = await system_of(request).artifacts.redeem(
        token,
        await caller_if_told(request),
        ip=ip,
        device=device,
        correlation_id=request.scope["state"]["correlation_id"],
    )
    headers = {
        "Content-Disposition": _attachment(downloaded.ref.display_name),
        "Cache-Control": "private, no-store",
        # Upstream chose the bytes and what they are called: no browser shall run them here.
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-SHA256": downloaded.sha256,
        "X-Content-Type-Options": "nosniff",
    }
    return shown(
        downloaded.content, downloaded.position, media_type=downloaded.ref.content_type, headers=headers
    )


async def _invoice_in_reach(
    request: AnyRequest, artifact_ref_id: str, invoice_id: str | None, min_position: int | None
) -> tuple[str, int]:
    """The invoice through which the caller reaches the artifact, and the position that shows it.

    A read model knows which refer to it; where it shows none, it is waited for until it shows all that there
    is now. Raises `NOT_FOUND`, `PROJECTION_BEHIND`.
    """
    found = await _find(request, artifact_ref_id, invoice_id, min_position)
    if not found.results[0]:
        head = await head_reached(request, min_position)
        found = await _find(request, artifact_ref_id, invoice_id, head)
    if not found.results[0]:
        raise not_found("The artifact")
    return str(found.results[0][0]["invoice_id"]), found.position


async def _find(
    request: AnyRequest, artifact_ref_id: str, invoice_id: str | None, position: int | None
) -> Found:
    granted = caller_of(request).claims.account_ids
    accounts = None
    if granted is not None:
        query = select_account_names(sorted(granted))
        names = await read(request, CREATE_ARTIFACT_TOKEN, position, query)
        accounts = sorted(row["name"] for row in names.results[0])
    query = select_invoice_of_artifact(artifact_ref_id, invoice_id, accounts)
    return await read(request, CREATE_ARTIFACT_TOKEN, position, query)


def _attachment(name: str) -> str:
    """Always a download, under the name that upstream gave it (RFC 6266); the plain form for old readers."""
    one_line = " ".join(name.split()) or "artifact"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", one_line)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(one_line, safe='')}"


HANDLERS = (create_artifact_token, download_artifact)
