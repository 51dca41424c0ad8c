"""Processes that are stopped in the middle of asking a gateway, and go on when a test says so."""

import asyncio
from typing import Any


class Paused:
    """Holds whoever takes a gateway's step next: before it is taken, or with the answer in hand.

    `reached` once somebody is held; `goes_on` is set to let them go on. Nobody else is held.
    """

    def __init__(self, gateway: Any, step: str, *, answered: bool = False) -> None:
        self.reached, self.goes_on = asyncio.Event(), asyncio.Event()
        self._take = getattr(gateway, step)
        self._answered = answered
        setattr(gateway, step, self._asked)

    async def _asked(self, *arguments: Any, **options: Any) -> Any:
        if self.reached.is_set():
            return await self._take(*arguments, **options)
        self.reached.set()
        if self._answered:
            answer = await self._take(*arguments, **options)
            await self.goes_on.wait()
            return answer
        await self.goes_on.wait()
        return await self._take(*arguments, **options)
