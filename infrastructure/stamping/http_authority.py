"""An authority over HTTP: documents are posted under their ids, and stamps come back.

Like the certified providers of real countries it refuses to stamp twice: a document that it knows is answered
with 409, and its earlier stamp is looked up. So whatever was lost on the way is found by asking again.
"""

import asyncio
import base64
import binascii
from typing import Annotated, Literal

import httpx
from pydantic import StringConstraints, ValidationError

from application.stamping import (
    StampAnswer,
    StampRejected,
    StampRequest,
    StampTimeout,
    StampUnavailable,
)
from domain.kernel.canonical import sha256_hex
from domain.kernel.facts import UpstreamValue, Utc

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
"""For everything together; drivers allow less, and what they allow holds."""

CONTENT_DIFFERS = "CONTENT_DIFFERS"
"""The authority has stamped that document with another content: no answer of ours, so a person decides."""

_NOT_TAKEN = frozenset({401, 403, 404, 405, 429, 503})
"""Statuses that speak of the authority, or of how it is addressed, and not of the document."""

_REFUSED = frozenset({400, 413, 415, 422})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class StampBody(UpstreamValue):
    """A stamp as the authority answers it; `file` is base64, `content_sha256` of what it stamped (hex)."""

    uuid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    stamped_at: Utc
    qr: Annotated[str, StringConstraints(max_length=2000)] | None = None
    content_sha256: str
    file_type: Literal["json", "xml"]
    file: str


class RefusalBody(UpstreamValue):
    """Why the authority refuses a document, in its own word; never the document's content."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class HttpAuthority:
    """`application.stamping.Stamper` over HTTP. TLS is verified; redirects and proxies are not used."""

    def __init__(self, url: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """`url` is http or https, without a slash at its end."""
        self.url = url
        self._answer_seconds = answer_seconds
        self._client = httpx.AsyncClient(
            # Plain HTTP needs no authorities, which take longer to read than most requests.
            verify=httpx.create_ssl_context() if url.startswith("https:") else False,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        )

    async def stamp(self, request: StampRequest) -> StampAnswer:
        """Sends the document; where the authority knows it, looks its stamp up.

        Raises `StampTimeout`, `StampUnavailable`, `StampRejected`.
        """
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._stamped(request)
        except TimeoutError as error:
            raise StampTimeout("The authority has not answered in time.") from error

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def _stamped(self, request: StampRequest) -> StampAnswer:
        address = f"{self.url}/stamps/{request.document_id}"
        headers = {"Content-Type": "application/json"}
        try:
            response = await self._client.post(address, content=request.content_json, headers=headers)
            if response.status_code == httpx.codes.CONFLICT:
                response = await self._client.get(address)
        except _NEVER_SENT as error:
            raise StampUnavailable("The authority cannot be reached.") from error
        except httpx.HTTPError as error:
            raise StampTimeout("The authority's answer was lost.") from error
        return _answer(response, request)


def _answer(response: httpx.Response, request: StampRequest) -> StampAnswer:
    if response.is_redirect or response.status_code in _NOT_TAKEN:
        raise StampUnavailable(f"The authority answers {response.status_code}.")
    if response.status_code in _REFUSED:
        raise StampRejected(_code(response))
    if not response.is_success:
        raise StampTimeout(f"The authority answers {response.status_code}.")
    try:
        body = StampBody.model_validate_json(response.content)
        file = base64.b64decode(body.file, validate=True)
    except (ValidationError, binascii.Error) as error:
        raise StampTimeout("The authority's answer cannot be read.") from error
    if body.content_sha256 != sha256_hex(request.content_json):
        raise StampRejected(CONTENT_DIFFERS)
    return StampAnswer(
        uuid=body.uuid, stamped_at=body.stamped_at, qr=body.qr, file=file, file_type=body.file_type
    )


def _code(response: httpx.Response) -> str:
    """The authority's word where it is one, for it is logged and shown; else the status."""
    try:
        return RefusalBody.model_validate_json(response.content).code
    except ValidationError:
        return f"HTTP_{response.status_code}"
