"""Receivers of webhooks: real HTTP servers that note what came and answer as the test says."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Answer:
    """What a receiver answers."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


OK = Answer()


@dataclass(frozen=True)
class Post:
    """What a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The event, once the library has verified its signature and age."""
        return Webhook(secret).verify(self.body, self.headers)

    @property
    def document_id(self) -> str:
        """Whose issue it tells of."""
        document_id: str = json.loads(self.body)["data"]["documentId"]
        return document_id


class Receiver:
    """A server on a port of its own; `reply` may be replaced at any time and may take its time."""

    def __init__(self, reply: Callable[[Post], Answer] = lambda _: OK) -> None:
        self.reply = reply
        self.posts: list[Post] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.scheme = "http"

    @property
    def url(self) -> str:
        """Where it takes posts."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def document_ids(self) -> list[str]:
        """Whose issues it was told of, as they came."""
        return [post.document_id for post in self.posts]

    def speak_tls(self, certificate: Path) -> None:
        """From now on only by TLS, with the certificate and key of that file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "https"

    @contextlib.contextmanager
    def serving(self) -> Iterator["Receiver"]:
        """Serves until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.posts.append(post)
                answer = receiver.reply(post)
                # A sender that gave up does not wait for the answer.
                with contextlib.suppress(OSError):
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    if answer.status != 204:
                        self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler


@contextlib.contextmanager
def a_receiver(reply: Callable[[Post], Answer] = lambda _: OK) -> Iterator[Receiver]:
    """A receiver that serves until the end of the block."""
    with Receiver(reply).serving() as receiver:
        yield receiver
