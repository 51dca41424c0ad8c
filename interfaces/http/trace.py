"""The outermost layer: W3C trace context, gateway prefixes, metrics, a log line a request (BILL-DEC-015)."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from application.payment_refs import is_loggable

log = structlog.get_logger(__name__)

_TRACEPARENT = re.compile(r"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
_GATEWAY_PREFIXES = ("/invoice/", "/customer/")
_TRACESTATE_MAX_BYTES = 512
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PAYMENT_REF = "paymentRef"
_LOGGED_AS = {
    **{name: name for name in ("accountId", "billingPaymentId", "documentId", "invoiceId")},
    **{name: name for name in ("receiptId", "workOrderId", _PAYMENT_REF)},
    "customerAccountId": "accountId",
}
"""What a log line calls an id, by the names that clients know it by."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Observe = Callable[[str, str, int, float], None]
"""Counts an answered request: method, route template, status, seconds."""


def continued_trace(traceparent: str | None) -> tuple[str, str] | None:
    """The trace id to go on with and the flags; None where there is no trace or it is malformed."""
    match = _TRACEPARENT.match(traceparent or "")
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if match[2] == "0" * 32 or match[3] == "0" * 16:
        return None
    return match[2], match[4]


def without_gateway_prefix(path: str) -> str:
    """The path as this service knows it; a gateway may or may not have taken its own segment off."""
    for prefix in _GATEWAY_PREFIXES:
        if path.startswith(prefix):
            return path[len(prefix) - 1 :]
    return path


def note_ids(scope: Scope, named: Mapping[str, Any]) -> None:
    """Puts the ids among these onto the request's log line: of a body that was read, or of its answer."""
    scope["state"].setdefault("logged_ids", {}).update(_ids_among(named))


def _ids_among(named: Mapping[str, Any]) -> dict[str, str]:
    """Only ids in our own form, for a client may write anything into a path or a body."""
    return {
        _LOGGED_AS[name]: value
        for name, value in named.items()
        if name in _LOGGED_AS and isinstance(value, str) and _is_id(name, value)
    }


def _is_id(name: str, value: str) -> bool:
    return is_loggable(value) if name == _PAYMENT_REF else _UUID.fullmatch(value) is not None


class TraceMiddleware:
    """Wraps the whole application, its error answers included."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        continued = continued_trace(headers.get(b"traceparent", b"").decode("latin-1"))
        trace_id, flags = continued or (secrets.token_hex(16), "01")
        traceparent = f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"
        scope["path"] = without_gateway_prefix(scope["path"])
        scope["raw_path"] = scope["path"].encode()
        noted: dict[str, str] = {}
        scope.setdefault("state", {}).update(correlation_id=trace_id, logged_ids=noted)
        # Without a trace to go on with, its state means nothing.
        tracestate = headers.get(b"tracestate") if continued else None
        started = time.monotonic()
        status = 500

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = [(b"traceparent", traceparent.encode()), (b"x-correlation-id", trace_id.encode())]
                if tracestate and len(tracestate) <= _TRACESTATE_MAX_BYTES:
                    added.append((b"tracestate", tracestate))
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        with structlog.contextvars.bound_contextvars(traceId=trace_id):
            try:
                await self._app(scope, receive, send_traced)
            finally:
                seconds = time.monotonic() - started
                method = scope["method"] if scope["method"] in _METHODS else "OTHER"
                route = scope.get("path_template") or "unmatched"
                self._observe(method, route, status, seconds)
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                    **(noted | _ids_among(scope.get("path_params") or {})),
                )
