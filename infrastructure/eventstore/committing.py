"""Brings batches into the ledger: decided ahead of the head lock where that may go well, under it otherwise.

While one batch is being flushed the next is decided on the states that it leaves. The append finds out
whether the ledger is still where that takes it to be; if not, nothing was written, and it is decided anew
under the lock. See ADR 0017.
"""

import time
from collections.abc import Callable

import psycopg
import structlog

from application.ledger import LedgerUnavailable
from application.ports import Clock, Ids
from domain.kernel.facts import Stamp
from domain.kernel.registry import Registry
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.appending import send_append
from infrastructure.eventstore.basis import Basis, Wanted, lock_and_read, read, transaction_at
from infrastructure.eventstore.connections import connect_to_read, connect_to_write, may_pass
from infrastructure.eventstore.deciding import Decided, Decider
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.known_streams import KnownStreams
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.subject_keys import BatchKeys, SubjectKeyWrap
from infrastructure.eventstore.waiting import Waiting, tell_all
from infrastructure.eventstore.wire import Wire
from infrastructure.telemetry import LEDGER_APPEND_SECONDS

log = structlog.get_logger(__name__)

UNDISTURBED_BATCHES = 8
"""After so many batches of ours in a row the next is decided ahead; where others write, few would land."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5


class SomebodyElse(Exception):
    """The ledger does not stand where this process left it, or is about to leave it."""


class BatchCommitter:
    """Commits one batch after the other, for one thread.

    Batches land in the order in which they come, and whoever waits is told when his has landed. When `commit`
    returns the batch may still be under way: the next `commit` or `land` waits for it.
    """

    def __init__(
        self,
        database_url: str,
        registry: Registry,
        answers: AnswerSeal,
        wrap: SubjectKeyWrap,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._database_url = database_url
        mapper = LedgerMapper(registry)
        self._decider = Decider(registry, mapper, answers, ids)
        self._streams = KnownStreams(registry, EventReader(mapper, wrap))
        self._wrap = wrap
        self._clock = clock
        self._ids = ids
        self._reading: Wire | None = None
        self._writing: Wire | None = None
        self._under_way: Decided | None = None
        self._revision: int | None = None
        self._undisturbed = 0
        self._again: list[Waiting] = []

    @property
    def is_under_way(self) -> bool:
        """Whether a batch has been sent and has not landed."""
        return self._under_way is not None

    def has_landed(self) -> bool:
        """Whether `land` would return at once."""
        return self._under_way is None or self._sent_over.is_answered()

    def take_again(self) -> list[Waiting]:
        """Commands that have to be decided again; the next batch begins with them."""
        again, self._again = self._again, []
        return again

    def commit(self, batch: list[Waiting]) -> None:
        """Commits a batch, whatever it takes, or tells those who wait why not."""
        ahead = self._decide_ahead(batch) if self._undisturbed >= UNDISTURBED_BATCHES else None
        if not self._land_and_send(ahead):
            self._commit_under_lock(batch)

    def land(self) -> None:
        """Waits for the batch under way, if there is one."""
        self._land_and_send(None)

    def disconnect(self) -> None:
        """Closes the connections; the next batch opens others, and takes the lock.

        Nothing that is known outlives them: the server that answers next may be one that was restored.
        """
        self._undisturbed = 0
        self._revision = None
        self._streams.forget()
        for wire in (self._reading, self._writing):
            if wire is not None:
                wire.connection.close()

    def _decide_ahead(self, batch: list[Waiting]) -> Decided | None:
        """The batch as decided on what the one under way leaves; None where that takes the lock."""
        try:
            return self._decide(batch, self._reader(), self._read_after_ours)
        except SomebodyElse:
            # Where others write too, waiting for the lock is the shorter way.
            pass
        except Exception as error:
            # It has passed when the lock is held, or is met there again and told to those whom it concerns.
            log.info("deciding-ahead-failed", error=type(error).__name__, commands=len(batch))
            if self._reading is not None:
                self._reading.connection.close()
        self._undisturbed = 0
        return None

    def _read_after_ours(self, wire: Wire, wanted: Wanted) -> Basis:
        """The ledger as it will be once the batch under way has landed. Raises `SomebodyElse`."""
        basis = read(wire, wanted)
        if self._under_way is not None:
            after = self._under_way.behind(basis)
        else:
            after = basis if basis.revision == self._revision else None
        if after is None:
            raise SomebodyElse
        return after

    def _land_and_send(self, ahead: Decided | None) -> bool:
        """Lands the batch under way and sends the next one; False where that is not to be sent.

        It is sent before those who wait for the last are told: they will want the interpreter to themselves.
        """
        last, self._under_way = self._under_way, None
        if last is not None:
            try:
                self._land(last)
            except Exception as error:
                log.info("decided-ahead-in-vain", error=type(error).__name__, commands=len(last.batch))
                self._undisturbed = 0
                self._commit_under_lock([waiting for waiting in last.batch if not waiting.told])
                return False
        if ahead is not None and not ahead.is_empty:
            self._send_ahead(ahead)
        if last is not None:
            self._finish(last)
        if ahead is not None and ahead.is_empty:
            self._finish(ahead)
        return ahead is not None

    def _send_ahead(self, decided: Decided) -> None:
        self._under_way = decided
        try:
            send_append(self._writer(), decided.append)
        except Exception as error:
            # It may have arrived all the same: landing finds out.
            log.info("sending-ahead-failed", error=type(error).__name__)
            self.disconnect()

    def _commit_under_lock(self, batch: list[Waiting]) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while batch:
            try:
                self._lock_and_commit(batch)
                return
            except Exception as error:
                self.disconnect()
                if not may_pass(error):
                    self._find_fault(batch, error)
                    return
                log.warning("ledger-not-available", error=type(error).__name__, commands=len(batch))
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
            batch = _with_patience_left(batch)

    def _find_fault(self, batch: list[Waiting], error: Exception) -> None:
        """Decides the commands of a failed batch one by one, so that only the one at fault fails."""
        if len(batch) > 1:
            for waiting in batch:
                self._commit_under_lock([waiting])
        else:
            _log_defect(batch[0], error)
            batch[0].tell(error)

    def _lock_and_commit(self, batch: list[Waiting]) -> None:
        writer = self._writer()
        decided = self._decide(batch, writer, lock_and_read)
        self._undisturbed = self._undisturbed + 1 if decided.basis.revision == self._revision else 0
        if decided.is_empty:
            writer.send([("COMMIT", ())])
            writer.receive()
        else:
            send_append(writer, decided.append)
            self._land(decided)
        self._finish(decided)

    def _decide(
        self, batch: list[Waiting], wire: Wire, read_basis: Callable[[Wire, Wanted], Basis]
    ) -> Decided:
        began_at = time.monotonic()
        streams = {stream for waiting in batch for stream in waiting.streams}
        if long := self._streams.long_among(streams):
            self._streams.load(self._reader(), long)
        known = self._streams.of(streams, self._under_way.changed if self._under_way else {})
        subjects = {subject for waiting in batch for subject in waiting.subjects}
        wanted = Wanted(
            versions=[(stream, folded.version) for stream, folded in known.items()],
            key_hashes=[w.command.idempotency.key_hash for w in batch if w.command.idempotency],
            subjects=subjects,
            at=self._clock.now(),
        )
        basis = read_basis(wire, wanted)
        self._streams.fold_tails(wire, known, basis.tails)
        stamp = Stamp(at=max(self._clock.now(), basis.recorded_at))
        keys = BatchKeys(self._wrap, self._ids, stamp.at, subjects, basis.subject_keys)
        decided = self._decider.decide(batch, known, basis, keys, stamp)
        decided.began_at = began_at
        return decided

    def _land(self, decided: Decided) -> None:
        """Waits until what was sent is committed. Raises what stood in the way, and nothing was written."""
        try:
            self._sent_over.receive()
        except psycopg.errors.SerializationFailure:
            raise
        except psycopg.Error as error:
            if not may_pass(error) or not self._was_committed(decided):
                raise
        LEDGER_APPEND_SECONDS.observe(time.monotonic() - decided.began_at)

    def _finish(self, decided: Decided) -> None:
        self._revision = decided.revision
        self._streams.remember(decided.known)
        self._streams.remember(decided.changed)
        self._again += decided.again
        tell_all(decided.outcomes)
        # Only now, for it takes a while: the lock must not be lost over it.
        for waiting, error in decided.defects:
            _log_defect(waiting, error)

    def _was_committed(self, decided: Decided) -> bool:
        """Asks the ledger whether a commit whose answer was lost took place.

        Without events nothing but idempotency keys was written: deciding again finds them or writes them.
        """
        if not decided.events:
            return False
        give_up_at = max(waiting.give_up_at for waiting, _ in decided.outcomes)
        pause_seconds = FIRST_PAUSE_SECONDS
        while time.monotonic() < give_up_at:
            self.disconnect()
            try:
                first = decided.events[0]
                return transaction_at(self._writer(), first.id) == first.transaction_id
            except psycopg.Error as error:
                log.warning("ledger-commit-unknown", error=type(error).__name__)
                time.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        for waiting in decided.batch:
            waiting.tell(LedgerUnavailable("the outcome of the commit is not known yet"))
        return False

    def _reader(self) -> Wire:
        if self._reading is None or self._reading.connection.closed:
            self._reading = connect_to_read(self._database_url)
        return self._reading

    @property
    def _sent_over(self) -> Wire:
        """The connection on which the batch under way was sent, also if it is closed now."""
        assert self._writing is not None, "nothing was sent yet"
        return self._writing

    def _writer(self) -> Wire:
        if self._writing is None or self._writing.connection.closed:
            self._writing = connect_to_write(self._database_url)
        return self._writing


def _log_defect(waiting: Waiting, error: Exception) -> None:
    log.error("command-failed", operation=waiting.command.audit.operation, exc_info=error)


def _with_patience_left(batch: list[Waiting]) -> list[Waiting]:
    now = time.monotonic()
    for waiting in batch:
        if waiting.give_up_at <= now:
            waiting.tell(LedgerUnavailable("the database cannot be reached"))
    return [waiting for waiting in batch if not waiting.told]
