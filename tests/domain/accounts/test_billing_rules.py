"""Billing rules: an idempotent upsert in two vocabularies, by revision (BILL-DEC-006, S4)."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.accounts.billing_rules import (
    BILLING_RULES,
    BillingRules,
    RulesAdopted,
    RulesTerms,
    adopt_rules,
    configure_rules,
    effective_rules,
    merged_terms,
)
from tests.support.account_facts import (
    MINTED_ID,
    NOON,
    RULES_ID,
    a_request,
    configured,
    rules,
    terms,
    updated,
)
from tests.support.given import given, state_after

BY_ANA: dict[str, Any] = {"rules_id": RULES_ID, "configured_by": "ana", "at": NOON}
S1 = {
    "purchaseOrderRequired": None,
    "paymentTermsCode": None,
    "isPoRequired": True,
    "paymentTermsId": "NET30",
}


def test_rules_are_created_with_safe_defaults_for_what_the_body_leaves_out() -> None:
    given().when(configure_rules, a_request(), **BY_ANA).then(configured())
    assert state_after(configured()) == rules()


def test_the_same_content_again_is_nothing_new() -> None:
    given(configured()).when(configure_rules, a_request(), **BY_ANA).then()
    given(configured()).when(configure_rules, a_request(), **BY_ANA, etag_required=True).then()


def test_the_words_of_either_seed_mean_the_same() -> None:
    given(configured()).when(configure_rules, a_request(**S1), **BY_ANA).then()
    both = {**S1, "purchaseOrderRequired": True, "paymentTermsCode": "NET30"}
    given(configured()).when(configure_rules, a_request(**both), **BY_ANA).then()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"isPoRequired": False}, ("purchaseOrderRequired", "isPoRequired")),
        ({"paymentTermsId": "NET60"}, ("paymentTermsCode", "paymentTermsId")),
        ({"paymentTermsCode": None}, ("paymentTermsCode",)),
    ],
)
def test_what_contradicts_itself_or_lacks_its_terms_is_refused(
    changes: dict[str, Any], fields: tuple[str, ...]
) -> None:
    for history in ((), (configured(),)):
        given(*history).when(configure_rules, a_request(**changes), **BY_ANA).then_refused(
            "VALIDATION_FAILED", *fields
        )


@pytest.mark.parametrize("name", ["paymentTermsCode", "paymentTermsId"])
def test_terms_that_nobody_knows_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        a_request(**{name: "NET31"})


@pytest.mark.parametrize("name", ["invoiceDeliveryMethod", "invoiceGroupingStrategy"])
def test_s4s_required_fields_are_required_always(name: str) -> None:
    for wrong in (None, "CARRIER_PIGEON"):
        with pytest.raises(ValidationError, match=name):
            a_request(**{name: wrong})


def test_what_the_body_leaves_out_keeps_its_value() -> None:
    policy: dict[str, Any] = {
        "po_format_regex": "PO-[0-9]+",
        "po_uniqueness_scope": "GLOBAL",
        "override_allowed": False,
        "override_requires_second_approver": True,
        "override_reason_code_required": False,
        "partial_payments_allowed": False,
    }
    given(configured(**policy)).when(configure_rules, a_request(paymentTermsCode="NET60"), **BY_ANA).then(
        configured(**policy, payment_terms_code="NET60")
    )
    given(configured()).when(configure_rules, a_request(purchaseOrderRequired=None), **BY_ANA).then()


def test_null_takes_the_format_away() -> None:
    request = a_request().model_copy()
    without = type(request).model_validate({**request.model_dump(by_alias=True), "poFormatRegex": None})
    assert merged_terms(terms(po_format_regex="PO-[0-9]+"), without).po_format_regex is None
    assert merged_terms(terms(po_format_regex="PO-[0-9]+"), request).po_format_regex == "PO-[0-9]+"


def test_a_stale_revision_is_refused_even_where_nothing_would_change() -> None:
    for expected in (1, 3):
        given(configured(), configured(payment_terms_code="NET60")).when(
            configure_rules, a_request(paymentTermsCode="NET60"), **BY_ANA, expected_revision=expected
        ).then_refused("STALE_ETAG")
    given().when(configure_rules, a_request(), **BY_ANA, expected_revision=1).then_refused("STALE_ETAG")


def test_the_current_revision_lets_a_change_through() -> None:
    given(configured()).when(
        configure_rules,
        a_request(paymentTermsCode="NET60"),
        **BY_ANA,
        expected_revision=1,
    ).then(configured(payment_terms_code="NET60"))


def test_where_a_change_must_name_its_revision_it_does_or_is_refused() -> None:
    change = a_request(paymentTermsCode="NET60")
    given(configured()).when(configure_rules, change, **BY_ANA, etag_required=True).then_refused(
        "ETAG_REQUIRED"
    )
    given().when(configure_rules, a_request(), **BY_ANA, etag_required=True).then(configured())


def test_a_revision_counts_changes_and_the_id_stays() -> None:
    state: BillingRules = state_after(configured(), configured(payment_terms_code="NET60"))
    assert (state.revision, state.rules_id, state.created_at) == (2, RULES_ID, NOON)
    (fact,) = configure_rules(state, a_request(), **{**BY_ANA, "rules_id": "another"})
    assert fact.rules_id == RULES_ID


def test_an_account_adopts_the_rules_of_its_new_name_with_their_revision() -> None:
    of_alias = rules(3)
    adopted = RulesAdopted(from_account_id=MINTED_ID, rules=of_alias)
    given().when(adopt_rules, of_alias, MINTED_ID).then(adopted)
    state = BILLING_RULES.evolve(None, adopted)
    assert (state.revision, state.rules_id, state.adopted_from) == (3, RULES_ID, MINTED_ID)
    assert BILLING_RULES.evolve(state, configured(payment_terms_code="NET7")).revision == 4


def test_an_account_keeps_rules_of_its_own() -> None:
    given(configured()).when(adopt_rules, rules(3), MINTED_ID).then()
    given().when(adopt_rules, None, MINTED_ID).then()


def test_without_rules_safe_defaults_apply() -> None:
    unknown, told = effective_rules(None, None), effective_rules(None, state_after(updated()))
    assert unknown == RulesTerms(
        purchase_order_required=False,
        payment_terms_code="DUE_ON_RECEIPT",
        invoice_delivery_method="PORTAL",
        invoice_grouping_strategy="PER_WORKORDER",
    )
    assert told.invoice_delivery_method == "EMAIL"
    assert effective_rules(None, state_after(updated(billingContact={}))) == unknown
    assert effective_rules(rules(), None) == terms()
