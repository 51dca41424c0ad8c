"""Waiting until projections have reached a position: one question at a time for all who wait in a process."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

POLL_SECONDS = 0.001

Positions = dict[tuple[str, ...], int]
"""How far the slowest of some projections has come, by their names."""


class Progress:
    """What is known of the projections' positions, and who waits for more. For one event loop."""

    def __init__(self, ask: Callable[[Sequence[tuple[str, ...]]], Coroutine[Any, Any, Positions]]) -> None:
        """`ask` looks the positions of several groups of projections up."""
        self._ask = ask
        self._known: Positions = {}
        self._waiting: dict[tuple[str, ...], int] = {}
        self._asked_at = 0.0
        self._answer: asyncio.Task[None] | None = None

    def saw(self, projections: tuple[str, ...], position: int) -> None:
        """Somebody read this position, which may be lower than before after PostgreSQL crashed."""
        self._known[projections] = position

    async def reached(self, projections: tuple[str, ...], position: int, timeout_seconds: float) -> bool:
        """Waits until the projections have reached a position; False when time runs out."""
        give_up_at = time.monotonic() + timeout_seconds
        self._waiting[projections] = self._waiting.get(projections, 0) + 1
        try:
            while self._known.get(projections, 0) < position:
                await self._asked()
                if self._known.get(projections, 0) < position and time.monotonic() >= give_up_at:
                    return False
        finally:
            self._waiting[projections] -= 1
            if not self._waiting[projections]:
                del self._waiting[projections]
        return True

    async def _asked(self) -> None:
        """One answer for all who ask before it comes. One who goes away does not take it from the others."""
        if self._answer is None or self._answer.done():
            self._answer = asyncio.create_task(self._look())
        await asyncio.shield(self._answer)

    async def _look(self) -> None:
        await asyncio.sleep(self._asked_at + POLL_SECONDS - time.monotonic())
        self._asked_at = time.monotonic()
        self._known |= await self._ask(list(self._waiting))
