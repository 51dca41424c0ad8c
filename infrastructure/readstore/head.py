"""Watches the ledger's head for all projections of a process.

A NOTIFY in the append would serialise all commits. So the server itself looks every few milliseconds and
answers when there is news: an idle ledger costs about a hundredth of a core, and this process nothing.
"""

import threading
import time
from typing import Any

import psycopg
import structlog
from psycopg import sql

from infrastructure.database import CONNECTION_OPTIONS

log = structlog.get_logger(__name__)

BUSY_LOOK_SECONDS = 0.001
IDLE_LOOK_SECONDS = 0.004
IDLE_AFTER_SECONDS = 2.0
QUESTION_SECONDS = 0.25
RECONNECT_SECONDS = 0.5

_LOOK_FOR_NEWS = sql.SQL("""
DO $$ BEGIN
    FOR _ IN 1..{times} LOOP
        EXIT WHEN (SELECT position FROM ledger.event_head) <> {known};
        PERFORM pg_sleep({pause});
    END LOOP;
END $$
""")


class HeadWatch:
    """Wakes those who wait for the head to pass a position. It runs while somebody has joined it."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._news = threading.Condition()
        self._position = 0
        self._members = 0
        self._thread: threading.Thread | None = None

    def join(self) -> None:
        """Says that the head is of interest; starts the watch for the first to say so."""
        with self._news:
            self._members += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="ledger-head", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """The reverse of `join`; the watch ends with its last member."""
        with self._news:
            self._members -= 1

    def wait_beyond(self, position: int, timeout_seconds: float) -> int:
        """Waits until the head is known to be beyond a position, or time is up; the head as it is known."""
        with self._news:
            self._news.wait_for(lambda: self._position > position, timeout_seconds)
            return self._position

    def _watch(self) -> None:
        while self._wanted():
            try:
                with psycopg.connect(self._database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
                    self._follow(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("head-connection-lost", error=type(error).__name__)
                time.sleep(RECONNECT_SECONDS)
            except Exception:
                # Such as a database that is not migrated yet: all would wait in vain if this thread ended.
                log.exception("head-watch-failed")
                time.sleep(RECONNECT_SECONDS)

    def _wanted(self) -> bool:
        with self._news:
            if self._members == 0:
                self._thread = None
            return self._members > 0

    def _follow(self, connection: psycopg.Connection[Any]) -> None:
        moved_at = time.monotonic()
        while self._wanted():
            is_idle = time.monotonic() - moved_at > IDLE_AFTER_SECONDS
            pause_seconds = IDLE_LOOK_SECONDS if is_idle else BUSY_LOOK_SECONDS
            question = _LOOK_FOR_NEWS.format(
                times=round(QUESTION_SECONDS / pause_seconds), known=self._position, pause=pause_seconds
            )
            with connection.pipeline():
                connection.execute(question)
                answer = connection.execute("SELECT position FROM ledger.event_head")
            (position,) = answer.fetchone() or (0,)
            if position != self._position:
                moved_at = time.monotonic()
                with self._news:
                    self._position = position
                    self._news.notify_all()
