"""The whole ledger folds anew, and what does not is told by its position."""

import psycopg
import pytest

from domain.streams import REGISTRY
from infrastructure.eventstore import replaying
from infrastructure.eventstore.replaying import LedgerReplay, replay_ledger
from tests.support.ledger_fixtures import LedgerUrls, a_command, downloading, head_of, running_committer
from tests.support.projected import READER, give_numbers


def replayed(urls: LedgerUrls, head: int | None = None) -> LedgerReplay:
    """What folding it anew tells."""
    with psycopg.connect(urls.service, autocommit=True) as connection:
        return replay_ledger(connection, REGISTRY, READER, head_of(urls.service) if head is None else head)


def a_ledger(urls: LedgerUrls) -> None:
    """A series of ten numbers and a document that was taken three times: 14 events in two streams."""
    give_numbers(urls.service, 10)
    handler, stream = downloading("document-1", times=3)
    with running_committer(urls.service) as committer:
        committer.submit(a_command(handler, stream)).result()


def alter(urls: LedgerUrls, position: int, state: bytes) -> None:
    """Changes what an event holds, as only the database's owner could."""
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        admin.execute("UPDATE ledger.event SET state = %s WHERE position = %s", (state, position))


@pytest.mark.parametrize("batch_events", [1, 3, 1_000])
def test_every_stream_is_folded_once(
    database_urls: LedgerUrls, monkeypatch: pytest.MonkeyPatch, batch_events: int
) -> None:
    monkeypatch.setattr(replaying, "BATCH_EVENTS", batch_events)
    a_ledger(database_urls)
    assert replayed(database_urls) == LedgerReplay(events=14, streams=2, problems=[])


def test_only_what_is_at_or_below_the_position_counts(database_urls: LedgerUrls) -> None:
    a_ledger(database_urls)
    assert replayed(database_urls, 5) == LedgerReplay(events=5, streams=1, problems=[])


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_folded(database_urls: LedgerUrls) -> None:
    a_ledger(database_urls)
    alter(database_urls, 4, b'{"number":1}')
    alter(database_urls, 13, b"{")
    assert replayed(database_urls) == LedgerReplay(
        events=14,
        streams=2,
        problems=["position 13: MapperDeserialisationError", "position 4: MapperDeserialisationError"],
    )


def test_a_history_without_its_beginning_does_not_fold(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 2)
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        admin.execute("DELETE FROM ledger.event WHERE position = 1")
    assert replayed(database_urls).problems == ["position 2: AssertionError", "position 3: AssertionError"]
