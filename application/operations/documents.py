"""The Document Center."""

from application.operations.operation import ANY_CALLER, DOCUMENT_SCOPE, REQUIRED_KEY, Idempotency, Operation
from application.roles import DOCUMENT_READERS

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
    success="A token is made for one of the document's files; nothing is recorded before it is used",
    statuses=(201,),
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
    success="The download is recorded and the sealed bytes handed out",
    ownership="the caller that the token was made for",
    audit_event="document-access.downloaded",
    redaction=("token", "ip", "device"),
    errors=("NOT_FOUND", "DOWNLOAD_TOKEN_INVALID", "VAULT_UNAVAILABLE"),
    authenticated=False,
)

_BY_KEY = Idempotency(
    required=True, source="document_key", replay="the document of that key", inflight="waits for the first"
)
_BY_VERSION = Idempotency(
    required=True, source="id and version", replay="the same result", inflight="waits for the first"
)
_CORRECTORS = frozenset({"docs.void_or_replace"})
_CORRECTION_ERRORS = (
    "NOT_FOUND",
    "DRIVER_FORBIDS",
    "DOCUMENT_NOT_CORRECTABLE",
    "SECOND_APPROVER_REQUIRED",
    "ELEVATION_INVALID",
    "IDEMPOTENCY_KEY_REUSED",
)

ISSUE_DOCUMENT = Operation(
    name="documents.issue",
    kind="command",
    method="POST",
    path="/v1/documents/issue",
    summary="Issues a document of an order or an invoice on demand, or tries a parked one again",
    permissions=frozenset({"docs.issue"}),
    success="The document is drafted and numbered (201), or there is one (200); it counts once ISSUED",
    statuses=(201, 200),
    scope=DOCUMENT_SCOPE,
    classification=("irreversible",),
    idempotency=_BY_KEY,
    audit_event="document.drafted",
    errors=(
        "CARD_DATA_REFUSED",
        "NOT_FOUND",
        "POLICY_FORBIDS",
        "PROFILE_INCOMPLETE",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)

VOID_DOCUMENT = Operation(
    name="documents.void",
    kind="command",
    method="POST",
    path="/v1/documents/{documentId:str}/void",
    summary="Voids a document, as its country's driver allows, with a second person's approval",
    permissions=_CORRECTORS,
    success="The document is VOIDED, with reason and approver; its number stays taken",
    scope=DOCUMENT_SCOPE,
    classification=("irreversible",),
    idempotency=_BY_VERSION,
    audit_event="document.voided",
    redaction=("elevationToken",),
    errors=(*_CORRECTION_ERRORS, "INVOICE_NOT_VOIDABLE"),
)

REPLACE_DOCUMENT = Operation(
    name="documents.replace",
    kind="command",
    method="POST",
    path="/v1/documents/{documentId:str}/replace",
    summary="Issues a document anew, from the same snapshot and with today's profiles and template",
    permissions=_CORRECTORS,
    success="The document in its place is drafted and numbered (201), or there is one (200); the old one is"
    " REPLACED",
    statuses=(201, 200),
    scope=DOCUMENT_SCOPE,
    classification=("irreversible",),
    idempotency=_BY_VERSION,
    audit_event="document.replaced",
    redaction=("elevationToken",),
    errors=(*_CORRECTION_ERRORS, "PROFILE_INCOMPLETE"),
)

CREDIT_DOCUMENT = Operation(
    name="documents.credit-note",
    kind="command",
    method="POST",
    path="/v1/documents/{documentId:str}/credit-note",
    summary="Takes a fiscal invoice back whole by a credit note",
    permissions=_CORRECTORS,
    success="The credit note is drafted and numbered (201), or there is one (200); it counts once ISSUED",
    statuses=(201, 200),
    scope=DOCUMENT_SCOPE,
    classification=("irreversible",),
    idempotency=_BY_VERSION,
    audit_event="document.drafted",
    redaction=("elevationToken",),
    errors=(*_CORRECTION_ERRORS, "POLICY_FORBIDS", "CREDIT_EXCEEDS_INVOICE", "INVOICE_NOT_CREDITABLE"),
)
RESEND_DOCUMENT = Operation(
    name="documents.resend",
    kind="command",
    method="POST",
    path="/v1/documents/{documentId:str}/resend",
    summary="Sends an issued document's reader a link by e-mail again, or a notification",
    permissions=frozenset({"docs.resend"}),
    success="The e-mail is recorded as due and the worker sends it (202), or the notification is there (200)",
    statuses=(202, 200),
    ownership="what a docs.read permission reaches; without one, what the token's claims leave",
    scope=DOCUMENT_SCOPE,
    classification=("external_effect",),
    idempotency=REQUIRED_KEY,
    audit_event="document-access.resent",
    errors=(
        "NOT_FOUND",
        "DOCUMENT_NOT_ISSUED",
        "RECIPIENT_MISSING",
        "RESEND_LIMIT",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)
