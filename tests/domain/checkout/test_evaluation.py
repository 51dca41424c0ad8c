"""Evaluations: what the rules ask, what the credit allows, what people read (S1 BillingRuleEvaluation)."""

from typing import Any

import pytest

from domain.accounts.account import Account
from domain.checkout.checkout import Checkout
from domain.checkout.evaluation import Evaluation, OrderTotal, evaluate
from domain.kernel.errors import DomainError
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID, rules, updated
from tests.support.checkout_facts import captured, overridden
from tests.support.given import state_after

LIMIT = 500_000


def _account(**changes: Any) -> Account:
    account: Account = state_after(updated(**changes))
    return account


def _total(amount_minor: int, currency: str = "GBP") -> OrderTotal:
    return OrderTotal(amount_minor=amount_minor, currency_uom_id=currency)


def _codes(evaluation: Evaluation) -> list[tuple[str, str]]:
    assert all(message.text for message in evaluation.messages)
    return [(message.code, message.severity) for message in evaluation.messages]


def test_without_rules_and_account_safe_defaults_apply() -> None:
    found = evaluate(None, None, None, ACCOUNT_ID, _total(1))
    assert (found.policy_version, found.po_required) == ("billing-rules/built-in@1", False)
    assert (found.payment_terms_code, found.payment_terms_id) == ("DUE_ON_RECEIPT", "DUE_ON_RECEIPT")
    assert found.invoice_delivery_method == "PORTAL"
    assert (found.charge_account_eligible, found.credit_limit_exceeded) == (False, None)
    assert _codes(found) == [("ACCOUNT_UNKNOWN", "WARNING")]


def test_without_rules_an_account_with_an_address_is_mailed() -> None:
    found = evaluate(None, _account(), None, ACCOUNT_ID, None)
    assert (found.invoice_delivery_method, found.charge_account_eligible) == ("EMAIL", True)
    assert _codes(found) == []


def test_what_the_rules_say_is_shown() -> None:
    asked = {
        "po_format_regex": "PO-[0-9]+",
        "po_uniqueness_scope": "GLOBAL",
        "override_requires_second_approver": True,
    }
    found = evaluate(rules(3, **asked), _account(), None, ACCOUNT_ID, None)
    assert found.model_dump() | asked == found.model_dump()
    assert (found.policy_version, found.payment_terms_code) == ("billing-rules/account@3", "NET30")
    assert (found.override_allowed, found.override_reason_code_required) == (True, True)
    assert _codes(found) == [("PO_REQUIRED", "ERROR")]


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ((captured(),), [("PO_CAPTURED", "INFO")]),
        ((overridden(),), [("PO_OVERRIDDEN", "INFO")]),
        ((overridden(), captured()), [("PO_CAPTURED", "INFO"), ("PO_OVERRIDDEN", "INFO")]),
    ],
)
def test_what_stands_satisfies_the_rules(facts: tuple[Any, ...], codes: list[tuple[str, str]]) -> None:
    checkout: Checkout = state_after(*facts)
    assert _codes(evaluate(rules(), _account(), checkout, ACCOUNT_ID, None)) == codes


def test_what_stands_for_another_account_satisfies_nothing() -> None:
    checkout: Checkout = state_after(captured(account_id=MINTED_ID))
    assert _codes(evaluate(rules(), _account(), checkout, ACCOUNT_ID, None)) == [
        ("CHECKOUT_OF_OTHER_ACCOUNT", "ERROR"),
        ("PO_REQUIRED", "ERROR"),
    ]


@pytest.mark.parametrize("eligible", [False, None])
def test_who_may_not_be_charged_pays_at_once(eligible: bool | None) -> None:
    found = evaluate(None, _account(chargeAccountEligible=eligible), None, ACCOUNT_ID, None)
    assert not found.charge_account_eligible
    assert _codes(found) == [("CHARGE_ACCOUNT_NOT_ELIGIBLE", "WARNING")]


@pytest.mark.parametrize(
    ("amount", "exceeded"), [(0, False), (LIMIT - 1, False), (LIMIT, False), (LIMIT + 1, True)]
)
def test_an_order_above_the_limit_exceeds_it(amount: int, exceeded: bool) -> None:
    found = evaluate(None, _account(), None, ACCOUNT_ID, _total(amount))
    assert found.credit_limit_exceeded is exceeded
    assert _codes(found) == ([("CREDIT_LIMIT_EXCEEDED", "WARNING")] if exceeded else [])


def test_no_credit_at_all_is_a_limit_of_zero() -> None:
    assert evaluate(None, _account(creditLimit=0), None, ACCOUNT_ID, _total(1)).credit_limit_exceeded is True


def test_without_total_or_limit_nothing_is_exceeded() -> None:
    assert evaluate(None, _account(), None, ACCOUNT_ID, None).credit_limit_exceeded is None
    unlimited = _account(creditLimit=None)
    assert evaluate(None, unlimited, None, ACCOUNT_ID, _total(9, "EUR")).credit_limit_exceeded is None


def test_amounts_of_other_currencies_are_not_compared() -> None:
    with pytest.raises(DomainError, match="CURRENCY_MISMATCH"):
        evaluate(None, _account(), None, ACCOUNT_ID, _total(1, "EUR"))
    found = evaluate(None, _account(currencyUomId=None), None, ACCOUNT_ID, _total(1))
    assert found.credit_limit_exceeded is None
    assert _codes(found) == [("CREDIT_LIMIT_NOT_COMPARABLE", "WARNING")]
