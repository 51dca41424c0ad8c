"""States as they stood: streams folded anew up to a moment or a version (contract §2, "As of")."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.ledger import Ledger
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class Moment:
    """A recorded time (UTC) or a ledger position, inclusive; never both."""

    as_of: datetime | None = None
    position: int | None = None


@dataclass(frozen=True)
class Then:
    """A stream's state, how many events it was folded from, and the position of the last of them."""

    state: Any
    version: int
    position: int


async def states_at(
    ledger: Ledger, registry: Registry, streams: Collection[StreamId], moment: Moment
) -> dict[StreamId, Then]:
    """How each stream stood at that moment; those without history by then are left out."""
    ordered = list(streams)
    histories = await asyncio.gather(
        *(ledger.history(stream, as_of=moment.as_of, up_to_position=moment.position) for stream in ordered)
    )
    return {
        stream: Then(
            registry.fold(stream, [event.fact for event in events]), len(events), events[-1].position
        )
        for stream, events in zip(ordered, histories, strict=True)
        if events
    }


async def state_at(ledger: Ledger, registry: Registry, stream: StreamId, moment: Moment) -> Any:
    """A stream's state at that moment; None where it has no history by then."""
    then = (await states_at(ledger, registry, {stream}, moment)).get(stream)
    return None if then is None else then.state


async def state_at_version(ledger: Ledger, registry: Registry, stream: StreamId, version: int) -> Any:
    """A stream's state at a version that it reached, less what was erased since."""
    history = await ledger.history(stream, up_to_version=version)
    return registry.fold(stream, [event.fact for event in history])
