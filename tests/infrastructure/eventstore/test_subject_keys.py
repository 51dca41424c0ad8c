"""Subjects' keys are made with the first event that they seal, are never used after their end, and rotate."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.handlers.inbound import CloudEvent, UpstreamFact, read_fact, receive_fact
from application.ledger import Command
from application.signing import KeyUnusable
from domain.documents.order_state import ORDER
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.subject_keys import SubjectKeyWrap, rewrap_keys
from infrastructure.keys.rings import SecretRing
from tests.support.desks import READING
from tests.support.ledger_fixtures import ANSWERS, AUDIT, LedgerUrls, assert_sound, ledger_rows, one
from tests.support.snapshots import order_data


@pytest.fixture
def masters(tmp_path: Path) -> SecretRing:
    folder = tmp_path / "subjects"
    folder.mkdir()
    ring = SecretRing(folder)
    ring.rotate()
    return ring


@pytest.fixture
def committer(database_urls: LedgerUrls, masters: SecretRing) -> Iterator[Committer]:
    committer = a_committer(database_urls, masters)
    yield committer
    committer.stop()


def a_committer(urls: LedgerUrls, masters: SecretRing) -> Committer:
    """A committer that is started."""
    wrap = SubjectKeyWrap(masters)
    committer = Committer(BatchCommitter(urls.service, REGISTRY, ANSWERS, wrap, SystemClock(), RandomIds()))
    committer.start()
    return committer


def an_order(order_id: str) -> UpstreamFact:
    """A paid order, as the door reads it."""
    event = {"specversion": "1.0", "id": order_id, "source": "urn:t", "type": "orders.PAID_IN_ESCROW"}
    return read_fact(CloudEvent.model_validate({**event, "data": order_data(order_id)}), READING)


def pay(committer: Committer, order_id: str, *, names_subjects: bool = True) -> None:
    """Takes an order in."""
    fact = an_order(order_id)
    subjects = fact.intake.subjects if names_subjects else frozenset()
    committer.submit(Command(AUDIT, receive_fact(fact), fact.streams, subjects=subjects)).result(timeout=30)


def keys_of(urls: LedgerUrls, subject: str = "party:buyer-17") -> list[tuple[Any, ...]]:
    """Class and whether it is live, of each key of a subject."""
    with psycopg.connect(urls.service) as connection:
        return connection.execute(
            "SELECT retention_class, wrapped_key IS NOT NULL FROM ledger.subject_key WHERE subject = %s"
            " ORDER BY created_at, retention_class",
            (subject,),
        ).fetchall()


def erase(urls: LedgerUrls, subject: str = "party:buyer-17") -> None:
    """Destroys the live keys of a subject, as another process would."""
    with psycopg.connect(urls.service, autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT ledger.lock_head_to_change()")
        connection.execute(
            "UPDATE ledger.subject_key SET wrapped_key = NULL, erased_at = now() WHERE subject = %s"
            " AND wrapped_key IS NOT NULL",
            (subject,),
        )


def buyers(urls: LedgerUrls, masters: SecretRing) -> list[str]:
    """The buyers' names, as whoever holds the master keys reads them now."""
    rows = [row for row in ledger_rows(urls.service) if row.topic == "order.paid-in-escrow"]
    reader = EventReader(LedgerMapper(REGISTRY), SubjectKeyWrap(masters))
    with psycopg.connect(urls.service, autocommit=True) as connection:
        facts: list[Any] = [event.fact for event in reader.read(connection, rows)]
    return [fact.order.order_party_snapshot.buyer.legal_name for fact in facts]


NAME = order_data()["orderPartySnapshot"]["buyer"]["legalName"]


def test_a_subject_gets_its_keys_with_its_first_event_and_keeps_them(
    committer: Committer, database_urls: LedgerUrls, masters: SecretRing
) -> None:
    assert keys_of(database_urls) == []
    pay(committer, "o-1")
    first = keys_of(database_urls)
    assert [live for _, live in first] == [True] * len(first) and first
    pay(committer, "o-2")
    assert keys_of(database_urls) == first
    assert buyers(database_urls, masters) == [NAME, NAME]


