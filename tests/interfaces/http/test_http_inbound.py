"""The inbound door: every outcome, each event of a batch alone, repeats in any number and at once."""

import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.decisions import rule
from tests.support.house import House, cloud_event, numbers_of, paid, send
from tests.support.problems import check_envelope, fields_of, problem
from tests.support.refunds import refund
from tests.support.snapshots import order_data


def test_an_accepted_event_answers_with_its_issued_document_and_position(house: House) -> None:
    answer = house.post(paid("in-accepted"))
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert (result["id"], result["outcome"], result["error"]) == ("paid/in-accepted", "ACCEPTED", None)
    (document,) = result["documents"]
    assert document["docType"] == "RECEIPT" and document["status"] == "ISSUED"
    assert document["documentKey"] == "in-accepted:RECEIPT:platform-gb:1"
    position = int(answer.headers["x-ledger-position"])
    with house.client("AUDITOR") as auditor:
        seen = auditor.get(
            f"/v1/documents/{document['documentId']}", headers={"X-Min-Position": str(position)}
        )
        received = auditor.get("/v1/audit/events", params={"orderId": "in-accepted"}).json()["items"]
    assert seen.status_code == 200
    assert (
        max(e["position"] for e in received if e["transactionId"] == received[0]["transactionId"]) <= position
    )


def test_the_same_event_again_is_a_duplicate_with_what_the_first_led_to(house: House) -> None:
    first = house.post(paid("in-again")).json()["results"][0]
    again = house.post(paid("in-again"))
    assert again.status_code == 200
    assert again.json()["results"][0] == {**first, "outcome": "DUPLICATE"}


def test_the_same_order_under_a_new_event_id_is_a_duplicate(house: House) -> None:
    first = house.post(paid("in-new-id")).json()["results"][0]
    again = house.post(paid("in-new-id", "another-id")).json()["results"][0]
    assert (again["outcome"], again["documents"]) == ("DUPLICATE", first["documents"])


def test_an_event_id_with_other_data_is_a_conflict_and_changes_nothing(house: House) -> None:
    house.post(paid("in-conflict"))
    with house.client("AUDITOR") as auditor:
        before = auditor.get("/v1/audit/streams/order/in-conflict").json()
        answer = house.post(paid("in-conflict", note="other data"))
        problem(answer, 409, "EVENT_CONFLICT")
        assert auditor.get("/v1/audit/streams/order/in-conflict").json() == before


def test_the_same_id_from_another_source_is_another_event(house: House) -> None:
    house.post(paid("in-source-a", "same-id"))
    other = {**paid("in-source-b", "same-id"), "source": "urn:test:other"}
    assert house.post(other).json()["results"][0]["outcome"] == "ACCEPTED"


def test_an_order_with_another_snapshot_is_a_conflict(house: House) -> None:
    house.post(paid("in-snapshot"))
    changed = paid("in-snapshot", "second-id")
    changed["data"]["orderFinancialSnapshot"]["lines"][0]["description"] = "Something else"
    problem(house.post(changed), 409, "SNAPSHOT_CONFLICT")


def test_a_snapshot_id_belongs_to_one_order(house: House) -> None:
    house.post(paid("in-owner"))
    thief = paid("in-thief")
    thief["data"]["orderFinancialSnapshot"]["snapshotId"] = "snap-in-owner"
    problem(house.post(thief), 409, "SNAPSHOT_CONFLICT")
    with house.client("AUDITOR") as auditor:
        problem(auditor.get("/v1/audit/streams/order/in-thief"), 404, "NOT_FOUND")


def test_the_id_of_a_refused_event_stays_free(house: House) -> None:
    wrong = paid("in-free")
    wrong["data"]["orderFinancialSnapshot"]["buyerTotal"] += 1
    problem(house.post(wrong), 422, "SNAPSHOT_INCONSISTENT")
    problem(house.post(wrong), 422, "SNAPSHOT_INCONSISTENT")
    assert house.post(paid("in-free")).json()["results"][0]["outcome"] == "ACCEPTED"
    with house.client("AUDITOR") as auditor:
        refusals = auditor.get("/v1/audit/events", params={"type": "inbound.refused", "limit": 200}).json()
    mine = [event["data"] for event in refusals["items"] if event["data"]["about"]["streamId"] == "in-free"]
    assert [(data["code"], data["eventId"]) for data in mine] == [("SNAPSHOT_INCONSISTENT", "paid/in-free")]


