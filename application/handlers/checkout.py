"""Evaluating a checkout, capturing its purchase order, overriding it (BILL-DEC-009; contract §5)."""

from dataclasses import dataclass
from typing import Any

from application.caller import Caller
from application.elevation import use_elevation
from application.handlers.accounts import (
    account_of,
    account_state,
    is_within_reach,
    name_streams,
    require_reach,
)
from application.ledger import Answer, Handler, Transaction
from application.ports import ElevationClaims, Fingerprint
from domain.accounts.account import Account
from domain.accounts.billing_rules import BILLING_RULES, BillingRules, RulesTerms, effective_rules
from domain.accounts.names import account_name
from domain.checkout.checkout import (
    CHECKOUT,
    Checkout,
    PoCaptured,
    PoOverridden,
    capture_po,
    require_overridable,
    require_somebody_else,
    stands_overridden,
)
from domain.checkout.evaluation import OrderTotal, evaluate, policy_version
from domain.checkout.purchase_order import usages
from domain.kernel.claim import CLAIM, ClaimTaken, Purpose, claim_stream
from domain.kernel.errors import DomainError, not_found
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId

CAPTURE_PERMISSION = "billing:checkout:po:capture"
OVERRIDE_PERMISSION = "billing:checkout:po:override"


@dataclass(frozen=True)
class Asked:
    """Who asks for something of which checkout, for the account of which name."""

    checkout_id: str
    account: str
    caller: Caller

    @property
    def granted(self) -> frozenset[str] | None:
        """The accounts that the token is bound to; None for all."""
        return self.caller.claims.account_ids

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads, as far as known beforehand."""
        named = name_streams(self.account, *(self.granted or ()))
        account = account_name(self.account)
        return named | {CHECKOUT.stream(self.checkout_id), BILLING_RULES.stream(account)}


@dataclass(frozen=True)
class FormatVerdict:
    """Whether a purchase order's number matches a format as a whole, found out away from the ledger's lock.

    It names the format that it was found for (None: any number fits), not the revision of the rules: the same
    format stands in many revisions, and accounts that take over rules take over their revisions.
    """

    pattern: str | None
    matches: bool


ANY_NUMBER = FormatVerdict(None, matches=True)


class FormatUnjudged(DomainError):
    """Under the lock another format stands than the verdict is for: find out for `pattern`, try again."""

    def __init__(self, pattern: str | None) -> None:
        super().__init__("SERVICE_UNAVAILABLE", "The account's rules keep changing; try again.")
        self.pattern = pattern


@dataclass(frozen=True)
class OverrideRequest:
    """Why a checkout goes on without a purchase order, and the approvals that were given."""

    reason_code: str | None
    reason_notes: str | None
    approval: ElevationClaims
    second_approval: ElevationClaims | None


@dataclass(frozen=True)
class _Situation:
    """The account that was named and what stands of the checkout, `checkout.account_id` as it is now."""

    account_id: str
    account: Account | None
    rules: BillingRules | None
    checkout: Checkout | None

    @property
    def terms(self) -> RulesTerms:
        return effective_rules(self.rules, self.account)


def evaluate_checkout(asked: Asked, total: OrderTotal | None) -> Handler:
    """What the account's rules ask of the checkout and what stands already. It records nothing.

    Raises `NOT_FOUND`, `CURRENCY_MISMATCH`.
    """

    def handle(transaction: Transaction) -> Answer:
        now = _situation(transaction, asked)
        checkout = now.checkout
        evaluation = evaluate(now.rules, now.account, checkout, now.account_id, total)
        ours = checkout if checkout is not None and checkout.account_id == now.account_id else None
        body = evaluation.model_dump(mode="json", by_alias=True) | {
            "checkoutId": asked.checkout_id,
            "accountId": now.account_id,
            "poCapture": ours and _capture_answer(asked.checkout_id, ours),
            "poOverride": ours and _override_answer(asked.checkout_id, ours),
            "allowedActions": _allowed_actions(asked.caller, now),
        }
        return Answer(200, body)

    return handle


def capture(asked: Asked, po_number: str, verdict: FormatVerdict, fingerprint: Fingerprint) -> Handler:
    """Captures a purchase order: 201; 200 where the same one stands.

    Raises `NOT_FOUND`, `PO_ALREADY_CAPTURED`, `PO_ALREADY_OVERRIDDEN`, `PO_FORMAT_INVALID`, `PO_NOT_UNIQUE`,
    and `FormatUnjudged` for whoever found out the verdict.
    """

    def handle(transaction: Transaction) -> Answer:
        now = _situation(transaction, asked)
        terms = now.terms
        if verdict.pattern != terms.po_format_regex:
            raise FormatUnjudged(terms.po_format_regex)
        former = None if now.rules is None else now.rules.adopted_from
        account_ids = (now.account_id,) if former is None else (now.account_id, former)
        # The number is the customer's own words, and claims are for good, so they hold its keyed hash.
        keys = [
            (usage.purpose, fingerprint([usage.purpose, *usage.content]))
            for usage in usages(terms.po_uniqueness_scope, account_ids, po_number)
        ]
        captured = PoCaptured(
            account_id=now.account_id,
            po_number=po_number,
            policy_version=policy_version(now.rules),
            captured_at=transaction.stamp.at,
        )
        facts = capture_po(
            now.checkout,
            captured,
            fits_format=verdict.matches,
            is_taken=any(_holder(transaction, *key) not in (None, asked.checkout_id) for key in keys),
        )
        if facts:
            for purpose, key in keys:
                taken = ClaimTaken(purpose=purpose, key=key, holder=asked.checkout_id, fingerprint="")
                transaction.append(claim_stream(purpose, key), (taken,))
        transaction.append(CHECKOUT.stream(asked.checkout_id), facts)
        return Answer(201 if facts else 200, _capture_answer(asked.checkout_id, _state(transaction, asked)))

    return handle


def override(asked: Asked, request: OverrideRequest) -> Handler:
    """Lets a checkout go on without a purchase order: 201; 200 where this override stands.

    Raises `NOT_FOUND`, `PO_ALREADY_OVERRIDDEN`, `PO_ALREADY_CAPTURED`, `OVERRIDE_NOT_ALLOWED`,
    `REASON_CODE_REQUIRED`, `SECOND_APPROVER_REQUIRED`, `ELEVATION_INVALID`. Only what succeeds uses approvals
    up; a second one that the rules do not ask for stays unused.
    """

    def handle(transaction: Transaction) -> Answer:
        now = _situation(transaction, asked)
        if stands_overridden(now.checkout, now.account_id, request.reason_code, request.reason_notes):
            return Answer(200, _override_answer(asked.checkout_id, _state(transaction, asked)))
        second = request.second_approval
        require_overridable(
            now.terms,
            reason_code=request.reason_code,
            approver_id=request.approval.credential_id,
            second_approver_id=None if second is None else second.credential_id,
        )
        _use(transaction, asked, request.approval)
        second_approver_id: str | None = None
        if now.terms.override_requires_second_approver and second is not None:
            second_is_requester = _use(transaction, asked, second)
            require_somebody_else(second_is_requester=second_is_requester)
            second_approver_id = second.credential_id
        overridden = PoOverridden(
            account_id=now.account_id,
            reason_code=request.reason_code,
            reason_notes=request.reason_notes,
            approver_id=request.approval.credential_id,
            second_approver_id=second_approver_id,
            policy_version=policy_version(now.rules),
            overridden_at=transaction.stamp.at,
        )
        transaction.append(CHECKOUT.stream(asked.checkout_id), (overridden,))
        return Answer(201, _override_answer(asked.checkout_id, _state(transaction, asked)))

    return handle


def _situation(transaction: Transaction, asked: Asked) -> _Situation:
    """What there is to decide on. Raises `NOT_FOUND` where account or checkout are out of reach."""
    require_reach(transaction, asked.account, asked.granted)
    account_id, account = account_state(transaction, asked.account) or (account_name(asked.account), None)
    checkout = transaction.state(CHECKOUT, asked.checkout_id)
    if checkout is not None:
        if not is_within_reach(transaction, checkout.account_id, asked.granted):
            raise not_found("The checkout")
        known_as = account_of(transaction, checkout.account_id) or checkout.account_id
        checkout = checkout.model_copy(update={"account_id": known_as})
    return _Situation(account_id, account, transaction.state(BILLING_RULES, account_id), checkout)


def _state(transaction: Transaction, asked: Asked) -> Checkout:
    checkout = transaction.state(CHECKOUT, asked.checkout_id)
    assert checkout is not None, "something stands of it now"
    return checkout


def _holder(transaction: Transaction, purpose: Purpose, key: str) -> str | None:
    claim = transaction.state(CLAIM, claim_stream(purpose, key).id)
    return None if claim is None else claim.holder


def _use(transaction: Transaction, asked: Asked, approval: ElevationClaims) -> bool:
    """Uses an approval up; whether the requester gave it."""
    approver = use_elevation(
        transaction,
        approval,
        purpose="PO_OVERRIDE",
        target_id=asked.checkout_id,
        requester=asked.caller.claims.sub,
    )
    return approver.is_requester


def _allowed_actions(caller: Caller, now: _Situation) -> list[str]:
    """What this caller may do now; the server still decides."""
    checkout, terms = now.checkout, now.terms
    if checkout is not None and (checkout.account_id != now.account_id or checkout.captured is not None):
        return []
    actions = ["CAPTURE_PO"] if CAPTURE_PERMISSION in caller.permissions else []
    if checkout is None and terms.override_allowed and OVERRIDE_PERMISSION in caller.permissions:
        actions.append("OVERRIDE_PO")
    return actions


def _capture_answer(checkout_id: str, checkout: Checkout) -> dict[str, Any] | None:
    captured = checkout.captured
    if captured is None:
        return None
    return {
        "checkoutId": checkout_id,
        "accountId": captured.account_id,
        "poNumber": captured.po_number,
        "policyVersion": captured.policy_version,
        "capturedAt": rfc3339(captured.captured_at),
    }


def _override_answer(checkout_id: str, checkout: Checkout) -> dict[str, Any] | None:
    overridden = checkout.overridden
    if overridden is None:
        return None
    return {
        "checkoutId": checkout_id,
        "accountId": overridden.account_id,
        "reasonCode": overridden.reason_code,
        "reasonNotes": overridden.reason_notes,
        "approverId": overridden.approver_id,
        "secondApproverId": overridden.second_approver_id,
        "policyVersion": overridden.policy_version,
        "overriddenAt": rfc3339(overridden.overridden_at),
    }
