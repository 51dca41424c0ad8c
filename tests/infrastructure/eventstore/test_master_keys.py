"""An old master key goes for good once nothing live hangs on it, and not before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.ledger import Command
from application.signing import KeyUnusable
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.master_keys import retire_master_key
from infrastructure.eventstore.subject_keys import SubjectKeyWrap, rewrap_keys
from infrastructure.keys.rings import NotRetired, SecretRing
from tests.support.desks import READING
from tests.support.ledger_fixtures import ANSWERS, AUDIT, LedgerUrls, eventually, one
from tests.support.snapshots import order_data
from tests.support.subject_keys import store_key

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def masters(tmp_path: Path) -> SecretRing:
    (tmp_path / "subjects").mkdir()
    ring = SecretRing(tmp_path / "subjects")
    ring.rotate()
    return ring


@pytest.fixture
def connection(database_urls: LedgerUrls) -> Iterator[Connection]:
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        yield connection


@pytest.fixture
def committer(database_urls: LedgerUrls, masters: SecretRing) -> Iterator[Committer]:
    wrap = SubjectKeyWrap(masters)
    committer = Committer(
        BatchCommitter(database_urls.service, REGISTRY, ANSWERS, wrap, SystemClock(), RandomIds())
    )
    committer.start()
    yield committer
    committer.stop()


def pay(committer: Committer, order_id: str) -> None:
    """Takes an order in; who is new gets keys."""
    event = {"specversion": "1.0", "id": order_id, "source": "urn:t", "type": "orders.PAID_IN_ESCROW"}
    fact = read_fact(CloudEvent.model_validate({**event, "data": order_data(order_id)}), READING)
    command = Command(AUDIT, receive_fact(fact), fact.streams, subjects=fact.intake.subjects)
    committer.submit(command).result(timeout=30)


def test_an_old_master_key_goes_when_nothing_hangs_on_it(
    committer: Committer, connection: Connection, masters: SecretRing
) -> None:
    pay(committer, "o-1")
    old, new = masters.current_id(), masters.rotate()
    with pytest.raises(NotRetired, match="live keys are wrapped by"):
        retire_master_key(connection, masters, old)
    assert masters.key_ids() == tuple(sorted((old, new)))
    rewrap_keys(connection, SubjectKeyWrap(masters))
    retire_master_key(connection, masters, old)
    assert masters.key_ids() == (new,)
    with pytest.raises(KeyUnusable, match="missing"):
        masters.by_id(old)
    masters.check()
    pay(committer, "o-2")
    with pytest.raises(NotRetired, match=f"There is no key {old}"):
        retire_master_key(connection, masters, old)


def test_an_erased_key_keeps_no_master_key(
    committer: Committer, connection: Connection, masters: SecretRing
) -> None:
    pay(committer, "o-1")
    old = masters.current_id()
    masters.rotate()
    connection.execute("UPDATE ledger.subject_key SET wrapped_key = NULL, erased_at = now()")
    retire_master_key(connection, masters, old)
    assert one(connection, "SELECT count(*) FROM ledger.subject_key WHERE master_key_id = %s", old) > 0


@pytest.mark.parametrize("key_id", ["", "current", "../vault/0123456789abcdef", "0123456789abcdef"])
def test_only_a_key_of_the_ring_is_removed(
    connection: Connection, masters: SecretRing, tmp_path: Path, key_id: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotRetired, match="There is no key"):
        retire_master_key(connection, masters, key_id)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_current_master_key_stays(connection: Connection, masters: SecretRing) -> None:
    with pytest.raises(NotRetired, match="is the current key"):
        retire_master_key(connection, masters, masters.current_id())
    masters.check()


def test_a_damaged_old_key_can_be_removed(
    connection: Connection, masters: SecretRing, tmp_path: Path
) -> None:
    old = masters.current_id()
    masters.rotate()
    (tmp_path / "subjects" / f"{old}.key").write_bytes(b"damaged")
    with pytest.raises(KeyUnusable):
        masters.check()
    retire_master_key(connection, masters, old)
    masters.check()


def test_what_was_decided_ahead_under_the_old_master_key_is_refused(
    connection: Connection, masters: SecretRing
) -> None:
    """Its new keys were wrapped when the old one was current, and are stored when it is gone."""
    old = masters.current_id()
    ahead = connection.execute("SELECT revision, position FROM ledger.event_head").fetchone()
    assert ahead is not None
    masters.rotate()
    retire_master_key(connection, masters, old)
    nothing = ", ".join(["'{}'"] * 17)
    with pytest.raises(psycopg.errors.SerializationFailure):
        connection.execute(f"SELECT ledger.append(%s, %s + 1, {nothing})".encode(), ahead)


def test_a_key_that_is_just_being_stored_is_waited_for(
    database_urls: LedgerUrls, connection: Connection, masters: SecretRing
) -> None:
    old = masters.current_id()
    masters.rotate()
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(database_urls.service) as storing:
            storing.execute("SELECT ledger.lock_head()")
            retiring = pool.submit(retire_master_key, connection, masters, old)
            store_key(storing, old)
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
            pid = connection.info.backend_pid
            eventually(lambda: one(storing, waiting, pid))
            assert not retiring.done()
        with pytest.raises(NotRetired, match="1 live keys"):
            retiring.result(timeout=30)
    assert old in masters.key_ids()
