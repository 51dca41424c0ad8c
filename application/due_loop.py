"""Keeping at a list of things that fall due, several at once, each by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from application.ledger import LedgerUnavailable
from application.ports import Clock

log = structlog.get_logger(__name__)

READ_MODEL_REST = timedelta(seconds=1)
"""What was just dealt with is not looked at again at once, for the read model may still list it."""
DEFECT_REST = timedelta(seconds=30)


class Due(Protocol):
    """Something whose time has come."""

    @property
    def key(self) -> str:
        """Which one it is."""
        ...

    @property
    def logged_as(self) -> Mapping[str, str]:
        """The ids that a log line names it by."""
        ...


DueT = TypeVar("DueT", bound=Due)


class DueList(Protocol[DueT]):
    """What has fallen due. Raises `ReadStoreUnavailable`."""

    async def due(self, limit: int) -> list[DueT]:
        """What is to be done, retried, or was left by who died on the way; the longest due first."""
        ...


class DueLoop(Generic[DueT]):
    """Keeps up to `at_once` things of a kind under way, for as long as it runs.

    `attend` does what is due of one of them; a failure is logged as `<kind>-interrupted`.
    """

    def __init__(
        self,
        kind: str,
        work: DueList[DueT],
        attend: Callable[[DueT], Awaitable[None]],
        clock: Clock,
        *,
        at_once: int = 8,
    ) -> None:
        self._kind = kind
        self._work = work
        self._attend = attend
        self._clock = clock
        self._at_once = at_once
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._rests: dict[str, datetime] = {}

    async def step(self) -> int:
        """Starts what may be started; returns how many are under way."""
        free = self._at_once - len(self._under_way)
        if free > 0:
            now = self._clock.now()
            self._rests = {each: until for each, until in self._rests.items() if until > now}
            taken = self._rests.keys() | set(self._under_way.values())
            # What rests stays listed for a while: ask for more than is free.
            listed = await self._work.due(self._at_once + len(taken))
            waiting = [due for due in listed if due.key not in taken]
            for due in waiting[:free]:
                self._start(due)
        return len(self._under_way)

    async def drain(self) -> None:
        """Waits for what is under way."""
        await asyncio.gather(*self._under_way)

    def _start(self, due: DueT) -> None:
        task = asyncio.create_task(self._attended(due))
        self._under_way[task] = due.key
        task.add_done_callback(self._under_way.pop)

    async def _attended(self, due: DueT) -> None:
        rest = DEFECT_REST
        try:
            await self._attend(due)
            rest = READ_MODEL_REST
        except LedgerUnavailable as error:
            log.warning(f"{self._kind}-interrupted", **due.logged_as, error=type(error).__name__)
            rest = READ_MODEL_REST
        except Exception:
            # Whatever is wrong with one must not hold up the others.
            log.exception(f"{self._kind}-interrupted", **due.logged_as)
        self._rests[due.key] = self._clock.now() + rest
