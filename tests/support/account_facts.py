"""Accounts, their rules and their policies, to test with, and a full example of each of their events."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from application.handlers.billing_rules import Upsert
from domain.accounts.account import (
    AccountAliased,
    AccountData,
    AccountOpened,
    AccountPersonalDataErased,
    AccountUpdated,
)
from domain.accounts.billing_rules import (
    BillingRules,
    RulesAdopted,
    RulesConfigured,
    RulesRequest,
    RulesTerms,
)
from domain.accounts.policies import (
    IssuanceTerms,
    Policy,
    PolicyAdopted,
    PolicyConfigured,
    PolicyTerms,
    ReprintTerms,
)
from domain.kernel.claim import ClaimTaken
from domain.kernel.facts import Fact

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ACCOUNT_ID = "0192f0c1-7a00-7000-8000-00000000000a"
MINTED_ID = "0192f0c1-7a00-7000-8000-00000000000b"
RULES_ID = "0192f0c1-7a00-7000-8000-0000000000f1"
PARTY_ID = "12345"


def account_data(
    account_id: str = ACCOUNT_ID, party_id: str | None = PARTY_ID, **changes: Any
) -> dict[str, Any]:
    """What CRM sends of an account, JSON-ready; `changes` replace top-level fields."""
    data: dict[str, Any] = {
        "customerAccountId": account_id,
        "classification": "B2B",
        "displayName": "Gannet Ropeworks Ltd",
        "approvalRequired": False,
        "chargeAccountEligible": True,
        "creditLimit": 500_000,
        "currencyUomId": "GBP",
        "billingContact": {"email": "marigold@example.org"},
        "billingAddress": {
            "line1": "3 Pier Road",
            "city": "Whitby",
            "postalCode": "YO21 3PU",
            "countryCode": "GB",
        },
        "taxId": "GB123456789",
    }
    named = {} if party_id is None else {"partyId": party_id}
    return {**data, **named, **changes}


def an_account(account_id: str = ACCOUNT_ID, party_id: str | None = PARTY_ID, **changes: Any) -> AccountData:
    """An account as CRM tells of it."""
    return AccountData.model_validate(account_data(account_id, party_id, **changes))


def updated(**changes: Any) -> AccountUpdated:
    """CRM told of the account."""
    return AccountUpdated(account=an_account(**changes))


def rules_request(**changes: Any) -> dict[str, Any]:
    """A PUT's body in S4's words; None takes a field out."""
    body = {
        "purchaseOrderRequired": True,
        "paymentTermsCode": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def a_request(**changes: Any) -> RulesRequest:
    """The same, read."""
    return RulesRequest.model_validate(rules_request(**changes), by_name=False)


def an_upsert(name: str, granted: frozenset[str] | None = None, **changes: Any) -> Upsert:
    """Ana sets the rules of the account of that name, knowing nothing of the ones before."""
    return Upsert(
        name=name,
        request=a_request(**changes),
        configured_by="ana",
        granted=granted,
        fresh_account_id=MINTED_ID,
        fresh_rules_id=RULES_ID,
        expected_revision=None,
        etag_required=False,
    )


def terms(**changes: Any) -> RulesTerms:
    """What `rules_request()` sets."""
    chosen: dict[str, Any] = {
        "purchase_order_required": True,
        "payment_terms_code": "NET30",
        "invoice_delivery_method": "EMAIL",
        **changes,
    }
    return RulesTerms(**chosen)


def configured(**changes: Any) -> RulesConfigured:
    """Ana set the rules."""
    return RulesConfigured(rules_id=RULES_ID, terms=terms(**changes), configured_by="ana", configured_at=NOON)


def rules(revision: int = 1, **changes: Any) -> BillingRules:
    """Rules as they stand after Ana set them."""
    return BillingRules(
        rules_id=RULES_ID,
        revision=revision,
        terms=terms(**changes),
        created_at=NOON,
        updated_at=NOON,
        updated_by="ana",
    )


def policy_set(policy_terms: PolicyTerms) -> PolicyConfigured:
    """Ana set a policy."""
    return PolicyConfigured(terms=policy_terms, configured_by="ana", configured_at=NOON)


def account_examples() -> tuple[Fact, ...]:
    """One full example of every stored event of accounts, rules and policies, optional fields included."""
    policy = Policy(terms=ReprintTerms(), revision=2, updated_at=NOON, updated_by="ana")
    return (
        AccountOpened(party_id=PARTY_ID),
        updated(loyaltyTier="gold"),
        AccountAliased(account_id=ACCOUNT_ID),
        AccountPersonalDataErased(
            subject=f"party:{PARTY_ID}", retention_class="CONTACT", key_id=str(UUID(int=19)), positions=(2,)
        ),
        configured(po_format_regex="PO-[0-9]+", po_uniqueness_scope="ACCOUNT"),
        RulesAdopted(from_account_id=MINTED_ID, rules=rules(3, po_format_regex="PO-[0-9]+")),
        policy_set(IssuanceTerms(approval_required="ALWAYS")),
        PolicyAdopted(from_account_id=MINTED_ID, policy=policy),
    )


def party_claimed(party_id: str = PARTY_ID, account_id: str = ACCOUNT_ID) -> ClaimTaken:
    """A party's name belongs to an account."""
    return ClaimTaken(purpose="PARTY", key=party_id, holder=account_id, fingerprint="")
