"""Policies of issuing and reprinting, of a tenant and of single accounts."""

from application.operations.billing_rules import ACCOUNT_OWNERSHIP
from application.operations.operation import OPTIONAL_KEY, Operation
from domain.accounts.policies import PolicyKind

POLICY_MANAGERS = frozenset({"billing:policy:manage"})


def _get(kind: PolicyKind, of_what: str) -> Operation:
    return Operation(
        name=f"policies.get-{kind}",
        kind="query",
        method="GET",
        path=f"/v1/billing/policies/{kind}/{{accountId:str}}",
        summary=f"The policy of {of_what} that applies to an account, or the `default` one",
        permissions=POLICY_MANAGERS,
        ownership=ACCOUNT_OWNERSHIP,
        errors=("NOT_FOUND", "PROJECTION_BEHIND"),
        projections=("accounts",),
    )


def _put(kind: PolicyKind, of_what: str) -> Operation:
    return Operation(
        name=f"policies.set-{kind}",
        kind="command",
        method="PUT",
        path=f"/v1/billing/policies/{kind}/{{accountId:str}}",
        summary=f"Sets the policy of {of_what} of an account, or the `default` one, whole",
        permissions=POLICY_MANAGERS,
        success="The policy stands as the body says: 201 created, 200 else",
        statuses=(200, 201),
        ownership=ACCOUNT_OWNERSHIP,
        idempotency=OPTIONAL_KEY,
        audit_event="policy.configured",
        errors=("NOT_FOUND", "STALE_ETAG", "IDEMPOTENCY_KEY_REUSED"),
    )


GET_ISSUANCE_POLICY = _get("issuance", "issuing")
SET_ISSUANCE_POLICY = _put("issuance", "issuing")
GET_REPRINT_POLICY = _get("reprint", "reprinting")
SET_REPRINT_POLICY = _put("reprint", "reprinting")