def _more(path: tuple[str | int, ...], by: int = 1) -> Callable[[dict[str, Any]], None]:
    def change(snapshot: dict[str, Any]) -> None:
        place: Any = snapshot
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] += by

    return change


def _withheld_on_a_fee(snapshot: dict[str, Any]) -> None:
    snapshot["taxes"][1]["mode"] = "WITHHELD"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_more(("itemsSubtotal",)), "itemsSubtotal"),
        (_more(("lines", 0, "amount")), "itemsSubtotal"),
        (_more(("sellerCouponDiscount",)), "itemsSubtotal"),
        (_more(("platformFeeAfterCredits",)), "platformFeeAfterCredits"),
        (_more(("feeCreditsApplied",), 201), "platformFeeAfterCredits"),
        (_more(("buyerTotal",)), "buyerTotal"),
        (_more(("opsFee",)), "buyerTotal"),
        (_more(("processingFee",)), "buyerTotal"),
        (_more(("taxes", 1, "amount")), "buyerTotal"),
        (_more(("sellerNet",)), "sellerNet"),
        (_more(("sellerFees", 0, "amount")), "sellerNet"),
        (_more(("taxes", 2, "amount")), "sellerNet"),
        (_more(("opsFee",), -151), "opsFee"),
        (_withheld_on_a_fee, "taxes.1.appliesTo"),
    ],
)
def test_a_snapshot_that_disagrees_with_itself_is_refused_naming_the_equation(
    house: House, change: Callable[[dict[str, Any]], None], field: str
) -> None:
    event = paid("in-equation")
    change(event["data"]["orderFinancialSnapshot"])
    body = problem(house.post(event), 422, "SNAPSHOT_INCONSISTENT")
    assert f"orderFinancialSnapshot.{field}" in fields_of(body)
    with house.client("AUDITOR") as auditor:
        problem(auditor.get("/v1/audit/streams/order/in-equation"), 404, "NOT_FOUND")


def test_in_a_batch_each_event_stands_alone(house: House) -> None:
    house.post(paid("in-batch-old"))
    inconsistent = paid("in-batch-wrong")
    inconsistent["data"]["orderFinancialSnapshot"]["sellerNet"] += 1
    batch = [
        paid("in-batch-a"),
        inconsistent,
        paid("in-batch-old"),
        cloud_event("orders.UNHEARD_OF", {}, "unheard-of"),
        paid("in-batch-old", "paid/in-batch-a2"),
        paid("in-batch-b"),
        refund("in-batch-later", "r-1"),
    ]
    answer = house.post(batch)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["id"] for result in results] == [event["id"] for event in batch]
    assert [result["outcome"] for result in results] == [
        "ACCEPTED",
        "REJECTED",
        "DUPLICATE",
        "REJECTED",
        "DUPLICATE",
        "ACCEPTED",
        "WAITING",
    ]
    check_envelope(results[1]["error"], 422, "SNAPSHOT_INCONSISTENT")
    check_envelope(results[3]["error"], 400, "VALIDATION_FAILED")
    assert fields_of(results[3]["error"]) == {"type"}
    assert all(result["error"] is None for result in results if result["outcome"] != "REJECTED")


def test_a_batch_of_one_refused_event_is_still_200_with_the_envelope_inside(house: House) -> None:
    answer = house.post([cloud_event("orders.UNHEARD_OF", {}, "unheard-of")])
    assert answer.status_code == 200
    check_envelope(answer.json()["results"][0]["error"], 400, "VALIDATION_FAILED")


def test_an_empty_batch_has_no_results(house: House) -> None:
    answer = house.post([])
    assert (answer.status_code, answer.json()) == (200, {"results": []})


