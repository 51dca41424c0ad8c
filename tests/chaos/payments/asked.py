"""What was asked for under one key, all that was answered to it, and what all clients saw together."""

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import httpx

Kind = Literal["pay", "void", "refund", "pay-vendor"]

KEPT = frozenset({200, 201, 202, 402})
"""Statuses of answers that are kept for a key, and told again to each repeat of it."""

_REFUSALS: dict[Kind, frozenset[str]] = {
    "pay": frozenset({"PAYMENT_EXCEEDS_BALANCE", "INVOICE_NOT_PAYABLE"}),
    "void": frozenset({"PAYMENT_NOT_VOIDABLE"}),
    "refund": frozenset({"PAYMENT_NOT_REFUNDABLE", "REFUND_EXCEEDS_PAID"}),
    "pay-vendor": frozenset({"ALLOCATION_EXCEEDS_OPEN_AMOUNT", "BILL_NOT_PAYABLE"}),
}
_ANSWERS: dict[Kind, frozenset[int]] = {
    "pay": frozenset({201, 202, 402}),
    "void": frozenset({200, 202}),
    "refund": frozenset({200, 202}),
    "pay-vendor": frozenset({200, 201}),
}


class Told(NamedTuple):
    """An answer: its status, the code of a problem, its bytes."""

    status: int
    code: str | None
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """What its bytes say."""
        body: dict[str, Any] = json.loads(self.content)
        return body

    @property
    def is_kept(self) -> bool:
        """Whether each repeat of the key is answered the same."""
        return self.status in KEPT

    @property
    def is_in_flight(self) -> bool:
        """Whether an earlier one of the same key is still under way."""
        return self.code == "IDEMPOTENCY_IN_FLIGHT"


@dataclass(eq=False)
class Asked:
    """One request, however often it is sent. `told` are its answers other than "again", of which `in_flight`
    counts those because of an earlier one of the same key.

    `key` is the Idempotency-Key, for a vendor the `paymentRef`; `billing_payment_id` is what is taken back.
    """

    kind: Kind
    number: int
    path: str
    body: dict[str, Any]
    key: str
    billing_payment_id: str | None = None
    told: list[Told] = field(default_factory=list)
    in_flight: int = 0

    @property
    def trace_id(self) -> str:
        """The trace that every sending of it belongs to, by which the ledger tells what came of it."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]

    @property
    def headers(self) -> dict[str, str]:
        """What it is sent with."""
        traceparent = f"00-{self.trace_id}-{self.trace_id[:16]}-01"
        keyed = {} if self.kind == "pay-vendor" else {"Idempotency-Key": self.key}
        return {"traceparent": traceparent, **keyed}

    @property
    def kept(self) -> Told | None:
        """The first answer that its repeats are to get, too."""
        return next((told for told in self.told if told.is_kept), None)

    def allows(self, told: Told) -> bool:
        """Whether it may be answered so."""
        return told.status in _ANSWERS[self.kind] or told.code in _REFUSALS[self.kind]


@dataclass
class Record:
    """What the clients saw. `lost` are broken connections, `unavailable` answers 503.

    `answers` are counted by kind, status and code.
    """

    asked: list[Asked] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    unavailable: int = 0
    left_alone: int = 0
    given_up: int = 0
    unexpected: list[str] = field(default_factory=list)
    answered_at: float | None = None

    def hear(self, asked: Asked, response: httpx.Response) -> Told | None:
        """Notes an answer; None where it says to ask again."""
        code = response.json()["code"] if response.status_code >= 400 else None
        told = Told(response.status_code, code, response.content)
        self.answered_at = time.monotonic()
        if told.is_in_flight:
            asked.in_flight += 1
            return None
        if told.status == 503:
            self.unavailable += 1
            return None
        self.answers[" ".join(filter(None, (asked.kind, str(told.status), told.code)))] += 1
        asked.told.append(told)
        if not asked.allows(told):
            self.unexpected.append(f"{asked.kind} {asked.key} was answered {told.status} {response.text}")
        return told

    def last_answer_at(self) -> float | None:
        """When anybody was last answered (monotonic); None before the first answer."""
        return self.answered_at
