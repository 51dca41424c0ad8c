"""Open tasks (contract §6)."""

from litestar import Response

from application.caller import require_whole
from application.operations.tasks import LIST_TASKS
from domain.kernel.facts import Utc, Value
from interfaces.http.guards import AnyRequest, caller_of
from interfaces.http.reading import Cursor, Limit, MinPosition, page, position_cursor, read, shown
from interfaces.http.routes import route
from projections.tasks import select_open_tasks


class TaskAnswer(Value):
    """Something that waits: its cause, the next retry if there is one, and what resumes it.

    `ownerType` and `ownerId` are the party's whose task it is; `authorityCode` is what an authority said.
    """

    task_id: str
    type: str
    target_type: str
    target_id: str
    owner_type: str | None
    owner_id: str | None
    cause: str
    authority_code: str | None
    missing_fields: list[str]
    attempts: int
    next_retry_at: Utc | None
    resumed_by: str
    opened_at: Utc


class TaskPage(Value):
    """A page of tasks."""

    items: list[TaskAnswer]
    next_cursor: str | None


@route(LIST_TASKS)
async def list_tasks(
    request: AnyRequest, limit: Limit = 50, cursor: Cursor = None, min_position: MinPosition = None
) -> Response[TaskPage]:
    """The caller's own open tasks, all of them for auditors; oldest first."""
    caller = caller_of(request)
    owners = caller.owners()
    if owners is None:
        require_whole(caller)
    statement = select_open_tasks(owners, position_cursor(cursor) or 0, limit + 1)
    found = await read(request, LIST_TASKS, min_position, statement)
    items, next_cursor = page(
        found.results[0],
        limit,
        lambda row: TaskAnswer(**{name: row[name] for name in TaskAnswer.model_fields}),
        lambda row: row["position"],
    )
    return shown(TaskPage(items=items, next_cursor=next_cursor), found.position)


HANDLERS = (list_tasks,)
