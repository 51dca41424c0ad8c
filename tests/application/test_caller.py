"""What a token permits, what narrows it, and which documents it may know of."""

from typing import Any

import pytest

from application.caller import Caller, require_whole
from application.identity import TokenClaims
from application.operations.inbound import RECEIVE_EVENTS
from domain.accounts.fiscal_profile import OwnerType
from domain.kernel.errors import DomainError
from tests.support.fiscal_profile_facts import an_owner

DOCUMENT = {"buyer_id": "buyer-1", "seller_id": "seller-1", "audience": "BUYER", "country_code": "MX"}
EVERYBODY_ELSE = ("SYSTEM", "SERVICE_ADVISOR", "BILLING_MANAGER", "AP_CLERK")


def caller(*roles: str, **claims: Any) -> Caller:
    return Caller(TokenClaims(sub="ana", roles=frozenset(roles), **claims), "trace-1")


def _shows(who: Caller, *, was_issued: bool = True, **changes: str) -> bool:
    return who.document_scope().shows(**{**DOCUMENT, **changes}, was_issued=was_issued)


def test_a_token_has_what_its_roles_have_and_what_it_names() -> None:
    who = caller("SUPPORT", "COUNTRY_OPS_LEAD", permissions=frozenset({"docs.issue"}))
    assert who.permissions == {"docs.resend", "docs.read.country", "docs.issue"}


def test_an_unknown_role_permits_nothing() -> None:
    assert caller("JANITOR").permissions == frozenset()


def test_one_of_the_permissions_suffices_and_none_are_asked_of_anybody() -> None:
    who = caller("SUPPORT")
    assert who.holds_any(frozenset({"docs.resend", "docs.issue"}))
    assert not who.holds_any(frozenset({"docs.issue"}))
    assert caller().holds_any(frozenset())


def test_the_role_that_permits_the_act_is_recorded() -> None:
    who = caller("SUPPORT", "AUDITOR", permissions=frozenset({"docs.issue"}))
    assert who.acting_role(frozenset({"docs.resend"})) == "SUPPORT"
    assert who.acting_role(frozenset({"docs.resend", "docs.audit.read"})) == "AUDITOR"
    assert who.acting_role(frozenset({"docs.issue"})) == "PERMISSION"
    assert who.acting_role(frozenset()) == "AUDITOR"


def test_the_audited_actor_is_the_subject_whoever_it_acts_for() -> None:
    claims = TokenClaims(sub="importer", roles=frozenset({"SYSTEM"}), tenant="north")
    audit = Caller(claims, "trace-1", on_behalf_of="ana").audit(RECEIVE_EVENTS)
    assert (audit.actor, audit.on_behalf_of, audit.role) == ("importer", "ana", "SYSTEM")
    assert (audit.tenant_id, audit.operation, audit.correlation_id) == (
        "north",
        "inbound.receive-events",
        "trace-1",
    )


def test_a_token_without_a_tenant_is_of_the_default_one() -> None:
    assert caller().tenant == "default"


@pytest.mark.parametrize("role", ["SUPER_ADMIN", "FINANCE_ADMIN", "AUDITOR"])
def test_who_audits_sees_every_document_drafts_included(role: str) -> None:
    assert _shows(caller(role))
    assert _shows(caller(role), was_issued=False)
    assert not caller(role).is_narrowed


def test_a_buyer_sees_its_own_issued_documents_only() -> None:
    who = caller("BUYER", buyer_id="buyer-1")
    assert _shows(who)
    assert not _shows(who, was_issued=False)
    assert not _shows(who, buyer_id="buyer-2")
    assert not _shows(who, buyer_id="buyer-2", seller_id="buyer-1")


def test_a_seller_sees_its_own_issued_documents_only() -> None:
    who = caller("SELLER", seller_id="seller-1")
    assert _shows(who)
    assert not _shows(who, was_issued=False)
    assert not _shows(who, seller_id="seller-2")


@pytest.mark.parametrize("role", ["BUYER", "SELLER"])
def test_a_buyer_or_seller_without_its_id_sees_nothing(role: str) -> None:
    assert not _shows(caller(role))


def test_the_claim_of_the_other_side_gives_no_view() -> None:
    assert not _shows(caller("BUYER", seller_id="seller-1"))
    assert not _shows(caller("SELLER", buyer_id="buyer-1"))


@pytest.mark.parametrize("role", ["SUPPORT", "COUNTRY_OPS_LEAD"])
def test_country_roles_see_issued_documents_of_their_countries(role: str) -> None:
    who = caller(role, countries=frozenset({"MX", "ES"}))
    assert _shows(who)
    assert not _shows(who, was_issued=False)
    assert not _shows(who, country_code="GB")


@pytest.mark.parametrize("role", ["SUPPORT", "COUNTRY_OPS_LEAD"])
@pytest.mark.parametrize("countries", [None, frozenset()])
def test_country_roles_without_countries_see_nothing(role: str, countries: frozenset[str] | None) -> None:
    who = caller(role, countries=countries)
    assert not _shows(who)
    assert not who.sees_country("MX")
    assert who.is_narrowed


