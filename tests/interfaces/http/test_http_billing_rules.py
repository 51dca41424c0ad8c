"""Billing rules over HTTP: two mounts, two vocabularies, ETags, history (BILL-DEC-006, S4)."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.account_facts import account_data, rules_request
from tests.support.decisions import decision
from tests.support.house import House, cloud_event
from tests.support.problems import fields_of, problem

S1 = {"isPoRequired": True, "paymentTermsId": "NET30", "invoiceDeliveryMethod": "EMAIL"}
S1["invoiceGroupingStrategy"] = "PER_WORKORDER"
MOUNTS = ("/v1/billing/rules", "/billing/rules")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def _put(client: httpx.Client, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    """Sends a body, which in S4's words names its party as the path does unless it says otherwise."""
    named = {} if "paymentTermsId" in body else {"partyId": path.rpartition("/")[2]}
    return client.put(path, json={**named, **body}, headers=headers)


def _get(client: httpx.Client, path: str, after: httpx.Response, **headers: str) -> httpx.Response:
    return client.get(path, headers={"X-Min-Position": after.headers["x-ledger-position"], **headers})


def _crm_tells(house: House, account_id: str, party_id: str | None, **changes: Any) -> httpx.Response:
    data = account_data(account_id, party_id, **changes)
    return house.post(cloud_event("crm.ACCOUNT_UPDATED", data, f"crm/{uuid4()}"))


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-006", "Rules carry who changed them, when, and both names of a field")
@decision("S4-RULES", "The server gives id, version, times and who updated them")
def test_rules_are_created_read_and_updated_under_either_mount(house: House, mount: str) -> None:
    path = f"{mount}/{uuid4()}"
    with house.client("BILLING_MANAGER", sub="bea") as manager:
        problem(manager.get(path), 404, "NOT_FOUND")
        created = _put(manager, path, rules_request())
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        read = _get(manager, path, created)
        assert (read.status_code, read.headers["etag"]) == (200, '"1"')
        assert read.json() == created.json()
        changed = _put(manager, path, rules_request(paymentTermsCode="NET60"), **{"If-Match": '"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert _get(manager, path, changed).json() == changed.json()
    body = changed.json()
    assert re.fullmatch(UUID, body["id"]) and body["id"] == created.json()["id"]
    assert (body["version"], body["etag"], body["updatedBy"], body["updatedByUserId"]) == (
        2,
        '"2"',
        "bea",
        "bea",
    )
    assert body["createdAt"] == created.json()["createdAt"] < body["updatedAt"]
    assert body["paymentTermsCode"] == body["paymentTermsId"] == "NET60"
    assert body["purchaseOrderRequired"] is body["isPoRequired"] is True


@decision("BILL-DEC-006", "Rules are understood in either vocabulary")
def test_either_vocabulary_is_understood_and_contradictions_are_named(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        assert _put(manager, path, S1).status_code == 201
        again = _put(manager, path, rules_request())
        assert (again.status_code, again.headers["etag"]) == (200, '"1"')
        body = problem(_put(manager, path, {**S1, "paymentTermsCode": "NET7"}), 400, "VALIDATION_FAILED")
        assert fields_of(body) == {"paymentTermsCode", "paymentTermsId"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"paymentTermsCode": "NET31"}, "paymentTermsCode"),
        ({"paymentTermsCode": None}, "paymentTermsCode"),
        ({"invoiceDeliveryMethod": "FAX"}, "invoiceDeliveryMethod"),
        ({"invoiceDeliveryMethod": None}, "invoiceDeliveryMethod"),
        ({"invoiceGroupingStrategy": None}, "invoiceGroupingStrategy"),
        ({"purchaseOrderRequired": "yes"}, "purchaseOrderRequired"),
        ({"poUniquenessScope": "WORLD"}, "poUniquenessScope"),
        ({"poFormatRegex": "(a"}, "poFormatRegex"),
        ({"poFormatRegex": "(?=a)b"}, "poFormatRegex"),
        ({"poFormatRegex": "a" * 201}, "poFormatRegex"),
        ({"partyId": "somebody-else"}, "partyId"),
        ({"discount": 10}, "discount"),
    ],
)
def test_what_is_wrong_is_named_and_not_set(house: House, changes: dict[str, Any], field: str) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        body = problem(_put(manager, path, rules_request(**changes)), 400, "VALIDATION_FAILED")
        assert fields_of(body) == {field}
        problem(manager.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "answer"), [(S1, 201), ({**rules_request(), "isPoRequired": True}, 201), (rules_request(), 400)]
)
def test_the_party_goes_unsaid_in_s1s_vocabulary_alone(
    house: House, body: dict[str, Any], answer: int
) -> None:
    with house.client("BILLING_MANAGER") as manager:
        assert manager.put(f"/billing/rules/{uuid4()}", json=body).status_code == answer


