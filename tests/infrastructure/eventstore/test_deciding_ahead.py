"""What is decided before the head is held lands only where nothing has changed, or is decided anew."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from application.ledger import Answer, Handler, Transaction
from domain.kernel.errors import DomainError
from domain.numbering.series import NUMBER_SERIES
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import UNDISTURBED_BATCHES
from tests.support.ledger_fixtures import (
    AUDIT,
    SERIES,
    LedgerUrls,
    a_claim,
    a_command,
    assert_sound,
    assigning,
    eventually,
    holders,
    one,
    running_committer,
)

WARMING = [f"before-{number}" for number in range(UNDISTURBED_BATCHES + 1)]
NEXT = len(WARMING) + 1


@dataclass
class Watched:
    """A handler that says when it runs, and does something of its own the first time."""

    handler: Handler
    first_time: Callable[[], object] = lambda: None
    runs: int = 0
    ran: threading.Event = field(default_factory=threading.Event)

    def __call__(self, transaction: Transaction) -> Answer:
        self.runs += 1
        answer = self.handler(transaction)
        if self.runs == 1:
            self.first_time()
        self.ran.set()
        return answer


@pytest.fixture
def committer(database_urls: LedgerUrls) -> Iterator[Committer]:
    """A committer that has been alone for long enough to decide ahead."""
    with running_committer(database_urls.service) as committer:
        for holder in WARMING:
            committer.submit(a_command(assigning(holder), SERIES)).result()
        yield committer


@contextlib.contextmanager
def held_head(urls: LedgerUrls) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """Somebody's transaction that holds the head, and gives it back unchanged unless he commits."""
    with psycopg.connect(urls.service) as holder:
        holder.execute("SELECT ledger.lock_head()")
        yield holder
        holder.rollback()


def sequence(answer: Answer) -> int:
    """The number that was given."""
    number: int = answer.body["sequence"]
    return number


