"""The contract of billing rules, each sentence asserted over HTTP as its clients see it."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.decisions import decision
from tests.support.garage import MANAGER, Garage
from tests.support.house import House
from tests.support.problems import fields_of, problem

RULES = "/v1/billing/rules"
READ_ONLY = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "version": 77,
    "createdAt": "2020-01-01T00:00:00Z",
    "updatedAt": "2020-01-01T00:00:00Z",
    "updatedBy": "eve",
}


def a_request(party_id: str, **changes: Any) -> dict[str, Any]:
    """The smallest body that is complete."""
    return {
        "partyId": party_id,
        "paymentTermsCode": "NET30",
        "invoiceDeliveryMethod": "EMAIL",
        "invoiceGroupingStrategy": "PER_WORKORDER",
        **changes,
    }


@pytest.fixture
def party_id() -> str:
    """A party that nobody knows yet; not a UUID."""
    return f"party-{uuid4().hex[:12]}"


@pytest.fixture
def manager(garage: Garage) -> httpx.Client:
    """Somebody who may manage rules."""
    return garage.client(MANAGER)


def settled(client: httpx.Client, path: str, after: httpx.Response) -> httpx.Response:
    """What a path answers once it shows that command."""
    return client.get(path, headers={"X-Min-Position": after.headers["x-ledger-position"]})


@decision("S4-RULES", "Rules are created with 201, updated with 200, and GET answers what PUT did")
@decision("S4-RULES", "A party without rules is 404")
@decision("S4-CONVENTIONS", "Field names are camelCase and times RFC 3339")
def test_rules_are_upserted(manager: httpx.Client, party_id: str) -> None:
    path = f"{RULES}/{party_id}"
    problem(manager.get(path), 404, "NOT_FOUND")
    created = manager.put(path, json=a_request(party_id))
    assert created.status_code == 201
    body = created.json()
    expected = a_request(party_id, purchaseOrderRequired=False, version=1, updatedBy="ana")
    assert {name: body[name] for name in expected} == expected
    assert str(UUID(body["id"])) == body["id"]
    for name in ("createdAt", "updatedAt"):
        assert body[name].endswith("Z") and datetime.fromisoformat(body[name]).tzinfo
    assert settled(manager, path, created).json() == body
    updated = manager.put(path, json=a_request(party_id, paymentTermsCode="NET60"))
    assert (updated.status_code, updated.json()["version"]) == (200, 2)
    assert updated.json()["id"] == body["id"]


@decision("S4-RULES", "The upsert is idempotent: the same again changes no version")
def test_the_same_again_changes_nothing(manager: httpx.Client, party_id: str) -> None:
    first, again = (manager.put(f"{RULES}/{party_id}", json=a_request(party_id)) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@decision("S4-RULES", "The version is an optimistic lock for concurrent updates")
def test_a_stale_version_is_refused(manager: httpx.Client, party_id: str) -> None:
    path = f"{RULES}/{party_id}"
    manager.put(path, json=a_request(party_id))
    changed = a_request(party_id, invoiceDeliveryMethod="PORTAL")
    assert manager.put(path, json=changed, headers={"If-Match": '"1"'}).json()["version"] == 2
    stale = manager.put(path, json=a_request(party_id), headers={"If-Match": '"1"'})
    problem(stale, 409, "STALE_ETAG")


@pytest.mark.parametrize(
    "field", ["partyId", "paymentTermsCode", "invoiceDeliveryMethod", "invoiceGroupingStrategy"]
)
@decision("S4-RULES", "A required field that is missing is 400, named by the envelope")
@decision("S4-CONVENTIONS", "Errors have code, message, correlationId and fieldErrors")
def test_required_fields(manager: httpx.Client, party_id: str, field: str) -> None:
    body = a_request(party_id)
    del body[field]
    refused = problem(manager.put(f"{RULES}/{party_id}", json=body), 400, "VALIDATION_FAILED")
    assert refused["message"] and refused["correlationId"] and fields_of(refused) == {field}
    problem(manager.get(f"{RULES}/{party_id}"), 404, "NOT_FOUND")


@decision("S4-RULES", "A required field that is missing is 400 of an update as well")
def test_required_fields_of_an_update(manager: httpx.Client, party_id: str) -> None:
    path = f"{RULES}/{party_id}"
    created = manager.put(path, json=a_request(party_id))
    for field in a_request(party_id):
        body = a_request(party_id, invoiceDeliveryMethod="PORTAL")
        del body[field]
        assert fields_of(problem(manager.put(path, json=body), 400, "VALIDATION_FAILED")) == {field}
    assert settled(manager, path, created).json() == created.json()


@decision("S4-RULES", "purchaseOrderRequired is false unless it is given")
def test_optional_fields(manager: httpx.Client, party_id: str) -> None:
    path = f"{RULES}/{party_id}"
    assert manager.put(path, json=a_request(party_id)).json()["purchaseOrderRequired"] is False
    required = manager.put(path, json=a_request(party_id, purchaseOrderRequired=True))
    assert required.json()["purchaseOrderRequired"] is True


@decision("S4-RULES", "Reading and setting rules have the names that clients are generated by")
def test_operation_ids(house: House) -> None:
    with house.client() as anybody:
        described = anybody.get("/schema/openapi.json").json()["paths"]["/v1/billing/rules/{accountId}"]
    named = {verb: described[verb]["operationId"] for verb in ("get", "put")}
    assert named == {"get": "getBillingRules", "put": "upsertBillingRules"}


@pytest.mark.parametrize(
    ("field", "allowed", "refused"),
    [
        ("paymentTermsCode", ["NET30", "NET60", "DUE_ON_RECEIPT"], "NET0"),
        ("invoiceDeliveryMethod", ["EMAIL", "PORTAL", "MAIL"], "FAX"),
        ("invoiceGroupingStrategy", ["PER_WORKORDER", "PER_VEHICLE", "SINGLE_INVOICE"], "NONE"),
    ],
)
@decision("S4-RULES", "Terms, delivery and grouping are of their lists; anything else is 400")
def test_enums(manager: httpx.Client, party_id: str, field: str, allowed: list[str], refused: str) -> None:
    for value in allowed:
        answer = manager.put(f"{RULES}/{party_id}", json=a_request(party_id, **{field: value}))
        assert answer.json()[field] == value
    answer = manager.put(f"{RULES}/{party_id}", json=a_request(party_id, **{field: refused}))
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


@decision("S4-RULES", "Read-only fields in a request are ignored")
@decision("S4-RULES", "The path names the party; a body that names another one is refused")
def test_read_only_fields_and_the_path(manager: httpx.Client, party_id: str) -> None:
    path = f"{RULES}/{party_id}"
    body = manager.put(path, json=a_request(party_id, **READ_ONLY)).json()
    assert all(body[name] != value for name, value in READ_ONLY.items())
    answer = manager.put(path, json=a_request("somebody-else"))
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"partyId"}


@decision("S4-RULES", "X-User-Id names who updated them, where a system asks")
def test_on_behalf_of(house: House, party_id: str) -> None:
    with house.client("SYSTEM", sub="workexec") as system:
        answer = system.put(f"{RULES}/{party_id}", json=a_request(party_id), headers={"X-User-Id": "carl"})
    assert answer.json()["updatedBy"] == "carl"


@decision("S4-CONVENTIONS", "A mutation with an Idempotency-Key is answered as the first time")
def test_keys(manager: httpx.Client, party_id: str) -> None:
    key = {"Idempotency-Key": f"rules-{party_id}"}
    first, again = (
        manager.put(f"{RULES}/{party_id}", json=a_request(party_id), headers=key) for _ in range(2)
    )
    assert (again.status_code, again.content) == (201, first.content)


@decision("S4-CONVENTIONS", "Callers have a bearer token")
def test_no_token(house: House, party_id: str) -> None:
    with house.client() as nobody:
        problem(nobody.get(f"{RULES}/{party_id}"), 401, "UNAUTHENTICATED")
        problem(nobody.put(f"{RULES}/{party_id}", json=a_request(party_id)), 401, "UNAUTHENTICATED")


@decision("S4-FACADE", "CRM's path answers the same rules, and 404 where there are none")
@decision("S4-GATEWAY", "A request that still carries the gateway's first segment is served")
def test_the_facade_and_the_gateway(manager: httpx.Client, party_id: str) -> None:
    facade = f"/v1/crm/accounts/parties/{party_id}/billingRules"
    problem(manager.get(facade), 404, "NOT_FOUND")
    created = manager.put(f"/invoice{RULES}/{party_id}", json=a_request(party_id))
    assert created.status_code == 201
    for path in (facade, f"/customer{facade}", f"/invoice{RULES}/{party_id}"):
        assert settled(manager, path, created).json() == created.json()


@decision("S4-RULES", "Where rules exist they are what invoices follow; where none do, safe defaults")
def test_invoices_follow_the_rules(garage: Garage) -> None:
    account = garage.account()
    default = garage.drafted(account)
    assert default["paymentTermsCode"] == "DUE_ON_RECEIPT"
    assert default["deliveryPreferences"] == {"invoiceDeliveryMethod": "EMAIL"}
    assert default["grouping"]["strategy"] == "PER_WORKORDER"
    changes = {"invoiceGroupingStrategy": "SINGLE_INVOICE", "invoiceDeliveryMethod": "PORTAL"}
    body = a_request(account["partyId"], **changes)
    assert garage.put(f"/rules/{account['partyId']}", body).is_success
    issued = garage.issued(account)
    assert issued["paymentTermsCode"] == "NET30"
    assert issued["deliveryPreferences"] == {"invoiceDeliveryMethod": "PORTAL"}
    assert issued["grouping"] == {
        "strategy": "SINGLE_INVOICE",
        "key": f"account:{account['customerAccountId']}",
    }
