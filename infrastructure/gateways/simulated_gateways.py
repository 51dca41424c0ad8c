"""Simulated gateways: a real HTTP server that speaks Stripe's and the bank's protocols and moves no money.

It remembers everything across restarts, fails on demand, and counts what it would really have moved, so that
a double charge shows. Every answer says by `X-Simulated` that it is a simulation:

- `/v1/…`: what the adapter uses of Stripe's API, and `/bank/…`: the bank's API;
- `GET /simulated/totals`: what was moved, in each gateway's units, by currency and by payment;
- `GET` and `PUT /simulated/conditions`: a `Conditions`, what goes wrong from now on.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from infrastructure.gateways.simulated_api import Asked, Operation, SimulatedApi, json_reply
from infrastructure.gateways.simulated_bank import SimulatedBank
from infrastructure.gateways.simulated_book import GatewayBook, Reply
from infrastructure.gateways.simulated_faults import (
    Behaviour,
    Conditions,
    Fault,
    SimulatedGateway,
    fault_for,
)
from infrastructure.gateways.simulated_notices import Messenger, NoticeTarget
from infrastructure.gateways.simulated_stripe import SimulatedStripe

NOTICE = "Simulated payments: no money moves."
MOST_BYTES = 1024 * 1024

_FORM = "application/x-www-form-urlencoded"
_MOVED = {"CAPTURED": "captured", "VOIDED": "voided", "REFUNDED": "refunded"}


class SimulatedGateways:
    """The server, on this machine only. `serve` until `stop`, which another thread calls."""

    def __init__(
        self, state: Path, port: int = 0, targets: Mapping[SimulatedGateway, NoticeTarget] | None = None
    ) -> None:
        """`state` is its file; port 0 takes a free one; notices go to `targets`.

        Raises `OSError` where it cannot listen.
        """
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.gateways = self
        self.port = int(self._server.server_address[1])
        self.book = GatewayBook(state)
        self.stopping = threading.Event()
        self._apis: tuple[SimulatedApi, ...] = (SimulatedStripe(self.book), SimulatedBank(self.book))
        self._messenger = Messenger(self.book, self._apis, targets or {})
        self._sending = threading.Thread(target=self._messenger.run, daemon=True)
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address, as the service's settings take it for both gateways."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answers and sends notices until it is stopped."""
        self._sending.start()
        self._server.serve_forever(0.05)

    def stop(self) -> None:
        """Ends `serve`, hangs up on who waits, and lets the port and the file go."""
        self.stopping.set()
        self._messenger.stop()
        self._server.shutdown()
        self._server.server_close()
        self._sending.join()
        self.book.close()

    def api_of(self, path: str) -> SimulatedApi | None:
        """Whose protocol a path belongs to."""
        by_prefix = dict(zip(("/v1/", "/bank/"), self._apis, strict=True))
        return next((api for prefix, api in by_prefix.items() if path.startswith(prefix)), None)

    def fault(self, api: SimulatedApi, operation: Operation) -> Fault | None:
        """What goes wrong with an operation this time, today's conditions before the method's own."""
        attempt = self.book.count_request(f"{api.gateway}:{operation.step}:{operation.subject}")
        faults = (*self.book.conditions().faults, *operation.behaviour.faults)
        return fault_for(faults, api.gateway, operation.step, operation.subject, attempt)

    def begin(self, key: str | None) -> bool:
        """Whether no other request under the idempotency key is under way; then `end` it."""
        with self._lock:
            if key in self._under_way:
                return False
            if key is not None:
                self._under_way.add(key)
            return True

    def end(self, key: str | None) -> None:
        """The key's request is no longer under way."""
        with self._lock:
            self._under_way.discard(key or "")

    def done(
        self, api: SimulatedApi, asked: Asked, operation: Operation, key: str | None
    ) -> tuple[Reply, bool]:
        """Does it, or repeats the first answer to the key; whether it is such a repeat."""
        with self.book.changing():
            if key is None:
                return operation.perform(), False
            request_sha256 = _request_sha256(asked)
            known = self.book.answer_under(key)
            if known is None:
                reply = operation.perform()
                self.book.keep_answer(key, request_sha256, reply)
                return reply, False
            if known[0] != request_sha256:
                return api.error(400, "idempotency_key_reused"), False
            return known[1], True

    def totals(self) -> dict[str, Any]:
        """What was moved in all, and for each payment: how often and how much, in minor units."""
        gateways: dict[str, Any] = {api.gateway: {} for api in self._apis}
        payments: dict[str, Any] = {}
        for gateway, billing_payment_id, currency, kind, count, amount in self.book.totals():
            code, moved = currency.upper(), _MOVED[kind]
            of_payment = payments.setdefault(billing_payment_id, {"gateway": gateway, "currencyUomId": code})
            for place in (gateways[gateway].setdefault(code, {}), of_payment):
                so_far = place.setdefault(moved, {"count": 0, "amount": 0})
                so_far["count"] += count
                so_far["amount"] += amount
        return {"notice": NOTICE, "gateways": gateways, "payments": payments}


