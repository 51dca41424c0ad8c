"""What is wrong with one command fails that command only; the others of its batch are committed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import psycopg
import pytest

from application.ledger import Answer, Committed, Handler, LedgerUnavailable, Transaction
from domain.documents.access import DOCUMENT_ACCESS, DocumentDownloaded
from domain.inbound.inbound import INBOUND
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES
from infrastructure.eventstore import deciding
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.deciding import LOADS_PER_COMMAND
from tests.support.ledger_fixtures import (
    AUDIT,
    SERIES,
    LedgerUrls,
    a_claim,
    a_command,
    assert_sound,
    assigning,
    downloading,
    holders,
    one,
    running_committer,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def committer(database_urls: LedgerUrls) -> Iterator[Committer]:
    with running_committer(database_urls.service) as committer:
        yield committer


class Batch:
    """Lets commands gather while the committer decides another, so that they share one transaction."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._gathered = threading.Event()

    def __enter__(self) -> "Batch":
        entered = threading.Event()

        def wait(_: Transaction) -> Answer:
            entered.set()
            self._gathered.wait(30)
            return Answer(200, None)

        self._committer.submit(a_command(wait))
        assert entered.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._gathered.set()


def refusing(handler: Handler) -> Handler:
    """Does what the handler does, and then refuses."""

    def handle(transaction: Transaction) -> Answer:
        handler(transaction)
        raise DomainError("REFUSED", "No.")

    return handle


def stumbling(handler: Handler) -> Handler:
    """Does what the handler does, and then has a defect."""

    def handle(transaction: Transaction) -> Answer:
        handler(transaction)
        raise ZeroDivisionError

    return handle


def sequence(future: "Future[Committed]") -> int:
    number: int = future.result(timeout=60).answer.body["sequence"]
    return number


