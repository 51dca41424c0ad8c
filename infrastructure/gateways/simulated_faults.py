"""What may go wrong at the simulated gateways: by payment method or vendor, and for anybody."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.kernel.facts import Value

SimulatedGateway = Literal["stripe", "bank"]
Step = Literal["authorize", "capture", "void", "refund", "read", "notice"]

FaultKind = Literal["SLOW", "UNTAKEN", "LATE", "LOST", "ERROR", "DELAYED", "REPEATED"]
"""SLOW: waits, then does it and answers. UNTAKEN: waits and hangs up, and nothing has happened. LATE: does
it, waits, answers. LOST: does it, waits and hangs up. ERROR: answers 500, and nothing has happened.
Of notices: DELAYED waits up to `seconds`, so that later ones overtake it; REPEATED is sent twice.
"""

HELD_SECONDS = 30.0
"""How long those wait who never get an answer; they will have given up before."""

_NOTICE_KINDS = frozenset({"DELAYED", "REPEATED"})


class Fault(Value):
    """A thing that goes wrong at a gateway and step, or at any.

    `one_in` hits one request in so many, drawn from the `seed`; `times` only the first so many of a subject:
    a key of ours, a payment's reference or a notice's id.
    """

    kind: FaultKind
    gateway: SimulatedGateway | None = None
    step: Step | None = None
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    one_in: Annotated[int, Field(ge=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _kinds_have_their_step(self) -> Self:
        if (self.kind in _NOTICE_KINDS) != (self.step == "notice"):
            raise ValueError("DELAYED and REPEATED are faults of the step notice, and no other is")
        return self

    def hits(self, gateway: SimulatedGateway, step: Step, subject: str, attempt: int) -> bool:
        """Whether it goes wrong this time; `attempt` counts the subject's requests from 1."""
        if self.gateway not in {None, gateway} or self.step not in {None, step}:
            return False
        if self.step is None and step == "notice":
            return False
        if self.one_in is not None and self.drawn(f"{step}:{subject}:{attempt}") % self.one_in != 0:
            return False
        return self.times is None or attempt <= self.times

    def drawn(self, what: str) -> int:
        """A large number that depends on the seed and that alone."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{what}".encode()).digest()[:8])


class Conditions(Value):
    """How the gateways are today: faults, how far Stripe's search is behind, how long pending takes."""

    faults: tuple[Fault, ...] = ()
    search_lag_seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    pending_seconds: Annotated[float, Field(ge=0, le=3600)] = 2


class Behaviour(Value):
    """What becomes of payments of a method, or to a vendor.

    `pending`: it is decided `pending_seconds` later. `declined`: it comes to nothing. `expires`: at its
    capture the authorisation has lapsed. `refunds`: how refunds end; `faults`: what goes wrong besides.
    """

    pending: bool = False
    declined: bool = False
    expires: bool = False
    refunds: Literal["SUCCEEDED", "FAILED"] = "SUCCEEDED"
    refunds_pending: bool = False
    faults: tuple[Fault, ...] = ()


BEHAVIOURS = {
    "ok": Behaviour(),
    "declined": Behaviour(declined=True),
    "pending": Behaviour(pending=True),
    "pending_declined": Behaviour(pending=True, declined=True),
    "slow": Behaviour(faults=(Fault(kind="SLOW", seconds=3, step="authorize"),)),
    "timeout": Behaviour(faults=(Fault(kind="UNTAKEN", seconds=HELD_SECONDS, step="authorize"),)),
    "timeout_charged": Behaviour(
        faults=(
            Fault(kind="LOST", seconds=HELD_SECONDS, step="authorize"),
            Fault(kind="LOST", seconds=HELD_SECONDS, step="capture"),
        )
    ),
    "timeout_captured": Behaviour(faults=(Fault(kind="LOST", seconds=HELD_SECONDS, step="capture"),)),
    "expired": Behaviour(expires=True),
    "refund_pending": Behaviour(refunds_pending=True),
    "refund_failed": Behaviour(refunds_pending=True, refunds="FAILED"),
}
"""By the end of a card token (`tok_declined`, `pm_declined`) and the beginning of a vendor's id
(`sim-declined…`): what always happens to it, as the test cards of real gateways do it."""

_OK = BEHAVIOURS["ok"]


def behaviour_of_token(method: str) -> Behaviour | None:
    """Of a card token or payment method; None for one that does not exist."""
    prefix, _, name = method.partition("_")
    return BEHAVIOURS.get(name) if prefix in {"tok", "pm"} else None


def behaviour_of_vendor(vendor_id: str) -> Behaviour:
    """Of a vendor, whose id may go on behind the word."""
    if not vendor_id.startswith("sim-"):
        return _OK
    told = vendor_id.removeprefix("sim-").replace("-", "_")
    fitting = [name for name in BEHAVIOURS if told.startswith(name)]
    return BEHAVIOURS[max(fitting, key=len)] if fitting else _OK


def fault_for(
    faults: Sequence[Fault], gateway: SimulatedGateway, step: Step, subject: str, attempt: int
) -> Fault | None:
    """The first fault that hits the request."""
    return next((fault for fault in faults if fault.hits(gateway, step, subject, attempt)), None)
