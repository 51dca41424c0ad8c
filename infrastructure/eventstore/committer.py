"""The committer: one thread a process that puts waiting commands into transactions, in batches.

There is no optimistic conflict and no stale decision: whatever a handler reads is the newest there is. Under
the head lock the tails of streams are read; long histories are loaded outside it. See ADR 0002.
"""

import asyncio
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future

import psycopg
import structlog

from application.ledger import Command, Committed, LedgerUnavailable
from application.ports import Clock, Ids
from domain.kernel.facts import Stamp
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.deciding import Decided, Decider
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.recorder import TAIL_EVENTS, LedgerRecorder, may_pass
from infrastructure.eventstore.rows import EventRow
from infrastructure.eventstore.snapshots import SnapshotMapper
from infrastructure.eventstore.subject_keys import BatchKeys, SubjectKeyWrap
from infrastructure.eventstore.transaction import NOTHING, Folded
from infrastructure.eventstore.waiting import Waiting, tell_all
from infrastructure.telemetry import LEDGER_APPEND_SECONDS

log = structlog.get_logger(__name__)

BATCH_COMMANDS = 256
LINGER_SECONDS = 0.001
LINGER_STEP_SECONDS = 0.0001
CACHED_STREAMS = 2_000
"""Enough for the streams that many commands share (series); an order of 600 lines is not kept for long."""


