"""The one error envelope (contract §2), and the only place that knows which code is which HTTP status."""

import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from application.identity import IdentityUnavailable
from application.ledger import LedgerUnavailable
from application.ports import ReadStoreUnavailable
from application.signing import KeyUnusable
from application.validation import invalid_field
from application.vault import VaultError, VaultUnavailable
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Value

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

STATUS_OF_CODE: dict[str, int] = {
    "VALIDATION_FAILED": 400,
    "CARD_DATA_REFUSED": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "DOWNLOAD_TOKEN_INVALID": 403,
    "ELEVATION_REFUSED": 401,
    "ELEVATION_INVALID": 403,
    "EVENT_CONFLICT": 409,
    "SNAPSHOT_CONFLICT": 409,
    "SERIES_EXISTS": 409,
    "DOCUMENT_NOT_DRAFT": 409,
    "DOCUMENT_NOT_CORRECTABLE": 409,
    **{"DOCUMENT_NOT_ISSUED": 409, "RECIPIENT_MISSING": 422, "RESEND_LIMIT": 429},
    "REPRINT_NOT_ALLOWED": 409,
    "IDEMPOTENCY_KEY_REQUIRED": 400,
    "STALE_ETAG": 409,
    "WORK_ORDER_UNKNOWN": 404,
    "WORK_ORDER_NOT_READY": 409,
    "INVOICE_ALREADY_FINALIZED": 409,
    "INVOICE_NOT_DRAFT": 409,
    "INVOICE_NOT_PAYABLE": 409,
    "INVOICE_NOT_CREDITABLE": 409,
    "INVOICE_NOT_VOIDABLE": 409,
    "ISSUANCE_BLOCKED": 422,
    "DRIVER_FORBIDS": 422,
    "POLICY_FORBIDS": 422,
    "PROFILE_INCOMPLETE": 422,
    **{"PAYMENT_EXCEEDS_BALANCE": 422, "PARTIAL_PAYMENTS_DISABLED": 422, "PAYMENT_DECLINED": 402},
    **{"PAYMENT_NOT_VOIDABLE": 409, "PAYMENT_NOT_REFUNDABLE": 409, "PAYMENT_DIFFERS": 409},
    **{"IDEMPOTENCY_IN_FLIGHT": 409, "NOTICE_REFUSED": 401, "GATEWAY_UNAVAILABLE": 503},
    "ETAG_REQUIRED": 409,
    "PARTY_CONFLICT": 409,
    **{"PO_ALREADY_CAPTURED": 409, "PO_ALREADY_OVERRIDDEN": 409, "PO_NOT_UNIQUE": 409},
    "ARTIFACT_DIFFERS": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "SNAPSHOT_INCONSISTENT": 422,
    "CURRENCY_MISMATCH": 422,
    "REFUND_EXCEEDS_PAID": 422,
    "BILLING_DATA_INCOMPLETE": 422,
    "CREDIT_EXCEEDS_INVOICE": 422,
    "REBILL_INCOMPLETE": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "TAX_ID_INVALID": 422,
    **{"PO_FORMAT_INVALID": 422, "OVERRIDE_NOT_ALLOWED": 422},
    **{"REASON_CODE_REQUIRED": 422, "SECOND_APPROVER_REQUIRED": 422},
    **{"PAYMENT_REF_CONFLICT": 409, "PAYMENT_NOT_POSTABLE": 409, "BILL_NOT_PAYABLE": 422},
    **{"GROSS_AMOUNT_NOT_POSITIVE": 422, "ALLOCATIONS_EXCEED_GROSS": 422},
    "ALLOCATION_EXCEEDS_OPEN_AMOUNT": 422,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "PROJECTION_BEHIND": 503,
    "SERVICE_UNAVAILABLE": 503,
    "VAULT_UNAVAILABLE": 503,
    "ARTIFACT_SOURCE_UNAVAILABLE": 503,
}
"""Every code that the service answers with."""

_CODE_OF_STATUS = {
    400: "VALIDATION_FAILED",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}


_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")
"""How Litestar says it: the only one of its findings that comes as a sentence."""


_QUOTES_VALUE = re.compile(r"(Invalid (?:enum )?value) .*", re.DOTALL)


class ProblemField(Value):
    """One field that was refused."""

    field: str
    code: str
    message: str