def test_twenty_copies_at_once_make_one_order_and_one_document(house: House) -> None:
    event = paid("in-at-once")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: house.post(event), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    results = [answer.json()["results"][0] for answer in answers]
    assert sorted(result["outcome"] for result in results) == ["ACCEPTED"] + ["DUPLICATE"] * 19
    assert len({json.dumps(result["documents"]) for result in results}) == 1
    with house.client("AUDITOR") as auditor:
        shown = auditor.get("/v1/audit/streams/order/in-at-once").json()
    assert shown["version"] == 2, "it was paid, and called for one document"


def test_twenty_different_bodies_under_one_id_at_once_leave_one_winner(house: House) -> None:
    def attempt(number: int) -> tuple[int, str | None]:
        answer = house.post(paid(f"in-race-{number}", "one-id-for-all"))
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(attempt, range(20)))
    assert sorted(outcomes, key=str) == [(200, None)] + [(409, "EVENT_CONFLICT")] * 19


def test_a_batch_that_repeats_an_event_takes_it_once(house: House) -> None:
    results = house.post([paid("in-twice")] * 3).json()["results"]
    assert sorted(result["outcome"] for result in results) == ["ACCEPTED", "DUPLICATE", "DUPLICATE"]


@pytest.mark.slow
def test_orders_of_one_issuer_at_once_get_numbers_without_gap_or_double(house: House) -> None:
    parties = copy.deepcopy(order_data()["orderPartySnapshot"])
    parties["platform"]["partyId"] = "at-once-ltd"

    def order(number: int) -> str:
        event = paid(f"in-series-{number}", orderPartySnapshot=parties)
        with house.client("SYSTEM") as system:
            result = send(system, event).json()["results"][0]
        return str(result["documents"][0]["documentId"])

    with ThreadPoolExecutor(8) as pool:
        documents = list(pool.map(order, range(40)))
    for document_id in documents:
        house.wait_for_issue(document_id)
    sequences, holders = numbers_of(house, "at-once-ltd")
    assert sequences == list(range(1, 41))
    assert sorted(holders) == sorted(documents)


@pytest.mark.slow
def test_what_cannot_be_issued_in_five_seconds_is_202_and_issued_later(house: House) -> None:
    with house.without_worker():
        answer = house.post(paid("in-late"))
        again = house.post(paid("in-late"))
    assert (answer.status_code, again.status_code) == (202, 202)
    (document,) = answer.json()["results"][0]["documents"]
    assert (document["status"], document["parked"]) == ("DRAFT", False)
    assert again.json()["results"][0]["outcome"] == "DUPLICATE"
    assert house.wait_for_issue(document["documentId"])["status"] == "ISSUED"
    assert house.post(paid("in-late")).status_code == 200


@rule("AUDIT-2")
def test_only_a_system_token_speaks_for_others(house: House) -> None:
    with house.client("SYSTEM", sub="orders-service") as system:
        send(system, paid("in-behalf"), **{"X-User-Id": "marta"})
    with house.client(permissions=["billing:inbound:write"], sub="a-script") as script:
        send(script, paid("in-no-behalf"), **{"X-User-Id": "marta"})
    with house.client("AUDITOR") as auditor:
        spoken = auditor.get("/v1/audit/streams/order/in-behalf").json()["events"][0]
        alone = auditor.get("/v1/audit/streams/order/in-no-behalf").json()["events"][0]
    assert (spoken["actor"], spoken["actorRole"], spoken["onBehalfOf"]) == (
        "orders-service",
        "SYSTEM",
        "marta",
    )
    assert (alone["actor"], alone["actorRole"], alone["onBehalfOf"]) == ("a-script", "PERMISSION", None)


def test_the_trace_of_a_request_is_recorded_with_all_that_it_led_to(house: House) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = house.post(paid("in-traced"), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    house.wait_for_issue(answer.json()["results"][0]["documents"][0]["documentId"])
    with house.client("AUDITOR") as auditor:
        events = auditor.get("/v1/audit/events", params={"orderId": "in-traced"}).json()["items"]
    assert {event["correlationId"] for event in events} == {trace}
    assert "document.issued" in {event["type"] for event in events}
