"""The catalog itself."""

from application.operations.operation import ANY_CALLER, Operation

LIST_OPERATIONS = Operation(
    name="operations.list",
    kind="query",
    method="GET",
    path="/v1/operations",
    summary="This catalog",
    permissions=ANY_CALLER,
)
