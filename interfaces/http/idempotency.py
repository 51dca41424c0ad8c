"""The Idempotency-Key header: scoped to caller and operation, hashed with a key (contract §2)."""

import hashlib
import hmac
import re
from typing import Annotated, Any

from litestar import Response
from litestar.params import HeaderParameter

from application.ledger import Committed, IdempotencyClaim
from application.operations.operation import Operation
from application.validation import invalid_field
from domain.kernel.errors import DomainError
from interfaces.http.guards import AnyRequest, caller_of, system_of

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="1 to 255 printable characters",
        schema_extra={"pattern": "^[ -~]{1,255}$"},
    ),
]

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


async def idempotency_claim(
    request: AnyRequest, operation: Operation, key: str | None
) -> IdempotencyClaim | None:
    """The claim that the header makes; None without it.

    Raises `VALIDATION_FAILED` for a malformed key, `IDEMPOTENCY_KEY_REQUIRED` where it may not be missing.
    """
    if key is None:
        wanted = operation.idempotency
        if wanted.required and wanted.source == "header" and not wanted.some_go_without:
            raise key_required()
        return None
    check_key(key)
    caller = caller_of(request)
    secret = system_of(request).request_hash_key
    scope = "\n".join((caller.tenant, caller.claims.sub, operation.name, key))
    query = request.scope["query_string"]
    target = request.scope["path"].encode() + (b"?" + query if query else b"")
    body = target + b"\n" + await request.body()
    return IdempotencyClaim(
        key_hash=hmac.digest(secret, b"key\n" + scope.encode(), hashlib.sha256),
        request_hash=hmac.digest(secret, b"request\n" + body, hashlib.sha256),
        never_expires=not {"irreversible", "external_effect"}.isdisjoint(operation.classification),
    )


def key_required() -> DomainError:
    """What refuses a request that takes effect outside and has no key."""
    return DomainError("IDEMPOTENCY_KEY_REQUIRED", "This takes effect outside; it needs a key.")


def check_key(key: str) -> None:
    """Raises `VALIDATION_FAILED` for a malformed key."""
    if not _KEY.fullmatch(key):
        raise invalid_field("Idempotency-Key", "INVALID", "A key is 1 to 255 printable characters.")


def answered(committed: Committed) -> Response[Any]:
    """A command's answer with its ledger position, marked where it is the stored one."""
    headers = {"X-Ledger-Position": str(committed.position)}
    if committed.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(committed.answer.body, status_code=committed.answer.status, headers=headers)
