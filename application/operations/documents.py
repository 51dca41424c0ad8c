"""The Document Center."""

from application.operations.operation import ANY_CALLER, DOCUMENT_SCOPE, Idempotency, Operation

DOCUMENT_READERS = frozenset({"docs.read.own", "docs.read.seller", "docs.read.country", "docs.audit.read"})

_DOCUMENT_OWNERSHIP = "buyerId or sellerId of the document"

LIST_DOCUMENTS = Operation(
    name="documents.list",
    kind="query",
    method="GET",
    path="/v1/documents",
    summary="The Document Center: documents by filter and search, newest first",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    errors=("PROJECTION_BEHIND",),
    projections=("documents",),
)

GET_DOCUMENT = Operation(
    name="documents.get",
    kind="query",
    method="GET",
    path="/v1/documents/{documentId:str}",
    summary="One document, now or as of a moment or position",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("documents",),
)

GET_DOCUMENT_BY_KEY = Operation(
    name="documents.get-by-key",
    kind="query",
    method="GET",
    path="/v1/documents/by-key",
    summary="One document by its documentKey",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("documents",),
)

LIST_DOCUMENT_EVENTS = Operation(
    name="documents.list-events",
    kind="query",
    method="GET",
    path="/v1/documents/{documentId:str}/events",
    summary="A document's audit timeline",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    redaction=("ip", "device"),
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("documents", "document-events"),
)

VERIFY_DOCUMENT = Operation(
    name="documents.verify",
    kind="query",
    method="GET",
    path="/v1/documents/{documentId:str}/verify",
    summary="Recomputes a document's hashes, seal, PDF and ledger entries",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("documents",),
)

CREATE_DOWNLOAD_TOKEN = Operation(
    name="documents.create-download-token",
    kind="command",
    method="POST",
    path="/v1/documents/{documentId:str}/download-token",
    summary="A short-lived link to one of a document's sealed files",
    permissions=DOCUMENT_READERS,
    success=(201,),
    ownership=_DOCUMENT_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    idempotency=Idempotency(
        required=False, source="header", replay="a fresh token: secrets are never stored", inflight="none"
    ),
    redaction=("downloadToken", "url"),
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("documents",),
)

DOWNLOAD_DOCUMENT = Operation(
    name="documents.download",
    kind="command",
    method="GET",
    path="/v1/documents/download",
    summary="The sealed bytes of a document's file, by download token",
    permissions=ANY_CALLER,
    ownership="the caller that the token was made for",
    audit_event="document-access.downloaded",
    redaction=("token", "ip", "device"),
    errors=("NOT_FOUND", "DOWNLOAD_TOKEN_INVALID", "VAULT_UNAVAILABLE"),
    authenticated=False,
)

ISSUE_NUMBERED_DOCUMENT = "documents.issue-numbered"
"""The worker's own operation: it finishes what a command began, and no route leads to it."""
