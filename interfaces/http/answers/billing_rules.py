"""Billing rules as clients read them, in both seeds' vocabularies (contract §5)."""

from domain.accounts.choices import DeliveryMethod, GroupingStrategy, PoUniquenessScope
from domain.accounts.payment_terms import TermsCode
from domain.kernel.facts import Utc, Value


class BillingRulesAnswer(Value):
    """An account's rules; `version` counts what changed, `etag` is what `If-Match` wants."""

    id: str
    party_id: str
    account_id: str
    purchase_order_required: bool
    is_po_required: bool
    payment_terms_code: TermsCode
    payment_terms_id: TermsCode
    invoice_delivery_method: DeliveryMethod
    invoice_grouping_strategy: GroupingStrategy
    po_format_regex: str | None
    po_uniqueness_scope: PoUniquenessScope
    override_allowed: bool
    override_requires_second_approver: bool
    override_reason_code_required: bool
    partial_payments_allowed: bool
    version: int
    etag: str
    created_at: Utc
    updated_at: Utc
    updated_by: str
    updated_by_user_id: str
