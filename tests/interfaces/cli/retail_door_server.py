"""A small real HTTP server that behaves as the contract's inbound door does, with troubles on demand."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from domain.documents.order_events import RefundData
from domain.documents.order_snapshot import OrderData, check_equations


@dataclass
class Door:
    """What the door remembers, and how it misbehaves.

    `trouble` is the share of requests that end in a 503, a connection cut before the events are taken, or one
    cut after. A payment leads to a document of each of `of_payment`, a refund of each of `of_refund`.
    `looks_until_issued` is how often a fact's documents are shown as DRAFT, if it is one of `late` (always,
    if that is empty). Facts named in `parked` get parked documents. After `answers_left` answers
    every connection is cut. `refusal` is the status and code of every request.
    """

    trouble: float = 0.0
    of_payment: tuple[str, ...] = ("RECEIPT",)
    of_refund: tuple[str, ...] = ("ADJUSTMENT_STATEMENT",)
    looks_until_issued: int = 0
    late: frozenset[str] = frozenset()
    parked: frozenset[str] = frozenset()
    answers_left: int | None = None
    refusal: tuple[int, str] | None = None
    retry_after_seconds: int | None = None
    slow_seconds: float = 0.0
    url: str = ""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        """One event's result."""
        event_id, data = event["id"], event["data"]
        known = self.facts.get(event_id)
        if known is not None and known != data:
            return self._result(event_id, "REJECTED", "EVENT_CONFLICT")
        if known is None:
            code = self._take_new(event_id, event["type"], data)
            if code:
                return self._result(event_id, code, None if code == "WAITING" else code)
            self.facts[event_id] = data
        return self._result(event_id, "DUPLICATE" if known else "ACCEPTED")

    def _take_new(self, event_id: str, event_type: str, data: dict[str, Any]) -> str | None:
        order_id = data["orderId"]
        if event_type == "orders.PAID_IN_ESCROW":
            check_equations(OrderData.model_validate(data).order_financial_snapshot)
            doc_types = self.of_payment
        else:
            check_equations(RefundData.model_validate(data).refund_snapshot)
            order = self.facts.get(f"order/{order_id}")
            if order is None:
                return "WAITING"
            refunded = sum(
                fact["refundSnapshot"]["buyerTotal"]
                for fact in self.facts.values()
                if fact["orderId"] == order_id and "refundSnapshot" in fact
            )
            total = refunded + data["refundSnapshot"]["buyerTotal"]
            if total > order["orderFinancialSnapshot"]["buyerTotal"]:
                return "REFUND_EXCEEDS_PAID"
            doc_types = self.of_refund
        self.documents[event_id] = [
            {
                "documentId": f"{doc_type}-of-{event_id}",
                "documentKey": f"{order_id}:{doc_type}:shop:1",
                "docType": doc_type,
                "status": "DRAFT",
                "parked": event_id in self.parked,
            }
            for doc_type in doc_types
        ]
        return None

    def _result(self, event_id: str, outcome: str, code: str | None = None) -> dict[str, Any]:
        if code:
            outcome = "REJECTED"
        self.outcomes.append((event_id, outcome))
        result: dict[str, Any] = {"id": event_id, "outcome": outcome, "documents": []}
        if code:
            return result | {"error": {"code": code, "errorCode": code, "status": 409}}
        if outcome != "WAITING":
            self.looks[event_id] = self.looks.get(event_id, 0) + 1
            late = not self.late or event_id in self.late
            for document in self.documents[event_id]:
                if not document["parked"] and self.looks[event_id] > self.looks_until_issued * late:
                    document["status"] = "ISSUED"
            result["documents"] = [dict(document) for document in self.documents[event_id]]
        return result

    def answer(self, body: bytes, token: str) -> tuple[int, dict[str, Any]] | None:
        """The status and body of one request; None cuts the connection."""
        with self.lock:
            self.bodies.append(body)
            self.tokens.append(token)
            if self.refusal:
                return self.refusal[0], {"code": self.refusal[1]}
            if self.answers_left == 0:
                return None
            mishap = self.dice.choice(["503", "early", "late"]) if self.dice.random() < self.trouble else ""
            if mishap == "503" or (self.retry_after_seconds is not None and len(self.bodies) == 1):
                return 503, {"code": "UNAVAILABLE"}
            if mishap == "early":
                return None
            results = [self.take(event) for event in json.loads(body)]
            if mishap == "late":
                return None
            if self.answers_left is not None:
                self.answers_left -= 1
            waiting = any(
                document["status"] == "DRAFT" and not document["parked"]
                for result in results
                for document in result["documents"]
            )
            return (202 if waiting else 200), {"results": results}


@contextmanager
def served(door: Door) -> Iterator[Door]:
    """The door behind a real socket on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.path == "/v1/inbound/events"
            assert self.headers["content-type"] == "application/cloudevents-batch+json"
            with door.lock:
                door.in_flight += 1
                door.most_in_flight = max(door.most_in_flight, door.in_flight)
            body = self.rfile.read(int(self.headers["content-length"]))
            time.sleep(door.slow_seconds)
            answer = door.answer(body, self.headers["authorization"])
            with door.lock:
                door.in_flight -= 1
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            content = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            if door.retry_after_seconds is not None:
                self.send_header("retry-after", str(door.retry_after_seconds))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests print no request lines."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
