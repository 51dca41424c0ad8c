"""An upstream event is received once per source and id: ACCEPTED or WAITING; refused ones leave the id free.

Commands: receive, refuse. A repeat with the same data is a duplicate, with other data a conflict.
"""

from typing import Any, Literal, assert_never
from uuid import UUID, uuid5

from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Value
from domain.kernel.streams import EventType, StreamType

_NAMESPACE = UUID("6b0d2f0e-0b3c-5b7a-8d0e-4b1f6b9a7c11")

Effect = Literal["ACCEPTED", "DUPLICATE", "WAITING"]
"""It took effect, what it tells was known already, or it waits for its cause."""


class About(Value):
    """The stream that an upstream event belongs to."""

    stream_type: str
    stream_id: str


class InboundReceived(Fact):
    """An upstream event was taken in, to that effect.

    `data_fingerprint` is the keyed hash of its type and data.
    """

    source: str
    event_id: str
    type: str
    data_fingerprint: str
    about: About
    effect: Effect


class InboundRefused(Fact):
    """An upstream event was refused with a code; its id stays free."""

    source: str
    event_id: str
    type: str
    data_fingerprint: str
    about: About
    code: str


class Inbound(Value):
    """What is known of a source and id. `received` is None while it was only ever refused."""

    received: InboundReceived | None = None
    last_refused: InboundRefused | None = None


def inbound_id(source: str, event_id: str) -> str:
    """The stream id of a source and id, which together may be of any length."""
    return str(uuid5(_NAMESPACE, f"{len(source)}:{source}:{event_id}"))


def seen_before(inbound: Inbound | None, data_fingerprint: str) -> bool:
    """Whether this very event was taken in before. Raises `EVENT_CONFLICT` if its id carried other data."""
    if inbound is None or inbound.received is None:
        return False
    if inbound.received.data_fingerprint != data_fingerprint:
        raise DomainError("EVENT_CONFLICT", "This source and id were received before with other data.")
    return True


def refuse(inbound: Inbound | None, refused: InboundRefused) -> tuple[InboundRefused, ...]:
    """Records a refusal, once for each time something else is refused under the id."""
    return () if inbound is not None and inbound.last_refused == refused else (refused,)


def _evolve(inbound: Inbound | None, fact: InboundReceived | InboundRefused) -> Inbound:
    inbound = inbound or Inbound()
    match fact:
        case InboundReceived():
            return inbound.model_copy(update={"received": fact})
        case InboundRefused():
            return inbound.model_copy(update={"last_refused": fact})
        case _:
            assert_never(fact)


def _about_an_order(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew only events of orders."""
    order_id = content.pop("orderId")
    return {**content, "about": {"streamType": "order", "streamId": order_id}}


INBOUND: StreamType[Inbound] = StreamType(
    "inbound",
    (
        EventType("inbound.received", InboundReceived, 2, {1: _about_an_order}),
        EventType("inbound.refused", InboundRefused, 2, {1: _about_an_order}),
    ),
    _evolve,
)
