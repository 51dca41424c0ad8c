"""Database addresses: one URL or keyword DSN in, the form that connections of the service need out."""

import select
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CONNECTION_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server that vanished is noticed within seconds."""

_SESSION = {
    "timezone": "UTC",
    # The server notices a vanished client as fast, and frees the locks that it held.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}


def as_service(database_url: str, role: str = "billing_service") -> str:
    """The same database as a DSN, with the service's rights only, whatever the login may do besides.

    `database_url` is a URL or a keyword DSN; its own `options` are kept, and ours win.
    """
    given = conninfo_to_dict(database_url).get("options") or ""
    ours = " ".join(f"-c {name}={value}" for name, value in {**_SESSION, "role": role}.items())
    return make_conninfo(database_url, options=f"{given} {ours}".strip())


async def still_open(connection: psycopg.AsyncConnection[Any]) -> None:
    """Whether a pooled connection may be handed out, for a pool's `check`; it costs next to nothing.

    Raises `psycopg.OperationalError` where the server has gone: it says so, or ends the connection, before it
    is asked anything.
    """
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    if poller.poll(0):
        await connection.execute("")
