"""Migrating works for every login that may, on any database, as often and as many at once as one likes."""

import contextlib
from collections.abc import Iterator
from urllib.parse import quote, urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infrastructure import migrations
from infrastructure.database import as_service
from infrastructure.migrations import MigrationRefused, migrate
from projections.registry import PROJECTIONS
from tests.support.ledger_fixtures import SERIES, a_command, assert_sound, assigning, running_committer
from tests.support.ledger_workers import go, next_line, worker
from tests.support.postgres_server import fresh_database, service_url_for, shared_test_server

READ_MODELS = {table.name for projection in PROJECTIONS for table in projection.tables} | {"tracking"}


def tables(url: str, schema: str) -> set[str]:
    """The tables of a schema, partitions left out; all belong to whom they should."""
    owner = {"ledger": "billing_owner", "readmodel": "billing_service"}[schema]
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname, relowner::regrole::text, relispartition FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
            (schema,),
        ).fetchall()
    assert {found for _, found, _ in rows} == {owner}
    return {name for name, _, is_partition in rows if not is_partition}


def assert_migrated(admin_url: str, service_url: str) -> None:
    """The tables are there and belong to whom they should, and the service can work with them."""
    expected = {"event", "event_head", "command", "outbox", "subscriber", "dead_letter", "alembic_version"}
    expected |= {"subject_key", "snapshot"}
    assert tables(admin_url, "ledger") == expected
    assert tables(admin_url, "readmodel") == READ_MODELS
    with running_committer(service_url) as committer:
        committer.submit(a_command(assigning("somebody"), SERIES)).result()
    assert_sound(service_url)


@pytest.fixture
def admin() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(shared_test_server(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def dropped(admin: psycopg.Connection[tuple[object, ...]]) -> Iterator[contextlib.ExitStack]:
    """Databases and roles to be dropped in the end."""
    with contextlib.ExitStack() as stack:
        yield stack


def empty_database(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack, name: str | None = None
) -> str:
    """The admin URL of an empty database, which is dropped in the end."""
    if name is None:
        url = fresh_database(shared_test_server())
        name = urlsplit(url).path.removeprefix("/")
    else:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlsplit(shared_test_server())._replace(path="/" + quote(name, safe="")).geturl()
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    dropped.callback(admin.execute, drop)
    return url


def test_migrating_twice_changes_nothing(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack
) -> None:
    url = empty_database(admin, dropped)
    migrate(url)
    assert_migrated(url, service_url_for(url))
    migrate(url)
    assert len(assert_sound(url)) == 2


@pytest.mark.slow
def test_four_processes_may_migrate_two_databases_of_one_server_at_once(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack
) -> None:
    urls = [empty_database(admin, dropped) for _ in range(2)]
    with contextlib.ExitStack() as running:
        workers = [running.enter_context(worker("migrate_at_once", url)) for url in urls * 4]
        for process in workers:
            go(process)
        assert [next_line(process) for process in workers] == ["done"] * 8
    for url in urls:
        assert_migrated(url, service_url_for(url))


@pytest.mark.parametrize("name", ['Odd "name" %41/é;--', "select", "UPPER lower", "a'b\\c"])
def test_a_database_may_have_any_name(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack, name: str
) -> None:
    url = empty_database(admin, dropped, f"{name} {uuid4().hex[:8]}")
    migrate(url)
    assert_migrated(url, as_service(url))


def a_login(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack, url: str, attributes: str
) -> tuple[str, sql.Identifier]:
    """A login that is no superuser, on that database."""
    role = f"login_{uuid4().hex[:8]}"
    password = uuid4().hex
    name = sql.Identifier(role)
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}")
    admin.execute(statement.format(name, sql.Literal(password), sql.SQL(attributes)))
    dropped.callback(admin.execute, sql.SQL("DROP OWNED BY {} CASCADE; DROP ROLE {}").format(name, name))

    def disown() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("REASSIGN OWNED BY {} TO postgres; DROP OWNED BY {}").format(name, name)
            )

    dropped.callback(disown)
    return make_conninfo(url, user=role, password=password), name


def test_a_login_that_may_create_roles_and_schemas_is_enough(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack
) -> None:
    url = empty_database(admin, dropped, f"by login {uuid4().hex[:8]}")
    login, name = a_login(admin, dropped, url, "CREATEROLE")
    database = sql.Identifier(psycopg.conninfo.conninfo_to_dict(url)["dbname"])  # type: ignore[arg-type]
    admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, name))
    # As where this login had created them itself: a member, with the right to make members.
    for role in ("billing_owner", "billing_service"):
        options = (
            "ADMIN TRUE, INHERIT FALSE, SET FALSE" if admin.info.server_version >= 160_000 else "ADMIN OPTION"
        )
        statement = sql.SQL("GRANT {} TO {} WITH {}")
        admin.execute(statement.format(sql.Identifier(role), name, sql.SQL(options)))
    migrate(login)
    migrate(login)
    assert_migrated(url, as_service(login))


def test_a_login_that_may_not_is_told_what_to_do(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack
) -> None:
    url = empty_database(admin, dropped)
    login, _ = a_login(admin, dropped, url, "")
    with pytest.raises(MigrationRefused, match="billing migrate"):
        migrate(login)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)


def test_an_old_server_is_refused_before_anything_is_changed(
    admin: psycopg.Connection[tuple[object, ...]],
    dropped: contextlib.ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = empty_database(admin, dropped)
    monkeypatch.setattr(migrations, "MINIMUM_VERSION", admin.info.server_version + 1)
    with pytest.raises(MigrationRefused, match="PostgreSQL 15 or newer"):
        migrate(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)


def test_the_service_can_do_its_work_and_no_more(
    admin: psycopg.Connection[tuple[object, ...]], dropped: contextlib.ExitStack
) -> None:
    url = empty_database(admin, dropped)
    migrate(url)
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name, privilege_type FROM information_schema.table_privileges"
            " WHERE grantee IN ('billing_service', 'PUBLIC') AND table_schema = 'ledger'"
        ).fetchall()
        functions = connection.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
            " AND has_function_privilege('billing_service', oid, 'EXECUTE')"
        ).fetchall()
    assert set(rows) == {
        ("event", "SELECT"),
        ("event_head", "SELECT"),
        ("event_readable", "SELECT"),
        *(
            (table, right)
            for table in ("command", "subscriber", "dead_letter", "snapshot")
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        ),
        ("subject_key", "SELECT"),
        ("subject_key", "INSERT"),
        ("outbox", "SELECT"),
        ("outbox", "INSERT"),
    }
    assert set(functions) == {
        ("lock_head",),
        ("lock_head_to_change",),
        ("append",),
        ("create_command_partitions",),
        ("drop_expired_commands",),
    }
