"""One attempt to deliver one message: a signed POST, and what became of it in a word that may be logged."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol
from uuid import UUID

import httpx

from application.outbound import CONTENT_TYPE
from application.ports import Clock
from infrastructure.outbox.target import TargetSeal

CONNECT_SECONDS = 5.0
ATTEMPT_SECONDS = 15.0
"""For everything together, so that a receiver that drips cannot hold an attempt for ever."""

_DRAINED_BYTES = 16_384
_DRAIN_SECONDS = 1.0
"""A short answer is read to its end, so that the connection can be used again; another one is cut off."""


@dataclass(frozen=True)
class Message:
    """An outbound fact on its way: `body` is its CloudEvent, `event_id` what receivers know it by."""

    position: int
    event_id: UUID
    fact_type: str
    body: bytes


@dataclass(frozen=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True)
class Gone:
    """The receiver says that it will never take anything again."""


@dataclass(frozen=True)
class Failed:
    """It did not work. `failure` is a word without content, `retry_at` (UTC) what the receiver asked for."""

    failure: str
    retry_at: datetime | None = None


Outcome = Delivered | Gone | Failed


class Channel(Protocol):
    """A way to deliver to one kind of subscriber."""

    async def deliver(self, subscriber_id: UUID, sealed: bytes, message: Message) -> Outcome:
        """One attempt at one message, to the place that `sealed` names. Raises `KeyUnusable`."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


class WebhookChannel:
    """`Channel` to webhooks, signed by Standard Webhooks; TLS is verified, redirects are refused.

    Trusted authorities are certifi's, or those of `SSL_CERT_FILE`; proxies of the environment are not used.
    """

    def __init__(self, seal: TargetSeal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock
        self._client = httpx.AsyncClient(
            verify=httpx.create_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(ATTEMPT_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        )

    async def deliver(self, subscriber_id: UUID, sealed: bytes, message: Message) -> Outcome:
        """Posts the message. The answer's body is neither kept nor looked at. Raises `KeyUnusable`."""
        target = self._seal.open(sealed, subscriber_id)
        at = self._clock.now()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "billing-docs",
            "webhook-id": str(message.event_id),
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": target.signatures(str(message.event_id), at, message.body),
        }
        answered: Outcome | None = None
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS),
                self._client.stream("POST", target.url, content=message.body, headers=headers) as response,
            ):
                answered = _outcome(response, self._clock.now())
                await _drain(response)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            # The status line is the answer, whatever becomes of the rest. Errors' words may hold the address.
            return answered or Failed(type(error).__name__)
        return answered

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()


async def _drain(response: httpx.Response) -> None:
    seen = 0
    async with asyncio.timeout(_DRAIN_SECONDS):
        async for chunk in response.aiter_raw():
            seen += len(chunk)
            if seen > _DRAINED_BYTES:
                return


def _outcome(response: httpx.Response, now: datetime) -> Outcome:
    if response.is_success:
        return Delivered()
    if response.status_code == httpx.codes.GONE:
        return Gone()
    return Failed(f"HTTP {response.status_code}", _retry_at(response.headers.get("Retry-After"), now))


def _retry_at(retry_after: str | None, now: datetime) -> datetime | None:
    """What `Retry-After` asks for, in either of its forms; None where it cannot be read."""
    if retry_after is None:
        return None
    try:
        if retry_after.isascii() and retry_after.isdigit():
            return now + timedelta(seconds=int(retry_after))
        asked = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    return asked if asked.tzinfo else asked.replace(tzinfo=UTC)
