"""Number series and their numbers."""

from application.operations.operation import DOCUMENT_SCOPE, OPTIONAL_KEY, Operation

SERIES_READERS = frozenset({"docs.audit.read", "billing:series:manage"})

LIST_SERIES = Operation(
    name="number-series.list",
    kind="query",
    method="GET",
    path="/v1/number-series",
    summary="Number series, by id",
    permissions=SERIES_READERS,
    scope=DOCUMENT_SCOPE,
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
    success="The series is open with that format (201), or was before (200); its numbers begin at one",
    statuses=(201, 200),
    scope=DOCUMENT_SCOPE,
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
    scope=DOCUMENT_SCOPE,
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
    scope=DOCUMENT_SCOPE,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("number-series", "documents", "invoices"),
)
