"""A checkout's purchase order: written once, or overridden by approval (BILL-DEC-009)."""

from typing import Any

import pytest

from domain.accounts.billing_rules import RulesTerms
from domain.checkout.checkout import (
    Checkout,
    capture_po,
    require_overridable,
    require_somebody_else,
    stands_overridden,
)
from domain.kernel.errors import DomainError
from tests.support.account_facts import ACCOUNT_ID, MINTED_ID
from tests.support.checkout_facts import SECOND_ID, captured, overridden
from tests.support.credential_facts import CREDENTIAL_ID
from tests.support.given import given, state_after

FITS: dict[str, Any] = {"fits_format": True, "is_taken": False}
SAME = (ACCOUNT_ID, "PO_PENDING", "It comes on Monday")
APPROVED: dict[str, Any] = {
    "reason_code": "OTHER",
    "approver_id": CREDENTIAL_ID,
    "second_approver_id": None,
}
TWO = RulesTerms(override_requires_second_approver=True)


def _stands(checkout: Checkout | None, *asked: str | None) -> tuple[()]:
    """Asks whether an override stands; () where it does, as deciders say it."""
    account_id, reason_code, reason_notes = asked
    assert account_id is not None
    assert stands_overridden(checkout, account_id, reason_code, reason_notes)
    return ()


def test_a_purchase_order_is_captured_once() -> None:
    given().when(capture_po, captured(), **FITS).then(captured())
    given(captured()).when(capture_po, captured(), **FITS).then()
    given(captured()).when(capture_po, captured("PO-4712"), **FITS).then_refused("PO_ALREADY_CAPTURED")


def test_the_same_one_stands_whatever_became_of_its_rules() -> None:
    given(captured()).when(capture_po, captured(" po-4711 "), fits_format=False, is_taken=True).then()


def test_it_is_for_one_account() -> None:
    for po_number in ("PO-4711", "PO-4712"):
        given(captured()).when(capture_po, captured(po_number, account_id=MINTED_ID), **FITS).then_refused(
            "PO_ALREADY_CAPTURED"
        )
    given(overridden()).when(capture_po, captured(account_id=MINTED_ID), **FITS).then_refused(
        "PO_ALREADY_OVERRIDDEN"
    )


def test_it_has_the_accounts_format_and_was_not_used_before() -> None:
    given().when(capture_po, captured(), fits_format=False, is_taken=False).then_refused("PO_FORMAT_INVALID")
    given().when(capture_po, captured(), fits_format=True, is_taken=True).then_refused("PO_NOT_UNIQUE")
    given(captured()).when(capture_po, captured("PO-1"), fits_format=False, is_taken=True).then_refused(
        "PO_ALREADY_CAPTURED"
    )


def test_one_that_comes_after_an_override_is_captured_beside_it() -> None:
    given(overridden()).when(capture_po, captured(), **FITS).then(captured())
    assert state_after(overridden(), captured()) == Checkout(
        account_id=ACCOUNT_ID, captured=captured(), overridden=overridden()
    )
    given(overridden(), captured()).when(_stands, *SAME).then()


def test_the_same_override_stands_whoever_approved_it() -> None:
    assert not stands_overridden(None, *SAME)
    given(overridden()).when(_stands, *SAME).then()
    given(overridden(approver_id=SECOND_ID)).when(_stands, *SAME).then()


@pytest.mark.parametrize(
    "other",
    [
        (MINTED_ID, *SAME[1:]),
        (ACCOUNT_ID, "OTHER", SAME[2]),
        (ACCOUNT_ID, None, SAME[2]),
        (*SAME[:2], None),
    ],
)
def test_another_override_is_refused(other: tuple[str | None, ...]) -> None:
    given(overridden()).when(_stands, *other).then_refused("PO_ALREADY_OVERRIDDEN")


def test_where_a_purchase_order_stands_there_is_nothing_to_override() -> None:
    given(captured()).when(_stands, *SAME).then_refused("PO_ALREADY_CAPTURED")


@pytest.mark.parametrize(
    ("terms", "changes", "code"),
    [
        (RulesTerms(override_allowed=False), {"reason_code": None}, "OVERRIDE_NOT_ALLOWED"),
        (RulesTerms(), {"reason_code": None}, "REASON_CODE_REQUIRED"),
        (TWO, {"reason_code": None}, "REASON_CODE_REQUIRED"),
        (TWO, {}, "SECOND_APPROVER_REQUIRED"),
        (TWO, {"second_approver_id": CREDENTIAL_ID}, "SECOND_APPROVER_REQUIRED"),
    ],
)
def test_the_rules_refuse_an_override(terms: RulesTerms, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(DomainError, match=code):
        require_overridable(terms, **{**APPROVED, **changes})


@pytest.mark.parametrize(
    ("terms", "changes"),
    [
        (RulesTerms(), {}),
        (RulesTerms(override_reason_code_required=False), {"reason_code": None}),
        (TWO, {"second_approver_id": SECOND_ID}),
    ],
)
def test_the_rules_allow_an_override(terms: RulesTerms, changes: dict[str, Any]) -> None:
    require_overridable(terms, **{**APPROVED, **changes})


def test_nobody_is_the_second_approver_of_their_own_request() -> None:
    require_somebody_else(second_is_requester=False)
    with pytest.raises(DomainError, match="SECOND_APPROVER_REQUIRED"):
        require_somebody_else(second_is_requester=True)
