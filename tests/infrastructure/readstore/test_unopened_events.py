"""The index of subjects' data is folded from events as they are stored: it needs no key and asks for none."""

from pathlib import Path

import psycopg
import pytest

from application.signing import KeyUnusable
from domain.documents.order_facts import OrderPaid
from domain.streams import REGISTRY
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.subject_keys import SubjectKeyWrap
from infrastructure.keys.rings import SecretRing
from infrastructure.readstore.runner import catch_up_once
from projections.documents import DOCUMENTS
from projections.projection import Projection
from projections.subject_streams import SUBJECT_STREAMS
from tests.support.ledger_fixtures import LedgerUrls, head_of, ledger_rows
from tests.support.projected import READER, fresh_rows, live_rows, pay_orders, tracking


@pytest.fixture
def urls(database_urls: LedgerUrls) -> LedgerUrls:
    """A ledger with two paid orders."""
    pay_orders(database_urls.service, ["o-1", "o-2"])
    return database_urls


@pytest.fixture
def keyless(tmp_path: Path) -> EventReader:
    """A reader whose key store has lost its master keys."""
    return EventReader(LedgerMapper(REGISTRY), SubjectKeyWrap(SecretRing(tmp_path)))


def catch_up_with(reader: EventReader, urls: LedgerUrls, projection: Projection) -> None:
    """Folds all that there is."""
    with psycopg.connect(urls.service, autocommit=True) as connection:
        while catch_up_once(connection, projection, reader):
            pass


def test_without_keys_the_index_is_what_it_is_with_them(urls: LedgerUrls, keyless: EventReader) -> None:
    catch_up_with(keyless, urls, SUBJECT_STREAMS)
    assert tracking(urls.admin, SUBJECT_STREAMS) == head_of(urls.service)
    rows = live_rows(urls.admin, SUBJECT_STREAMS)
    assert rows == fresh_rows(urls.service, SUBJECT_STREAMS)
    assert [row["stream_id"] for row in rows["subject_stream_v4"]] == ["o-1", "o-2"]


def test_without_keys_what_needs_a_fact_stands_still(urls: LedgerUrls, keyless: EventReader) -> None:
    """It would take data that nobody can open now for data that nobody can open any more."""
    with pytest.raises(KeyUnusable):
        catch_up_with(keyless, urls, DOCUMENTS)
    assert not tracking(urls.admin, DOCUMENTS)
    assert not any(live_rows(urls.admin, DOCUMENTS).values())


def test_an_unopened_event_tells_all_but_its_fact(urls: LedgerUrls, keyless: EventReader) -> None:
    rows = ledger_rows(urls.service)
    with psycopg.connect(urls.service, autocommit=True) as connection:
        opened = READER.read(connection, rows)
    unopened = keyless.unopened(rows)
    told = [name for name in opened[0]._fields if name != "fact"]
    assert [[getattr(event, name) for name in told] for event in unopened] == [
        [getattr(event, name) for name in told] for event in opened
    ]
    (paid, *_) = [event for event in unopened if event.name == "order.paid-in-escrow"]
    for ask in (lambda: isinstance(paid.fact, OrderPaid), lambda: paid.data):
        with pytest.raises(LookupError, match=r"order\.paid-in-escrow was not opened"):
            ask()
