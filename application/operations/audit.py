"""The ledger as auditors read it."""

from application.operations.operation import AUDITORS, PARTIES, Operation

SEARCH_EVENTS = Operation(
    name="audit.search-events",
    kind="query",
    method="GET",
    path="/v1/audit/events",
    summary="The ledger in position order",
    permissions=AUDITORS,
    ownership="a token without narrowing claims",
    redaction=PARTIES,
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
    redaction=PARTIES,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
)
