"""Card data at the door: refused by its field, never repeated, and nothing of it kept (contract §5, S2)."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.decisions import decision, rule
from tests.support.fiscal_profile_facts import profile_request
from tests.support.garage import Garage
from tests.support.house import House, cloud_event, paid, send
from tests.support.problems import fields_of, problem
from tests.support.work_orders import account_updated, an_account

CARD = "4111111111111111"
WRITTEN = "card ４１１１ 1111-1111 1111, thanks"


def _profile(client: httpx.Client, owner_id: str, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    path = f"/v1/fiscal-profiles/BUYER/{owner_id}?countryCode=MX"
    return client.put(path, json=profile_request(**changes), headers=headers)


@rule("PII-1")
@decision("S2", "Card data is refused at the door")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"legalName": f"ACME {CARD}"}, "legalName"),
        ({"address": {"line1": WRITTEN, "countryCode": "MX"}}, "address"),
        ({"invoicePreferences": {"note": WRITTEN}}, "invoicePreferences"),
        ({"invoicePreferences": {"payment": {"cvc": "737"}}}, "invoicePreferences"),
        ({"invoicePreferences": {"reference": int(CARD)}}, "invoicePreferences"),
    ],
)
def test_card_data_is_refused_by_its_field_and_never_repeated(
    house: House, changes: dict[str, Any], field: str
) -> None:
    with house.client("FINANCE_ADMIN") as client:
        answer = _profile(client, f"owner-{uuid4()}", **changes)
    assert field in fields_of(problem(answer, 400, "CARD_DATA_REFUSED"))
    assert not any(text in answer.text for text in (CARD, "1111", "737", "thanks"))
    log = house.log_path.read_text(encoding="utf-8")
    assert not any(text in log for text in (CARD, "1111-1111 1111"))


def test_a_note_with_a_card_number_is_refused_and_the_invoice_stays(garage: Garage) -> None:
    draft = garage.drafted()
    refused = garage.command(draft, "void", reasonCode="ERROR", reasonNotes=f"paid with {CARD}")
    assert fields_of(problem(refused, 400, "CARD_DATA_REFUSED")) == {"reasonNotes"}
    assert garage.detail(draft)["status"] == "DRAFT"


@rule("PII-1")
def test_a_refused_request_leaves_its_key_free_and_nothing_behind(house: House) -> None:
    owner_id, key = f"owner-{uuid4()}", f"key-{uuid4()}"
    with house.client("FINANCE_ADMIN") as client:
        problem(_profile(client, owner_id, key, legalName=WRITTEN), 400, "CARD_DATA_REFUSED")
        taken = _profile(client, owner_id, key)
    assert taken.status_code == 201
    assert "Idempotent-Replayed" not in taken.headers


def test_a_field_of_nobody_is_refused_without_its_value(garage: Garage) -> None:
    refused = garage.command(garage.drafted(), "void", reasonCode="ERROR", cvc="7379")
    assert fields_of(problem(refused, 400, "VALIDATION_FAILED")) == {"cvc"}
    assert "7379" not in refused.text


@rule("PII-3")
def test_an_id_may_look_like_a_card_number(house: House) -> None:
    with house.client("FINANCE_ADMIN") as client:
        assert _profile(client, CARD).status_code in {200, 201}


@rule("PII-4")
@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": WRITTEN},
        {"billingAddress": {"line1": f"{CARD} Main Street"}},
        {"paymentMethod": {"cardNumber": "x"}},
    ],
)
def test_a_fact_with_card_data_is_rejected_and_its_id_stays_free(
    house: House, changes: dict[str, Any]
) -> None:
    account, event_id = an_account(), f"event-{uuid4()}"
    with house.client("SYSTEM") as client:
        told = cloud_event("crm.ACCOUNT_UPDATED", {**account, **changes}, event_id)
        refused = send(client, told)
        assert fields_of(problem(refused, 400, "CARD_DATA_REFUSED")) == {"data"}
        assert CARD not in refused.text
        taken = send(client, cloud_event("crm.ACCOUNT_UPDATED", account, event_id))
    assert taken.json()["results"][0]["outcome"] == "ACCEPTED"


def test_in_a_batch_each_fact_stands_alone(house: House) -> None:
    told = [account_updated(an_account(displayName=WRITTEN)), paid(f"order-{uuid4()}")]
    results = house.post(told).json()["results"]
    assert [result["outcome"] for result in results] == ["REJECTED", "ACCEPTED"]
    assert results[0]["error"]["code"] == "CARD_DATA_REFUSED"


@rule("PII-8")
@pytest.mark.parametrize("parameter", ["status", "docType", "limit", "cursor", "issuedFrom", "countryCode"])
def test_a_parameter_that_is_refused_is_not_quoted(house: House, parameter: str) -> None:
    with house.client("AUDITOR") as client:
        refused = client.get("/v1/documents", params={parameter: f"o'card {CARD}"})
    assert fields_of(problem(refused, 400, "VALIDATION_FAILED")) == {parameter}
    assert CARD not in refused.text and "card" not in refused.text