@pytest.mark.parametrize("role", EVERYBODY_ELSE)
def test_roles_without_a_right_to_read_documents_see_none(role: str) -> None:
    assert not _shows(caller(role, buyer_id="buyer-1", seller_id="seller-1", countries=frozenset({"MX"})))
    assert not _shows(caller(role))


@pytest.mark.parametrize(
    ("narrowing", "hidden"),
    [
        ({"buyer_id": "buyer-1"}, {"buyer_id": "buyer-2"}),
        ({"seller_id": "seller-1"}, {"seller_id": "seller-2"}),
        ({"countries": frozenset({"MX"})}, {"country_code": "GB"}),
    ],
)
@pytest.mark.parametrize("role", ["SUPER_ADMIN", "FINANCE_ADMIN", "AUDITOR"])
def test_claims_narrow_even_who_may_see_all(
    role: str, narrowing: dict[str, Any], hidden: dict[str, str]
) -> None:
    assert _shows(caller(role, **narrowing))
    assert not _shows(caller(role, **narrowing), **hidden)


def test_countries_narrow_a_buyer_too() -> None:
    who = caller("BUYER", buyer_id="buyer-1", countries=frozenset({"ES"}))
    assert not _shows(who)
    assert _shows(who, country_code="ES")


def test_an_empty_claim_narrows_to_nothing() -> None:
    assert not _shows(caller("SUPER_ADMIN", countries=frozenset()))


def test_a_permission_of_the_token_itself_needs_no_role() -> None:
    assert _shows(caller(permissions=frozenset({"docs.audit.read"})))
    assert _shows(caller(permissions=frozenset({"docs.read.country"}), countries=frozenset({"MX"})))
    assert not _shows(caller(permissions=frozenset({"docs.read.country"})))


def test_countries_are_reached_as_the_token_names_them() -> None:
    assert caller("FINANCE_ADMIN").sees_country("MX")
    assert caller("FINANCE_ADMIN", countries=frozenset({"MX"})).sees_country("MX")
    assert not caller("FINANCE_ADMIN", countries=frozenset({"MX"})).sees_country("GB")
    assert caller(permissions=frozenset({"billing:series:manage"})).sees_country("MX")


def test_a_role_without_bounds_beside_a_bound_one_reaches_all() -> None:
    who = caller("SUPPORT", "AUDITOR")
    assert who.sees_country("MX")
    assert not who.is_narrowed
    assert _shows(who)


@pytest.mark.parametrize(
    "claims",
    [
        {"buyer_id": "buyer-1"},
        {"seller_id": "seller-1"},
        {"account_ids": frozenset({"a-1"})},
        {"account_ids": frozenset()},
        {"countries": frozenset({"MX"})},
    ],
)
def test_a_narrowed_token_is_refused_what_shows_the_whole_ledger(claims: dict[str, Any]) -> None:
    require_whole(caller("AUDITOR"))
    with pytest.raises(DomainError) as refusal:
        require_whole(caller("AUDITOR", **claims))
    assert refusal.value.code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("who", "reached"),
    [
        (caller("BUYER", buyer_id="p-1"), {("BUYER", "p-1")}),
        (caller("SELLER", seller_id="p-1"), {("SELLER", "p-1")}),
        (
            caller("BUYER", "SELLER", buyer_id="p-1", seller_id="p-2"),
            {("BUYER", "p-1"), ("SELLER", "p-2")},
        ),
        (caller("FINANCE_ADMIN", buyer_id="p-1"), {("BUYER", "p-1")}),
        (caller("BUYER", buyer_id="p-1", countries=frozenset({"ES"})), set()),
        (caller("BUYER", buyer_id=""), set()),
        (caller("BUYER"), set()),
        (caller("BUYER", "SELLER"), set()),
        (caller("FINANCE_ADMIN", countries=frozenset({"ES"})), set()),
    ],
)
def test_owners_reach_their_own_fiscal_profile(who: Caller, reached: set[tuple[OwnerType, str]]) -> None:
    named: list[tuple[OwnerType, str]] = [
        (owner_type, owner_id)
        for owner_type in ("BUYER", "SELLER", "PLATFORM")
        for owner_id in ("p-1", "p-2")
    ]
    assert {owner for owner in named if who.reaches_profile(an_owner(*owner))} == reached


@pytest.mark.parametrize(
    "who",
    [
        caller("FINANCE_ADMIN"),
        caller("BUYER", "FINANCE_ADMIN"),
        caller("FINANCE_ADMIN", countries=frozenset({"MX"})),
        caller(permissions=frozenset({"fiscal_profile.read"})),
    ],
)
def test_who_is_bound_to_no_owner_reaches_all_profiles_of_the_countries(who: Caller) -> None:
    assert all(who.reaches_profile(an_owner(owner_type)) for owner_type in ("BUYER", "SELLER", "PLATFORM"))
