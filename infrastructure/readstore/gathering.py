"""Answers many questions of one kind by one statement: what comes while one is under way is asked next."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from application.ports import Found, ReadStoreUnavailable

MOST_TOGETHER = 100

Parameters = Mapping[str, Any]

Ask = Callable[[Sequence[Parameters]], Coroutine[Any, Any, list[Found]]]
"""Runs one statement for several values of its parameters; what it found for each, in their order."""


class Gathering:
    """Who waits for an answer of one kind. For one event loop."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._waiting: list[tuple[Parameters, asyncio.Future[Found]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def found(self, parameters: Parameters) -> Found:
        """What the statement finds for these parameters, asked after this call. Raises what `ask` does."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((parameters, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_for_all())
        return await answer

    async def _ask_for_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                await self._answer(asked)
        finally:
            self._asking = None

    async def _answer(self, asked: Sequence[tuple[Parameters, asyncio.Future[Found]]]) -> None:
        try:
            answers = await self._ask([parameters for parameters, _ in asked])
        except Exception as error:
            if len(asked) > 1 and not isinstance(error, ReadStoreUnavailable):
                # One of them cannot be asked; the others shall not know of it.
                for one in asked:
                    await self._answer([one])
                return
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), found in zip(asked, answers, strict=True):
            # Who has gone away takes the answer from nobody else.
            if not answer.done():
                answer.set_result(found)
