"""The leaf hash covers every stored column, and its bytes are fixed for good."""

import hashlib
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from infrastructure.eventstore.rows import (
    COLUMNS,
    HASH_VERSION,
    EventRow,
    columns_from_row,
    leaf_hash_of,
    row_from_columns,
)
from tests.support.ledger_fixtures import LedgerUrls, a_command, assert_sound, downloading, running_committer

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "ledger" / "leaf_hash.json"

VALUES: dict[str, Any] = {
    "position": 17,
    "tenant_id": "default",
    "stream_type": "order",
    "stream_id": "GB:o-1",
    "version": 3,
    "name": "order.paid-in-escrow",
    "schema_version": 1,
    "transaction_id": UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    "actor": "ana",
    "role": "SYSTEM",
    "on_behalf_of": "user-9",
    "operation": "inbound.receive",
    "correlation_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "causation_id": "evt-1",
    "recorded_at": datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC),
    "state": '{"name":"Ζωή"}'.encode(),
    "leaf_hash": bytes(32),
    "hash_version": HASH_VERSION,
}

CHANGES: dict[str, tuple[Any, ...]] = {
    "position": (18, 1),
    "tenant_id": ("Default", "default ", ""),
    "stream_type": ("orde", "claim"),
    "stream_id": ("GB:o-2", "o-1"),
    "version": (4,),
    "name": ("order.refunded",),
    "schema_version": (2,),
    "transaction_id": (UUID(int=1),),
    "actor": ("bob", ""),
    "role": ("SUPPORT",),
    "on_behalf_of": ("user-8", None, ""),
    "operation": ("inbound.receiv",),
    "correlation_id": ("",),
    "causation_id": ("evt-2", None, ""),
    "recorded_at": (VALUES["recorded_at"] + timedelta(microseconds=1),),
    "state": (b"{}", b""),
    "hash_version": (2,),
}


def row(**changes: Any) -> EventRow:
    """An event row with these columns changed."""
    return row_from_columns(tuple({**VALUES, **changes}[column] for column in COLUMNS))


def test_a_row_is_read_into_its_columns_and_back() -> None:
    assert columns_from_row(row()) == tuple(VALUES[column] for column in COLUMNS)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "leaf_hash"])
def test_changing_any_column_changes_the_hash(column: str) -> None:
    hashes = [leaf_hash_of(row()), *(leaf_hash_of(row(**{column: value})) for value in CHANGES[column])]
    assert len(set(hashes)) == len(hashes) > 1


def test_the_hash_covers_every_column_but_itself() -> None:
    assert set(CHANGES) == set(COLUMNS) - {"leaf_hash"}
    assert leaf_hash_of(row(leaf_hash=b"\xff" * 32)) == leaf_hash_of(row())


def test_moving_text_from_one_column_to_the_next_changes_the_hash() -> None:
    moved = row(actor="anaSYS", role="TEM")
    assert leaf_hash_of(moved) != leaf_hash_of(row())
    absent = row(on_behalf_of=None, causation_id=None)
    assert (
        len({leaf_hash_of(absent), leaf_hash_of(row(on_behalf_of="")), leaf_hash_of(row(causation_id=""))})
        == 3
    )


def test_the_same_moment_in_another_zone_hashes_the_same() -> None:
    elsewhere = VALUES["recorded_at"].astimezone(timezone(timedelta(hours=-6)))
    assert leaf_hash_of(row(recorded_at=elsewhere)) == leaf_hash_of(row())


def test_the_hash_is_the_one_written_down() -> None:
    """Rows were hashed so when they were recorded: a change here would disown the whole ledger."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert leaf_hash_of(row()).hex() == golden["full"]
    assert leaf_hash_of(row(on_behalf_of=None, causation_id=None)).hex() == golden["withoutOptional"]


def test_the_hash_can_be_recomputed_from_its_description_alone() -> None:
    texts = [
        str(VALUES[column]).encode() if not isinstance(VALUES[column], bytes) else VALUES[column]
        for column in COLUMNS
        if column != "leaf_hash"
    ]
    texts[COLUMNS.index("recorded_at")] = b"2026-03-14T09:26:53.589793Z"
    leaf = b"\x00" + b"".join(struct.pack(">I", len(text)) + text for text in texts)
    assert leaf_hash_of(row()) == hashlib.sha256(leaf).digest()


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "position"])
def test_altering_any_stored_column_is_found(column: str, module_database_urls: LedgerUrls) -> None:
    altered = {
        **dict.fromkeys(("version", "schema_version", "hash_version"), f"{column} + 1000"),
        "transaction_id": "gen_random_uuid()",
        "recorded_at": "recorded_at + interval '1 microsecond'",
        "state": "state || ' '::bytea",
        "leaf_hash": "sha256(leaf_hash)",
    }.get(column, f"coalesce({column}, '') || 'x'")
    handler, stream = downloading("document-1")
    with running_committer(module_database_urls.service) as committer:
        committer.submit(a_command(handler, stream)).result()
    assert_sound(module_database_urls.service)
    with psycopg.connect(module_database_urls.admin) as connection:
        connection.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        statement = f"UPDATE ledger.event SET {column} = {altered} WHERE position = 1"
        stored = connection.execute(f"{statement} RETURNING {', '.join(COLUMNS)}".encode()).fetchone()
        assert stored is not None
        assert leaf_hash_of(row_from_columns(stored)) != bytes(stored[COLUMNS.index("leaf_hash")])
        connection.rollback()


def test_rows_keep_their_hash_when_read_in_another_time_zone(database_urls: LedgerUrls) -> None:
    handler, stream = downloading("document-1")
    with running_committer(database_urls.service) as committer:
        committer.submit(a_command(handler, stream)).result()
    elsewhere = psycopg.conninfo.make_conninfo(database_urls.service, options="-c timezone=Asia/Kathmandu")
    (found,) = assert_sound(elsewhere)
    assert replace(found, recorded_at=found.recorded_at.astimezone(UTC)) == found
