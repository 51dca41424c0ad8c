"""A simulated authority: a real HTTP server whose stamps have no fiscal effect whatsoever.

It stamps documents of the simulated country XS, remembers them across restarts, refuses to stamp twice, and
fails on demand, so that everything around stamping can be tried without any real authority (ADR 0023):

- `POST /stamps/{documentId}` with the document's canonical JSON: 201 its stamp, 409 where it has one,
  422 `{code}` where it is refused, 503 where the authority is down;
- `GET /stamps/{documentId}`: 200 the stamp that it has, or 404;
- `GET` and `PUT /simulator/faults`: a list of `Fault`s that go wrong from now on;
- `GET /simulator/counts`: `{stamps, requests}`.
"""

import base64
import json
import threading
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.kernel.canonical import canonical_json, sha256_hex
from domain.kernel.facts import rfc3339
from infrastructure.stamping.http_authority import RefusalBody, StampBody
from infrastructure.stamping.simulated_book import AuthorityBook, KeptStamp
from infrastructure.stamping.simulated_faults import FAULTS, Fault, fault_for

NOTICE = "Simulated stamp without any fiscal effect."
MOST_BYTES = 32 * 1024 * 1024

_STAMPS = "/stamps/"


class SimulatedAuthority:
    """The server, on this machine only. `serve` until `stop`, which another thread calls."""

    def __init__(self, state: Path, port: int = 0) -> None:
        """`state` is its file; port 0 takes a free one. Raises `OSError` where it cannot listen."""
        self.book = AuthorityBook(state)
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.authority = self
        self.port = int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, as the service's setting takes it."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answers until it is stopped."""
        self._server.serve_forever(0.05)

    def stop(self) -> None:
        """Ends `serve`, hangs up on who waits, and lets the port and the file go."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self.book.close()

    def stamp(self, document_id: str, content: bytes) -> KeptStamp | None:
        """A new stamp of the document; None where it has one."""
        return self.book.keep(document_id, lambda: _new_stamp(document_id, content))


def _new_stamp(document_id: str, content: bytes) -> KeptStamp:
    stamp_id = str(uuid.uuid4())
    stamped_at = rfc3339(datetime.now(UTC))
    qr = f"https://simulated-authority.invalid/verify?uuid={stamp_id}"
    content_sha256 = sha256_hex(content)
    file = canonical_json(
        {
            "notice": NOTICE,
            "uuid": stamp_id,
            "stampedAt": stamped_at,
            "qr": qr,
            "contentSha256": content_sha256,
            "content": json.loads(content),
        }
    )
    return KeptStamp(document_id, content_sha256, stamp_id, stamped_at, qr, file)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    authority: SimulatedAuthority


class _Handler(BaseHTTPRequestHandler):
    """One connection, with as many requests as it likes."""

    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def _authority(self) -> SimulatedAuthority:
        return self.server.authority

    def do_GET(self) -> None:
        """Shows a stamp, the faults or the counts."""
        if self.path == "/simulator/faults":
            self._answer(HTTPStatus.OK, FAULTS.dump_json(self._authority.book.faults(), by_alias=True))
        elif self.path == "/simulator/counts":
            stamps, requests = self._authority.book.counts()
            self._answer(HTTPStatus.OK, json.dumps({"stamps": stamps, "requests": requests}).encode())
        elif not self.path.startswith(_STAMPS):
            self._refuse(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        elif any(fault == Fault(kind="DOWN") for fault in self._authority.book.faults()):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "DOWN")
        elif (stamp := self._authority.book.stamp_of(self.path.removeprefix(_STAMPS))) is None:
            self._refuse(HTTPStatus.NOT_FOUND, "NOT_STAMPED")
        else:
            self._show(HTTPStatus.OK, stamp)

    def do_PUT(self) -> None:
        """Sets the faults."""
        body = self._body()
        if body is None:
            return
        if self.path != "/simulator/faults":
            self._refuse(HTTPStatus.NOT_FOUND, "NOT_FOUND")
            return
        try:
            faults = FAULTS.validate_json(body, by_alias=True)
        except ValidationError:
            self._refuse(HTTPStatus.BAD_REQUEST, "MALFORMED")
            return
        self._authority.book.set_faults(faults)
        self._answer(HTTPStatus.OK, FAULTS.dump_json(faults, by_alias=True))

    def do_POST(self) -> None:
        """Stamps a document, or does what goes wrong with it."""
        body = self._body()
        if body is None:
            return
        document_id = self.path.removeprefix(_STAMPS)
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not self.path.startswith(_STAMPS) or not isinstance(content, dict):
            self._refuse(HTTPStatus.BAD_REQUEST, "MALFORMED")
        elif content.get("documentId") != document_id:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "DOCUMENT_ID_DIFFERS")
        else:
            attempt = self._authority.book.count_request(document_id)
            fault = fault_for(self._authority.book.faults(), document_id, content, attempt)
            self._stamp(document_id, body, fault)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name that http.server gives.
        """Says nothing: what comes here tells of persons."""

    def _stamp(self, document_id: str, body: bytes, fault: Fault | None) -> None:
        kind = None if fault is None else fault.kind
        if kind == "DOWN":
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "DOWN")
        elif self._authority.book.stamp_of(document_id) is not None:
            self._refuse(HTTPStatus.CONFLICT, "ALREADY_STAMPED")
        elif fault is not None and fault.code is not None:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, fault.code)
        else:
            stamp = self._authority.stamp(document_id, body) if kind in {None, "LATE", "LOST"} else None
            if fault is not None:
                self._authority.stopping.wait(fault.seconds)
            if self._authority.stopping.is_set() or kind in {"UNSTAMPED", "LOST"}:
                # Whoever waits for the answer will not get one.
                self.close_connection = True
                return
            stamp = self._authority.stamp(document_id, body) if kind == "SLOW" else stamp
            if stamp is None:
                self._refuse(HTTPStatus.CONFLICT, "ALREADY_STAMPED")
            else:
                self._show(HTTPStatus.CREATED, stamp)

    def _body(self) -> bytes | None:
        """What was sent; None where there is too much of it, which is answered then."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE")
            return None
        return self.rfile.read(int(length))

    def _show(self, status: HTTPStatus, stamp: KeptStamp) -> None:
        body = StampBody.model_validate(
            {
                "uuid": stamp.uuid,
                "stamped_at": stamp.stamped_at,
                "qr": stamp.qr,
                "content_sha256": stamp.content_sha256,
                "file_type": "json",
                "file": base64.b64encode(stamp.file).decode(),
            }
        )
        self._answer(status, body.model_dump_json(by_alias=True).encode())

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        self._answer(status, RefusalBody(code=code).model_dump_json().encode())

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
