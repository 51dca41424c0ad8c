"""Billing rules, in both seeds' vocabularies and under both mounts, and S4's facade of CRM."""

from application.operations.operation import OPTIONAL_KEY, Operation

RULES_VIEWERS = frozenset({"billing:rules:view"})
ACCOUNT_OWNERSHIP = "accounts of the token"

GET_BILLING_RULES = Operation(
    name="billing-rules.get",
    kind="query",
    method="GET",
    path="/v1/billing/rules/{accountId:str}",
    summary="An account's billing rules, by its id or its party's, now or as of a moment or position",
    permissions=RULES_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
    openapi_id="getBillingRules",
)

UPSERT_BILLING_RULES = Operation(
    name="billing-rules.upsert",
    kind="command",
    method="PUT",
    path="/v1/billing/rules/{accountId:str}",
    summary="Creates or updates an account's billing rules, in S1's vocabulary or S4's",
    permissions=frozenset({"billing:rules:manage"}),
    success="The rules stand as the body says: 201 created, 200 else",
    statuses=(200, 201),
    ownership=ACCOUNT_OWNERSHIP,
    idempotency=OPTIONAL_KEY,
    audit_event="billing-rules.configured",
    errors=("CARD_DATA_REFUSED", "NOT_FOUND", "STALE_ETAG", "ETAG_REQUIRED", "IDEMPOTENCY_KEY_REUSED"),
    openapi_id="upsertBillingRules",
)

GET_PARTY_BILLING_RULES = Operation(
    name="crm.get-billing-rules",
    kind="query",
    method="GET",
    path="/v1/crm/accounts/parties/{partyId:str}/billingRules",
    summary="A party's billing rules, where CRM's clients look for them",
    permissions=RULES_VIEWERS,
    ownership=ACCOUNT_OWNERSHIP,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
    projections=("accounts",),
)
