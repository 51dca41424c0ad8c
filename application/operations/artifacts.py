"""Artifacts that invoices refer to: what there is, and secure downloads (BILL-DEC-005)."""

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import ANY_CALLER, Idempotency, Operation

LIST_ARTIFACTS = Operation(
    name="artifacts.list",
    kind="query",
    method="GET",
    path="/v1/billing/invoices/{invoiceId:str}/artifacts",
    summary="What an invoice refers to: approvals, estimates; on request with a link to each",
    permissions=frozenset({"billing:artifact:list"}),
    ownership=f"{ACCOUNT_OWNERSHIP}; links need billing:artifact:download too",
    redaction=("signedUrl",),
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)

CREATE_ARTIFACT_TOKEN = Operation(
    name="artifacts.create-download-token",
    kind="command",
    method="POST",
    path="/v1/billing/artifacts/{artifactRefId:str}/download-token",
    summary="A short-lived link to an artifact's content, for one use",
    permissions=frozenset({"billing:artifact:download"}),
    success="A token is made that serves its caller once; nothing is recorded before it is used",
    statuses=(201,),
    ownership=ACCOUNT_OWNERSHIP,
    idempotency=Idempotency(
        required=False, source="header", replay="a fresh token: secrets are never stored", inflight="none"
    ),
    redaction=("downloadToken", "url"),
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("invoice-artifacts", "accounts"),
)

DOWNLOAD_ARTIFACT = Operation(
    name="artifacts.download",
    kind="command",
    method="GET",
    path="/v1/billing/artifacts/download",
    summary="An artifact's content, by download token, once",
    permissions=ANY_CALLER,
    success="The download is recorded, the token used up, and the content handed out",
    ownership="the caller that the token was made for",
    idempotency=Idempotency(
        required=False, source="token", replay="DOWNLOAD_TOKEN_INVALID: it serves once", inflight="one wins"
    ),
    audit_event="document-access.artifact-downloaded",
    redaction=("token", "ip", "device"),
    errors=(
        "UNAUTHENTICATED",
        "NOT_FOUND",
        "DOWNLOAD_TOKEN_INVALID",
        "ARTIFACT_DIFFERS",
        "ARTIFACT_SOURCE_UNAVAILABLE",
        "VAULT_UNAVAILABLE",
    ),
    authenticated=False,
)