def test_undisturbed_it_is_decided_once_and_takes_no_lock_before(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    watched = Watched(assigning("ahead"))
    with held_head(database_urls):
        told = committer.submit(a_command(watched, SERIES))
        assert watched.ran.wait(30), "it was decided while somebody else held the head"
        assert not told.done()
    assert sequence(told.result(timeout=30).answer) == NEXT
    assert watched.runs == 1


def test_the_next_batch_is_decided_on_what_the_one_under_way_leaves_and_told_after_it(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    order: list[str] = []
    first, second = Watched(assigning("first")), Watched(assigning("second"))
    with held_head(database_urls):
        told_first = committer.submit(a_command(first, SERIES))
        assert first.ran.wait(30)
        told_second = committer.submit(a_command(second, SERIES))
        assert second.ran.wait(30)
        told_first.add_done_callback(lambda _: order.append("first"))
        told_second.add_done_callback(lambda _: order.append("second"))
        assert not told_first.done() and not told_second.done()
    assert sequence(told_second.result(timeout=30).answer) == NEXT + 1
    assert sequence(told_first.result(timeout=30).answer) == NEXT
    assert order == ["first", "second"]
    assert (first.runs, second.runs) == (1, 1)
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "first", "second"]


def test_a_key_is_known_to_the_next_batch_while_its_command_is_under_way(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    claim = a_claim()
    first, again = Watched(assigning("once")), Watched(assigning("twice"))
    marker = Watched(assigning("marker"))
    with held_head(database_urls):
        told = committer.submit(a_command(first, SERIES, claim=claim))
        assert first.ran.wait(30)
        repeated = committer.submit(a_command(again, SERIES, claim=claim))
        committer.submit(a_command(marker, SERIES))
        assert marker.ran.wait(30)
    assert repeated.result(timeout=30).replayed
    assert repeated.result().answer == told.result(timeout=30).answer
    assert again.runs == 0


def test_an_event_that_comes_between_is_counted_in(committer: Committer, database_urls: LedgerUrls) -> None:
    with running_committer(database_urls.service) as other:
        between = a_command(assigning("between"), SERIES)
        watched = Watched(assigning("ahead"), lambda: other.submit(between).result(timeout=30))
        told = committer.submit(a_command(watched, SERIES)).result(timeout=30)
    assert sequence(told.answer) == NEXT + 1
    assert watched.runs == 2
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "between", "ahead"]


def test_a_key_that_is_used_between_is_found_though_no_event_tells_of_it(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    claim = a_claim()
    with running_committer(database_urls.service) as other:
        between = a_command(lambda _: Answer(200, "the first answer"), claim=claim)
        watched = Watched(assigning("ahead"), lambda: other.submit(between).result(timeout=30))
        told = committer.submit(a_command(watched, SERIES, claim=claim)).result(timeout=30)
    assert told.replayed
    assert told.answer.body == "the first answer"
    assert holders(assert_sound(database_urls.service)) == WARMING


def test_what_was_decided_on_a_batch_that_did_not_land_is_decided_anew(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    holding, both_decided = threading.Event(), threading.Event()

    def between(transaction: Transaction) -> Answer:
        holding.set()
        assert both_decided.wait(1), "the head is taken from whoever holds it for longer"
        return assigning("between")(transaction)

    def rash_or_refused(transaction: Transaction) -> Answer:
        if last_number(transaction) != len(WARMING):
            raise DomainError("TAKEN", "Somebody was first.")
        return assigning("rash")(transaction)

    rash = Watched(rash_or_refused)
    looking = Watched(lambda transaction: Answer(200, {"sequence": last_number(transaction)}))
    with running_committer(database_urls.service) as other:
        other.submit(a_command(between, SERIES))
        assert holding.wait(30)
        told_rash = committer.submit(a_command(rash, SERIES))
        assert rash.ran.wait(30)
        told_looking = committer.submit(a_command(looking, SERIES))
        assert looking.ran.wait(30)
        both_decided.set()
        with pytest.raises(DomainError, match="Somebody was first"):
            told_rash.result(timeout=30)
        assert sequence(told_looking.result(timeout=30).answer) == NEXT
    assert (rash.runs, looking.runs) == (2, 2)
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "between"]


def test_batches_whose_connection_is_lost_under_way_take_effect_once(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    first, second = Watched(assigning("first")), Watched(assigning("second"))
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        with held_head(database_urls):
            told_first = committer.submit(a_command(first, SERIES))
            assert first.ran.wait(30)
            told_second = committer.submit(a_command(second, SERIES))
            assert second.ran.wait(30)
            eventually(lambda: one(admin, f"SELECT count(*) {_WAITING}") == 1)
            admin.execute(f"SELECT pg_terminate_backend(pid) {_WAITING}".encode())
        assert sequence(told_first.result(timeout=30).answer) == NEXT
        assert sequence(told_second.result(timeout=30).answer) == NEXT + 1
    assert (first.runs, second.runs) == (2, 2)
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "first", "second"]


@pytest.mark.parametrize("last_statement", ["ledger.append", "FROM ledger.event"])
def test_a_connection_lost_between_two_batches_costs_nothing(
    committer: Committer, database_urls: LedgerUrls, last_statement: str
) -> None:
    committer.submit(a_command(assigning("first"), SERIES)).result(timeout=30)
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        ended = one(
            admin,
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE usename = 'billing_service' AND datname = current_database() AND query ~ %s",
            last_statement,
        )
    assert ended == 1
    told = committer.submit(a_command(assigning("second"), SERIES)).result(timeout=30)
    assert sequence(told.answer) == NEXT + 1
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "first", "second"]


def test_nothing_is_known_of_a_ledger_that_was_restored_meanwhile(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        backup = one(admin, "SELECT to_jsonb(event_head) FROM ledger.event_head")
        committer.submit(a_command(assigning("after the backup"), SERIES)).result(timeout=30)
        for table in ("event", "event_head"):
            admin.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL".encode())
        admin.execute("DELETE FROM ledger.event WHERE position > %s", (backup["position"],))
        admin.execute("UPDATE ledger.event_head SET position = %(position)s, revision = %(revision)s", backup)
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'billing_service' AND datname = current_database()"
        )
    told = committer.submit(a_command(assigning("after the restore"), SERIES)).result(timeout=30)
    assert sequence(told.answer) == NEXT
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "after the restore"]


def test_what_the_ledger_refuses_to_store_fails_its_own_command_only(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    good, bad, last = Watched(assigning("good")), Watched(assigning("bad")), Watched(assigning("last"))
    unstorable = replace(AUDIT, actor="\x00")
    with held_head(database_urls):
        told_good = committer.submit(a_command(good, SERIES))
        assert good.ran.wait(30)
        told_bad = committer.submit(a_command(bad, SERIES, audit=unstorable))
        told_last = committer.submit(a_command(last, SERIES))
        assert last.ran.wait(30)
    assert sequence(told_good.result(timeout=30).answer) == NEXT
    assert isinstance(told_bad.exception(timeout=30), psycopg.DataError)
    assert sequence(told_last.result(timeout=30).answer) == NEXT + 1
    assert holders(assert_sound(database_urls.service)) == [*WARMING, "good", "last"]


_WAITING = (
    "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    " AND query ~ 'ledger.append'"
)


def last_number(transaction: Transaction) -> int:
    """The number last given by the series."""
    state = transaction.state(NUMBER_SERIES, SERIES.id)
    assert state is not None
    return state.next_sequence - 1
