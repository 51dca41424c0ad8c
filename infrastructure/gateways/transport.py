"""How gateways are reached: directly, by TLS that is verified, and without waiting for ever."""

import httpx

CONNECT_SECONDS = 5.0

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""What a request fails with that has not left this machine."""


def direct_client(url: str, answer_seconds: float) -> httpx.AsyncClient:
    """A client for that address (http or https): proxies of the environment and redirects are not used."""
    return httpx.AsyncClient(
        # Plain HTTP needs no authorities, which take longer to read than most requests.
        verify=httpx.create_ssl_context() if url.startswith("https:") else False,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds)),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
    )
