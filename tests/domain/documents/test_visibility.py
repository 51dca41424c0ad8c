"""Who may know of which document, by scope alone; how tokens become scopes is told in test_caller."""

import pytest

from domain.documents.visibility import DocumentScope


def _shows(scope: DocumentScope, *, audience: str = "BUYER", was_issued: bool = True, **changes: str) -> bool:
    document = {"buyer_id": "buyer-1", "seller_id": "seller-1", "country_code": "MX"}
    return scope.shows(**{**document, **changes}, audience=audience, was_issued=was_issued)


def test_an_empty_scope_shows_nothing() -> None:
    assert not _shows(DocumentScope())


def test_a_buyer_sees_its_own_documents_only() -> None:
    scope = DocumentScope(buyer_id="buyer-1")
    assert _shows(scope)
    assert not _shows(scope, buyer_id="buyer-2")
    assert not _shows(scope, buyer_id="seller-1", seller_id="buyer-1")


def test_a_seller_sees_its_own_documents_only() -> None:
    scope = DocumentScope(seller_id="seller-1")
    assert _shows(scope)
    assert not _shows(scope, seller_id="seller-2")


def test_a_country_shows_its_documents_only() -> None:
    scope = DocumentScope(by_country=frozenset({"MX", "ES"}))
    assert _shows(scope)
    assert not _shows(scope, country_code="GB")


def test_any_way_leads_to_a_document() -> None:
    scope = DocumentScope(buyer_id="buyer-1", by_country=frozenset({"ES"}))
    assert _shows(scope)
    assert _shows(scope, buyer_id="buyer-2", country_code="ES")
    assert not _shows(scope, buyer_id="buyer-2")


@pytest.mark.parametrize("scope", [{"every": True}, {"buyer_id": "buyer-1"}, {"seller_id": "seller-1"}])
def test_countries_narrow_every_way(scope: dict[str, object]) -> None:
    assert _shows(DocumentScope(**scope, countries=frozenset({"MX"})))  # type: ignore[arg-type]
    assert not _shows(DocumentScope(**scope, countries=frozenset({"ES"})))  # type: ignore[arg-type]
    assert not _shows(DocumentScope(**scope, countries=frozenset()))  # type: ignore[arg-type]


def test_drafts_are_shown_only_where_the_scope_says_so() -> None:
    assert not _shows(DocumentScope(every=True), was_issued=False)
    assert not _shows(DocumentScope(buyer_id="buyer-1"), was_issued=False)
    assert _shows(DocumentScope(every=True, drafts=True), was_issued=False)
    assert not _shows(DocumentScope(drafts=True), was_issued=False)


@pytest.mark.parametrize(
    ("scope", "audiences"),
    [
        (DocumentScope(buyer_id="buyer-1"), {"BUYER"}),
        (DocumentScope(seller_id="seller-1"), {"BUYER", "SELLER"}),
        (DocumentScope(by_country=frozenset({"MX"})), {"BUYER", "SELLER"}),
        (DocumentScope(every=True), {"BUYER", "SELLER", "FINANCE"}),
        (DocumentScope(buyer_id="buyer-1", seller_id="seller-2"), {"BUYER"}),
        (DocumentScope(buyer_id="buyer-1", seller_id="seller-1"), {"BUYER", "SELLER"}),
    ],
)
def test_nobody_sees_what_is_made_for_others(scope: DocumentScope, audiences: set[str]) -> None:
    shown = {audience for audience in ("BUYER", "SELLER", "FINANCE") if _shows(scope, audience=audience)}
    assert shown == audiences
