"""A long stream loads from a snapshot and what came after it; without one nothing but time is lost."""

from typing import Any

import psycopg
import pytest

from domain.numbering.series import NUMBER_SERIES
from domain.streams import REGISTRY
from infrastructure.eventstore.basis import TAIL_EVENTS, read_histories
from infrastructure.eventstore.connections import connect_to_read
from infrastructure.eventstore.snapshots import SnapshotMapper
from infrastructure.eventstore.snapshotting import Snapshotter
from tests.support.ledger_fixtures import (
    SERIES,
    LedgerUrls,
    a_command,
    assert_sound,
    assigning,
    downloading,
    holders,
    one,
    running_committer,
)
from tests.support.projected import READER, give_numbers

NUMBERS = 600
TAG = SnapshotMapper(REGISTRY).tag("number-series")


def keep(urls: LedgerUrls, after: int = 0) -> int:
    """Lets the worker look once; the position up to which it did."""
    with psycopg.connect(urls.service, autocommit=True) as connection:
        return Snapshotter(urls.service, REGISTRY, READER).keep(connection, after)


def kept(urls: LedgerUrls) -> dict[str, tuple[int, bytes]]:
    """Version and state of each snapshot, by stream."""
    with psycopg.connect(urls.service) as connection:
        rows = connection.execute("SELECT stream_id, version, state FROM ledger.snapshot").fetchall()
    return {stream_id: (version, bytes(state)) for stream_id, version, state in rows}


def next_number(urls: LedgerUrls) -> Any:
    """What a process that knows nothing yet gives next."""
    with running_committer(urls.service) as committer:
        return committer.submit(a_command(assigning("next"), SERIES)).result().answer.body["sequence"]


def test_the_worker_keeps_what_long_streams_fold_to(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, NUMBERS)
    head = keep(database_urls)
    assert head == NUMBERS + 1
    ((version, state),) = kept(database_urls).values()
    assert version == 512
    series = NUMBER_SERIES.state and NUMBER_SERIES.state.model_validate_json(state, by_alias=True)
    assert series is not None and series.assigned == 511  # type: ignore[attr-defined]
    give_numbers(database_urls.service, 200, "later")
    keep(database_urls, head)
    assert kept(database_urls)[SERIES.id][0] == 768
    assert next_number(database_urls) == NUMBERS + 201


def test_short_streams_and_those_with_personal_states_are_not_kept(database_urls: LedgerUrls) -> None:
    handler, stream = downloading("document-1", times=255)
    with running_committer(database_urls.service) as committer:
        committer.submit(a_command(handler, stream)).result()
    keep(database_urls)
    assert kept(database_urls) == {}
    assert SnapshotMapper(REGISTRY).tag("order") == ""


@pytest.mark.slow
def test_a_process_that_knows_nothing_loads_the_snapshot_and_only_what_came_after(
    database_urls: LedgerUrls,
) -> None:
    give_numbers(database_urls.service, NUMBERS)
    keep(database_urls)
    wire = connect_to_read(database_urls.service)
    with wire.connection:
        (snapshot,), tail = read_histories(wire, [(SERIES, TAG)])
    assert snapshot.version == 512
    assert [row.originator_version for row in tail] == list(range(513, NUMBERS + 2))
    assert next_number(database_urls) == NUMBERS + 1


@pytest.mark.slow
@pytest.mark.parametrize("tag", ["0:another-shape", ""])
def test_a_snapshot_of_another_program_version_is_not_used_but_replaced(
    database_urls: LedgerUrls, tag: str
) -> None:
    give_numbers(database_urls.service, NUMBERS)
    keep(database_urls)
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        connection.execute("UPDATE ledger.snapshot SET tag = %s, state = '{}'", (tag,))
    assert next_number(database_urls) == NUMBERS + 1
    keep(database_urls)
    with psycopg.connect(database_urls.service) as connection:
        assert one(connection, "SELECT tag FROM ledger.snapshot") == SnapshotMapper(REGISTRY).tag(
            "number-series"
        )


@pytest.mark.slow
def test_without_snapshots_a_long_stream_is_loaded_whole(database_urls: LedgerUrls) -> None:
    assert NUMBERS > TAIL_EVENTS
    give_numbers(database_urls.service, NUMBERS)
    assert next_number(database_urls) == NUMBERS + 1
    assert holders(assert_sound(database_urls.service))[-1] == "next"


def test_a_process_far_behind_another_catches_up(database_urls: LedgerUrls) -> None:
    with running_committer(database_urls.service) as slow:
        first = slow.submit(a_command(assigning("first"), SERIES)).result()
        give_numbers(database_urls.service, 3 * TAIL_EVENTS)
        last = slow.submit(a_command(assigning("last"), SERIES)).result()
    assert (first.answer.body["sequence"], last.answer.body["sequence"]) == (1, 3 * TAIL_EVENTS + 2)
    assert_sound(database_urls.service)
