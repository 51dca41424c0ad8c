"""Commands that wait for the committer, and how their outcomes reach whoever waits, thread or event loop."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from application.ledger import Command, Committed
from domain.kernel.streams import StreamId

Outcome = Committed | Exception


@dataclass(eq=False)
class Waiting:
    """A command, who waits for it and until when (monotonic seconds), and what it turned out to need.

    `loop` is the event loop in which `future` belongs; without one it is a thread's.
    """

    command: Command
    give_up_at: float
    future: "Future[Committed] | asyncio.Future[Committed]"
    loop: asyncio.AbstractEventLoop | None = None
    told: bool = False
    extra_streams: set[StreamId] = field(default_factory=set)
    long_streams: set[StreamId] = field(default_factory=set)
    extra_subjects: set[str] = field(default_factory=set)
    loads: int = 0

    @property
    def streams(self) -> Iterable[StreamId]:
        """The streams that deciding it reads, as far as known."""
        return (*self.command.streams, *self.extra_streams) if self.extra_streams else self.command.streams

    @property
    def subjects(self) -> Iterable[str]:
        """The subjects whose data its facts will hold, as far as known."""
        return self.command.subjects | self.extra_subjects if self.extra_subjects else self.command.subjects

    def is_wanted(self) -> bool:
        """Whether somebody still waits; from now on nobody can take the command back."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()

    def tell(self, outcome: Outcome) -> None:
        """Answers whoever waits, once."""
        tell_all([(self, outcome)])


def tell_all(outcomes: Iterable[tuple[Waiting, Outcome]]) -> None:
    """Answers everybody, once each: those of one event loop in one turn of it, for waking a loop is dear."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiting, Outcome]]] = defaultdict(list)
    for waiting, outcome in outcomes:
        if waiting.told:
            continue
        waiting.told = True
        if waiting.loop is None:
            _answer(waiting.future, outcome)
        else:
            by_loop[waiting.loop].append((waiting, outcome))
    for loop, answers in by_loop.items():
        # A loop that was closed has nobody left who waits.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer_here, answers)


def _answer_here(answers: list[tuple[Waiting, Outcome]]) -> None:
    for waiting, outcome in answers:
        _answer(waiting.future, outcome)


def _answer(future: "Future[Committed] | asyncio.Future[Committed]", outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
