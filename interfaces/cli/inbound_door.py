"""The client of the inbound HTTP door: a batch of events is sent until the door has answered it.

The door is idempotent, so a batch whose answer was lost is simply sent again.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import httpx
from pydantic import TypeAdapter, ValidationError

from domain.kernel.facts import UpstreamValue

_ISSUED_STATUSES = frozenset({"ISSUED", "VOIDED", "REPLACED"})
_TRY_AGAIN_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class DoorUnreachableError(Exception):
    """Nothing has moved for as long as the patience lasts; sending again goes on where it stopped."""


class DoorRefusedError(Exception):
    """The door refused a whole request: no permission, or no inbound door at that address."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on without any progress, and how long to pause between attempts."""

    give_up_after_seconds: float = 60.0
    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 5.0


class AnsweredDocument(UpstreamValue):
    """A document that a fact led to, as it stands now."""

    document_id: str
    status: str
    parked: bool = False

    @property
    def issued(self) -> bool:
        """Whether it has been issued, whatever became of it since."""
        return self.status in _ISSUED_STATUSES

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.issued or self.parked


class AnsweredError(UpstreamValue):
    """The part of the error envelope that the report needs."""

    code: str


class AnsweredFact(UpstreamValue):
    """What the door says of one event."""

    id: str
    outcome: Literal["ACCEPTED", "DUPLICATE", "WAITING", "REJECTED"]
    error: AnsweredError | None = None
    documents: tuple[AnsweredDocument, ...] = ()


class _Answer(UpstreamValue):
    results: tuple[AnsweredFact, ...]


_ANSWER = TypeAdapter(_Answer)


class DoorAnswer(NamedTuple):
    """The door's answer to a batch; `complete` is false while issuing goes on in the background (202)."""

    results: tuple[AnsweredFact, ...]
    complete: bool


class InboundDoor:
    """`POST /v1/inbound/events` of one service; threads may share it.

    `token` gives a bearer token that is valid now; it is asked before every attempt.
    """

    def __init__(self, base_url: str, token: Callable[[], str], *, patience: Patience | None = None) -> None:
        # The service is one's own, so proxies that the environment sets for the outside world are passed by.
        self._client = httpx.Client(
            base_url=base_url, timeout=httpx.Timeout(30.0, connect=5.0), trust_env=False
        )
        self._token = token
        self.patience = patience or Patience()
        self._stopped = threading.Event()
        self._last_answer_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """Make every attempt under way the last one."""
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        """Wait, unless stopped."""
        if self._stopped.wait(seconds):
            raise DoorUnreachableError("The import was stopped.")

    def send(self, body: bytes) -> DoorAnswer:
        """Send a batch until it is answered; the same bytes again after 429, 5xx and broken connections.

        Raises `DoorUnreachableError` when no batch was answered for as long as the patience lasts, and
        `DoorRefusedError` for any other status.
        """
        started_at = time.monotonic()
        pause_seconds = self.patience.first_pause_seconds
        while True:
            wait_seconds = pause_seconds
            try:
                response = self._client.post("/v1/inbound/events", content=body, headers=self._headers())
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                if response.status_code in (200, 202):
                    self._last_answer_at = time.monotonic()
                    return _read_answer(response)
                if response.status_code not in _TRY_AGAIN_STATUSES:
                    raise DoorRefusedError(f"The inbound door answered {_explain(response)}.")
                trouble = _explain(response)
                wait_seconds = _retry_after_seconds(response) or pause_seconds
            left_seconds = self.patience.give_up_after_seconds - (
                time.monotonic() - max(started_at, self._last_answer_at)
            )
            if left_seconds <= 0:
                raise DoorUnreachableError(f"The inbound door cannot be reached: {trouble}.")
            self.pause(min(wait_seconds, left_seconds))
            pause_seconds = min(pause_seconds * 2, self.patience.longest_pause_seconds)

    def _headers(self) -> dict[str, str]:
        return {
            "authorization": f"Bearer {self._token()}",
            "content-type": "application/cloudevents-batch+json",
        }


def _read_answer(response: httpx.Response) -> DoorAnswer:
    try:
        answer = _ANSWER.validate_json(response.content)
    except ValidationError as error:
        raise DoorRefusedError(
            "The inbound door answered something that is not the answer to a batch."
        ) from error
    return DoorAnswer(answer.results, complete=response.status_code == 200)


def _explain(response: httpx.Response) -> str:
    """The status, and the code of the error envelope if there is one."""
    try:
        code = AnsweredError.model_validate_json(response.content).code
    except ValidationError:
        return str(response.status_code)
    return f"{response.status_code} {code}"


def _retry_after_seconds(response: httpx.Response) -> float | None:
    """`Retry-After` in seconds; its other form, a date, counts as absent."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