def test_what_get_answered_may_be_put_back(house: House) -> None:
    path = f"/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        created = _put(manager, path, rules_request(poFormatRegex="PO-[0-9]{4}"))
        answered = _get(manager, path, created).json()
        again = _put(manager, path, answered)
        assert (again.status_code, again.json()) == (200, created.json())
        assert _put(manager, path, {**answered, "version": 99, "updatedBy": "eve"}).json() == created.json()


def test_s4s_clients_do_not_wipe_the_policy_of_purchase_orders(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        _put(manager, path, rules_request(poFormatRegex="PO-[0-9]{4}", poUniquenessScope="GLOBAL"))
        changed = _put(manager, path, rules_request(paymentTermsCode="EOM")).json()
        assert (changed["poFormatRegex"], changed["poUniquenessScope"]) == ("PO-[0-9]{4}", "GLOBAL")
        taken_away = _put(manager, path, {**rules_request(), "poFormatRegex": None})
        assert taken_away.json()["poFormatRegex"] is None


@decision("BILL-DEC-006", "If-Match decides at either mount, as the contract says of each")
def test_stale_and_missing_etags(house: House) -> None:
    account_id = str(uuid4())
    s1, s4 = f"/billing/rules/{account_id}", f"/v1/billing/rules/{account_id}"
    with house.client("BILLING_MANAGER") as manager:
        problem(_put(manager, s1, rules_request(), **{"If-Match": '"1"'}), 409, "STALE_ETAG")
        _put(manager, s1, rules_request())
        changed = _put(manager, s4, rules_request(paymentTermsCode="NET60"))
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        same = rules_request(paymentTermsCode="NET60")
        for path in (s1, s4):
            problem(_put(manager, path, same, **{"If-Match": '"1"'}), 409, "STALE_ETAG")
        problem(_put(manager, s1, rules_request()), 409, "ETAG_REQUIRED")
        assert _put(manager, s1, same).status_code == 200, "nothing changes"
        assert _put(manager, s1, rules_request(), **{"If-Match": "*"}).headers["etag"] == '"3"'
        body = problem(_put(manager, s1, same, **{"If-Match": "two"}), 400, "VALIDATION_FAILED")
        assert fields_of(body) == {"If-Match"}


def test_a_client_that_has_the_current_rules_is_told_so(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        created = _put(manager, path, rules_request())
        for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
            answer = _get(manager, path, created, **{"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
        assert _get(manager, path, created, **{"If-None-Match": '"11"'}).status_code == 200


def test_rules_are_shown_as_they_stood(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        before = house.catch_up()
        first = _put(manager, path, rules_request())
        second = _put(manager, path, rules_request(paymentTermsCode="NET60"))
        position = int(first.headers["x-ledger-position"])
        _get(manager, path, second)
        for when in ({"asOfPosition": position}, {"asOf": first.json()["updatedAt"]}):
            past = manager.get(path, params=when)
            assert (past.json(), past.headers["etag"]) == (first.json(), '"1"')
            assert past.headers["x-ledger-position"] == str(position)
        problem(manager.get(path, params={"asOfPosition": before}), 404, "NOT_FOUND")


def test_a_party_and_the_account_that_crm_gives_it_to_have_one_set_of_rules(house: House) -> None:
    party_id, account_id = f"party {uuid4().hex}", str(uuid4())
    with house.client("BILLING_MANAGER") as manager:
        created = _put(manager, f"/v1/billing/rules/{party_id}", rules_request(partyId=party_id))
        minted_id = created.json()["accountId"]
        assert created.status_code == 201 and re.fullmatch(UUID, minted_id) and minted_id[14] == "7"
        told = _crm_tells(house, account_id, party_id)
        assert told.json()["results"][0]["outcome"] == "ACCEPTED"
        expected = {**created.json(), "accountId": account_id}
        for name in (party_id, minted_id, account_id):
            for path in (f"/v1/billing/rules/{name}", f"/v1/crm/accounts/parties/{name}/billingRules"):
                answer = _get(manager, path, told)
                assert (answer.json(), answer.headers["etag"]) == (expected, '"1"'), path
            past = _get(
                manager,
                f"/v1/billing/rules/{name}?asOfPosition={created.headers['x-ledger-position']}",
                told,
            )
            assert past.json() == expected
        changed = _put(
            manager, f"/billing/rules/{minted_id}", S1 | {"paymentTermsId": "EOM"}, **{"If-Match": '"1"'}
        )
        assert (changed.status_code, changed.json()["accountId"]) == (200, account_id)
        problem(_crm_tells(house, str(uuid4()), party_id), 409, "PARTY_CONFLICT")


def test_the_gateways_paths_are_served(house: House) -> None:
    party_id = uuid4().hex[:12]
    with house.client("SYSTEM") as system:
        created = _put(system, f"/invoice/v1/billing/rules/{party_id}", rules_request())
        assert created.status_code == 201
        path = f"/customer/v1/crm/accounts/parties/{party_id}/billingRules"
        assert _get(system, path, created).json() == created.json()
        problem(system.get(f"/v1/crm/accounts/parties/{uuid4()}/billingRules"), 404, "NOT_FOUND")


def test_only_a_system_says_for_whom_it_acts(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("SYSTEM", sub="workexec") as system, house.client("BILLING_MANAGER", sub="bea") as bea:
        first = _put(system, path, rules_request(), **{"X-User-Id": "carl"})
        assert first.json()["updatedBy"] == first.json()["updatedByUserId"] == "carl"
        second = _put(bea, path, rules_request(paymentTermsCode="NET7"), **{"X-User-Id": "carl"})
        assert second.json()["updatedBy"] == "bea"
        assert _put(system, path, rules_request(paymentTermsCode="NET10")).json()["updatedBy"] == "workexec"
    with house.client("AUDITOR") as auditor:
        stream = f"/v1/audit/streams/billing-rules/{first.json()['accountId']}"
        events = _get(auditor, stream, second).json()["events"]
    assert [(event["actor"], event["onBehalfOf"]) for event in events][:2] == [
        ("workexec", "carl"),
        ("bea", None),
    ]


@decision("BILL-DEC-008", "Reading rules and managing them are two permissions")
def test_who_may_view_may_not_manage(house: House) -> None:
    path = f"/v1/billing/rules/{uuid4()}"
    with house.client("SERVICE_ADVISOR") as advisor, house.client("AP_CLERK") as clerk:
        problem(_put(advisor, path, rules_request()), 403, "PERMISSION_DENIED")
        problem(advisor.get(path), 404, "NOT_FOUND")
        problem(clerk.get(path), 403, "PERMISSION_DENIED")


def test_a_token_bound_to_accounts_sees_only_those(house: House) -> None:
    party_id, account_id = uuid4().hex, str(uuid4())
    _crm_tells(house, account_id, party_id)
    with house.client("BILLING_MANAGER", account_ids=[account_id]) as own:
        created = _put(own, f"/v1/billing/rules/{party_id}", rules_request())
        assert created.status_code == 201
        assert _get(own, f"/v1/billing/rules/{party_id}", created).status_code == 200
        problem(_put(own, f"/v1/billing/rules/{uuid4()}", rules_request()), 404, "NOT_FOUND")
    with house.client("BILLING_MANAGER", account_ids=[str(uuid4())]) as other:
        for name in (party_id, account_id):
            problem(_get(other, f"/v1/billing/rules/{name}", created), 404, "NOT_FOUND")
            problem(_put(other, f"/v1/billing/rules/{name}", rules_request()), 404, "NOT_FOUND")


def test_a_repeated_key_is_answered_with_the_first_answer(house: House) -> None:
    path, key = f"/v1/billing/rules/{uuid4()}", {"Idempotency-Key": f"rules-{uuid4()}"}
    with house.client("BILLING_MANAGER") as manager:
        first, again = (_put(manager, path, rules_request(), **key) for _ in range(2))
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true" and again.headers["etag"] == '"1"'
        problem(_put(manager, path, S1, **key), 422, "IDEMPOTENCY_KEY_REUSED")


def test_names_that_no_account_can_have(house: House) -> None:
    with house.client("BILLING_MANAGER") as manager:
        body = problem(
            _put(manager, f"/v1/billing/rules/{'x' * 65}", rules_request(partyId="x")),
            400,
            "VALIDATION_FAILED",
        )
        assert fields_of(body) == {"accountId"}
        problem(manager.get(f"/v1/billing/rules/{'x' * 65}"), 404, "NOT_FOUND")


def test_what_crm_tells_again_is_known_and_an_update_without_a_party_keeps_it(house: House) -> None:
    party_id, account_id = uuid4().hex[:10], str(uuid4())
    changes: tuple[tuple[str | None, str], ...] = ((party_id, "Gannet"), (party_id, "Gannet"), (None, "Tern"))
    answers = [_crm_tells(house, account_id, party, displayName=name) for party, name in changes]
    outcomes = [answer.json()["results"][0]["outcome"] for answer in answers]
    assert outcomes == ["ACCEPTED", "DUPLICATE", "ACCEPTED"]
    with house.client("AUDITOR") as auditor:
        state = _get(auditor, f"/v1/audit/streams/account/{account_id}", answers[-1]).json()["state"]
    assert (state["partyId"], state["data"]["displayName"]) == (party_id, "Tern")
    with house.database() as connection:
        (stored,) = connection.execute(
            "SELECT string_agg(convert_from(state, 'UTF8'), ' ') FROM ledger.event"
            " WHERE name = 'account.updated'"
        ).fetchone() or ("",)
    assert account_id in stored
    assert not any(personal in stored for personal in ("Tern", "marigold", "Pier Road", "GB123456789"))


@pytest.mark.parametrize(("field", "value"), [("customerAccountId", "12345"), ("creditLimit", 1.5)])
def test_an_account_that_is_malformed_is_refused(house: House, field: str, value: Any) -> None:
    body = problem(_crm_tells(house, str(uuid4()), None, **{field: value}), 400, "VALIDATION_FAILED")
    assert fields_of(body) == {f"data.{field}"}


@pytest.fixture(scope="module")
def urls(house: House) -> tuple[str, str]:
    """Two APIs of one ledger."""
    return house.url, house.second_url()


@pytest.mark.slow
def test_however_many_name_a_party_at_once_it_gets_one_account(house: House, urls: tuple[str, str]) -> None:
    path = f"/v1/billing/rules/{uuid4().hex}"

    def name(number: int) -> httpx.Response:
        with house.client("BILLING_MANAGER", url=urls[number % 2]) as client:
            return _put(client, path, rules_request())

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(name, range(20)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 19, 201]
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.slow
@decision("BILL-DEC-006", "Of many changes with one ETag one wins")
def test_of_fifty_changes_with_one_etag_one_wins(house: House, urls: tuple[str, str]) -> None:
    path = f"/billing/rules/{uuid4()}"
    with house.client("BILLING_MANAGER") as manager:
        _put(manager, path, rules_request())

    def change(number: int) -> httpx.Response:
        body = rules_request(poFormatRegex=f"PO-{number}-[0-9]+")
        with house.client("BILLING_MANAGER", url=urls[number % 2]) as client:
            return _put(client, path, body, **{"If-Match": '"1"'})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(change, range(50)))
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    for answer in answers:
        if answer is not winner:
            problem(answer, 409, "STALE_ETAG")
    with house.client("BILLING_MANAGER") as manager:
        assert _get(manager, path, winner).json() == winner.json()
        assert winner.json()["version"] == 2
