"""What keeps a draft from being issued, and what of it a manager may set aside."""

from typing import Any

import pytest

from domain.accounts.account import Account, AccountData
from domain.accounts.billing_rules import RulesTerms
from domain.accounts.policies import IssuancePolicy, IssuanceTerms
from domain.invoicing.issuance import issuance_blockers, require_issuable, required_traceability
from domain.kernel.errors import DomainError
from domain.posting import PostingError, posting_error_summary
from tests.support.decisions import decision
from tests.support.invoicing_facts import ACCOUNT_ID, ESTIMATE_ID, invoice_drafted
from tests.support.work_orders import an_account

ALWAYS = ("sourceWorkOrderId", "sourceBillableScopeSnapshotId", "sourceSchemaVersion")


def account(**changes: Any) -> Account:
    data = AccountData.model_validate(an_account(ACCOUNT_ID, **changes))
    return Account(party_id=data.party_id or "", data=data)


def policy(**changes: Any) -> IssuancePolicy:
    return IssuancePolicy(
        terms=IssuanceTerms(**changes), scope="BUILT_IN", policy_version="issuance/built-in@1"
    )


def codes(
    *, of: Account | None, traced: dict[str, Any] | None = None, rules: str = "PORTAL", **terms: Any
) -> list[tuple[str, bool]]:
    """The blockers of a draft with this traceability, and whether each may be set aside."""
    drafted = invoice_drafted()
    traceability = drafted.traceability.model_copy(update=traced or {})
    drafted = drafted.model_copy(update={"traceability": traceability})
    delivered = RulesTerms.model_validate({"invoice_delivery_method": rules})
    found = issuance_blockers(drafted, of, delivered, policy(**terms))
    return [(blocker.code, blocker.overridable) for blocker in found]


def test_a_business_with_everything_on_record_is_not_blocked() -> None:
    assert codes(of=account()) == []


@pytest.mark.parametrize(
    ("of", "approval", "blocked"),
    [
        ({"classification": "B2C"}, "CONSUMERS", True),
        ({"classification": "B2B", "approvalRequired": True}, "CONSUMERS", True),
        ({"classification": "B2B"}, "CONSUMERS", False),
        ({"classification": "B2B"}, "ALWAYS", True),
        ({"classification": "B2C"}, "NEVER", False),
    ],
)
def test_an_approval_is_asked_for_by_account_and_policy(
    of: dict[str, Any], approval: str, *, blocked: bool
) -> None:
    found = codes(of=account(**of), traced={"source_approval_ids": ()}, approval_required=approval)
    assert found == ([("MISSING_APPROVAL", True)] if blocked else [])
    assert codes(of=account(**of), approval_required=approval) == []


def test_an_estimate_asks_for_its_version_where_the_policy_does() -> None:
    without = {"source_estimate_version_id": None}
    assert codes(of=account(), traced=without) == [("MISSING_ESTIMATE_VERSION", True)]
    assert codes(of=account(), traced=without, estimate_version_required=False) == []
    assert codes(of=account(), traced={**without, "source_estimate_id": None}) == []


def test_an_invoice_needs_an_address_to_be_delivered_to_and_nobody_may_set_that_aside() -> None:
    nowhere = account(billingContact=None, billingAddress=None)
    assert codes(of=nowhere, rules="EMAIL") == [("MISSING_BILLING_EMAIL", False)]
    assert codes(of=nowhere, rules="MAIL") == [("MISSING_BILLING_ADDRESS", False)]
    assert codes(of=nowhere, rules="PORTAL") == []


def test_a_policy_says_what_may_be_set_aside() -> None:
    found = codes(
        of=account(classification="B2C"), traced={"source_approval_ids": ()}, overridable_blockers=()
    )
    assert found == [("MISSING_APPROVAL", False)]


def test_what_is_required_is_told_by_upstreams_names() -> None:
    drafted = invoice_drafted()
    assert drafted.traceability.source_estimate_id == ESTIMATE_ID
    required = required_traceability(drafted, account(classification="B2C"), policy())
    assert required.required_traceability == (*ALWAYS, "sourceApprovalIds", "sourceEstimateVersionId")
    bare = required_traceability(
        drafted, account(), policy(approval_required="NEVER", estimate_version_required=False)
    )
    assert bare.required_traceability == ALWAYS


def test_only_an_approval_sets_aside_and_only_what_may_be() -> None:
    drafted = invoice_drafted()
    traceability = drafted.traceability.model_copy(update={"source_approval_ids": ()})
    consumer = account(classification="B2C", billingContact=None)
    by_mail = RulesTerms(invoice_delivery_method="EMAIL")
    of = drafted.model_copy(update={"traceability": traceability})
    both = issuance_blockers(of, consumer, by_mail, policy())
    one = both[:1]
    assert require_issuable((), approved=False) == ()
    assert require_issuable(one, approved=True) == ("MISSING_APPROVAL",)
    for blockers, approved in ((one, False), (both, True)):
        with pytest.raises(DomainError) as refusal:
            require_issuable(blockers, approved=approved)
        assert (refusal.value.code, refusal.value.issuance_blockers) == ("ISSUANCE_BLOCKED", blockers)


@pytest.mark.parametrize("code", ["4300-117", "ACCOUNT 4300", "err", "PERIOD_2026"])
@decision("BILL-DEC-014", "A code that could name an account is not shown")
def test_a_posting_error_shows_no_code_that_could_name_an_account(code: str) -> None:
    assert posting_error_summary(PostingError(code=code, detail="secret"))["code"] == "POSTING_FAILED"


def test_a_plain_posting_code_is_shown_and_its_detail_never() -> None:
    summary = posting_error_summary(PostingError(code="PERIOD_CLOSED", detail="Account 4300 is closed."))
    assert summary["code"] == "PERIOD_CLOSED"
    assert "4300" not in str(summary)
