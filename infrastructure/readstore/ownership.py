"""Who does a thing that only one process may do: a session's advisory lock in PostgreSQL."""

import time
import zlib
from typing import Any

import psycopg

from infrastructure.database import CONNECTION_OPTIONS

CHECK_SECONDS = 0.4

LEASE = {"idle_session_timeout": "1200", "idle_in_transaction_session_timeout": "2000"}
"""How long an owner may ask the server nothing before it loses what it owns, in milliseconds.

Within a transaction it is longer, for folding a batch of events is computation.
"""

TRANSACTION_LEASE = {"transaction_timeout": "4000"}
"""From PostgreSQL 17 on, how long a transaction may last: after a pipeline a stopped one is not idle to the
server, which has been told that more is to come."""


def try_to_lock(connection: psycopg.Connection[Any], name: str) -> bool:
    """Takes the lock of that name for as long as the session lasts; False where another session has it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock_number(name),)).fetchone()
    return row == (True,)


def lock_number(name: str) -> int:
    """By which PostgreSQL knows the lock of that name."""
    return zlib.crc32(name.encode())


def lock_of_projection(name: str, version: int) -> str:
    """The name of the lock that the owner of a projection's version has."""
    return f"projection:{name}" if version == 1 else f"projection:{name}:{version}"


def lock_of_rebuild(name: str, version: int) -> str:
    """The name of the lock that who rebuilds a projection's version has."""
    return f"rebuild:{name}:{version}"


def try_to_own(connection: psycopg.Connection[Any], name: str) -> bool:
    """Takes the lock of that name on a lease; False where another session has it.

    From then on the server ends the session, and so frees the lock, when nothing is asked over it for
    as long as `LEASE` says: a stopped process keeps nothing that a stand-by could do. An owner that is only
    slow may go on for a moment beside its successor, so what is owned must be safe to be done by two.
    """
    if not try_to_lock(connection, name):
        return False
    lease = LEASE | (TRANSACTION_LEASE if connection.info.server_version >= 170_000 else {})
    for setting, milliseconds in lease.items():
        connection.execute("SELECT set_config(%s, %s, false)", (setting, milliseconds))
    return True


class Ownership:
    """Holds a lock over a connection of its own; when the connection dies, the lock is free."""

    def __init__(self, database_url: str, name: str) -> None:
        self._database_url = database_url
        self._name = name
        self._connection: psycopg.Connection[Any] | None = None
        self._owned = False
        self._checked_at = 0.0

    @property
    def held_lately(self) -> bool:
        """Whether the server confirmed it within the last 0.4 seconds."""
        return self._owned and time.monotonic() - self._checked_at < CHECK_SECONDS

    def held(self) -> bool:
        """Whether this process has the lock, taking it if it is free; asks the server every 0.4 seconds.

        Raises `psycopg.OperationalError` where the server cannot be reached: then it is not held.
        """
        if self.held_lately:
            return True
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._database_url, autocommit=True, **CONNECTION_OPTIONS)
            if self._owned:
                self._connection.execute("SELECT 1")
            else:
                self._owned = try_to_own(self._connection, self._name)
        except psycopg.OperationalError:
            self.release()
            raise
        self._checked_at = time.monotonic()
        return self._owned

    def release(self) -> None:
        """Gives the lock back."""
        self._owned = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
