"""Fiscal profiles over HTTP: set whole, shown to their owners, in one form, as they are and as they were."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.fiscal_profile_facts import profile_request
from tests.support.house import House
from tests.support.problems import PERSONAL, fields_of, problem


def _path(owner_id: str, owner_type: str = "BUYER", country: str = "MX") -> str:
    return f"/v1/fiscal-profiles/{owner_type}/{owner_id}?countryCode={country}"


def _fresh() -> str:
    return f"owner-{uuid4()}"


def _get(client: httpx.Client, path: str, after: httpx.Response, **parameters: Any) -> httpx.Response:
    headers = {"X-Min-Position": after.headers["x-ledger-position"]}
    return client.get(httpx.URL(path).copy_merge_params(parameters), headers=headers)


def test_a_profile_is_set_and_shown(house: House) -> None:
    owner_id = _fresh()
    path = _path(owner_id)
    with house.client("BUYER", sub="bruno", buyer_id=owner_id) as buyer:
        problem(buyer.get(path), 404, "NOT_FOUND")
        created = buyer.put(path, json=profile_request())
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        read = _get(buyer, path, created)
        assert (read.status_code, read.headers["etag"]) == (200, '"1"')
        assert read.json() == created.json()
        assert int(read.headers["x-ledger-position"]) >= int(created.headers["x-ledger-position"])
        current = buyer.get(path, headers={"If-None-Match": '"1"'})
        assert (current.status_code, current.content) == (304, b"")
    body = created.json()
    assert body.pop("updatedAt").endswith("Z")
    sent = profile_request()
    assert body == {
        "profileId": f"BUYER:{owner_id}:MX",
        "ownerType": "BUYER",
        "ownerId": owner_id,
        "countryCode": "MX",
        "legalName": sent["legalName"],
        "taxId": "GODE561231GR8",
        "address": sent["address"],
        "addressNormalized": {
            "line1": "3 Calle del Muelle",
            "city": "Monterrey",
            "region": "MX-NLE",
            "postalCode": "64000",
            "countryCode": "MX",
        },
        "invoicePreferences": sent["invoicePreferences"],
        "complete": True,
        "missingFields": [],
        "version": 1,
        "etag": '"1"',
        "updatedBy": "bruno",
    }


def test_what_get_answered_may_be_put_back_and_changes_nothing(house: House) -> None:
    path = _path(_fresh())
    with house.client("FINANCE_ADMIN") as finance:
        created = finance.put(path, json=profile_request())
        again = finance.put(path, json={**created.json(), "version": 99, "updatedBy": "eve"})
        assert (again.status_code, again.json()) == (200, created.json())
        bare = finance.put(path, json={"legalName": "Tansy", "address": {}})
        assert (bare.status_code, bare.json()["taxId"], bare.json()["invoicePreferences"]) == (200, None, {})
        same = finance.put(path, json=_get(finance, path, bare).json())
        assert (same.json(), same.headers["etag"]) == (bare.json(), '"2"')


def test_a_stale_etag_is_refused_even_if_nothing_would_change(house: House) -> None:
    path = _path(_fresh())
    with house.client("FINANCE_ADMIN") as finance:
        problem(finance.put(path, json=profile_request(), headers={"If-Match": '"1"'}), 409, "STALE_ETAG")
        finance.put(path, json=profile_request(), headers={"If-Match": '"0"'})
        changed = finance.put(path, json=profile_request(taxId=None), headers={"If-Match": '"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        stale = finance.put(path, json=profile_request(taxId=None), headers={"If-Match": '"1"'})
        problem(stale, 409, "STALE_ETAG")


def test_of_many_who_set_the_first_one_succeeds(house: House) -> None:
    path = _path(_fresh())
    with house.client("FINANCE_ADMIN") as finance, ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda number: finance.put(
                    path, json=profile_request(legalName=f"Tansy {number}"), headers={"If-Match": '"0"'}
                ),
                range(8),
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
        (first,) = (answer for answer in answers if answer.status_code == 201)
        assert _get(finance, path, first).json() == first.json()


def test_a_repeat_is_answered_byte_for_byte_though_the_profile_went_on(house: House) -> None:
    owner_id = _fresh()
    path, key = _path(owner_id), {"Idempotency-Key": f"profile {owner_id}"}
    with house.client("FINANCE_ADMIN") as finance:
        first = finance.put(path, json=profile_request(), headers=key)
        finance.put(path, json=profile_request(legalName="Tansy"))
        again = finance.put(path, json=profile_request(), headers=key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        for header in ("etag", "x-ledger-position"):
            assert again.headers[header] == first.headers[header]
        other_body = finance.put(path, json=profile_request(taxId=None), headers=key)
        problem(other_body, 422, "IDEMPOTENCY_KEY_REUSED")
        other_country = finance.put(_path(owner_id, country="GB"), json=profile_request(), headers=key)
        problem(other_country, 422, "IDEMPOTENCY_KEY_REUSED")
        problem(finance.get(_path(owner_id, country="GB")), 404, "NOT_FOUND")


def test_a_profile_is_shown_as_it_was(house: House) -> None:
    path = _path(_fresh())
    with house.client("FINANCE_ADMIN") as finance:
        first = finance.put(path, json=profile_request(address={}))
        assert first.json()["missingFields"] == ["address.line1", "address.city", "address.countryCode"]
        second = finance.put(path, json=profile_request())
        assert (second.json()["complete"], second.json()["missingFields"]) == (True, [])
        position = int(first.headers["x-ledger-position"])
        past = _get(finance, path, second, asOfPosition=position)
        assert (past.json(), past.headers["etag"]) == (first.json(), '"1"')
        assert past.headers["x-ledger-position"] == str(position)
        at_the_time = _get(finance, path, second, asOf=first.json()["updatedAt"])
        assert at_the_time.json() in (first.json(), second.json()), "both may have been set at one moment"
        assert _get(finance, path, second, asOf="2999-01-01T00:00:00Z").json() == second.json()
        problem(_get(finance, path, second, asOfPosition=position - 1), 404, "NOT_FOUND")
        problem(_get(finance, path, second, asOf="2020-01-01T00:00:00Z"), 404, "NOT_FOUND")
        both = _get(finance, path, second, asOf="2999-01-01T00:00:00Z", asOfPosition=1)
        assert fields_of(problem(both, 400, "VALIDATION_FAILED")) == {"asOf"}


@pytest.mark.parametrize(
    ("country", "tax_id", "kept"),
    [
        ("ES", "x-2482300-w", "X2482300W"),
        ("DE", "136 695 976", "DE136695976"),
        ("PT", "PT 501 964 843", "501964843"),
        ("FR", "FR 40 303 265 045", "FR40303265045"),
        ("GB", " gb  123 ", "gb 123"),
    ],
)
def test_a_tax_id_is_kept_as_its_country_writes_it(
    house: House, country: str, tax_id: str, kept: str
) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        answer = finance.put(_path(_fresh(), country=country), json=profile_request(taxId=tax_id))
    assert (answer.status_code, answer.json()["taxId"]) == (201, kept)


@pytest.mark.parametrize(
    ("country", "owner_type", "tax_id"),
    [
        ("MX", "BUYER", "GODE561331GR8"),
        ("MX", "SELLER", "XAXX010101000"),
        ("ES", "BUYER", "54362315Z"),
        ("DE", "PLATFORM", "DE136695978"),
        ("PT", "SELLER", "501964842"),
    ],
)
def test_a_wrong_tax_id_is_refused_without_repeating_it(
    house: House, country: str, owner_type: str, tax_id: str
) -> None:
    path = _path(_fresh(), owner_type, country)
    with house.client("FINANCE_ADMIN") as finance:
        answer = finance.put(path, json=profile_request(taxId=tax_id))
        assert fields_of(problem(answer, 422, "TAX_ID_INVALID")) == {"taxId"}
        assert tax_id not in answer.text
        problem(finance.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"legalName": None}, "legalName"),
        ({"legalName": "  "}, "legalName"),
        ({"address": None}, "address"),
        ({"address": {"floor": "2"}}, "address.floor"),
        ({"invoicePreferences": {"type": "B2G"}}, "invoicePreferences.type"),
        ({"invoicePreferences": {"note": "x" * 9000}}, "invoicePreferences"),
        ({"invoicePreferences": {"count": 2**53}}, "invoicePreferences"),
        ({"taxId": 12}, "taxId"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(house: House, changes: dict[str, Any], field: str) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        answer = finance.put(_path(_fresh()), json=profile_request(**changes))
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/fiscal-profiles/BUYER/b-1", "countryCode"),
        ("/v1/fiscal-profiles/BUYER/b-1?countryCode=mx", "countryCode"),
        ("/v1/fiscal-profiles/BUYER/b-1?countryCode=", "countryCode"),
        (_path("b-1", "OPS"), "ownerType"),
        (_path("b" * 65), "ownerId"),
    ],
)
def test_a_profile_is_named_by_owner_and_country(house: House, path: str, field: str) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        for answer in (finance.get(path), finance.put(path, json=profile_request())):
            assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


def test_an_owners_id_may_hold_anything_but_a_slash(house: House) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        created = finance.put(_path("a%3Ab%20%C3%BC"), json=profile_request())
    body = created.json()
    assert (body["ownerId"], body["profileId"]) == ("a:b ü", "BUYER:a%3Ab%20%C3%BC:MX")


REACH: dict[str, tuple[tuple[str, ...], dict[str, Any], set[str]]] = {
    "a buyer reaches the own one": (("BUYER",), {"buyer_id": "reach-1"}, {"BUYER MX", "BUYER ES"}),
    "a buyer's countries narrow": (("BUYER",), {"buyer_id": "reach-1", "countries": ["ES"]}, {"BUYER ES"}),
    "a seller reaches the own one": (("SELLER",), {"seller_id": "reach-1"}, {"SELLER MX"}),
    "another buyer reaches none": (("BUYER",), {"buyer_id": "reach-2"}, set()),
    "a buyer without an id reaches none": (("BUYER",), {}, set()),
    "finance reaches all": (("FINANCE_ADMIN",), {}, {"BUYER MX", "BUYER ES", "SELLER MX", "PLATFORM MX"}),
    "countries narrow finance": (("FINANCE_ADMIN",), {"countries": ["ES"]}, {"BUYER ES"}),
    "an id narrows finance": (("FINANCE_ADMIN",), {"seller_id": "reach-1"}, {"SELLER MX"}),
}


@pytest.fixture(scope="module")
def reachable(house: House) -> dict[str, str]:
    """Profiles of one party as buyer, seller and platform, by what they are."""
    paths = {
        f"{owner_type} {country}": _path("reach-1", owner_type, country)
        for owner_type, country in (("BUYER", "MX"), ("BUYER", "ES"), ("SELLER", "MX"), ("PLATFORM", "MX"))
    }
    with house.client("FINANCE_ADMIN") as finance:
        for path in paths.values():
            assert finance.put(path, json=profile_request(taxId=None)).is_success
    return paths


@pytest.mark.parametrize("name", REACH)
def test_who_reaches_which_profile(house: House, reachable: dict[str, str], name: str) -> None:
    roles, claims, expected = REACH[name]
    with house.client(*roles, **claims) as caller:
        for what, path in reachable.items():
            answers = caller.get(path), caller.put(path, json=profile_request(taxId=None))
            for answer in answers:
                if what in expected:
                    assert answer.status_code == 200, what
                else:
                    problem(answer, 404, "NOT_FOUND")


def test_out_of_reach_is_told_before_what_is_wrong_or_was_stored(house: House) -> None:
    owner_id = _fresh()
    path, key = _path(owner_id), {"Idempotency-Key": f"reach {owner_id}"}
    with house.client("BUYER", sub="bea", buyer_id=owner_id) as own:
        assert own.put(path, json=profile_request(), headers=key).status_code == 201
    with house.client("BUYER", sub="bea", buyer_id="somebody-else") as narrower:
        problem(narrower.put(path, json=profile_request(), headers=key), 404, "NOT_FOUND")
        problem(narrower.put(path, json={"legalName": 1}), 404, "NOT_FOUND")


def test_reading_and_writing_have_a_permission_each(house: House) -> None:
    path = _path(_fresh())
    with house.client() as nobody:
        problem(nobody.get(path), 401, "UNAUTHENTICATED")
        problem(nobody.put(path, json=profile_request()), 401, "UNAUTHENTICATED")
    with house.client(permissions=["fiscal_profile.write"]) as writer:
        assert writer.put(path, json=profile_request()).status_code == 201
        problem(writer.get(path), 403, "PERMISSION_DENIED")
    with house.client(permissions=["fiscal_profile.read"]) as reader:
        assert reader.get(path).status_code == 200
        problem(reader.put(path, json=profile_request()), 403, "PERMISSION_DENIED")
    with house.client("SUPPORT", "AUDITOR", "BILLING_MANAGER", "SYSTEM") as others:
        problem(others.get(path), 403, "PERMISSION_DENIED")


def test_auditors_see_who_set_it_and_logs_see_nobody(house: House) -> None:
    owner_id = _fresh()
    with house.client("BUYER", sub="bruno", buyer_id=owner_id) as buyer:
        created = buyer.put(_path(owner_id), json=profile_request())
    with house.client("AUDITOR") as auditor:
        path = f"/v1/audit/streams/fiscal-profile/{created.json()['profileId']}"
        (event,) = _get(auditor, path, created).json()["events"]
    assert (event["type"], event["actor"], event["actorRole"]) == (
        "fiscal-profile.configured",
        "bruno",
        "BUYER",
    )
    assert event["data"]["content"]["legalName"] == profile_request()["legalName"]
    log = house.log_path.read_text(encoding="utf-8")
    assert not [personal for personal in (*PERSONAL, "GODE561231GR8", "Muelle") if personal in log]
