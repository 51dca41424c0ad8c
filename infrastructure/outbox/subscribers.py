"""Who is told: webhooks as operators add, change and remove them, and their dead letters."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from application.ports import Clock, Ids
from infrastructure.outbox.target import Secret, TargetSeal, WebhookTarget, new_secret, shown_address

WEBHOOK = "webhook"

# From the head on: whatever is committed later stands behind it.
_ADD = """
INSERT INTO ledger.subscriber (subscriber_id, kind, address, sealed, types, created_at, position)
SELECT %s, %s, %s, %s, %s, %s, coalesce(%s, position) FROM ledger.event_head
"""

_LIST = """
SELECT subscriber_id, address, types, enabled, disabled_reason, created_at, position, attempts, failed_since,
    next_attempt_at, last_failure,
    (SELECT count(*) FROM ledger.outbox AS o
        WHERE o.position > s.position AND (s.types = '{}' OR o.type = ANY(s.types))) AS pending,
    (SELECT count(*) FROM ledger.dead_letter AS d WHERE d.subscriber_id = s.subscriber_id) AS dead_letters
FROM ledger.subscriber AS s ORDER BY created_at, subscriber_id
"""

_DEAD_LETTERS = """
SELECT dead_letter_id, subscriber_id, event_id, type, position, attempts, last_failure, failed_since,
    given_up_at, retry_requested
FROM ledger.dead_letter JOIN ledger.outbox USING (position)
WHERE coalesce(subscriber_id = %(only)s, true) ORDER BY position, dead_letter_id
"""

_ENABLE = """
UPDATE ledger.subscriber
SET enabled = true, disabled_reason = NULL, attempts = 0, failed_since = NULL, next_attempt_at = NULL
WHERE subscriber_id = %s
"""


class NoSuchSubscriber(Exception):
    """There is no webhook, or no dead letter, of that id."""


@dataclass(frozen=True)
class Webhook:
    """A webhook as it may be shown. `pending` facts stand behind its position; times are UTC."""

    subscriber_id: UUID
    address: str
    types: list[str]
    enabled: bool
    disabled_reason: str | None
    created_at: datetime
    position: int
    attempts: int
    failed_since: datetime | None
    next_attempt_at: datetime | None
    last_failure: str | None
    pending: int
    dead_letters: int


@dataclass(frozen=True)
class GivenUp:
    """A dead letter as it may be shown."""

    dead_letter_id: UUID
    subscriber_id: UUID
    event_id: UUID
    type: str
    position: int
    attempts: int
    last_failure: str
    failed_since: datetime
    given_up_at: datetime
    retry_requested: bool


class Webhooks:
    """The list of webhooks, over one connection in autocommit mode."""

    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], seal: TargetSeal, clock: Clock, ids: Ids
    ) -> None:
        self._connection = connection
        self._seal = seal
        self._clock = clock
        self._ids = ids

    def add(self, url: str, types: Collection[str] = (), after: int | None = None) -> tuple[UUID, str]:
        """A new webhook: its id and its secret, which is never told again.

        It gets facts of these types (all where none is named) that stand behind position `after`; only
        those to come where that is None. Raises `AddressRefused`.
        """
        address = shown_address(url)
        subscriber_id, secret = self._ids.new(), new_secret()
        sealed = self._seal.seal(WebhookTarget(url=url, secrets=(Secret(text=secret),)), subscriber_id)
        self._connection.execute(
            _ADD, (subscriber_id, WEBHOOK, address, sealed, sorted(types), self._clock.now(), after)
        )
        return subscriber_id, secret

    def all(self) -> list[Webhook]:
        """Every webhook, the oldest first."""
        with self._connection.cursor(row_factory=class_row(Webhook)) as cursor:
            return cursor.execute(_LIST).fetchall()

    def remove(self, subscriber_id: UUID) -> None:
        """Forgets a webhook and its dead letters. Raises `NoSuchSubscriber`."""
        self._change("DELETE FROM ledger.subscriber WHERE subscriber_id = %s", subscriber_id)

    def disable(self, subscriber_id: UUID) -> None:
        """Nothing is sent until it is enabled again. Raises `NoSuchSubscriber`."""
        self._change(
            "UPDATE ledger.subscriber SET enabled = false, disabled_reason = 'operator'"
            " WHERE subscriber_id = %s",
            subscriber_id,
        )

    def enable(self, subscriber_id: UUID) -> None:
        """It goes on, at once, where it stopped. Raises `NoSuchSubscriber`."""
        self._change(_ENABLE, subscriber_id)

    def rotate_secret(self, subscriber_id: UUID) -> str:
        """A new secret, which is never told again; the one before signs along for a day.

        Raises `NoSuchSubscriber`, `KeyUnusable`.
        """
        secret = new_secret()
        with self._connection.transaction():
            row = self._connection.execute(
                "SELECT sealed FROM ledger.subscriber WHERE subscriber_id = %s FOR UPDATE", (subscriber_id,)
            ).fetchone()
            if row is None:
                raise NoSuchSubscriber
            target = self._seal.open(bytes(row[0]), subscriber_id).rotated(secret, self._clock.now())
            self._connection.execute(
                "UPDATE ledger.subscriber SET sealed = %s WHERE subscriber_id = %s",
                (self._seal.seal(target, subscriber_id), subscriber_id),
            )
        return secret

    def dead_letters(self, subscriber_id: UUID | None = None) -> list[GivenUp]:
        """The dead letters of a webhook, or of all, in ledger order."""
        with self._connection.cursor(row_factory=class_row(GivenUp)) as cursor:
            return cursor.execute(_DEAD_LETTERS, {"only": subscriber_id}).fetchall()

    def retry(self, dead_letter_id: UUID) -> None:
        """Has a dead letter sent once more. Raises `NoSuchSubscriber`."""
        self._change(
            "UPDATE ledger.dead_letter SET retry_requested = true WHERE dead_letter_id = %s", dead_letter_id
        )

    def retry_all(self) -> int:
        """Has every dead letter sent once more; how many there are."""
        return self._connection.execute("UPDATE ledger.dead_letter SET retry_requested = true").rowcount

    def _change(self, statement: str, identity: UUID) -> None:
        if self._connection.execute(statement.encode(), (identity,)).rowcount == 0:
            raise NoSuchSubscriber