def _request_sha256(asked: Asked) -> str:
    told = json.dumps([asked.path, sorted(asked.params.items())])
    return hashlib.sha256(told.encode()).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    gateways: SimulatedGateways


class _Handler(BaseHTTPRequestHandler):
    """One connection, with as many requests as it likes."""

    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def _gateways(self) -> SimulatedGateways:
        return self.server.gateways

    def do_GET(self) -> None:
        """Shows how a payment stands, what was moved, or today's conditions."""
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/simulated/totals":
            self._answer(json_reply(200, self._gateways.totals()))
        elif path == "/simulated/conditions":
            conditions = self._gateways.book.conditions()
            self._answer(Reply(200, conditions.model_dump_json(by_alias=True).encode()))
        elif (api := self._permitted(path)) is not None:
            asked = Asked("GET", path, query, None)
            self._carry_out(api, asked, _reading(api, asked))

    def do_PUT(self) -> None:
        """Sets today's conditions."""
        body = self._body()
        try:
            conditions = Conditions.model_validate_json(body or b"")
        except ValidationError:
            self._answer(json_reply(400, {"code": "malformed"}))
            return
        if self.path == "/simulated/conditions":
            self._gateways.book.set_conditions(conditions)
            self._answer(Reply(200, conditions.model_dump_json(by_alias=True).encode()))
        else:
            self._answer(json_reply(404, {"code": "unknown_url"}))

    def do_POST(self) -> None:
        """Takes a step, or does what goes wrong with it."""
        body = self._body()
        if body is None or (api := self._permitted(self.path)) is None:
            return
        params = self._params(body)
        if params is None:
            self._answer(api.error(400, "malformed"))
            return
        asked = Asked("POST", self.path, params, self.headers.get("Idempotency-Key"))
        operation = api.operation(asked)
        if isinstance(operation, Reply):
            self._answer(operation)
        else:
            self._carry_out(api, asked, operation)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name that http.server gives.
        """Says nothing: what comes here tells of payments."""

    def _carry_out(self, api: SimulatedApi, asked: Asked, operation: Operation) -> None:
        fault = self._gateways.fault(api, operation)
        kind = None if fault is None else fault.kind
        if kind == "ERROR":
            self._answer(api.error(500, "internal"))
            return
        done = self._done(api, asked, operation, fault)
        if done is None:
            return
        if fault is not None and kind in {"LATE", "LOST"} and not self._waited(fault):
            return
        self._answer(done[0], replayed=done[1])

    def _done(
        self, api: SimulatedApi, asked: Asked, operation: Operation, fault: Fault | None
    ) -> tuple[Reply, bool] | None:
        """The answer, and whether it is an earlier one; None where nothing was done and there is none."""
        key = f"{api.gateway}:{asked.key}" if asked.key and operation.once_by_key else None
        if not self._gateways.begin(key):
            return api.error(409, "idempotency_key_in_use"), False
        try:
            if fault is not None and fault.kind in {"SLOW", "UNTAKEN"} and not self._waited(fault):
                return None
            return self._gateways.done(api, asked, operation, key)
        finally:
            self._gateways.end(key)

    def _waited(self, fault: Fault) -> bool:
        """Waits; whether there is still to be an answer."""
        self._gateways.stopping.wait(fault.seconds)
        if fault.kind in {"UNTAKEN", "LOST"} or self._gateways.stopping.is_set():
            # Whoever waits for the answer will not get one.
            self.close_connection = True
            return False
        return True

    def _permitted(self, path: str) -> SimulatedApi | None:
        """Whose API it is; None where there is none or it is not for this caller, which is answered then."""
        api = self._gateways.api_of(path)
        if api is None:
            self._answer(json_reply(404, {"code": "unknown_url"}))
        elif self.headers.get("Authorization") != f"Bearer {api.bearer}":
            self._answer(api.error(401, "unauthorized"))
        else:
            return api
        return None

    def _params(self, body: bytes) -> Mapping[str, Any] | None:
        """What a body holds, a form's or a JSON object's; None for neither."""
        try:
            if self.headers.get("Content-Type") == _FORM:
                return dict(parse_qsl(body.decode(), keep_blank_values=True))
            told = json.loads(body or b"{}")
        except ValueError:
            return None
        return told if isinstance(told, dict) else None

    def _body(self) -> bytes | None:
        """What was sent; None where there is too much of it, which is answered then."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._answer(json_reply(413, {"code": "too_large"}))
            return None
        return self.rfile.read(int(length))

    def _answer(self, reply: Reply, *, replayed: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("X-Simulated", NOTICE)
        if replayed:
            self.send_header("Idempotent-Replayed", "true")
        if self.close_connection:
            self.send_header("Connection", "close")
        try:
            self.end_headers()
            self.wfile.write(reply.body)
        except ConnectionError:
            # Whoever asked has given up.
            self.close_connection = True


def _reading(api: SimulatedApi, asked: Asked) -> Operation:
    return Operation("read", asked.path, Behaviour(), lambda: api.read(asked), once_by_key=False)
