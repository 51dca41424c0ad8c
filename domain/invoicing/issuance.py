"""What keeps a draft from being issued, and which of it a manager may set aside (BILL-DEC-003, BILL-DEC-004).

The same blockers stand in the invoice's detail and in the refusal to issue it.
"""

from domain.accounts.account import Account
from domain.accounts.billing_rules import RulesTerms
from domain.accounts.policies import IssuancePolicy
from domain.invoicing.invoice_facts import InvoiceDrafted
from domain.kernel.errors import DomainError, IssuanceBlocker
from domain.kernel.facts import Value

ALWAYS_REQUIRED = ("sourceWorkOrderId", "sourceBillableScopeSnapshotId", "sourceSchemaVersion")

_MESSAGES = {
    "MISSING_APPROVAL": "The customer's approval of the work is not on record.",
    "MISSING_ESTIMATE_VERSION": "There was an estimate, but not which version of it was carried out.",
    "MISSING_BILLING_EMAIL": "Invoices of this account go by e-mail, but CRM knows no address.",
    "MISSING_BILLING_ADDRESS": "Invoices of this account go by post, but CRM knows no address.",
}


class RequiredTraceability(Value):
    """Which names the policy asks for, so that nobody has to guess."""

    policy_version: str
    scope: str
    required_traceability: tuple[str, ...]
    approval_required: bool
    estimate_version_required: bool
    overridable_blockers: tuple[str, ...]


def required_traceability(
    drafted: InvoiceDrafted, account: Account | None, policy: IssuancePolicy
) -> RequiredTraceability:
    """The invoice's `issuancePolicy`: the policy that applies, as it applies to this invoice."""
    terms = policy.terms
    needs_approval = terms.needs_approval(account)
    needs_estimate = terms.estimate_version_required and drafted.traceability.source_estimate_id is not None
    names = (
        *ALWAYS_REQUIRED,
        *(("sourceApprovalIds",) if needs_approval else ()),
        *(("sourceEstimateVersionId",) if needs_estimate else ()),
    )
    return RequiredTraceability(
        policy_version=policy.policy_version,
        scope=policy.scope,
        required_traceability=names,
        approval_required=needs_approval,
        estimate_version_required=needs_estimate,
        overridable_blockers=terms.overridable_blockers,
    )


def issuance_blockers(
    drafted: InvoiceDrafted, account: Account | None, rules: RulesTerms, policy: IssuancePolicy
) -> tuple[IssuanceBlocker, ...]:
    """What keeps this draft from being issued now; nothing: ()."""
    required = required_traceability(drafted, account, policy)
    traced = drafted.traceability
    data = None if account is None else account.data
    missing = {
        "MISSING_APPROVAL": required.approval_required and not traced.source_approval_ids,
        "MISSING_ESTIMATE_VERSION": required.estimate_version_required
        and traced.source_estimate_version_id is None,
        "MISSING_BILLING_EMAIL": rules.invoice_delivery_method == "EMAIL"
        and (account is None or account.email is None),
        "MISSING_BILLING_ADDRESS": rules.invoice_delivery_method == "MAIL"
        and (data is None or data.billing_address is None),
    }
    return tuple(
        IssuanceBlocker(
            code=code,
            severity="ERROR",
            message=_MESSAGES[code],
            overridable=code in policy.terms.overridable_blockers,
        )
        for code, is_missing in missing.items()
        if is_missing
    )


def require_issuable(blockers: tuple[IssuanceBlocker, ...], *, approved: bool) -> tuple[str, ...]:
    """The codes that a manager's approval sets aside. Raises `ISSUANCE_BLOCKED` with all blockers."""
    if not all(approved and blocker.overridable for blocker in blockers):
        raise DomainError("ISSUANCE_BLOCKED", "The invoice cannot be issued yet.", issuance_blockers=blockers)
    return tuple(blocker.code for blocker in blockers)
