"""What the catalog says of an operation; routes, guards, idempotency and audit are derived from it."""

import re
from dataclasses import dataclass
from typing import Any, Literal

AUDITORS = frozenset({"docs.audit.read"})

DOCUMENT_SCOPE = "countries of the token"
PARTIES = ("buyer", "seller", "ops", "platform")

ANY_CALLER: frozenset[str] = frozenset()
"""Any authenticated caller."""

_BILLING = "/v1/billing/"

SHOWN = "What was asked for is shown, as it stands at the position told; nothing changes"
"""What counts as success of a query."""

Classification = Literal["external_effect", "irreversible"]
"""`external_effect`: what it asks for happens outside (money moves, a message goes out). `irreversible`: no
operation takes it back, at most another one answers it.
"""

IdempotencySource = Literal[
    "header",
    "paymentRef",
    "document_key",
    "id and version",
    "workOrderId",
    "source and id of the event",
    "token",
    "none",
]
"""What identifies an act, so that a repeat is known for one."""

COMMON_ERRORS = ("VALIDATION_FAILED", "UNAUTHENTICATED", "PERMISSION_DENIED")


@dataclass(frozen=True)
class Idempotency:
    """How repeats are recognised and answered.

    `required` says that it never goes without: with a `source` of its own, or with the header, which may not
    be missing then. `replay` is what a repeat is answered with; `inflight` what it gets while the first is
    not finished. With `some_go_without` the handler asks for the header where a request takes effect outside.
    """

    required: bool
    source: IdempotencySource
    replay: str
    inflight: str
    some_go_without: bool = False


OPTIONAL_KEY = Idempotency(
    required=False, source="header", replay="stored answer", inflight="waits for the first"
)
"""Of what may be done again: the header makes a repeat safe for who sends it."""

REQUIRED_KEY = Idempotency(
    required=True, source="header", replay="stored answer", inflight="waits for the first"
)
"""Of what takes effect outside and has no name of its own: the header may not be missing."""

NO_KEY = Idempotency(required=False, source="none", replay="computed anew", inflight="none")
"""Of what changes nothing."""


@dataclass(frozen=True)
class Operation:
    """One thing that clients may ask for.

    Any one of `permissions` suffices; none at all asks only for authentication. `path` is the router's, with
    the type of each parameter; the catalog shows it as OpenAPI does. `success` says what has happened once it
    is answered with one of `statuses`, the usual one first. `openapi_id` is the operation's id in
    the OpenAPI document where a seed gives it one other than its name.
    """

    name: str
    kind: Literal["command", "query"]
    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    permissions: frozenset[str]
    success: str = SHOWN
    statuses: tuple[int, ...] = (200,)
    ownership: str | None = None
    scope: str | None = None
    classification: tuple[Classification, ...] = ()
    idempotency: Idempotency = NO_KEY
    audit_event: str | None = None
    redaction: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    projections: tuple[str, ...] = ()
    authenticated: bool = True
    openapi_id: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is served: billing stands under `/v1/billing/` (S4) and `/billing/` (S1, contract §2)."""
        if self.path.startswith(_BILLING):
            return (self.path, self.path.removeprefix("/v1"))
        return (self.path,)

    def row(self) -> dict[str, Any]:
        """The row as `GET /v1/operations` answers it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "method": self.method,
            "path": re.sub(r":\w+}", "}", self.path),
            "summary": self.summary,
            "classification": list(self.classification),
            "authz": {
                "permissions": sorted(self.permissions),
                "ownership": self.ownership,
                "scope": self.scope,
            },
            "idempotency": {
                "required": self.idempotency.required,
                "source": self.idempotency.source,
                "replay": self.idempotency.replay,
                "inflight": self.idempotency.inflight,
            },
            "success": self.success,
            "statuses": list(self.statuses),
            "audit": {"event": self.audit_event},
            "redaction": list(self.redaction),
            "errors": [*(COMMON_ERRORS if self.authenticated else ()), *self.errors],
        }
