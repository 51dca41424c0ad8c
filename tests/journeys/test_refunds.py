"""Refunds as upstream tells them: after their order, before it, wrong, repeated, under another name."""

from typing import Any

from tests.support.house import House, all_items, paid
from tests.support.problems import fields_of, problem
from tests.support.refunds import refund


def _state(house: House, order_id: str) -> dict[str, Any]:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(f"/v1/audit/streams/order/{order_id}")
    assert answer.status_code == 200
    state: dict[str, Any] = answer.json()["state"]
    return state


def _amounts(house: House, order_id: str) -> dict[str, int]:
    refunds = _state(house, order_id)["refunds"]
    return {key: refund["told"]["refundSnapshot"]["buyerTotal"] for key, refund in refunds.items()}


def _outcome(house: House, event: dict[str, Any]) -> str:
    answer = house.post(event)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["results"][0]["outcome"])


def test_refunds_add_up_to_what_was_paid_and_no_further(house: House) -> None:
    house.issued(paid("rf-sum"))
    assert _outcome(house, refund("rf-sum", "r-1", 7000)) == "ACCEPTED"
    problem(house.post(refund("rf-sum", "r-2", 681)), 422, "REFUND_EXCEEDS_PAID")
    assert _outcome(house, refund("rf-sum", "r-2", 680)) == "ACCEPTED", "the refused event's id stayed free"
    problem(house.post(refund("rf-sum", "r-3", 1)), 422, "REFUND_EXCEEDS_PAID")
    assert _amounts(house, "rf-sum") == {"r-1": 7000, "r-2": 680}


def test_a_refund_that_precedes_its_order_waits_and_takes_effect_with_it(house: House) -> None:
    assert _outcome(house, refund("rf-early", "r-1")) == "WAITING"
    assert _outcome(house, refund("rf-early", "r-1")) == "DUPLICATE"
    assert _state(house, "rf-early")["waiting"].keys() == {"REFUND/r-1"}
    assert _outcome(house, paid("rf-early")) == "ACCEPTED"
    assert _state(house, "rf-early")["waiting"] == {}
    assert _amounts(house, "rf-early") == {"r-1": 1000}


def test_a_waiting_refund_that_proves_invalid_is_parked_with_a_task(house: House) -> None:
    assert _outcome(house, refund("rf-wrong", "r-1", 7000)) == "WAITING"
    assert _outcome(house, refund("rf-wrong", "r-2", 7000)) == "WAITING"
    assert _outcome(house, paid("rf-wrong")) == "ACCEPTED", "the order itself is not to blame"
    state = _state(house, "rf-wrong")
    assert state["refunds"].keys() == {"r-1"} and state["parked"] == {"REFUND/r-2": "REFUND_EXCEEDS_PAID"}
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        tasks = [task for task in all_items(auditor, "/v1/tasks") if task["targetId"] == "rf-wrong"]
    assert [(task["type"], task["cause"], task["nextRetryAt"]) for task in tasks] == [
        ("REFUND_PARKED", "REFUND_EXCEEDS_PAID", None)
    ]
    assert tasks[0]["resumedBy"]


def test_the_other_name_of_a_refund_is_the_same_fact(house: House) -> None:
    house.post(paid("rf-alias"))
    event = refund("rf-alias", "r-1")
    assert _outcome(house, {**event, "type": "payments.REFUND"}) == "ACCEPTED"
    assert _outcome(house, event) == "DUPLICATE"
    assert _outcome(house, {**event, "id": "new-id", "type": "payments.REFUND"}) == "DUPLICATE"
    assert _state(house, "rf-alias")["refunds"].keys() == {"r-1"}


def test_a_refund_id_with_other_data_is_a_conflict(house: House) -> None:
    house.post(paid("rf-other"))
    house.post(refund("rf-other", "r-1"))
    changed = {**refund("rf-other", "r-1", 900), "id": "another-event"}
    problem(house.post(changed), 409, "SNAPSHOT_CONFLICT")


def test_a_refund_in_another_currency_is_refused(house: House) -> None:
    house.post(paid("rf-currency"))
    body = problem(house.post(refund("rf-currency", "r-1", currencyUomId="EUR")), 422, "CURRENCY_MISMATCH")
    assert fields_of(body) == {"refundSnapshot.currencyUomId"}


def test_a_refund_that_disagrees_with_itself_is_refused_even_while_it_would_wait(house: House) -> None:
    body = problem(house.post(refund("rf-unknown", "r-1", sellerNet=999)), 422, "SNAPSHOT_INCONSISTENT")
    assert fields_of(body) == {"refundSnapshot.sellerNet"}


def test_a_batch_may_bring_refunds_before_their_order(house: House) -> None:
    batch = [
        refund("rf-batch", "r-1"),
        refund("rf-batch", "r-2"),
        paid("rf-batch"),
        refund("rf-batch", "r-3"),
    ]
    outcomes = [result["outcome"] for result in house.post(batch).json()["results"]]
    assert outcomes[2] == "ACCEPTED" and set(outcomes) <= {"ACCEPTED", "WAITING"}
    assert _state(house, "rf-batch")["refunds"].keys() == {"r-1", "r-2", "r-3"}
