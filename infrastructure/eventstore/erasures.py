"""The key store's erasures on PostgreSQL, under the head lock: whatever is decided later knows of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from application.erasure import SubjectKeyState
from application.vault import SubjectSecret
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.eventstore.subject_keys import SELECT_KEYS_BY_ID, SubjectKeyWrap

_COLUMNS: LiteralString = (
    "key_id, subject, retention_class, created_at, erase_after, erased_at, redacted_at, requested_by, reason"
)

_DESTROY: LiteralString = """
UPDATE ledger.subject_key SET wrapped_key = NULL, erased_at = %s, requested_by = %s, reason = %s
WHERE key_id = %s AND wrapped_key IS NOT NULL
"""
_DEFER: LiteralString = """
UPDATE ledger.subject_key SET erase_after = greatest(erase_after, %s), requested_by = %s, reason = %s
WHERE key_id = %s AND wrapped_key IS NOT NULL
"""


class PostgresSubjectSecrets:
    """`application.ports.SubjectSecrets` on PostgreSQL."""

    def __init__(self, pool: Pool, wrap: SubjectKeyWrap) -> None:
        self._pool = pool
        self._wrap = wrap

    async def by_id(self, key_ids: Collection[UUID]) -> dict[UUID, SubjectSecret | None]:
        """The keys of these ids as they are now; None for destroyed ones. Raises `KeyUnusable`."""
        if not key_ids:
            return {}
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(SELECT_KEYS_BY_ID, (list(key_ids),))
            return {
                key_id: None
                if wrapped is None
                else SubjectSecret(key_id, self._wrap.unwrap(key_id, master_key_id, bytes(wrapped)))
                for key_id, master_key_id, wrapped in await cursor.fetchall()
            }


class PostgresSubjectKeys:
    """`application.erasure.SubjectKeys` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_subject(self, subject: str) -> list[SubjectKeyState]:
        """Every key that the subject ever had, oldest first."""
        return await self._select("WHERE subject = %s ORDER BY created_at, key_id", subject)

    async def to_redact(self, limit: int) -> list[SubjectKeyState]:
        """Destroyed keys of which the streams have not all been told yet, the oldest first."""
        condition: LiteralString = "WHERE erased_at IS NOT NULL AND redacted_at IS NULL"
        return await self._select(condition + " ORDER BY erased_at LIMIT %s", limit)

    async def due(self, at: datetime, limit: int) -> list[SubjectKeyState]:
        """Keys whose time to be destroyed has come, the first first."""
        condition: LiteralString = "WHERE wrapped_key IS NOT NULL AND erase_after <= %s"
        return await self._select(condition + " ORDER BY erase_after LIMIT %s", at, limit)

    async def destroy(self, key_id: UUID, at: datetime, requested_by: str, reason: str) -> None:
        """Destroys a key for good; a destroyed one stays as it is."""
        await self._change(_DESTROY, at, requested_by, reason, key_id)

    async def defer(self, key_id: UUID, until: datetime, requested_by: str, reason: str) -> None:
        """Lets a key be destroyed at that time (UTC), never sooner, and nothing new be sealed under it."""
        await self._change(_DEFER, until, requested_by, reason, key_id)

    async def mark_redacted(self, key_id: UUID, at: datetime) -> None:
        """Every stream has been told."""
        async with reading_connection(self._pool) as connection:
            await connection.execute(
                "UPDATE ledger.subject_key SET redacted_at = %s WHERE key_id = %s", (at, key_id)
            )

    async def _select(self, condition: LiteralString, *parameters: Any) -> list[SubjectKeyState]:
        statement = f"SELECT {_COLUMNS} FROM ledger.subject_key " + condition  # noqa: S608 - own names only
        async with reading_connection(self._pool) as connection:
            cursor = connection.cursor(row_factory=class_row(SubjectKeyState))
            await cursor.execute(statement, parameters)
            return await cursor.fetchall()

    async def _change(self, statement: LiteralString, *parameters: Any) -> None:
        async with reading_connection(self._pool) as connection, connection.transaction():
            await connection.execute("SELECT ledger.lock_head_to_change()")
            await connection.execute(statement, parameters)
