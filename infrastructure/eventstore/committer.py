"""The single decider: one thread a process that decides waiting commands under the head lock, in batches.

There is no optimistic conflict and no stale decision: whatever a handler reads is the newest there is. Loads
happen outside the lock and are refreshed by the streams' tails inside it. See ADR 0002.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import psycopg
import structlog

from application.ledger import Command, Committed, LedgerUnavailable
from application.ports import Clock, Ids
from domain.kernel.errors import DomainError
from domain.kernel.facts import Stamp
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import AnswerSeal, StoredCommand
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.recorder import (
    AnnouncementRow,
    CommandRow,
    LedgerRecorder,
    Locked,
    may_pass,
)
from infrastructure.eventstore.rows import HASH_VERSION, EventRow, leaf_hash, originator_id
from infrastructure.eventstore.transaction import NOTHING, Folded, NotLoaded, OpenTransaction
from infrastructure.telemetry import LEDGER_APPEND_SECONDS

log = structlog.get_logger(__name__)

BATCH_COMMANDS = 256
CACHED_STREAMS = 2_000
"""Enough for the streams that many commands share (series); an order of 600 lines is not kept for long."""
LOADS_PER_COMMAND = 20
DECIDING_SECONDS = 0.5
"""What a batch may spend on deciding; the rest joins the next one, so that the head lock is never lost."""
KEY_LIFETIME = timedelta(days=30)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for a key that never expires: psycopg has no datetime for PostgreSQL's infinity."""
OUTBOX_NAMESPACE = UUID("5f3a1c8e-6f0b-4d0e-9a55-8f6f0e6f2a10")


@dataclass
class _Waiting:
    command: Command
    give_up_at: float
    future: Future[Committed] = field(default_factory=Future)
    extra_streams: set[StreamId] = field(default_factory=set)
    loads: int = 0

    @property
    def streams(self) -> Iterable[StreamId]:
        return (*self.command.streams, *self.extra_streams)


@dataclass
class _Decided:
    """A batch's outcome before it is committed: who is told what, and the rows to write."""

    outcomes: list[tuple[_Waiting, Committed | Exception]] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    commands: list[CommandRow] = field(default_factory=list)
    announcements: list[AnnouncementRow] = field(default_factory=list)
    again: list[_Waiting] = field(default_factory=list)
    changed: dict[StreamId, Folded] = field(default_factory=dict)