def test_a_command_that_did_not_name_its_subjects_takes_effect_all_the_same(
    committer: Committer, database_urls: LedgerUrls, masters: SecretRing
) -> None:
    pay(committer, "o-1", names_subjects=False)
    assert buyers(database_urls, masters) == [NAME]


def test_two_processes_never_make_two_keys_of_one_kind(
    database_urls: LedgerUrls, masters: SecretRing
) -> None:
    committers = [a_committer(database_urls, masters) for _ in range(2)]
    together = threading.Barrier(20)

    def work(number: int) -> None:
        together.wait()
        pay(committers[number % 2], f"o-{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for committer in committers:
        committer.stop()
    kinds = keys_of(database_urls)
    assert len(kinds) == len({kind for kind, _ in kinds})
    assert buyers(database_urls, masters) == [NAME] * 20
    assert_sound(database_urls.service)


def test_what_comes_after_an_erasure_is_sealed_under_another_key(
    committer: Committer, database_urls: LedgerUrls, masters: SecretRing
) -> None:
    pay(committer, "o-1")
    erase(database_urls)
    assert buyers(database_urls, masters) == ["[erased]"]
    pay(committer, "o-2")
    assert buyers(database_urls, masters) == ["[erased]", NAME]
    assert_sound(database_urls.service)


def test_a_destroyed_key_never_comes_back(committer: Committer, database_urls: LedgerUrls) -> None:
    pay(committer, "o-1")
    erase(database_urls)
    for url in (database_urls.service, database_urls.admin):
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in (
                "UPDATE ledger.subject_key SET wrapped_key = 'x', erased_at = NULL",
                "DELETE FROM ledger.subject_key",
                "TRUNCATE ledger.subject_key",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())


def test_rotation_wraps_every_live_key_anew_and_leaves_the_events_alone(
    committer: Committer, database_urls: LedgerUrls, masters: SecretRing
) -> None:
    pay(committer, "o-1")
    before = ledger_rows(database_urls.service)
    old, new = masters.current_id(), masters.rotate()
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        assert rewrap_keys(connection, SubjectKeyWrap(masters)) > 0
        assert rewrap_keys(connection, SubjectKeyWrap(masters)) == 0
        assert one(connection, "SELECT array_agg(DISTINCT master_key_id) FROM ledger.subject_key") == [new]
    assert old != new
    assert ledger_rows(database_urls.service) == before
    assert buyers(database_urls, masters) == [NAME]
    pay(committer, "o-2")
    assert buyers(database_urls, masters) == [NAME, NAME]


def test_without_the_master_key_nothing_is_read_and_nothing_recorded(
    committer: Committer, database_urls: LedgerUrls, masters: SecretRing, tmp_path: Path
) -> None:
    pay(committer, "o-1")
    for path in (tmp_path / "subjects").iterdir():
        path.unlink()
    with pytest.raises(KeyUnusable):
        buyers(database_urls, masters)
    fresh = a_committer(database_urls, masters)
    with pytest.raises(KeyUnusable):
        pay(fresh, "o-2")
    fresh.stop()
    streams = {row.stream for row in ledger_rows(database_urls.service) if row.stream.type == ORDER.name}
    assert streams == {ORDER.stream("o-1")}


def test_a_wrapped_key_opens_under_no_other_id(masters: SecretRing) -> None:
    wrap = SubjectKeyWrap(masters)
    master_id, wrapped = wrap.wrap(UUID(int=1), bytes(32))
    assert wrap.unwrap(UUID(int=1), master_id, wrapped) == bytes(32)
    with pytest.raises(KeyUnusable):
        wrap.unwrap(UUID(int=2), master_id, wrapped)
