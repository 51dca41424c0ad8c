"""Open tasks."""

from application.operations.operation import AUDITORS, Operation

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
