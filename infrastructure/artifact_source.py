"""Artifacts by address, for which upstream's word is not trusted: no request may reach what is not public.

An address must be https on an allowed host. The host is resolved once, every address found must be public,
and the connection goes to the one that was checked, so that a name cannot mean another place by then.
Certificates are verified for the host, redirects are refused, proxies of the environment are not used.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from application.ports import ArtifactNotFetched, ArtifactTooLarge
from infrastructure.public_addresses import is_public

HTTPS_PORT = 443
CONNECT_SECONDS = 5.0
FETCH_SECONDS = 20.0
"""For everything together, so that a server that drips cannot hold a download for ever."""

FETCHES_AT_ONCE = 4
"""Each may hold its content in memory; who has a token may use it many times at once."""

_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[!-~]*)?")
"""Only what every reader of URIs reads alike: no user, backslash, bracket, fragment or other sign."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as the system knows them. Raises `OSError`."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, each address in its canonical text."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


@dataclass(frozen=True)
class _Place:
    """Where an address leads: `target` is path and query."""

    host: str
    port: int
    target: str


class HttpsArtifactSource:
    """`application.ports.ArtifactSource` over HTTPS, on these hosts only; with none it serves nothing.

    Trusted authorities are certifi's, or those of `SSL_CERT_FILE`. What follows `hosts` is there for tests.
    """

    def __init__(
        self,
        hosts: Collection[str],
        *,
        port: int = HTTPS_PORT,
        resolve: Resolve = system_addresses,
        may_reach: Callable[[str], bool] = is_public,
        authorities: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._port = port
        self._resolve = resolve
        self._may_reach = may_reach
        self._authorities = authorities
        self._fetch_seconds = fetch_seconds
        self._turns = asyncio.Semaphore(FETCHES_AT_ONCE)

    def serves(self, uri: str) -> bool:
        """Whether it is an https address on an allowed host and the usual port."""
        return self._place(uri) is not None

    async def fetch(self, uri: str, most_bytes: int) -> bytes:
        """What stands there, up to so many bytes. Raises `ArtifactTooLarge`, `ArtifactNotFetched`."""
        place = self._place(uri)
        if place is None:
            raise ArtifactNotFetched("NOT_ALLOWED")
        try:
            async with asyncio.timeout(self._fetch_seconds), self._turns:
                address = await self._checked_address(place)
                return await self._content(place, address, most_bytes)
        except TimeoutError:
            raise ArtifactNotFetched("TIMEOUT") from None
        except (OSError, UnicodeError, httpx.HTTPError, httpx.InvalidURL) as error:
            # The error's own words hold the address.
            raise ArtifactNotFetched(type(error).__name__) from None

    def _place(self, uri: str) -> _Place | None:
        if not _ADDRESS.fullmatch(uri):
            return None
        parts = urlsplit(uri)
        try:
            host, port = (parts.hostname or "").rstrip("."), parts.port or HTTPS_PORT
        except ValueError:
            return None
        if "#" in uri or host not in self._hosts or port != HTTPS_PORT:
            return None
        query = f"?{parts.query}" if parts.query else ""
        return _Place(host, self._port, f"{parts.path or '/'}{query}")

    async def _checked_address(self, place: _Place) -> str:
        addresses = await asyncio.to_thread(self._resolve, place.host, place.port)
        # One that is not public beside others that are is a name that somebody plays with.
        if not addresses or not all(self._may_reach(address) for address in addresses):
            raise ArtifactNotFetched("ADDRESS_NOT_PUBLIC")
        return addresses[0]

    async def _content(self, place: _Place, address: str, most_bytes: int) -> bytes:
        url = httpx.URL(scheme="https", host=address, port=place.port, raw_path=place.target.encode("ascii"))
        headers = {"Host": place.host, "User-Agent": "billing-docs", "Accept-Encoding": "identity"}
        async with (
            # One connection for one file: kept ones are found by address, where several hosts may stand.
            httpx.AsyncClient(
                verify=self._trusted,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self._fetch_seconds, connect=CONNECT_SECONDS),
            ) as client,
            client.stream("GET", url, headers=headers, extensions={"sni_hostname": place.host}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ArtifactNotFetched(f"HTTP_{response.status_code}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise ArtifactNotFetched("ENCODED")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > most_bytes:
                    raise ArtifactTooLarge
        return bytes(content)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return self._authorities()