class Committer:
    """Drains waiting commands into transactions. `submit` may be called from any thread."""

    def __init__(
        self,
        database_url: str,
        registry: Registry,
        answers: AnswerSeal,
        clock: Clock,
        ids: Ids,
        *,
        patience_seconds: float = 10.0,
    ) -> None:
        self._database_url = database_url
        self._registry = registry
        self._mapper = LedgerMapper(registry)
        self._answers = answers
        self._clock = clock
        self._ids = ids
        self._patience_seconds = patience_seconds
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._cache: OrderedDict[StreamId, Folded] = OrderedDict()
        self._recorder: LedgerRecorder | None = None
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
        """Queues a command. The future fails with `DomainError` or `LedgerUnavailable`."""
        waiting = _Waiting(command, give_up_at=time.monotonic() + self._patience_seconds)
        with self._submitting:
            if self._stopped:
                waiting.future.set_exception(LedgerUnavailable("the service is stopping"))
            else:
                self._queue.put(waiting)
        return waiting.future

    def _run(self) -> None:
        batch = self._drain([])
        while batch:
            batch = self._drain(self._process(batch))
        self._disconnect()

    def _drain(self, carried: list[_Waiting]) -> list[_Waiting]:
        """The carried commands and those queued, waiting for the first if need be; empty at the end."""
        batch = list(carried)
        while len(batch) < BATCH_COMMANDS and not (batch and self._queue.empty()):
            waiting = self._queue.get()
            if waiting is None:
                if batch:
                    self._queue.put(None)
                break
            # From here on a caller who no longer waits cannot take the command back.
            if waiting.future.set_running_or_notify_cancel():
                batch.append(waiting)
        return batch

    def _process(self, batch: list[_Waiting]) -> list[_Waiting]:
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

    def _find_fault(self, batch: list[_Waiting], error: Exception) -> list[_Waiting]:
        """Decides the commands of a failed batch one by one, so that only the one at fault fails."""
        if len(batch) > 1:
            return [again for waiting in batch for again in self._process([waiting])]
        log.error("command-failed", operation=batch[0].command.audit.operation, exc_info=error)
        _fail(batch[0], error)
        return []

    def _commit(self, batch: list[_Waiting]) -> list[_Waiting]:
        started = time.monotonic()
        recorder = self._connected()
        known = self._load(recorder, batch)
        key_hashes = [w.command.idempotency.key_hash for w in batch if w.command.idempotency]
        locked = recorder.begin_and_lock(
            [(stream, folded.version) for stream, folded in known.items()], key_hashes
        )
        self._fold_into(known, locked.tails)
        stamp = Stamp(at=max(self._clock.now(), locked.recorded_at))
        decided = self._decide(batch, known, locked, stamp)
        if decided.events or decided.commands:
            self._append(recorder, decided)
            LEDGER_APPEND_SECONDS.observe(time.monotonic() - started)
        else:
            recorder.rollback()
        self._remember(known)
        self._remember(decided.changed)
        for waiting, outcome in decided.outcomes:
            _tell(waiting, outcome)
        return decided.again

    def _append(self, recorder: LedgerRecorder, decided: _Decided) -> None:
        try:
            recorder.insert_events(
                decided.events, commands=decided.commands, announcements=decided.announcements
            )
        except psycopg.Error as error:
            if not may_pass(error) or not self._was_committed(decided):
                raise

    def _was_committed(self, decided: _Decided) -> bool:
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
            _fail(waiting, LedgerUnavailable("the outcome of the commit is not known yet"))
        return False

    def _load(self, recorder: LedgerRecorder, batch: list[_Waiting]) -> dict[StreamId, Folded]:
        """States of all streams the batch names, from the cache or, outside the lock, from the ledger."""
        known: dict[StreamId, Folded] = {}
        missing: set[StreamId] = set()
        for waiting in batch:
            for stream in waiting.streams:
                cached = self._cache.get(stream)
                if cached is None:
                    missing.add(stream)
                else:
                    known[stream] = cached
        for stream in missing:
            known[stream] = NOTHING
        if missing:
            self._fold_into(known, recorder.select_tails([(stream, 0) for stream in missing]))
        return known

    def _fold_into(self, known: dict[StreamId, Folded], rows: Iterable[EventRow]) -> None:
        for row in rows:
            stream = row.stream
            folded = known[stream]
            if row.originator_version != folded.version + 1:
                raise RuntimeError(f"{stream.type} stream has a hole after version {folded.version}")
            fact = self._mapper.decode(row.topic, row.schema_version, row.state)
            known[stream] = Folded(folded.version + 1, self._registry.evolve(stream, folded.state, fact))

    def _decide(
        self,
        batch: list[_Waiting],
        known: dict[StreamId, Folded],
        locked: Locked,
        stamp: Stamp,
    ) -> _Decided:
        decided = _Decided()
        overlay = dict(known)
        stored = dict(locked.commands)
        stop_at = time.monotonic() + DECIDING_SECONDS
        for waiting in batch:
            if decided.outcomes and time.monotonic() > stop_at:
                decided.again.append(waiting)
                continue
            claim = waiting.command.idempotency
            transaction = OpenTransaction(self._registry, overlay, stamp)
            try:
                if claim and claim.key_hash in stored:
                    replayed = self._answers.replay(stored[claim.key_hash], claim)
                    decided.outcomes.append((waiting, replayed))
                    continue
                answer = waiting.command.handler(transaction)
                outcome = Committed(answer, locked.position + len(decided.events) + len(transaction.events))
                rows = self._rows(waiting.command, transaction, stamp, locked.position + len(decided.events))
                command_row = self._command_row(waiting.command, outcome, stamp)
            except NotLoaded as error:
                waiting.extra_streams.add(error.stream)
                waiting.loads += 1
                if waiting.loads > LOADS_PER_COMMAND:
                    decided.outcomes.append((waiting, error))
                else:
                    decided.again.append(waiting)
                continue
            except DomainError as error:
                decided.outcomes.append((waiting, error))
                continue
            except Exception as error:
                log.exception("command-failed", operation=waiting.command.audit.operation)
                decided.outcomes.append((waiting, error))
                continue
            decided.announcements += _announcements(transaction, rows)
            decided.events += rows
            if command_row is not None:
                decided.commands.append(command_row)
                stored[command_row.key_hash] = StoredCommand(
                    command_row.key_hash, command_row.request_hash, command_row.answer, command_row.position
                )
            transaction.keep()
            decided.changed.update(transaction.changed)
            decided.outcomes.append((waiting, outcome))
        return decided

    def _rows(
        self, command: Command, transaction: OpenTransaction, stamp: Stamp, last_position: int
    ) -> list[EventRow]:
        if not transaction.events:
            return []
        audit = command.audit
        transaction_id = self._ids.new()
        rows = []
        for offset, event in enumerate(transaction.events, start=1):
            name, schema_version, state = self._mapper.encode(event.fact)
            row = EventRow(
                id=last_position + offset,
                originator_id=originator_id(event.stream),
                originator_version=event.version,
                topic=name,
                state=state,
                tenant_id=audit.tenant_id,
                schema_version=schema_version,
                transaction_id=transaction_id,
                actor=audit.actor,
                role=audit.role,
                on_behalf_of=audit.on_behalf_of,
                operation=audit.operation,
                correlation_id=audit.correlation_id,
                causation_id=audit.causation_id,
                recorded_at=stamp.at,
                leaf_hash=b"",
                hash_version=HASH_VERSION,
            )
            rows.append(replace(row, leaf_hash=leaf_hash(row)))
        return rows

    def _command_row(self, command: Command, outcome: Committed, stamp: Stamp) -> CommandRow | None:
        claim = command.idempotency
        if claim is None:
            return None
        return CommandRow(
            key_hash=claim.key_hash,
            request_hash=claim.request_hash,
            answer=self._answers.seal(outcome.answer, claim.key_hash),
            position=outcome.position,
            recorded_at=stamp.at,
            expires_at=NEVER if claim.never_expires else stamp.at + KEY_LIFETIME,
        )

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


def _announcements(transaction: OpenTransaction, rows: list[EventRow]) -> list[AnnouncementRow]:
    announced = []
    for announcement in transaction.announcements:
        row = rows[announcement.event_index]
        event_id = uuid5(OUTBOX_NAMESPACE, f"{row.originator_id}@{row.originator_version}")
        announced.append(AnnouncementRow(row.id, event_id, announcement.fact_type))
    return announced


def _with_patience_left(batch: list[_Waiting]) -> list[_Waiting]:
    now = time.monotonic()
    for waiting in batch:
        if waiting.give_up_at <= now:
            _fail(waiting, LedgerUnavailable("the database cannot be reached"))
    return [waiting for waiting in batch if not waiting.future.done()]


def _tell(waiting: _Waiting, outcome: Committed | Exception) -> None:
    if isinstance(outcome, Exception):
        _fail(waiting, outcome)
    elif not waiting.future.done():
        waiting.future.set_result(outcome)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
