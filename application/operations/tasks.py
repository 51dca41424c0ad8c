"""Open tasks and notifications: one's own, and all for auditors."""

from application.operations.operation import ANY_CALLER, Operation

_OWNERSHIP = "buyerId or sellerId of the token; all with docs.audit.read"

LIST_TASKS = Operation(
    name="tasks.list",
    kind="query",
    method="GET",
    path="/v1/tasks",
    summary="Open tasks: incomplete profiles, parked documents and refunds, deliveries; what resumes each",
    permissions=ANY_CALLER,
    ownership=_OWNERSHIP,
    errors=("PROJECTION_BEHIND",),
    projections=("tasks",),
)

LIST_NOTIFICATIONS = Operation(
    name="notifications.list",
    kind="query",
    method="GET",
    path="/v1/notifications",
    summary="In-app notifications of issued documents, newest first",
    permissions=ANY_CALLER,
    ownership=_OWNERSHIP,
    scope="countries of the token",
    errors=("PROJECTION_BEHIND",),
    projections=("notifications",),
)
