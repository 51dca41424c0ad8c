"""Checkouts as clients read them (contract §5)."""

from domain.checkout.evaluation import Evaluation
from domain.kernel.facts import Utc, Value


class PoCaptureAnswer(Value):
    """A checkout's purchase order, and the version of the rules that it was held against."""

    checkout_id: str
    account_id: str
    po_number: str
    policy_version: str
    captured_at: Utc


class PoOverrideAnswer(Value):
    """Why a checkout goes on without a purchase order, and who approved, by their credentials' ids."""

    checkout_id: str
    account_id: str
    reason_code: str | None
    reason_notes: str | None
    approver_id: str
    second_approver_id: str | None
    policy_version: str
    overridden_at: Utc


class BillingRuleEvaluation(Evaluation):
    """S1's evaluation, what is recorded of the checkout, and what this caller may do now."""

    checkout_id: str
    account_id: str
    po_capture: PoCaptureAnswer | None
    po_override: PoOverrideAnswer | None
    allowed_actions: list[str]
