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

COMMON_ERRORS = ("VALIDATION_FAILED", "UNAUTHENTICATED", "PERMISSION_DENIED")


@dataclass(frozen=True)
class Idempotency:
    """How repeats are recognised and answered.

    `source` says what identifies the act; `replay` what a repeat is answered with; `inflight` what a
    repeat gets while the first is not finished.
    """

    required: bool
    source: str
    replay: str
    inflight: str


OPTIONAL_KEY = Idempotency(
    required=False, source="header", replay="stored answer", inflight="waits for the first"
)


@dataclass(frozen=True)
class Operation:
    """One thing that clients may ask for.

    Any one of `permissions` suffices; none at all asks only for authentication. `path` is the router's, with
    the type of each parameter; the catalog shows it as OpenAPI does. `openapi_id` is the operation's id in
    the OpenAPI document where a seed gives it one other than its name.
    """

    name: str
    kind: Literal["command", "query"]
    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    permissions: frozenset[str]
    success: tuple[int, ...] = (200,)
    ownership: str | None = None
    scope: str | None = None
    classification: tuple[str, ...] = ()
    idempotency: Idempotency | None = None
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
        idempotency = self.idempotency or Idempotency(
            required=False, source="none", replay="computed anew", inflight="none"
        )
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
                "required": idempotency.required,
                "source": idempotency.source,
                "replay": idempotency.replay,
                "inflight": idempotency.inflight,
            },
            "success": list(self.success),
            "audit": {"event": self.audit_event},
            "redaction": list(self.redaction),
            "errors": [*(COMMON_ERRORS if self.authenticated else ()), *self.errors],
        }
