"""The artifacts that an invoice refers to (BILL-DEC-005)."""

from typing import Annotated

from litestar import Response
from litestar.params import QueryParameter

from application.operations.artifacts import CREATE_ARTIFACT_TOKEN, LIST_ARTIFACTS
from interfaces.http.accounts import require_reach
from interfaces.http.answers.artifacts import ArtifactList, artifact_item
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import InvoiceId, MinPosition, head_reached, shown
from interfaces.http.routes import route


@route(LIST_ARTIFACTS)
async def list_artifacts(
    request: AnyRequest,
    invoice_id: InvoiceId,
    include_signed_urls: Annotated[
        bool,
        QueryParameter(
            name="includeSignedUrls",
            description="a link to each, for one use, where the token permits downloads",
        ),
    ] = False,
    min_position: MinPosition = None,
) -> Response[ArtifactList]:
    """What the invoice refers to, in upstream's order."""
    caller, artifacts = caller_of(request), system_of(request).artifacts
    position = await head_reached(request, min_position)
    found = await artifacts.of_invoice(invoice_id, position)
    await require_reach(request, LIST_ARTIFACTS, found.customer_account_id, "The invoice")
    needed = CREATE_ARTIFACT_TOKEN.permissions
    linked = include_signed_urls and caller.holds_any(needed)
    items = []
    for artifact in found.artifacts:
        issued = None
        if linked and artifact.unavailable is None:
            role = caller.acting_role(needed)
            issued = artifacts.make_token(caller, invoice_id, artifact.ref.artifact_ref_id, role)
        items.append(artifact_item(artifact, issued))
    body = ArtifactList(artifacts=items).model_dump(mode="json", by_alias=True, exclude_none=True)
    return shown(body, position, headers={"Cache-Control": "no-store"})


HANDLERS = (list_artifacts,)
