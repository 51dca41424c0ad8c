"""Intents of operations that take several steps: a key belongs to its intent from the start (contract §2)."""

from typing import Final

from application.ledger import IdempotencyClaim, Transaction
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId
from domain.receivables.payment_facts import KeyedRequest

UNFINISHED: Final = 102
"""What the ledger answers while an intent is recorded and nothing more; it is never stored, nor told."""


def keyed(claim: IdempotencyClaim) -> KeyedRequest:
    """A claim as facts keep it."""
    return KeyedRequest(key_hash=claim.key_hash.hex(), request_hash=claim.request_hash.hex())


def claim_of(asked: KeyedRequest) -> IdempotencyClaim:
    """The claim that facts keep, under which the intent's answer is stored; such keys never expire."""
    return IdempotencyClaim(
        bytes.fromhex(asked.key_hash), bytes.fromhex(asked.request_hash), never_expires=True
    )


def intent_stream(asked: KeyedRequest) -> StreamId:
    """Where it is recorded what a key stands for."""
    return claim_stream("IDEMPOTENCY_KEY", asked.key_hash)


def intent_of(transaction: Transaction, asked: KeyedRequest) -> str | None:
    """What was begun last under the key; None for a new one. Raises `IDEMPOTENCY_KEY_REUSED`."""
    claim = transaction.state(CLAIM, intent_stream(asked).id)
    if claim is None:
        return None
    if claim.fingerprint != asked.request_hash:
        raise DomainError("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request.")
    return claim.holder


def append_intent(transaction: Transaction, asked: KeyedRequest, holder: str) -> None:
    """Lets the key stand for an intent; one that ended without an answer to keep gives way to another."""
    taken = ClaimTaken(
        purpose="IDEMPOTENCY_KEY", key=asked.key_hash, holder=holder, fingerprint=asked.request_hash
    )
    transaction.append(intent_stream(asked), (taken,))


def in_flight() -> DomainError:
    """What a repeat is told while the first is not finished."""
    return DomainError("IDEMPOTENCY_IN_FLIGHT", "The same request is under way; ask again for its answer.")
