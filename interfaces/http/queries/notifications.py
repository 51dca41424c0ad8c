"""In-app notifications (S3 §8.3, contract §6)."""

from typing import Any, Literal

from litestar import Response

from application.operations.tasks import LIST_NOTIFICATIONS
from domain.documents.notices import NOTICE_TYPES, words_of
from domain.kernel.facts import Utc, Value
from interfaces.http.guards import AnyRequest, caller_of
from interfaces.http.reading import Cursor, Limit, MinPosition, page, position_cursor, read, shown
from interfaces.http.routes import route
from projections.notifications import select_notifications


class NotificationAnswer(Value):
    """That a document is there, in the document's language; `type` says the same for programs."""

    notification_id: str
    type: str
    channel: Literal["IN_APP"]
    document_id: str
    doc_type: str
    number: str
    owner_type: str
    owner_id: str
    language: str
    title: str
    body: str
    created_at: Utc
    links: list[dict[str, str]]


class NotificationPage(Value):
    """A page of notifications."""

    items: list[NotificationAnswer]
    next_cursor: str | None


@route(LIST_NOTIFICATIONS)
async def list_notifications(
    request: AnyRequest, limit: Limit = 50, cursor: Cursor = None, min_position: MinPosition = None
) -> Response[NotificationPage]:
    """The caller's own notifications, all of them for auditors; newest first."""
    caller = caller_of(request)
    statement = select_notifications(caller.owners(), caller.countries, position_cursor(cursor), limit + 1)
    found = await read(request, LIST_NOTIFICATIONS, min_position, statement)
    items, next_cursor = page(found.results[0], limit, _answer, lambda row: row["position"])
    return shown(NotificationPage(items=items, next_cursor=next_cursor), found.position)


def _answer(row: dict[str, Any]) -> NotificationAnswer:
    words = words_of(row["doc_type"], row["number"], row["language"])
    names = ("notification_id", "document_id", "doc_type", "number", "owner_type", "owner_id", "language")
    link = {
        "rel": "document",
        "targetDomain": "billing-docs",
        "targetType": "document",
        "targetId": row["document_id"],
    }
    return NotificationAnswer(
        **{name: row[name] for name in names},
        type=NOTICE_TYPES[row["doc_type"]],
        channel="IN_APP",
        title=words.title,
        body=words.body,
        created_at=row["created_at"],
        links=[link],
    )


HANDLERS = (list_notifications,)
