"""The recorder does what the eventsourcing library asks of an application recorder, fast where it counts."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
)

from infrastructure.eventstore.basis import TAILS
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.recorder import LedgerRecorder
from tests.support.ledger_fixtures import (
    SERIES,
    LedgerUrls,
    a_command,
    assigning,
    downloading,
    one,
    running_committer,
)


@pytest.fixture
def committer(database_urls: LedgerUrls) -> Iterator[Committer]:
    with running_committer(database_urls.service) as committer:
        yield committer


@pytest.fixture
def recorder(database_urls: LedgerUrls) -> Iterator[LedgerRecorder]:
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        yield LedgerRecorder(connection)


def fill(committer: Committer) -> None:
    """Positions 1–6: document-1 thrice, document-2 twice, the opening of a series; 7: its first number."""
    for document_id, times in (("document-1", 2), ("document-2", 2), ("document-1", 1)):
        handler, stream = downloading(document_id, times)
        committer.submit(a_command(handler, stream)).result()
    committer.submit(a_command(assigning("holder"), SERIES)).result()


def test_it_is_an_application_recorder(recorder: LedgerRecorder) -> None:
    assert isinstance(recorder, ApplicationRecorder)


def test_an_empty_ledger_has_no_last_position(recorder: LedgerRecorder) -> None:
    assert recorder.max_notification_id() is None
    assert recorder.select_notifications(None, 10) == []
    assert recorder.select_events("document-access:document-1") == []


def test_a_streams_events_are_selected_as_the_library_asks(
    recorder: LedgerRecorder, committer: Committer
) -> None:
    fill(committer)
    name = "document-access:document-1"
    events = recorder.select_events(name)
    assert [(event.originator_id, event.originator_version) for event in events] == [
        (name, 1),
        (name, 2),
        (name, 3),
    ]
    for options, versions in (
        ({"gt": 1}, [2, 3]),
        ({"lte": 2}, [1, 2]),
        ({"gt": 1, "lte": 2}, [2]),
        ({"desc": True}, [3, 2, 1]),
        ({"desc": True, "limit": 1}, [3]),
        ({"desc": True, "lte": 2, "limit": 1}, [2]),
        ({"limit": 2}, [1, 2]),
        ({"gt": 3}, []),
        ({"lte": 0}, []),
    ):
        assert [e.originator_version for e in recorder.select_events(name, **options)] == versions


def test_notifications_are_selected_as_the_library_asks(
    recorder: LedgerRecorder, committer: Committer
) -> None:
    fill(committer)
    assert recorder.max_notification_id() == 7
    numbers = ["number-series.opened", "number-series.number-assigned"]
    for positions, found in (
        ([1, 2, 3, 4, 5, 6, 7], recorder.select_notifications(None, 10)),
        ([1, 2, 3], recorder.select_notifications(1, 3)),
        ([4, 5], recorder.select_notifications(3, 2, inclusive_of_start=False)),
        ([3, 4], recorder.select_notifications(3, 10, stop=4)),
        ([6, 7], recorder.select_notifications(1, 10, topics=numbers)),
        ([6], recorder.select_notifications(1, 1, topics=numbers)),
        ([7], recorder.select_notifications(6, 10, topics=numbers, inclusive_of_start=False)),
        ([], recorder.select_notifications(8, 10)),
        ([], recorder.select_notifications(1, 10, topics=["order.paid-in-escrow"])),
    ):
        assert [notification.id for notification in found] == positions
        assert all(isinstance(notification, Notification) for notification in found)


def test_a_subscription_yields_what_is_there_and_what_comes_and_ends_when_stopped(
    database_urls: LedgerUrls, recorder: LedgerRecorder, committer: Committer
) -> None:
    fill(committer)
    seen: list[int] = []
    reached = {7: threading.Event(), 9: threading.Event()}

    def follow() -> None:
        for notification in subscription:
            seen.append(notification.id)
            if notification.id in reached:
                reached[notification.id].set()

    with recorder.subscribe(gt=2) as subscription:
        thread = threading.Thread(target=follow)
        thread.start()
        assert reached[7].wait(30)
        handler, stream = downloading("document-3", 2)
        committer.submit(a_command(handler, stream)).result()
        assert reached[9].wait(30)
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert seen == [3, 4, 5, 6, 7, 8, 9]


def test_a_subscription_yields_only_the_topics_asked_for(
    recorder: LedgerRecorder, committer: Committer
) -> None:
    fill(committer)
    with recorder.subscribe(topics=["number-series.number-assigned"]) as subscription:
        assert next(subscription).id == 7


def test_events_that_are_not_complete_rows_are_refused(recorder: LedgerRecorder) -> None:
    with pytest.raises(ProgrammingError):
        recorder.insert_events([StoredEvent("order:o-1", 1, "order.paid-in-escrow", b"{}")])


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
def test_the_tail_of_a_long_stream_is_read_by_index_without_its_history(
    database_urls: LedgerUrls, plan: str
) -> None:
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute(
            "INSERT INTO ledger.event SELECT i, 't', 'number-series', 'long', i, 'n', 1, gen_random_uuid(),"
            " 'a', 'r', null, 'o', 'c', null, now(), repeat('x', 200)::bytea, sha256('x'), 1"
            " FROM generate_series(1, 100000) AS i"
        )
        admin.execute("ANALYZE ledger.event")
    raw = psycopg.RawCursor
    with psycopg.connect(database_urls.service, autocommit=True, cursor_factory=raw) as connection:
        connection.execute(f"SET plan_cache_mode = {plan}".encode())
        connection.prepare_threshold = 0
        for streams in (["long"], ["long", *(f"short-{number}" for number in range(255))]):
            types, versions = ["number-series"] * len(streams), [99_998] * len(streams)
            explained = one(connection, "EXPLAIN (ANALYZE, FORMAT JSON) " + TAILS, types, streams, versions)[
                0
            ]["Plan"]
            scan = explained["Plans"][1]["Plans"][0]
            assert explained["Node Type"] == "Nested Loop"
            assert (scan["Node Type"], scan["Index Name"]) == ("Index Scan", "event_stream_version")
            assert scan.get("Rows Removed by Filter", 0) == 0
            assert explained["Actual Rows"] == 2
