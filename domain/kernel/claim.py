"""A claim makes something unique: one tiny stream a key, saved with what holds it (architecture §2)."""

from typing import Literal
from uuid import UUID, uuid5

from domain.kernel.facts import Fact, Value
from domain.kernel.streams import EventType, StreamId, StreamType

_NAMESPACE = UUID("0d0c3a52-8a3f-5c44-9a53-0f6f8f6b2f01")

Purpose = Literal[
    "SNAPSHOT",
    "PARTY",
    "ACCOUNT_PO",
    "GLOBAL_PO",
    "DOWNLOAD_TOKEN",
    "IDEMPOTENCY_KEY",
    "PAYMENT_REF",
    "DELIVERY",
]


class ClaimTaken(Fact):
    """A key belongs to its holder for good; an IDEMPOTENCY_KEY until its request begins once more.

    `fingerprint` is the keyed hash of what was claimed with the key; empty where that is nothing but the key.
    """

    purpose: Purpose
    key: str
    holder: str
    fingerprint: str


class Claim(Value):
    """Who holds a key."""

    holder: str
    fingerprint: str


def claim_stream(purpose: Purpose, key: str) -> StreamId:
    """The stream of a key."""
    return CLAIM.stream(str(uuid5(_NAMESPACE, f"{purpose}:{key}")))


def _evolve(_: Claim | None, fact: ClaimTaken) -> Claim:
    return Claim(holder=fact.holder, fingerprint=fact.fingerprint)


CLAIM: StreamType[Claim] = StreamType("claim", (EventType("claim.taken", ClaimTaken),), _evolve)
