"""Keys expire by the clock and go by the week, while commands go on; nothing is lost on the way there."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from alembic import command as alembic
from alembic.config import Config
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import NullPool, create_engine, text

from application.ledger import Answer, IdempotencyClaim
from domain.streams import REGISTRY
from infrastructure import migrations
from infrastructure.embedded_postgres.binaries import program_environment, programs_for
from infrastructure.eventstore.command_log import AHEAD, keep_command_log
from infrastructure.eventstore.deciding import KEY_LIFETIME
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.migrations import migrate
from infrastructure.readstore.ownership import try_to_lock
from tests.support.clocks import SetClock
from tests.support.ledger_fixtures import (
    ANSWERS,
    SERIES,
    LedgerUrls,
    a_claim,
    a_command,
    assert_sound,
    assigning,
    holders,
    one,
    running_committer,
)
from tests.support.postgres_server import fresh_database, service_url_for, shared_test_server
from tests.support.subject_keys import a_wrap

WEEK = timedelta(days=7)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime.now(UTC).replace(microsecond=0))


def weeks(url: str) -> list[datetime]:
    """The Mondays of the weeks that have a partition."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^command_[0-9]{8}$' ORDER BY relname"
        ).fetchall()
    return [datetime.strptime(name, "command_%Y%m%d").replace(tzinfo=UTC) for (name,) in names]


def keys_in(url: str, table: str = "command") -> int:
    """How many keys are stored there."""
    with psycopg.connect(url) as connection:
        return int(one(connection, f"SELECT count(*) FROM ledger.{table}"))


def assign_under(urls: LedgerUrls, clock: SetClock, claim: IdempotencyClaim, holder: str) -> bool:
    """Sends a command under a key; whether the answer was a stored one."""
    with running_committer(urls.service, clock=clock) as committer:
        command = a_command(assigning(holder), SERIES, claim=claim)
        return committer.submit(command).result().replayed


