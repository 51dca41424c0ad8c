"""A light HTTP/1.1 client: keep-alive connections that send the next request when the last is answered.

Load comes from the cores that the server needs, so that a heavy client would measure itself.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

MakeRequest = Callable[[], bytes]


@dataclass(frozen=True)
class Answer:
    """A status, the head as sent (lower case) and the body of an answer."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """A header's value. Raises ValueError where it is missing."""
        start = self.head.index(f"\r\n{name.lower()}: ".encode()) + len(name) + 4
        return self.head[start : self.head.index(b"\r\n", start)].decode()


def request(method: str, path: str, token: str, body: bytes = b"", **headers: Any) -> bytes:
    """The bytes of a request; underscores in header names stand for hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One connection; `ask` sends a request and waits for its answer."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """A connection to a port of this machine."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return protocol

    async def ask(self, sent: bytes) -> Answer:
        """The answer to a request. Raises ConnectionError where the server hangs up."""
        assert self._transport is not None, "a connection is opened first"
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        return await self._waiting

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Called by asyncio."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._received += data
        answer = read_answer(self._received)
        if answer is None or self._waiting is None:
            return
        self._received.clear()
        waiting, self._waiting = self._waiting, None
        waiting.set_result(answer)


def requests_per_second(
    port: int, make: MakeRequest, seconds: float, connections: int, expected: int
) -> float:
    """Requests answered a second over so many connections. Fails at an answer of another status."""
    return asyncio.run(_requests_per_second(port, make, seconds, connections, expected))


async def _requests_per_second(
    port: int, make: MakeRequest, seconds: float, connections: int, expected: int
) -> float:
    opened = [await Connection.open(port) for _ in range(connections)]
    answered = 0
    started = time.perf_counter()
    stop_at = started + seconds

    async def client(connection: Connection) -> None:
        nonlocal answered
        while time.perf_counter() < stop_at:
            answer = await connection.ask(make())
            assert answer.status == expected, answer.body
            answered += 1

    try:
        await asyncio.gather(*map(client, opened))
        return answered / (time.perf_counter() - started)
    finally:
        for connection in opened:
            connection.close()


class Client:
    """One connection for who asks one thing after the other; a context manager."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, sent: bytes) -> Answer:
        """The answer to a request. Raises ConnectionError where the server hangs up."""
        self._socket.sendall(sent)
        received = bytearray()
        while (answer := read_answer(received)) is None:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the server hung up")
            received += data
        return answer


def read_answer(received: bytearray) -> Answer | None:
    """The answer that was received, once it is there in full; it tells its length."""
    end_of_head = received.find(b"\r\n\r\n")
    if end_of_head < 0:
        return None
    head = Answer(int(received[9:12]), bytes(received[: end_of_head + 2]).lower(), b"")
    start = end_of_head + 4
    length = int(head.header("content-length"))
    if len(received) < start + length:
        return None
    return Answer(head.status, head.head, bytes(received[start : start + length]))