def test_a_refusal_and_a_defect_leave_nothing_in_the_batch(
    committer: Committer, database_urls: LedgerUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the defect's own log line may take a batch's time, and the rest would go into another.
    monkeypatch.setattr(deciding, "DECIDING_SECONDS", 60.0)
    with Batch(committer):
        futures = [
            committer.submit(a_command(handler, SERIES))
            for handler in (
                assigning("first"),
                refusing(assigning("refused")),
                stumbling(assigning("stumbled")),
                assigning("second"),
            )
        ]
    assert (sequence(futures[0]), sequence(futures[3])) == (1, 2)
    assert [type(futures[index].exception()) for index in (1, 2)] == [DomainError, ZeroDivisionError]
    assert holders(assert_sound(database_urls.service)) == ["first", "second"]
    with psycopg.connect(database_urls.admin) as connection:
        assert one(connection, "SELECT count(DISTINCT xmin::text) FROM ledger.event") == 1


def unacceptable(kind: str) -> tuple[Handler, StreamId, str]:
    """A handler, stream and actor that PostgreSQL, the mapper or the registry will not have."""
    handler, stream = downloading("document-bad")
    match kind:
        case "a NUL in the actor":
            return handler, stream, "ana\x00"
        case "a lone surrogate in the actor":
            return handler, stream, "ana\ud800"
        case "a stream id too long for the index":
            long_id = "".join(chr(0x4E00 + number % 20_000) for number in range(0, 400_000, 37))
            return *downloading(long_id), "ana"
        case "a NUL in a stream id that is only read":
            return (lambda t: Answer(200, t.version(DOCUMENT_ACCESS.stream("\x00")))), stream, "ana"
        case "a fact that the registry does not list":

            class Unlisted(DocumentDownloaded):
                pass

            return (
                _appending(stream, Unlisted(document_id="d", caller="ana", file_format="PDF")),
                stream,
                "ana",
            )
        case "a lone surrogate in the state":
            return (
                _appending(
                    stream,
                    DocumentDownloaded.model_construct(document_id="\ud800", caller="ana", file_format="PDF"),
                ),
                stream,
                "ana",
            )
        case "an answer that is not JSON":
            return (lambda t: Answer(200, object())), stream, "ana"
        case _:
            raise AssertionError(kind)


def _appending(stream: StreamId, fact: DocumentDownloaded) -> Handler:
    def handle(transaction: Transaction) -> Answer:
        transaction.append(stream, (fact,))
        return Answer(201, None)

    return handle


@pytest.mark.parametrize(
    "kind",
    [
        "a NUL in the actor",
        "a lone surrogate in the actor",
        "a stream id too long for the index",
        "a NUL in a stream id that is only read",
        "a fact that the registry does not list",
        "a lone surrogate in the state",
        "an answer that is not JSON",
    ],
)
def test_data_that_cannot_be_stored_fails_its_own_command_only(
    committer: Committer, database_urls: LedgerUrls, kind: str
) -> None:
    handler, stream, actor = unacceptable(kind)
    audit = replace(AUDIT, actor=actor)
    with Batch(committer):
        before = [committer.submit(a_command(assigning(f"before {n}"), SERIES)) for n in range(3)]
        bad = committer.submit(a_command(handler, stream, audit=audit, claim=a_claim()))
        after = [committer.submit(a_command(assigning(f"after {n}"), SERIES)) for n in range(3)]
    assert [sequence(future) for future in (*before, *after)] == [1, 2, 3, 4, 5, 6]
    error = bad.exception(timeout=60)
    assert error is not None
    assert not isinstance(error, LedgerUnavailable | DomainError)
    assert len(holders(assert_sound(database_urls.service))) == 6
    assert sequence(committer.submit(a_command(assigning("later"), SERIES))) == 7


def test_a_refusal_that_rests_on_what_was_not_committed_is_decided_again(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    def refuse_the_second(transaction: Transaction) -> Answer:
        if transaction.state(NUMBER_SERIES, SERIES.id) is not None:
            raise DomainError("TAKEN", "Somebody was first.")
        return assigning("the rightful one")(transaction)

    unstorable = replace(AUDIT, actor="\x00")
    with Batch(committer):
        failing = committer.submit(a_command(assigning("never stored"), SERIES, audit=unstorable))
        rightful = committer.submit(a_command(refuse_the_second, SERIES))
    assert sequence(rightful) == 1
    assert isinstance(failing.exception(), psycopg.DataError)
    assert holders(assert_sound(database_urls.service)) == ["the rightful one"]


def test_a_stream_that_was_not_named_is_loaded_however_deep_it_lies(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    for number in range(6):
        handler, stream = downloading(f"level-{number}", times=number + 1)
        committer.submit(a_command(handler, stream)).result()

    def descend(transaction: Transaction) -> Answer:
        level = 0
        while (month := transaction.state(DOCUMENT_ACCESS, f"level-{level}")) is not None:
            assert month.downloads == level + 1
            level = month.downloads
        return assigning("the deep one")(transaction)

    with running_committer(database_urls.service) as newcomer, Batch(newcomer):
        deep = newcomer.submit(a_command(descend))
        others = [newcomer.submit(a_command(assigning(str(n)), SERIES)) for n in range(3)]
    assert sorted(sequence(future) for future in (deep, *others)) == [1, 2, 3, 4]
    assert_sound(database_urls.service)


def test_a_command_that_never_stops_reading_fails_alone(
    committer: Committer, database_urls: LedgerUrls
) -> None:
    def read_on(transaction: Transaction) -> Answer:
        for number in range(LOADS_PER_COMMAND + 5):
            transaction.version(INBOUND.stream(str(number)))
        return Answer(200, None)

    with Batch(committer):
        endless = committer.submit(a_command(read_on))
        others = [committer.submit(a_command(assigning(str(n)), SERIES)) for n in range(30)]
    assert [sequence(future) for future in others] == list(range(1, 31))
    assert endless.exception(timeout=60) is not None
    assert len(holders(assert_sound(database_urls.service))) == 30


def break_row(urls: LedgerUrls, statement: str) -> None:
    """Alters the ledger as only somebody with the superuser's rights and bad intentions can."""
    with psycopg.connect(urls.admin) as connection:
        connection.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        connection.execute(statement.encode())
        connection.execute("ALTER TABLE ledger.event ENABLE TRIGGER ALL")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.event SET state = 'not json' WHERE stream_id = 'broken'",
        "UPDATE ledger.event SET name = 'document-access.unheard-of' WHERE stream_id = 'broken'",
        "DELETE FROM ledger.event WHERE stream_id = 'broken' AND version = 1",
    ],
)
def test_a_stream_that_cannot_be_read_fails_only_commands_that_need_it(
    committer: Committer, database_urls: LedgerUrls, statement: str
) -> None:
    handler, stream = downloading("broken", times=2)
    committer.submit(a_command(handler, stream)).result()
    break_row(database_urls, statement)
    with running_committer(database_urls.service) as newcomer:
        with Batch(newcomer):
            bad = newcomer.submit(a_command(handler, stream))
            good = [newcomer.submit(a_command(assigning(str(n)), SERIES)) for n in range(4)]
        assert [sequence(future) for future in good] == [1, 2, 3, 4]
        assert bad.exception(timeout=60) is not None
        assert sequence(newcomer.submit(a_command(assigning("next"), SERIES))) == 5


def test_nothing_is_recorded_while_the_database_is_away_and_callers_are_told(
    database_urls: LedgerUrls,
) -> None:
    nowhere = psycopg.conninfo.make_conninfo(database_urls.service, host="/nowhere")
    with running_committer(nowhere, patience_seconds=0.3) as committer:
        futures = [committer.submit(a_command(assigning(str(n)), SERIES)) for n in range(5)]
        for future in futures:
            assert isinstance(future.exception(timeout=60), LedgerUnavailable)


def test_what_one_command_appended_is_not_seen_by_the_next_if_it_was_refused(committer: Committer) -> None:
    """Also not where the refused one had been given a stream that others hold in common."""
    handler, stream = downloading("document-1")
    ask: Callable[[Transaction], Answer] = lambda t: Answer(200, t.version(stream))  # noqa: E731
    with Batch(committer):
        futures = [
            committer.submit(a_command(h, stream)) for h in (refusing(handler), ask, stumbling(handler), ask)
        ]
    assert [futures[index].result(timeout=60).answer.body for index in (1, 3)] == [0, 0]
