"""What a command named is loaded for as long as it has patience; how far it may wander has a bound."""

import time
from concurrent.futures import Future
from pathlib import Path

from application.ledger import Answer, Committed, LedgerUnavailable, Transaction
from domain.kernel.facts import Stamp
from domain.numbering.series import NUMBER_SERIES
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds
from infrastructure.eventstore.basis import Basis
from infrastructure.eventstore.deciding import LOADS_PER_COMMAND, Decided, Decider
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.subject_keys import BatchKeys, SubjectKeyWrap
from infrastructure.eventstore.transaction import NotLoaded
from infrastructure.eventstore.waiting import Waiting
from infrastructure.keys.store import KeyStore
from tests.support.facts import NOON
from tests.support.ledger_fixtures import ANSWERS, SERIES, a_command


def read_series(transaction: Transaction) -> Answer:
    transaction.state(NUMBER_SERIES, SERIES.id)
    return Answer(200, None)


def read_something_else(transaction: Transaction, times: list[int]) -> Answer:
    times.append(len(times))
    transaction.version(NUMBER_SERIES.stream(str(len(times))))
    return Answer(200, None)


def waiting_for(seconds: float, *, named: bool = True) -> Waiting:
    command = a_command(read_series, *((SERIES,) if named else ()))
    future: Future[Committed] = Future()
    return Waiting(command, time.monotonic() + seconds, future)


def decide_without_anything_loaded(waiting: Waiting, folder: Path) -> Decided:
    """One more attempt after a connection was lost with all that had been loaded."""
    wrap, ids = SubjectKeyWrap(KeyStore.create(folder / "keys").subjects), RandomIds()
    decider = Decider(REGISTRY, LedgerMapper(REGISTRY), ANSWERS, ids)
    basis = Basis(0, 0, NOON, [], {}, [])
    return decider.decide([waiting], {}, basis, BatchKeys(wrap, ids, NOON, (), ()), Stamp(at=NOON))


def test_a_named_stream_is_loaded_however_often_what_was_loaded_is_lost(tmp_path: Path) -> None:
    waiting = waiting_for(seconds=60)
    for _ in range(2 * LOADS_PER_COMMAND):
        decided = decide_without_anything_loaded(waiting, tmp_path)
        assert (decided.again, decided.outcomes) == ([waiting], [])


def test_so_is_one_that_the_command_turned_out_to_need(tmp_path: Path) -> None:
    waiting = waiting_for(seconds=60, named=False)
    for _ in range(2 * LOADS_PER_COMMAND):
        assert decide_without_anything_loaded(waiting, tmp_path).again == [waiting]
    assert SERIES in waiting.streams


def test_without_patience_left_the_ledger_is_unavailable(tmp_path: Path) -> None:
    waiting = waiting_for(seconds=-1)
    ((told, outcome),) = decide_without_anything_loaded(waiting, tmp_path).outcomes
    assert told is waiting
    assert isinstance(outcome, LedgerUnavailable)


def test_a_command_that_wanders_on_and_on_fails(tmp_path: Path) -> None:
    times: list[int] = []
    future: Future[Committed] = Future()
    command = a_command(lambda transaction: read_something_else(transaction, times))
    waiting = Waiting(command, time.monotonic() + 60, future)
    for _ in range(LOADS_PER_COMMAND):
        assert decide_without_anything_loaded(waiting, tmp_path).again == [waiting]
    ((_, outcome),) = decide_without_anything_loaded(waiting, tmp_path).outcomes
    assert isinstance(outcome, NotLoaded)
