"""A checkout's purchase order: captured once, or overridden by approval (BILL-DEC-009).

Lifecycle: nothing, then captured, overridden, or overridden and captured later. Both are written once and for
one account. Where a purchase order stands there is nothing left to override; one that comes after an override
is captured beside it, because an override says that the order goes on without the number, not that there is
none. Commands: capture, override.
"""

from typing import assert_never

from domain.accounts.billing_rules import RulesTerms
from domain.accounts.names import PartyId
from domain.checkout.purchase_order import PoNumber, plain_number
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Utc, Value
from domain.kernel.streams import EventType, StreamType


class PoCaptured(Fact):
    """The customer gave a purchase order. `policy_version` is that of the rules it was held against."""

    account_id: PartyId
    po_number: PoNumber
    policy_version: str
    captured_at: Utc


class PoOverridden(Fact):
    """The checkout goes on without a purchase order, as people agreed who are named by credential id."""

    account_id: PartyId
    reason_code: str | None = None
    reason_notes: str | None = None
    approver_id: str
    second_approver_id: str | None = None
    policy_version: str
    overridden_at: Utc


class Checkout(Value):
    """What stands of a checkout's purchase order. `account_id` is the account that it is for."""

    account_id: str
    captured: PoCaptured | None = None
    overridden: PoOverridden | None = None


def capture_po(
    checkout: Checkout | None, captured: PoCaptured, *, fits_format: bool, is_taken: bool
) -> tuple[PoCaptured, ...]:
    """Captures a purchase order; () where the same one stands.

    `is_taken`: another checkout used it where it may be used once. Raises `PO_ALREADY_CAPTURED`,
    `PO_ALREADY_OVERRIDDEN` where an override stands for another account, `PO_FORMAT_INVALID`,
    `PO_NOT_UNIQUE`.
    """
    if checkout is not None:
        same_account = checkout.account_id == captured.account_id
        if checkout.captured is not None:
            stands = plain_number(checkout.captured.po_number)
            if same_account and stands == plain_number(captured.po_number):
                return ()
            raise _already_captured()
        if not same_account:
            raise _already_overridden()
    if not fits_format:
        raise DomainError("PO_FORMAT_INVALID", "The purchase order does not have the account's format.")
    if is_taken:
        raise DomainError("PO_NOT_UNIQUE", "This purchase order was used for another checkout.")
    return (captured,)


def stands_overridden(
    checkout: Checkout | None, account_id: str, reason_code: str | None, reason_notes: str | None
) -> bool:
    """Whether this very override stands already, whoever approved it.

    Raises `PO_ALREADY_OVERRIDDEN` where another one does, `PO_ALREADY_CAPTURED` where there is nothing left
    to override.
    """
    if checkout is None:
        return False
    overridden = checkout.overridden
    if overridden is not None:
        asked = (account_id, reason_code, reason_notes)
        if (checkout.account_id, overridden.reason_code, overridden.reason_notes) != asked:
            raise _already_overridden()
        return True
    raise _already_captured()


def require_overridable(
    terms: RulesTerms, *, reason_code: str | None, approver_id: str, second_approver_id: str | None
) -> None:
    """What the rules ask of an override before any approval is used.

    Raises `OVERRIDE_NOT_ALLOWED`, `REASON_CODE_REQUIRED`, `SECOND_APPROVER_REQUIRED`.
    """
    if not terms.override_allowed:
        raise DomainError("OVERRIDE_NOT_ALLOWED", "The account's rules allow no override.")
    if terms.override_reason_code_required and reason_code is None:
        raise DomainError("REASON_CODE_REQUIRED", "The account's rules ask for a reason code.")
    if terms.override_requires_second_approver and second_approver_id in (None, approver_id):
        raise _second_approver_required()


def require_somebody_else(*, second_is_requester: bool) -> None:
    """Nobody is the second approver of their own request. Raises `SECOND_APPROVER_REQUIRED`.

    The first may be the requester, who then proves anew who they are: two persons still agree.
    """
    if second_is_requester:
        raise _second_approver_required()


def _already_captured() -> DomainError:
    return DomainError("PO_ALREADY_CAPTURED", "This checkout has a purchase order, which is written once.")


def _already_overridden() -> DomainError:
    return DomainError("PO_ALREADY_OVERRIDDEN", "Another override of this checkout's purchase order stands.")


def _second_approver_required() -> DomainError:
    return DomainError(
        "SECOND_APPROVER_REQUIRED",
        "The account's rules ask for the approval of a second person, other than who asks and who approved.",
    )


def _evolve(checkout: Checkout | None, fact: PoCaptured | PoOverridden) -> Checkout:
    checkout = checkout or Checkout(account_id=fact.account_id)
    match fact:
        case PoCaptured():
            return checkout.model_copy(update={"captured": fact})
        case PoOverridden():
            return checkout.model_copy(update={"overridden": fact})
        case _:
            assert_never(fact)


CHECKOUT: StreamType[Checkout] = StreamType(
    "checkout",
    (
        EventType("checkout.po-captured", PoCaptured),
        EventType("checkout.po-overridden", PoOverridden),
    ),
    _evolve,
)