class ProblemBlocker(Value):
    """What keeps an invoice from being issued, as its detail shows it too."""

    code: str
    severity: str
    message: str
    overridable: bool


class Problem(Value):
    """The error envelope; `code` equals `errorCode`, `correlationId` is the trace id, lists may be empty."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error_code: str
    message: str
    reason_code: str | None
    correlation_id: str
    field_errors: list[ProblemField]
    missing_fields: list[str]
    issuance_blockers: list[ProblemBlocker]


def envelope(error: DomainError, correlation_id: str) -> dict[str, Any]:
    """The envelope of an error, JSON-ready."""
    status = STATUS_OF_CODE[error.code]
    return {
        "type": f"urn:billing-docs:problem:{error.code.lower().replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
        "errorCode": error.code,
        "message": error.message,
        "reasonCode": error.reason_code,
        "correlationId": correlation_id,
        "fieldErrors": [
            {"field": found.field, "code": found.code, "message": found.message}
            for found in error.field_errors
        ],
        "missingFields": list(error.missing_fields),
        "issuanceBlockers": [asdict(blocker) for blocker in error.issuance_blockers],
    }


def problem_response(error: DomainError, correlation_id: str) -> Response[dict[str, Any]]:
    """The answer that tells an error."""
    body = envelope(error, correlation_id)
    headers: dict[str, str] = {}
    if body["status"] in {429, 503}:
        headers["Retry-After"] = str(error.retry_after_seconds or RETRY_AFTER_SECONDS)
    if body["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status_code=body["status"], media_type=MEDIA_TYPE, headers=headers)


def as_domain_error(error: Exception) -> DomainError:
    """What clients may know of an exception: its code and a sentence, never its own text."""
    match error:
        case DomainError():
            return error
        case HTTPException():
            return _of_status(error)
        case IdentityUnavailable() | LedgerUnavailable() | ReadStoreUnavailable():
            return DomainError("SERVICE_UNAVAILABLE", "The service cannot do this now; try again.")
        case VaultUnavailable() | KeyUnusable():
            return DomainError("VAULT_UNAVAILABLE", "The document vault cannot be used now; try again.")
        case VaultError():
            log.error("vault-object-unusable", error=type(error).__name__)
            return DomainError(
                "INTERNAL_ERROR", "The stored file cannot be read; verify tells what is wrong."
            )
        case _:
            log.error("request-failed", exc_info=error)
            return DomainError(
                "INTERNAL_ERROR", "Something went wrong here. The correlationId helps to find it."
            )


def handle_exception(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answers any exception with the envelope."""
    if isinstance(error, ValidationException):
        error = _invalid(error, _names_of(request))
    response = problem_response(as_domain_error(error), request.scope["state"].get("correlation_id", ""))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _names_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What clients call the parameters of the handler that was meant to run."""
    handler = request.scope.get("route_handler")
    names: dict[str, str] = {}
    for name, field in handler.parsed_fn_signature.parameters.items() if handler else ():
        if isinstance(field.kwarg_definition, QueryParameter | HeaderParameter | PathParameter):
            names[name] = field.kwarg_definition.name or name
    return names


def _invalid(error: ValidationException, names: dict[str, str]) -> DomainError:
    if missing := _MISSING.match(error.detail):
        return invalid_field(missing[1], "MISSING", "It is required.")
    extra = error.extra if isinstance(error.extra, list) else []
    fields = tuple(
        FieldError(
            names.get(str(finding.get("key")), str(finding.get("key") or finding.get("source") or "body")),
            "INVALID",
            f"{_unquoted(str(finding.get('message', 'is not valid'))).rstrip('.')}.",
        )
        for finding in extra
    )
    return DomainError("VALIDATION_FAILED", "The request is malformed.", field_errors=fields)


def _unquoted(message: str) -> str:
    """A finding of msgspec's without the value, which it quotes where that is none of a closed list."""
    return _QUOTES_VALUE.sub(r"\1", message)


def _of_status(error: HTTPException) -> DomainError:
    code = _CODE_OF_STATUS.get(
        error.status_code, "INTERNAL_ERROR" if error.status_code >= 500 else "VALIDATION_FAILED"
    )
    if code == "INTERNAL_ERROR":
        log.error("request-failed", exc_info=error)
        return DomainError(code, "Something went wrong here. The correlationId helps to find it.")
    return DomainError(code, f"{HTTPStatus(STATUS_OF_CODE[code]).phrase}.")