def test_the_coming_weeks_are_there_from_the_beginning_and_are_made_in_time(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    for _ in range(4):
        found = weeks(database_urls.admin)
        assert found[0] <= clock.now() < found[0] + WEEK
        assert found[-1] <= clock.now() + AHEAD < found[-1] + WEEK
        assert {later - earlier for earlier, later in pairwise(found)} == {WEEK}
        clock.move(10 * 24 * 3600)
        keep_command_log(database_urls.service, clock.now())


def test_a_key_is_free_the_moment_it_expires_though_its_row_is_still_there(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    claim = a_claim()
    assert not assign_under(database_urls, clock, claim, "first")
    clock.move(KEY_LIFETIME.total_seconds() - 0.001)
    assert assign_under(database_urls, clock, claim, "too early")
    clock.move(0.001)
    assert not assign_under(database_urls, clock, claim, "second")
    assert assign_under(database_urls, clock, claim, "too late")
    assert keys_in(database_urls.admin) == 2
    assert holders(assert_sound(database_urls.service)) == ["first", "second"]


async def test_the_answer_stored_under_an_expired_key_is_not_given(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    claim = a_claim()
    assign_under(database_urls, clock, claim, "first")
    database: Pool = AsyncConnectionPool(database_urls.service, open=False, kwargs={"autocommit": True})
    reader = EventReader(LedgerMapper(REGISTRY), a_wrap())
    with running_committer(database_urls.service, clock=clock) as committer:
        async with database:
            ledger = PostgresLedger(database, committer, reader, ANSWERS, clock)
            assert await ledger.stored(claim) is not None
            clock.move(KEY_LIFETIME.total_seconds())
            assert await ledger.stored(claim) is None


def test_expired_weeks_are_dropped_and_keys_of_money_stay(database_urls: LedgerUrls, clock: SetClock) -> None:
    money, other = a_claim(never_expires=True), a_claim()
    for claim in (money, other):
        assign_under(database_urls, clock, claim, claim.key_hash.hex())
    clock.move(KEY_LIFETIME.total_seconds())
    keep_command_log(database_urls.service, clock.now())
    assert keys_in(database_urls.admin) == 2, "the week is not over yet"
    clock.move(WEEK.total_seconds())
    assert keep_command_log(database_urls.service, clock.now()) != []
    assert keys_in(database_urls.admin) == keys_in(database_urls.admin, "command_never") == 1
    assert keep_command_log(database_urls.service, clock.now()) == []
    clock.move(timedelta(days=3000).total_seconds())
    keep_command_log(database_urls.service, clock.now())
    assert assign_under(database_urls, clock, money, "again")


def test_without_a_worker_for_months_keys_are_still_stored_and_still_expire(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    clock.move(timedelta(days=200).total_seconds())
    claim = a_claim()
    assert not assign_under(database_urls, clock, claim, "first")
    assert keys_in(database_urls.admin, "command_other") == 1
    for _ in range(2):
        keep_command_log(database_urls.service, clock.now())
        assert assign_under(database_urls, clock, claim, "again")
    clock.move((KEY_LIFETIME + WEEK).total_seconds())
    keep_command_log(database_urls.service, clock.now())
    assert keys_in(database_urls.admin) == 0
    assert not assign_under(database_urls, clock, claim, "second")
    assert keys_in(database_urls.admin, "command_other") == 0


@pytest.mark.slow
def test_commands_go_on_while_weeks_come_and_go(database_urls: LedgerUrls) -> None:
    done, kept = threading.Event(), 0

    def keep() -> None:
        nonlocal kept
        far = datetime.now(UTC)
        while not done.is_set():
            far += WEEK
            # Whoever is told that a lock is not to be had comes again.
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                kept += len(keep_command_log(database_urls.service, far))

    with running_committer(database_urls.service) as committer:
        keeper = threading.Thread(target=keep)
        keeper.start()
        try:
            for number in range(100):
                for never_expires in (True, False):
                    claim = a_claim(never_expires=never_expires)
                    for replayed in (False, True) if never_expires else (False,):
                        command = a_command(assigning(f"{number}/{never_expires}"), SERIES, claim=claim)
                        assert committer.submit(command).result(timeout=5).replayed == replayed
        finally:
            done.set()
            keeper.join()
    assert kept > 3
    assert len(holders(assert_sound(database_urls.service))) == 200


def test_a_reader_in_the_way_makes_it_fail_at_once_and_no_command_waits(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    clock.move(timedelta(days=60).total_seconds())
    with psycopg.connect(database_urls.service) as reader:
        reader.execute("SELECT count(*) FROM ledger.command")
        started = datetime.now(UTC)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            keep_command_log(database_urls.service, clock.now())
        assert datetime.now(UTC) - started < timedelta(seconds=0.9)
        assert not assign_under(database_urls, clock, a_claim(), "somebody")
    assert keep_command_log(database_urls.service, clock.now())


def test_while_one_process_keeps_the_log_another_leaves_it_alone(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    clock.move(timedelta(days=60).total_seconds())
    with psycopg.connect(database_urls.service) as first:
        assert try_to_lock(first, "command-log")
        assert keep_command_log(database_urls.service, clock.now()) == []
    assert keep_command_log(database_urls.service, clock.now()) != []


def test_the_service_may_not_make_or_drop_tables_by_itself(database_urls: LedgerUrls) -> None:
    (first, *_) = weeks(database_urls.admin)
    for statement in (
        f"DROP TABLE ledger.command_{first:%Y%m%d}",
        "DROP TABLE ledger.command",
        "TRUNCATE ledger.command_never",
        "CREATE TABLE ledger.mine (n integer)",
        "ALTER TABLE ledger.command DETACH PARTITION ledger.command_never",
    ):
        with (
            psycopg.connect(database_urls.service, autocommit=True) as service,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            service.execute(statement.encode())


@contextlib.contextmanager
def restored_copy(urls: LedgerUrls, name: str) -> Iterator[LedgerUrls]:
    """The database dumped and restored under another name, as the operators' guide does it."""
    programs, environment = programs_for(None), program_environment()
    copy = LedgerUrls(
        *(psycopg.conninfo.make_conninfo(url, dbname=name) for url in (urls.admin, urls.service))
    )
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        try:
            dump = subprocess.run(
                [programs / "pg_dump", f"--dbname={urls.admin}", "--format=custom"],
                env=environment,
                check=True,
                capture_output=True,
            )
            subprocess.run(
                [programs / "pg_restore", f"--dbname={copy.admin}", "--exit-on-error"],
                env=environment,
                input=dump.stdout,
                check=True,
            )
            yield copy
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_restored_ledger_knows_its_keys_and_keeps_its_weeks(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    claims = [a_claim(never_expires=True), a_claim()]
    for claim in claims:
        assign_under(database_urls, clock, claim, claim.key_hash.hex())
    name = f"copy_{claims[0].key_hash.hex()[:16]}"
    with restored_copy(database_urls, name) as copy:
        assert weeks(copy.admin) == weeks(database_urls.admin)
        assert [assign_under(copy, clock, claim, "again") for claim in claims] == [True, True]
        clock.move((KEY_LIFETIME + WEEK).total_seconds())
        assert keep_command_log(copy.service, clock.now())
        assert [assign_under(copy, clock, claim, "again") for claim in claims] == [True, False]


@pytest.fixture
def before_partitions() -> Iterator[LedgerUrls]:
    """A database as the first revision left it."""
    server = shared_test_server()
    admin = fresh_database(server)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(admin), poolclass=NullPool
    )
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA ledger AUTHORIZATION billing_owner")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE billing_owner"))
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
    yield LedgerUrls(admin, service_url_for(admin))
    with psycopg.connect(server, autocommit=True) as connection:
        name = str(psycopg.conninfo.conninfo_to_dict(admin)["dbname"])
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_an_upgrade_carries_every_key_over(before_partitions: LedgerUrls, clock: SetClock) -> None:
    expiries = {
        "money": "9999-01-01T00:00:00Z",
        "forever": "infinity",
        "fresh": clock.now() + KEY_LIFETIME,
        "old": clock.now() + timedelta(seconds=90),
        "expired": clock.now() - timedelta(days=90),
        "odd": clock.now() + timedelta(days=900),
    }
    claims = {name: a_claim() for name in expiries}
    with psycopg.connect(before_partitions.service) as connection:
        for name, claim in claims.items():
            answer = ANSWERS.seal(Answer(201, {"name": name}), claim.key_hash)
            connection.execute(
                "INSERT INTO ledger.command VALUES (%s, %s, %s, 0, now(), %s)",
                (claim.key_hash, claim.request_hash, answer, expiries[name]),
            )
    migrate(before_partitions.admin)
    assert keys_in(before_partitions.admin) == 6
    assert keys_in(before_partitions.admin, "command_never") == 2
    assert keys_in(before_partitions.admin, "command_other") == 2
    with running_committer(before_partitions.service, clock=clock) as committer:
        told = {
            name: committer.submit(a_command(lambda _: Answer(200, {}), claim=claim)).result()
            for name, claim in claims.items()
        }
    assert {name: committed.answer.body for name, committed in told.items()} == {
        name: {} if name == "expired" else {"name": name} for name in expiries
    }
    keep_command_log(before_partitions.service, clock.now())
    assert keys_in(before_partitions.admin) == 6, "the expired one is gone, and stored anew"
