"""What the simulated authority remembers, in an SQLite file: stamps, requests and faults."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infrastructure.stamping.simulated_faults import FAULTS, Fault

_TABLES = """
CREATE TABLE IF NOT EXISTS stamp (
    document_id TEXT PRIMARY KEY, content_sha256 TEXT NOT NULL, uuid TEXT NOT NULL UNIQUE,
    stamped_at TEXT NOT NULL, qr TEXT NOT NULL, file BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS request (document_id TEXT PRIMARY KEY, requests INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS faults (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), faults TEXT NOT NULL);
"""


@dataclass(frozen=True)
class KeptStamp:
    """A stamp as it was given; `stamped_at` is RFC 3339, `content_sha256` hex."""

    document_id: str
    content_sha256: str
    uuid: str
    stamped_at: str
    qr: str
    file: bytes


class AuthorityBook:
    """Survives the end of its process at any moment: what was answered is on the disk before."""

    def __init__(self, path: Path) -> None:
        """Makes the file where there is none."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def stamp_of(self, document_id: str) -> KeptStamp | None:
        """The document's stamp, if it has one."""
        with self._lock:
            return self._stamp_of(document_id)

    def keep(self, document_id: str, make: Callable[[], KeptStamp]) -> KeptStamp | None:
        """Makes and keeps the document's stamp; None where it has one already."""
        with self._lock:
            if self._stamp_of(document_id) is not None:
                return None
            stamp = make()
            self._connection.execute(
                "INSERT INTO stamp VALUES (?, ?, ?, ?, ?, ?)",
                (
                    stamp.document_id,
                    stamp.content_sha256,
                    stamp.uuid,
                    stamp.stamped_at,
                    stamp.qr,
                    stamp.file,
                ),
            )
            return stamp

    def count_request(self, document_id: str) -> int:
        """Counts a request to stamp the document; which one it is, from 1."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO request VALUES (?, 1)"
                " ON CONFLICT (document_id) DO UPDATE SET requests = requests + 1 RETURNING requests",
                (document_id,),
            )
            return int(cursor.fetchone()[0])

    def counts(self) -> tuple[int, int]:
        """How many stamps were given, and how many requests to stamp came."""
        with self._lock:
            (stamps,) = self._connection.execute("SELECT count(*) FROM stamp").fetchone()
            (requests,) = self._connection.execute("SELECT total(requests) FROM request").fetchone()
        return int(stamps), int(requests)

    def faults(self) -> tuple[Fault, ...]:
        """What goes wrong now, besides what always does for some tax ids."""
        with self._lock:
            row = self._connection.execute("SELECT faults FROM faults").fetchone()
        return () if row is None else FAULTS.validate_json(row[0], by_alias=True)

    def set_faults(self, faults: tuple[Fault, ...]) -> None:
        """Puts these in the place of those that there were."""
        told = FAULTS.dump_json(faults, by_alias=True).decode()
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO faults VALUES (1, ?)", (told,))

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    def _stamp_of(self, document_id: str) -> KeptStamp | None:
        found = self._connection.execute("SELECT * FROM stamp WHERE document_id = ?", (document_id,))
        row = found.fetchone()
        return None if row is None else KeptStamp(*row)
