"""A business error is a stable code plus facts; only `interfaces/http/problems.py` knows HTTP statuses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IssuanceBlocker:
    """Why an invoice cannot be issued now (BILL-DEC-003).

    `code` is stable (`MISSING_APPROVAL`), `overridable` says whether a manager's elevation sets it aside.
    """

    code: str
    severity: str
    message: str
    overridable: bool


@dataclass(frozen=True)
class FieldError:
    """One field that was refused.

    `field` is the camelCase path in the request (`lines.0.amount`), `code` a stable word, `message` a
    sentence for people that never repeats the refused value.
    """

    field: str
    code: str
    message: str


class DomainError(Exception):
    """A rule said no; nothing has changed.

    `code` is the contract's error code (`SNAPSHOT_INCONSISTENT`); `message` states the fact in a sentence
    free of personal data.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason_code: str | None = None,
        field_errors: tuple[FieldError, ...] = (),
        missing_fields: tuple[str, ...] = (),
        issuance_blockers: tuple[IssuanceBlocker, ...] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason_code = reason_code
        self.field_errors = field_errors
        self.missing_fields = missing_fields
        self.issuance_blockers = issuance_blockers
        self.retry_after_seconds = retry_after_seconds


def not_found(what: str) -> DomainError:
    """The same answer for what does not exist and for what the caller may not know exists (contract §2)."""
    return DomainError("NOT_FOUND", f"{what} was not found.")
