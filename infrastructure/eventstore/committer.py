"""The committer: one thread a process that puts waiting commands into transactions, in batches.

There is no stale decision: whatever a handler reads is the newest there is when its command is committed. See
ADR 0002.
"""

import asyncio
import queue
import threading
import time
from concurrent.futures import Future

from application.ledger import Command, Committed, LedgerUnavailable
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.waiting import Waiting

BATCH_COMMANDS = 256
ENOUGH = 0.75
"""Of the last batch's size. With half of it batches shrink; with all of it nobody decides during a flush."""

LINGER_SECONDS = 0.001
LINGER_STEP_SECONDS = 0.0001


class Committer:
    """Drains waiting commands into transactions. `submit` may be called from any thread."""

    def __init__(self, batches: BatchCommitter, *, patience_seconds: float = 10.0) -> None:
        """A command is given up, as `LedgerUnavailable`, after so many seconds without a database."""
        self._batches = batches
        self._patience_seconds = patience_seconds
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
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
        while True:
            batch = self._drain(self._batches.take_again())
            if batch:
                self._batches.commit(batch)
            elif self._batches.is_under_way:
                self._batches.land()
            else:
                break
        self._batches.disconnect()

    def _drain(self, carried: list[Waiting]) -> list[Waiting]:
        """The carried commands and those queued, waiting for the first if need be.

        It is empty where the batch under way has landed before anybody came, and at the end. Callers who were
        answered together come back together, but not at the same instant: where fewer are here than last
        time, the rest gets a moment, for a flush of the log costs more than that.
        """
        batch = list(carried)
        linger_until = 0.0
        while len(batch) < BATCH_COMMANDS:
            if self._queue.empty() and (batch or self._batches.is_under_way):
                now = time.monotonic()
                linger_until = linger_until or now + LINGER_SECONDS
                is_late = now > linger_until
                if batch and (is_late or len(batch) > ENOUGH * self._last_batch_size):
                    break
                if not batch and self._batches.has_landed():
                    break
                time.sleep(LINGER_SECONDS if is_late else LINGER_STEP_SECONDS)
                continue
            waiting = self._queue.get()
            if waiting is None:
                self._queue.put(None)
                break
            if waiting.is_wanted():
                batch.append(waiting)
        if batch:
            self._last_batch_size = len(batch)
        return batch
