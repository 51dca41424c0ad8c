"""The operation catalog: one row an operation. Routes, guards, idempotency and audit are derived from it.

To add an operation: a row here, a handler in `application/handlers/`, a few lines in `interfaces/http/`.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

DOCUMENT_READERS = frozenset({"docs.read.own", "docs.read.seller", "docs.read.country", "docs.audit.read"})
AUDITORS = frozenset({"docs.audit.read"})
SERIES_READERS = frozenset({"docs.audit.read", "billing:series:manage"})

ANY_CALLER: frozenset[str] = frozenset()
"""Any authenticated caller."""

COMMON_ERRORS = ("VALIDATION_FAILED", "UNAUTHENTICATED", "PERMISSION_DENIED")


@dataclass(frozen=True)
class Idempotency:
    """How repeats are recognised and answered.

    `source` says what identifies the act; `replay` what a repeat is answered with; `inflight` what a
    repeat gets while the first is not finished.
    """

    required: bool
    source: str
    replay: str
    inflight: str


OPTIONAL_KEY = Idempotency(
    required=False, source="header", replay="stored answer", inflight="waits for the first"
)


@dataclass(frozen=True)
class Operation:
    """One thing that clients may ask for.

    Any one of `permissions` suffices; none at all asks only for authentication. `path` is the router's, with
    the type of each parameter; the catalog shows it as OpenAPI does.
    """

    name: str
    kind: Literal["command", "query"]
    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    permissions: frozenset[str]
    success: tuple[int, ...] = (200,)
    ownership: str | None = None
    scope: str | None = None
    classification: tuple[str, ...] = ()
    idempotency: Idempotency | None = None
    audit_event: str | None = None
    redaction: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    projections: tuple[str, ...] = ()
    authenticated: bool = True

    def row(self) -> dict[str, Any]:
        """The row as `GET /v1/operations` answers it."""
        idempotency = self.idempotency or Idempotency(
            required=False, source="none", replay="computed anew", inflight="none"
        )
        return {
            "name": self.name,
            "kind": self.kind,
            "method": self.method,
            "path": re.sub(r":\w+}", "}", self.path),
            "summary": self.summary,
            "classification": list(self.classification),
            "authz": {
                "permissions": sorted(self.permissions),
                "ownership": self.ownership,
                "scope": self.scope,
            },
            "idempotency": {
                "required": idempotency.required,
                "source": idempotency.source,
                "replay": idempotency.replay,
                "inflight": idempotency.inflight,
            },
            "success": list(self.success),
            "audit": {"event": self.audit_event},
            "redaction": list(self.redaction),
            "errors": [*(COMMON_ERRORS if self.authenticated else ()), *self.errors],
        }


_DOCUMENT_OWNERSHIP = "buyerId or sellerId of the document"
_DOCUMENT_SCOPE = "countries of the token"
_PARTIES = ("buyer", "seller", "ops", "platform")

RECEIVE_EVENTS = Operation(
    name="inbound.receive-events",
    kind="command",
    method="POST",
    path="/v1/inbound/events",
    summary="Takes CloudEvents from upstream, one or a batch",
    permissions=frozenset({"billing:inbound:write"}),
    success=(200, 202),
    classification=("irreversible",),
    idempotency=Idempotency(
        required=True,
        source="source and id of the event",
        replay="DUPLICATE, with what the first led to",
        inflight="waits for the first",
    ),
    audit_event="inbound.received",
    redaction=_PARTIES,
    errors=(
        "EVENT_CONFLICT",
        "SNAPSHOT_CONFLICT",
        "SNAPSHOT_INCONSISTENT",
        "CURRENCY_MISMATCH",
        "REFUND_EXCEEDS_PAID",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

LIST_DOCUMENTS = Operation(
    name="documents.list",
    kind="query",
    method="GET",
    path="/v1/documents",
    summary="The Document Center: documents by filter and search, newest first",
    permissions=DOCUMENT_READERS,
    ownership=_DOCUMENT_OWNERSHIP,
    scope=_DOCUMENT_SCOPE,
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
    scope=_DOCUMENT_SCOPE,
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
    scope=_DOCUMENT_SCOPE,
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
    scope=_DOCUMENT_SCOPE,
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
    scope=_DOCUMENT_SCOPE,
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
    scope=_DOCUMENT_SCOPE,
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

LIST_SERIES = Operation(
    name="number-series.list",
    kind="query",
    method="GET",
    path="/v1/number-series",
    summary="Number series, by id",
    permissions=SERIES_READERS,
    scope=_DOCUMENT_SCOPE,
    errors=("PROJECTION_BEHIND",),
    projections=("number-series",),
)

OPEN_SERIES = Operation(
    name="number-series.open",
    kind="command",
    method="POST",
    path="/v1/number-series",
    summary="Opens a series with a format of its own before its first number",
    permissions=frozenset({"billing:series:manage"}),
    success=(201, 200),
    scope=_DOCUMENT_SCOPE,
    classification=("irreversible",),
    idempotency=OPTIONAL_KEY,
    audit_event="number-series.opened",
    errors=("SERIES_EXISTS", "IDEMPOTENCY_KEY_REUSED"),
)

GET_SERIES = Operation(
    name="number-series.get",
    kind="query",
    method="GET",
    path="/v1/number-series/{seriesId:str}",
    summary="One number series",
    permissions=SERIES_READERS,
    scope=_DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("number-series",),
)

LIST_NUMBERS = Operation(
    name="number-series.list-numbers",
    kind="query",
    method="GET",
    path="/v1/number-series/{seriesId:str}/numbers",
    summary="Every number of a series with its holder, and the gaps, of which there are none",
    permissions=SERIES_READERS,
    scope=_DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("number-series", "documents"),
)

LIST_TASKS = Operation(
    name="tasks.list",
    kind="query",
    method="GET",
    path="/v1/tasks",
    summary="Open tasks: parked documents and refunds, with cause, next retry and what resumes them",
    permissions=AUDITORS,
    errors=("PROJECTION_BEHIND",),
    projections=("tasks",),
)

SEARCH_EVENTS = Operation(
    name="audit.search-events",
    kind="query",
    method="GET",
    path="/v1/audit/events",
    summary="The ledger in position order",
    permissions=AUDITORS,
    ownership="a token without narrowing claims",
    redaction=_PARTIES,
    errors=("PROJECTION_BEHIND",),
)

GET_STREAM = Operation(
    name="audit.get-stream",
    kind="query",
    method="GET",
    path="/v1/audit/streams/{streamType:str}/{streamId:path}",
    summary="A stream's whole history and the state it folds to, at a version or moment",
    permissions=AUDITORS,
    ownership="a token without narrowing claims",
    redaction=_PARTIES,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
)

LIST_OPERATIONS = Operation(
    name="operations.list",
    kind="query",
    method="GET",
    path="/v1/operations",
    summary="This catalog",
    permissions=ANY_CALLER,
)

ISSUE_NUMBERED_DOCUMENT = "documents.issue-numbered"
"""The worker's own operation: it finishes what a command began, and no route leads to it."""

OPERATIONS = (
    RECEIVE_EVENTS,
    LIST_DOCUMENTS,
    GET_DOCUMENT_BY_KEY,
    DOWNLOAD_DOCUMENT,
    GET_DOCUMENT,
    LIST_DOCUMENT_EVENTS,
    VERIFY_DOCUMENT,
    CREATE_DOWNLOAD_TOKEN,
    LIST_SERIES,
    OPEN_SERIES,
    GET_SERIES,
    LIST_NUMBERS,
    LIST_TASKS,
    SEARCH_EVENTS,
    GET_STREAM,
    LIST_OPERATIONS,
)
