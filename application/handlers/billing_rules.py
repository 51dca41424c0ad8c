"""Setting an account's billing rules, and how they are answered (contract §5)."""

from dataclasses import dataclass
from typing import Any

from application.handlers.accounts import (
    account_of,
    account_state,
    name_streams,
    open_if_unknown,
    require_reach,
)
from application.ledger import Answer, Handler, Transaction
from application.ports import Patterns
from application.validation import invalid_field
from domain.accounts.billing_rules import BILLING_RULES, BillingRules, RulesRequest, configure_rules
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class Upsert:
    """Who sets which rules, for the account of which name, and what they know of the ones before.

    `granted` are the accounts that the token is bound to, None for all. `fresh_account_id` and
    `fresh_rules_id` are used where there is none yet. `expected_revision` is what `If-Match` names; with
    `etag_required` a change needs it.
    """

    name: str
    request: RulesRequest
    configured_by: str
    granted: frozenset[str] | None
    fresh_account_id: str
    fresh_rules_id: str
    expected_revision: int | None
    etag_required: bool

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads, as far as known beforehand."""
        party = () if self.request.party_id is None else (self.request.party_id,)
        return name_streams(self.name, *party, *(self.granted or ())) | {BILLING_RULES.stream(self.name)}


def check_pattern(request: RulesRequest, patterns: Patterns) -> None:
    """Refuses a format that could not be checked. Raises `VALIDATION_FAILED`. Not for under the lock."""
    pattern = request.po_format_regex
    if pattern is not None and not patterns.is_valid(pattern):
        raise invalid_field("poFormatRegex", "PATTERN_INVALID", "This is no regular expression of RE2.")


def upsert_rules(upsert: Upsert) -> Handler:
    """Sets rules: 201 for the first, 200 for a change or where nothing changes."""

    def handle(transaction: Transaction) -> Answer:
        require_reach(transaction, upsert.name, upsert.granted)
        account_id, account = open_if_unknown(transaction, upsert.name, upsert.fresh_account_id)
        party_id = upsert.request.party_id
        if party_id is not None and account_of(transaction, party_id) != account_id:
            raise invalid_field("partyId", "OTHER_ACCOUNT", "The path names another account.")
        before = transaction.state(BILLING_RULES, account_id)
        facts = configure_rules(
            before,
            upsert.request,
            rules_id=upsert.fresh_rules_id,
            configured_by=upsert.configured_by,
            at=transaction.stamp.at,
            expected_revision=upsert.expected_revision,
            etag_required=upsert.etag_required,
        )
        transaction.append(BILLING_RULES.stream(account_id), facts)
        rules = transaction.state(BILLING_RULES, account_id)
        assert rules is not None, "they are set now"
        return Answer(201 if before is None else 200, rules_answer(account_id, account.party_id, rules))

    return handle


def rules_of(transaction: Transaction, name: str) -> BillingRules | None:
    """The rules of the account that a name means; None where it has none. For other commands to decide on."""
    known = account_state(transaction, name)
    return None if known is None else transaction.state(BILLING_RULES, known[0])


def rules_answer(account_id: str, party_id: str, rules: BillingRules) -> dict[str, Any]:
    """The rules in both vocabularies, JSON-ready (contract §5). `etag` is as `If-Match` wants it."""
    terms = rules.terms
    return {
        "id": rules.rules_id,
        "partyId": party_id,
        "accountId": account_id,
        "purchaseOrderRequired": terms.purchase_order_required,
        "isPoRequired": terms.purchase_order_required,
        "paymentTermsCode": terms.payment_terms_code,
        "paymentTermsId": terms.payment_terms_code,
        "invoiceDeliveryMethod": terms.invoice_delivery_method,
        "invoiceGroupingStrategy": terms.invoice_grouping_strategy,
        "poFormatRegex": terms.po_format_regex,
        "poUniquenessScope": terms.po_uniqueness_scope,
        "overrideAllowed": terms.override_allowed,
        "overrideRequiresSecondApprover": terms.override_requires_second_approver,
        "overrideReasonCodeRequired": terms.override_reason_code_required,
        "partialPaymentsAllowed": terms.partial_payments_allowed,
        "version": rules.revision,
        "etag": f'"{rules.revision}"',
        "createdAt": rfc3339(rules.created_at),
        "updatedAt": rfc3339(rules.updated_at),
        "updatedBy": rules.updated_by,
        "updatedByUserId": rules.updated_by,
    }
