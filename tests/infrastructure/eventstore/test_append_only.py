"""The ledger takes events at its end and nothing else, whoever asks: service, owner or superuser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

from tests.support.decisions import rule
from tests.support.ledger_fixtures import (
    LedgerUrls,
    a_command,
    assert_sound,
    downloading,
    head_of,
    one,
    running_committer,
)

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
NAMES = (
    "at_revision",
    "first_position",
    "recorded_at",
    "tenant_id",
    "stream_type",
    "stream_id",
    "version",
    "name",
    "schema_version",
    "transaction_id",
    "actor",
    "role",
    "on_behalf_of",
    "operation",
    "correlation_id",
    "causation_id",
    "state",
    "leaf_hash",
    "hash_version",
)
COLUMNS = NAMES[2:]
NULLABLE = {"on_behalf_of", "causation_id"}

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def urls(module_database_urls: LedgerUrls) -> LedgerUrls:
    """A ledger with events in it."""
    handler, stream = downloading("document-1", times=3)
    with running_committer(module_database_urls.service) as committer:
        committer.submit(a_command(handler, stream)).result()
    return module_database_urls


@pytest.fixture
def service(urls: LedgerUrls) -> Iterator[Connection]:
    with psycopg.connect(urls.service, autocommit=True) as connection:
        yield connection


@pytest.fixture(params=["superuser", "owner", "replication"])
def powerful(urls: LedgerUrls, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Logins that grants do not hold back."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        if request.param == "owner":
            connection.execute("SET ROLE billing_owner")
        if request.param == "replication":
            connection.execute("SET session_replication_role = replica")
        yield connection


WRITES = (
    "UPDATE {} SET recorded_at = now() - interval '1 day'",
    "UPDATE {} SET position = position + 0",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "INSERT INTO {} SELECT * FROM {}",
)


@rule("AUDIT-6")
@pytest.mark.parametrize("table", ["event", "event_head"])
@pytest.mark.parametrize("write", WRITES)
def test_the_service_may_not_write_past_append(service: Connection, write: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
        service.execute(sql.SQL(write).format(*[sql.Identifier("ledger", table)] * 2))


@rule("AUDIT-6")
@pytest.mark.parametrize("table", ["event", "event_head"])
@pytest.mark.parametrize("write", [write for write in WRITES if not write.startswith("INSERT")])
def test_not_even_the_owner_changes_or_removes_what_is_there(
    powerful: Connection, urls: LedgerUrls, write: str, table: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
        powerful.execute(sql.SQL(write).format(sql.Identifier("ledger", table)))
    assert len(assert_sound(urls.service)) == 3


@pytest.mark.parametrize("role", ["billing_owner", "postgres"])
def test_the_service_cannot_become_anybody_else(service: Connection, role: str) -> None:
    for statement in ("SET ROLE {}", "SET SESSION AUTHORIZATION {}"):
        with pytest.raises(errors.InsufficientPrivilege):
            service.execute(sql.SQL(statement).format(sql.Identifier(role)))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger.event DISABLE TRIGGER ALL",
        "DROP TABLE ledger.event",
        "CREATE TABLE ledger.another (x int)",
        "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET session_replication_role = replica",
        "SELECT * FROM ledger.alembic_version",
    ],
)
def test_the_service_cannot_loosen_the_ledger(service: Connection, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        service.execute(statement.encode())


def revision_of(urls: LedgerUrls) -> int:
    """How many transactions have changed the ledger."""
    with psycopg.connect(urls.service) as connection:
        return one(connection, "SELECT revision FROM ledger.event_head")


def an_append(urls: LedgerUrls, count: int = 2) -> dict[str, Any]:
    """Arguments of append() that it takes, for events in a stream of their own."""
    stream_id = str(uuid4())
    moments = [NOON + timedelta(days=9999)] * count
    columns = {
        "at_revision": revision_of(urls),
        "first_position": head_of(urls.service) + 1,
        "recorded_at": moments,
        "stream_id": [stream_id] * count,
        "version": list(range(1, count + 1)),
        "schema_version": [1] * count,
        "transaction_id": [uuid4()] * count,
        "state": [b"{}"] * count,
        "leaf_hash": [bytes(32)] * count,
        "hash_version": [1] * count,
    }
    return {name: columns.get(name, ["text"] * count) for name in NAMES}


def append(connection: Connection, arguments: dict[str, Any]) -> None:
    """Calls append() in a transaction that is undone."""
    with connection.transaction(force_rollback=True):
        append_now(connection, arguments)


def append_now(connection: Connection, arguments: dict[str, Any]) -> None:
    """Calls append()."""
    statement = sql.SQL("SELECT ledger.append({})")
    named = [sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in NAMES]
    connection.execute(statement.format(sql.SQL(", ").join(named)), arguments)


def test_append_takes_complete_events_behind_the_head(service: Connection, urls: LedgerUrls) -> None:
    append(service, an_append(urls))


@pytest.mark.parametrize("offset", [-1, 1, 1000])
def test_append_refuses_another_position_than_the_next(
    service: Connection, urls: LedgerUrls, offset: int
) -> None:
    arguments = an_append(urls)
    arguments["first_position"] += offset
    with pytest.raises(errors.SerializationFailure):
        append(service, arguments)


@pytest.mark.parametrize("offset", [-1, 1, 1000])
def test_append_refuses_another_revision_than_the_last(
    service: Connection, urls: LedgerUrls, offset: int
) -> None:
    arguments = an_append(urls)
    arguments["at_revision"] += offset
    for count in (0, 2):
        shorter = {name: arguments[name][:count] for name in COLUMNS}
        with pytest.raises(errors.SerializationFailure):
            append(service, arguments | shorter)


def test_every_append_and_every_announced_change_moves_the_revision_by_one(
    service: Connection, urls: LedgerUrls
) -> None:
    before = revision_of(urls)
    for count in (0, 2):
        with service.transaction(force_rollback=True):
            append_now(service, an_append(urls, count))
            assert one(service, "SELECT revision FROM ledger.event_head") == before + 1
    with service.transaction(force_rollback=True):
        service.execute("SELECT ledger.lock_head_to_change()")
        assert one(service, "SELECT revision FROM ledger.event_head") == before + 1


def test_append_refuses_times_that_fall(service: Connection, urls: LedgerUrls) -> None:
    late = NOON + timedelta(days=9999)
    for moments in ([late, late - timedelta(microseconds=1)], [late, late - timedelta(hours=1), late]):
        arguments = an_append(urls, len(moments)) | {"recorded_at": moments}
        with pytest.raises(errors.InvalidParameterValue, match="before its predecessor"):
            append(service, arguments)


def test_append_refuses_times_before_the_last_recorded_one(service: Connection, urls: LedgerUrls) -> None:
    arguments = an_append(urls) | {"recorded_at": [datetime(2001, 1, 1, tzinfo=UTC)] * 2}
    with pytest.raises(errors.SerializationFailure):
        append(service, arguments)


@pytest.mark.parametrize("name", [name for name in COLUMNS if name not in NULLABLE])
@pytest.mark.parametrize("place", [0, 1])
def test_append_refuses_events_with_a_column_missing(
    service: Connection, urls: LedgerUrls, name: str, place: int
) -> None:
    arguments = an_append(urls)
    arguments[name] = [*arguments[name]]
    arguments[name][place] = None
    with pytest.raises((errors.NotNullViolation, errors.SerializationFailure)):
        append(service, arguments)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("change", ["shorter", "longer", "empty", "absent"])
def test_append_refuses_columns_of_different_lengths(
    service: Connection, urls: LedgerUrls, name: str, change: str
) -> None:
    arguments = an_append(urls)
    column = arguments[name]
    changed = {"shorter": column[:1], "longer": [*column, column[-1]], "empty": [], "absent": None}
    with pytest.raises(errors.InvalidParameterValue, match="different lengths"):
        append(service, arguments | {name: changed[change]})


def test_append_refuses_a_version_that_the_stream_has(service: Connection, urls: LedgerUrls) -> None:
    arguments = an_append(urls) | {"stream_type": ["document-access"] * 2, "stream_id": ["document-1"] * 2}
    with pytest.raises(errors.UniqueViolation):
        append(service, arguments)


def test_append_refuses_hashes_of_another_length_and_versions_below_one(
    service: Connection, urls: LedgerUrls
) -> None:
    for wrong in ({"leaf_hash": [b"short"] * 2}, {"version": [0, 1]}):
        with pytest.raises(errors.CheckViolation):
            append(service, an_append(urls) | wrong)


def test_auditors_read_states_as_json(service: Connection) -> None:
    rows = service.execute(
        "SELECT state->>'documentId' FROM ledger.event_readable ORDER BY position"
    ).fetchall()
    assert rows == [("document-1",)] * 3
