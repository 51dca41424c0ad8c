"""Erasing somebody in a real house: asking for it, letting the law's time pass, looking for what is left."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from projections.source_text import searchable
from projections.subject_streams import SUBJECT_STREAM_TABLE
from tests.support.house import PROJECT, House, eventually

_MANY_DAYS = 10_000


def billing(house: House, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What a command of the house's operator says."""
    return subprocess.run(
        [sys.executable, "-m", "interfaces.cli.main", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "BILLING_DATA_DIR": str(house.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def erase(house: House, subject: str) -> list[dict[str, Any]]:
    """Somebody asks for it; the subject's keys as they stand then."""
    asked = billing(house, "keys", "erase", subject, "--by", "dpo", "--reason", "request 1", "--json")
    assert asked.returncode == 0, asked.stderr
    keys: list[dict[str, Any]] = json.loads(asked.stdout)["keys"]
    return keys


def time_comes(house: House, subject: str) -> None:
    """Years in one statement: the worker looks at keys when the time comes that is written at them."""
    with house.database() as connection:
        connection.execute(
            "UPDATE ledger.subject_key SET erase_after = now()"
            " WHERE subject = %s AND wrapped_key IS NOT NULL AND erase_after IS NOT NULL",
            (subject,),
        )


def law_lets_go(house: House, subject: str) -> None:
    """Time comes, and the law wants nothing any more of what the keys sealed; returns when all are told."""
    move = f"""
        UPDATE readmodel.{SUBJECT_STREAM_TABLE.name} SET retain_until = retain_until + %s
        FROM ledger.subject_key WHERE subject = %s AND key_ids @> to_jsonb(key_id::text)
    """
    with house.database() as connection:
        connection.execute(move.encode(), (-_MANY_DAYS, subject))
    time_comes(house, subject)
    eventually(lambda: is_told(house, subject, "CONTACT", "FISCAL"))
    assert all(key["redactedAt"] for key in keys_of(house, subject))
    house.catch_up()
    with house.database() as connection:
        connection.execute(move.encode(), (_MANY_DAYS, subject))


def is_told(house: House, subject: str, *retention_classes: str) -> bool:
    """Whether every stream knows that the subject's keys of those classes are gone.

    The table is asked, for a command at each look would take longer than what is waited for.
    """
    statement = (
        "SELECT count(*) FROM ledger.subject_key"
        " WHERE subject = %s AND retention_class = ANY(%s) AND redacted_at IS NULL"
    )
    with house.database() as connection:
        return connection.execute(statement, (subject, list(retention_classes))).fetchone() == (0,)


def keys_of(house: House, subject: str) -> list[dict[str, Any]]:
    """The subject's keys as they stand."""
    shown = json.loads(billing(house, "keys", "subject", subject, "--json").stdout)
    keys: list[dict[str, Any]] = shown["keys"]
    return keys


def is_nowhere(house: House, *secrets: str) -> None:
    """Neither in any table, nor in any log line, nor in any file of the vault."""
    with house.database() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('ledger', 'readmodel')"
        ).fetchall()
        for (table,) in tables:
            dump = "\n".join(str(row) for row in connection.execute(f"SELECT t::text FROM {table} AS t"))
            for secret in secrets:
                assert not any(
                    spelled in dump for spelled in (secret, secret.casefold(), searchable(secret))
                ), table
                assert secret.encode().hex() not in dump, table
    files = [path for path in house.data_dir.rglob("*") if path.is_file() and "postgres" not in path.parts]
    for path in (*files, house.log_path):
        content = Path(path).read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, path
