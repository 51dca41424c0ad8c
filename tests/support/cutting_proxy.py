"""A proxy in front of PostgreSQL that cuts a connection at a chosen moment of a commit."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Moment = Literal["before the server gets it", "before the client hears of it"]

COMMIT_SENT = b"COMMIT\x00"
COMMIT_DONE = b"C\x00\x00\x00\x0bCOMMIT\x00"


class CuttingProxy:
    """Passes bytes on until it was told to cut; then the next commit loses its connection, once."""

    def __init__(self, database_url: str) -> None:
        self._given = conninfo_to_dict(database_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut_at: Moment | None = None
        self.cuts = 0

    @property
    def url(self) -> str:
        """The database through the proxy."""
        parameters = {name: value for name, value in self._given.items() if name != "requirepeer"}
        port = self._listener.getsockname()[1]
        return make_conninfo(
            "",
            **{
                **parameters,
                "host": "127.0.0.1",
                "port": port,
                "sslmode": "disable",
                "gssencmode": "disable",
            },
        )

    def cut_at(self, moment: Moment) -> None:
        """Cuts the connection of the next commit."""
        self._cut_at = moment

    def serve(self) -> None:
        """Accepts connections until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                pairs = ((client, server, COMMIT_SENT), (server, client, COMMIT_DONE))
                for source, target, sign in pairs:
                    threading.Thread(target=self._pass_on, args=(source, target, sign), daemon=True).start()

    def close(self) -> None:
        """Accepts no more."""
        # shutdown() wakes the accepting thread, which close() alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connect(self) -> socket.socket:
        host, port = str(self._given["host"]), int(self._given.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, source: socket.socket, target: socket.socket, sign: bytes) -> None:
        moment: Moment = (
            "before the server gets it" if sign == COMMIT_SENT else "before the client hears of it"
        )
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self._cut_at == moment and sign in data:
                    self._cut_at = None
                    self.cuts += 1
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def cutting_proxy(database_url: str) -> Iterator[CuttingProxy]:
    """A proxy that serves in a thread."""
    proxy = CuttingProxy(database_url)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=10)
