"""Fiscal profiles: one an owner and country, set whole, complete once the law has what it demands."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.accounts.fiscal_profile import (
    MAX_FREE_BYTES,
    OwnerType,
    ProfileField,
    ProfileRequest,
    configure_profile,
    missing_fields,
)
from domain.kernel.errors import DomainError
from tests.support.fiscal_profile_facts import (
    NOON,
    RFC,
    an_owner,
    configured,
    content,
    erased,
    profile_request,
)
from tests.support.given import given, state_after

BY_ANA: dict[str, Any] = {"configured_by": "ana", "at": NOON}
ISSUERS: tuple[ProfileField, ...] = (
    "legalName",
    "taxId",
    "address.line1",
    "address.city",
    "address.countryCode",
)


def test_a_profile_is_set_and_the_same_again_is_nothing_new() -> None:
    given().when(configure_profile, content(), **BY_ANA).then(configured())
    given(configured()).when(configure_profile, content(), **BY_ANA).then()
    given(configured()).when(configure_profile, content(taxId=RFC), **BY_ANA).then()


def test_a_profile_is_set_whole() -> None:
    bare = {"taxId": None, "address": {}, "invoicePreferences": None}
    given(configured()).when(configure_profile, content(**bare), **BY_ANA).then(configured(**bare))
    after = state_after(configured(), configured(**bare))
    assert (after.revision, after.content.tax_id, after.content.invoice_preferences) == (2, None, {})


def test_a_stale_revision_is_refused_even_where_nothing_would_change() -> None:
    for expected in (0, 2):
        given(configured()).when(
            configure_profile, content(), **BY_ANA, expected_revision=expected
        ).then_refused("STALE_ETAG")
    given().when(configure_profile, content(), **BY_ANA, expected_revision=0).then(configured())
    given(configured()).when(
        configure_profile, content(legalName="Tansy"), **BY_ANA, expected_revision=1
    ).then(configured(legalName="Tansy"))


def test_a_profile_knows_who_set_it_when() -> None:
    profile = state_after(configured())
    assert (profile.revision, profile.updated_by, profile.updated_at) == (1, "ana", NOON)


def test_the_address_is_kept_as_written_and_in_one_form() -> None:
    kept = content()
    assert kept.address is not None and kept.address_normalized is not None
    assert (kept.address.line1, kept.address.country_code) == ("3  Calle  del Muelle", "mx")
    form = kept.address_normalized
    assert (form.line1, form.region, form.postal_code, form.country_code) == (
        "3 Calle del Muelle",
        "MX-NLE",
        "64000",
        "MX",
    )


def test_preferences_are_kept_with_fields_that_nobody_knows() -> None:
    wanted = {"type": "B2C", "receptor_email": "a", "copies": [1, None, {"to": None, "rate": 0.5}]}
    assert content(invoicePreferences={**wanted, "nothing": None}).invoice_preferences == wanted
    assert content(invoicePreferences={}) == content(invoicePreferences=None)


def test_a_blank_tax_id_is_none_and_blanks_around_a_name_do_not_count() -> None:
    assert content(taxId="  ").tax_id is None
    assert content(legalName=" Tansy \n").legal_name == "Tansy"


@pytest.mark.parametrize(
    "changes",
    [
        {"legalName": " "},
        {"legalName": None},
        {"address": None},
        {"address": {"floor": "2"}},
        {"address": {"countryCode": "MEX"}},
        {"invoicePreferences": {"type": "B2G"}},
        {"invoicePreferences": {"note": "a\x00b"}},
        {"invoicePreferences": {"count": 2**53}},
        {"invoicePreferences": {"note": "\ud800"}},
        {"invoicePreferences": {"note": "x" * MAX_FREE_BYTES}},
        {"colour": "blue"},
    ],
    ids=str,
)
def test_what_no_profile_can_hold_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProfileRequest.model_validate(profile_request(**changes), by_name=False)


def test_a_wrong_tax_id_names_the_field_and_not_the_number() -> None:
    with pytest.raises(DomainError) as refusal:
        content(taxId="GODE561299GR8")
    assert refusal.value.code == "TAX_ID_INVALID"
    (fault,) = refusal.value.field_errors
    assert fault.field == "taxId"
    assert "GODE" not in f"{refusal.value}{fault}"


@pytest.mark.parametrize(("owner_type", "taken"), [("BUYER", True), ("SELLER", False), ("PLATFORM", False)])
def test_only_buyers_have_a_generic_rfc(owner_type: OwnerType, *, taken: bool) -> None:
    owner = an_owner(owner_type)
    if taken:
        assert content(owner, taxId="xaxx-010101-000").tax_id == "XAXX010101000"
    else:
        with pytest.raises(DomainError, match="TAX_ID_INVALID"):
            content(owner, taxId="XAXX010101000")


def test_an_owner_has_one_profile_a_country_whatever_is_in_its_id() -> None:
    named = [
        an_owner(),
        an_owner("SELLER"),
        an_owner(country_code="ES"),
        an_owner(owner_id="a:b/c"),
        an_owner(owner_id="a%3Ab/c"),
    ]
    assert len({owner.profile_id for owner in named}) == len(named)
    assert named[3].profile_id == "BUYER:a%3Ab%2Fc:MX"


def test_what_is_missing_is_told_as_the_law_asks_for_it() -> None:
    assert missing_fields(content(), ISSUERS) == ()
    bare = content(taxId=None, address={"line1": " ", "city": "Monterrey"})
    assert missing_fields(bare, ISSUERS) == ("taxId", "address.line1", "address.countryCode")
    assert missing_fields(bare, ("legalName",)) == ()


def test_what_is_erased_is_missing_and_the_rest_stays() -> None:
    contact_gone = state_after(configured(), erased("CONTACT"))
    assert contact_gone.content.invoice_preferences == {"type": "B2B"}
    assert contact_gone.content.legal_name == content().legal_name
    gone = state_after(configured(), erased("CONTACT"), erased("FISCAL"))
    assert missing_fields(gone.content, ISSUERS) == ISSUERS
    assert (gone.content.address, gone.content.tax_id) == (None, None)
    assert (gone.content.owner, gone.revision) == (an_owner(), 3), "its ETag moves with what it shows"


def test_anothers_erasure_takes_nothing() -> None:
    assert state_after(configured(), erased("FISCAL", "buyer-18")).content == content()


def test_a_forgotten_owner_who_comes_back_sets_a_profile_anew() -> None:
    given(configured(), erased("FISCAL")).when(configure_profile, content(), **BY_ANA).then(configured())