class Committer:
    """Drains waiting commands into transactions. `submit` may be called from any thread."""

    def __init__(
        self,
        database_url: str,
        registry: Registry,
        answers: AnswerSeal,
        wrap: SubjectKeyWrap,
        clock: Clock,
        ids: Ids,
        *,
        patience_seconds: float = 10.0,
    ) -> None:
        self._database_url = database_url
        self._registry = registry
        mapper = LedgerMapper(registry)
        self._reader = EventReader(mapper, wrap)
        self._snapshots = SnapshotMapper(registry)
        self._decider = Decider(registry, mapper, answers, ids)
        self._wrap = wrap
        self._clock = clock
        self._ids = ids
        self._patience_seconds = patience_seconds
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._cache: OrderedDict[StreamId, Folded] = OrderedDict()
        self._long: set[StreamId] = set()
        self._recorder: LedgerRecorder | None = None
        self._last_batch_size = 0
        self._stopped = False
        self._submitting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Starts the thread; the database is reached on the first command."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is queued and ends the thread."""
        with self._submitting:
            self._stopped = True
            self._queue.put(None)
        self._thread.join(timeout=15)

    def submit(self, command: Command) -> Future[Committed]:
        """Queues a command of a thread. The future fails with `DomainError` or `LedgerUnavailable`."""
        future: Future[Committed] = Future()
        self._enqueue(Waiting(command, self._give_up_at(), future))
        return future

    def submit_from_loop(self, command: Command) -> asyncio.Future[Committed]:
        """The same for a task of the running event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Committed] = loop.create_future()
        self._enqueue(Waiting(command, self._give_up_at(), future, loop))
        return future

    def _give_up_at(self) -> float:
        return time.monotonic() + self._patience_seconds

    def _enqueue(self, waiting: Waiting) -> None:
        with self._submitting:
            if self._stopped:
                waiting.tell(LedgerUnavailable("the service is stopping"))
            else:
                self._queue.put(waiting)

    def _run(self) -> None:
        batch = self._drain([])
        while batch:
            batch = self._drain(self._process(batch))
        self._disconnect()

    def _drain(self, carried: list[Waiting]) -> list[Waiting]:
        """The carried commands and those queued, waiting for the first if need be; empty at the end.

        Callers who were answered together come back together, but not at the same instant: where fewer are
        here than last time, the rest gets a moment, for a flush of the log costs more than that.
        """
        batch = list(carried)
        linger_until = 0.0
        while len(batch) < BATCH_COMMANDS:
            if batch and self._queue.empty():
                now = time.monotonic()
                linger_until = linger_until or now + LINGER_SECONDS
                if 2 * len(batch) > self._last_batch_size or now > linger_until:
                    break
                time.sleep(LINGER_STEP_SECONDS)
                continue
            waiting = self._queue.get()
            if waiting is None:
                if batch:
                    self._queue.put(None)
                break
            if waiting.is_wanted():
                batch.append(waiting)
        self._last_batch_size = len(batch)
        return batch

    def _process(self, batch: list[Waiting]) -> list[Waiting]:
        """Commits a batch, whatever it takes; returns the commands that must be decided again."""
        pause_seconds = 0.05
        while batch:
            try:
                return self._commit(batch)
            except Exception as error:
                self._disconnect()
                if not may_pass(error):
                    return self._find_fault(batch, error)
                log.warning("ledger-not-available", error=type(error).__name__, commands=len(batch))
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, 0.5)
            batch = _with_patience_left(batch)
        return []

    def _find_fault(self, batch: list[Waiting], error: Exception) -> list[Waiting]:
        """Decides the commands of a failed batch one by one, so that only the one at fault fails."""
        if len(batch) > 1:
            return [again for waiting in batch for again in self._process([waiting])]
        log.error("command-failed", operation=batch[0].command.audit.operation, exc_info=error)
        batch[0].tell(error)
        return []

    def _commit(self, batch: list[Waiting]) -> list[Waiting]:
        started = time.monotonic()
        recorder = self._connected()
        known = self._load(recorder, batch)
        key_hashes = [w.command.idempotency.key_hash for w in batch if w.command.idempotency]
        subjects = {subject for waiting in batch for subject in waiting.subjects}
        locked = recorder.begin_and_lock(
            [(stream, folded.version) for stream, folded in known.items()],
            key_hashes,
            subjects,
            at=self._clock.now(),
        )
        self._fold_tails(recorder, known, locked.tails)
        stamp = Stamp(at=max(self._clock.now(), locked.recorded_at))
        keys = BatchKeys(self._wrap, self._ids, stamp.at, subjects, locked.subject_keys)
        decided = self._decider.decide(batch, known, locked, keys, stamp)
        if decided.events or decided.commands:
            self._append(recorder, decided)
            LEDGER_APPEND_SECONDS.observe(time.monotonic() - started)
        else:
            recorder.rollback()
        self._remember(known)
        self._remember(decided.changed)
        tell_all(decided.outcomes)
        return decided.again

    def _append(self, recorder: LedgerRecorder, decided: Decided) -> None:
        try:
            recorder.insert_events(
                decided.events,
                commands=decided.commands,
                announcements=decided.announcements,
                subject_keys=decided.keys.minted,
            )
        except psycopg.Error as error:
            if not may_pass(error) or not self._was_committed(decided):
                raise

    def _was_committed(self, decided: Decided) -> bool:
        """Asks the ledger whether a commit whose answer was lost took place.

        Without events nothing but idempotency keys was written: deciding again finds them or writes them.
        """
        if not decided.events:
            return False
        give_up_at = max(waiting.give_up_at for waiting, _ in decided.outcomes)
        pause_seconds = 0.05
        while time.monotonic() < give_up_at:
            self._disconnect()
            try:
                first = decided.events[0]
                return self._connected().transaction_at(first.id) == first.transaction_id
            except psycopg.Error as error:
                log.warning("ledger-commit-unknown", error=type(error).__name__)
                time.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, 0.5)
        for waiting, _ in decided.outcomes:
            waiting.tell(LedgerUnavailable("the outcome of the commit is not known yet"))
        return False

    def _load(self, recorder: LedgerRecorder, batch: list[Waiting]) -> dict[StreamId, Folded]:
        """What is known of all streams the batch names; long ones are loaded here, outside the lock."""
        known = {stream: self._cache.get(stream, NOTHING) for waiting in batch for stream in waiting.streams}
        long = self._long & known.keys()
        if long:
            self._long -= long
            snapshots, tails = recorder.select_histories(
                [(stream, self._snapshots.tag(stream.type)) for stream in long]
            )
            known |= dict.fromkeys(long, NOTHING)
            for row in snapshots:
                known[row.stream] = Folded(row.version, self._snapshots.decode(row))
            self._fold_into(recorder, known, tails)
        return known

    def _fold_tails(
        self, recorder: LedgerRecorder, known: dict[StreamId, Folded], tails: Sequence[EventRow]
    ) -> None:
        """Brings what is known up to date. A stream with more behind it than a tail holds is not known."""
        self._fold_into(recorder, known, tails)
        if len(tails) >= TAIL_EVENTS:
            for stream, count in Counter(row.stream for row in tails).items():
                if count >= TAIL_EVENTS:
                    del known[stream]
                    self._long.add(stream)

    def _fold_into(
        self, recorder: LedgerRecorder, known: dict[StreamId, Folded], rows: Sequence[EventRow]
    ) -> None:
        if not rows:
            return
        for event in recorder.read(self._reader, rows):
            folded = known[event.stream]
            if event.version != folded.version + 1:
                raise RuntimeError(f"{event.stream.type} stream has a hole after version {folded.version}")
            state = self._registry.evolve(event.stream, folded.state, event.fact)
            known[event.stream] = Folded(event.version, state)

    def _remember(self, folded: dict[StreamId, Folded]) -> None:
        for stream, state in folded.items():
            if state.version:
                self._cache[stream] = state
                self._cache.move_to_end(stream)
        while len(self._cache) > CACHED_STREAMS:
            self._cache.popitem(last=False)

    def _connected(self) -> LedgerRecorder:
        if self._recorder is None or self._recorder.closed:
            self._recorder = LedgerRecorder.for_committing(self._database_url)
        return self._recorder

    def _disconnect(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None


def _with_patience_left(batch: list[Waiting]) -> list[Waiting]:
    now = time.monotonic()
    for waiting in batch:
        if waiting.give_up_at <= now:
            waiting.tell(LedgerUnavailable("the database cannot be reached"))
    return [waiting for waiting in batch if not waiting.told]
