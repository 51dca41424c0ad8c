"""An Idempotency-Key brings the first answer back byte for byte; the same key for another body is refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.decisions import rule
from tests.support.house import ONE_EVENT, House, paid, send
from tests.support.problems import problem

LONGEST_KEY = "".join(chr(33 + number % 94) for number in range(255))


def _open(client: httpx.Client, issuer: str, key: str, **changes: Any) -> httpx.Response:
    body = {"countryCode": "GB", "issuerEntityId": issuer, "docType": "RECEIPT", **changes}
    return client.post("/v1/number-series", json=body, headers={"Idempotency-Key": key})


@rule("IDEM-4")
@pytest.mark.parametrize("key", ["k", LONGEST_KEY, "with blanks and ~"])
def test_a_repeat_of_a_command_is_answered_byte_for_byte(house: House, key: str) -> None:
    issuer = f"idem-{len(key)}"
    with house.client("FINANCE_ADMIN") as finance:
        first, again = _open(finance, issuer, key), _open(finance, issuer, key)
    assert (first.status_code, again.status_code) == (201, 201), "without the key it would be 200"
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["x-ledger-position"] == first.headers["x-ledger-position"]
    assert again.headers["content-type"] == first.headers["content-type"]


def test_a_repeat_of_events_is_answered_byte_for_byte(house: House) -> None:
    with house.client("SYSTEM") as system:
        first = send(system, paid("idem-é"), **{"Idempotency-Key": "key-1"})
        again = send(system, paid("idem-é"), **{"Idempotency-Key": "key-1"})
    assert first.json()["results"][0]["outcome"] == "ACCEPTED"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"


@rule("IDEM-6")
def test_the_same_key_for_another_body_is_refused_and_nothing_happens(house: House) -> None:
    with house.client("FINANCE_ADMIN") as finance, house.client("SYSTEM") as system:
        _open(finance, "idem-a", "reused")
        problem(_open(finance, "idem-b", "reused"), 422, "IDEMPOTENCY_KEY_REUSED")
        problem(finance.get("/v1/number-series/GB:idem-b:RECEIPT"), 404, "NOT_FOUND")
        malformed = finance.post(
            "/v1/number-series", json={"docType": "POSTCARD"}, headers={"Idempotency-Key": "reused"}
        )
        problem(malformed, 422, "IDEMPOTENCY_KEY_REUSED")
        send(system, paid("idem-a"), **{"Idempotency-Key": "reused"})
        answer = send(system, paid("idem-b"), **{"Idempotency-Key": "reused"})
    problem(answer, 422, "IDEMPOTENCY_KEY_REUSED")
    with house.client("AUDITOR") as auditor:
        problem(auditor.get("/v1/audit/streams/order/idem-b"), 404, "NOT_FOUND")


@rule("IDEM-3")
def test_a_key_belongs_to_one_caller_tenant_and_operation(house: House) -> None:
    with house.client("FINANCE_ADMIN", sub="eva") as eva:
        _open(eva, "idem-scope", "scoped")
    for claims in ({"sub": "leo"}, {"sub": "eva", "tenant": "another"}):
        with house.client("FINANCE_ADMIN", **claims) as other:
            answer = _open(other, "idem-scope", "scoped")
        assert answer.status_code == 200 and "idempotent-replayed" not in answer.headers
    with house.client("SUPER_ADMIN", sub="eva") as eva:
        answer = send(eva, paid("idem-scope"), **{"Idempotency-Key": "scoped"})
    assert answer.status_code == 200 and "idempotent-replayed" not in answer.headers


@rule("IDEM-9")
def test_a_refusal_is_not_kept(house: House) -> None:
    wrong = paid("idem-refused")
    wrong["data"]["orderFinancialSnapshot"]["sellerNet"] += 1
    with house.client("SYSTEM") as system:
        for event in (wrong, wrong):
            answer = send(system, event, **{"Idempotency-Key": "refused"})
            problem(answer, 422, "SNAPSHOT_INCONSISTENT")
            assert "idempotent-replayed" not in answer.headers
        mended = send(system, paid("idem-refused"), **{"Idempotency-Key": "refused"})
    assert mended.json()["results"][0]["outcome"] == "ACCEPTED"
    with house.client("FINANCE_ADMIN") as finance:
        problem(_open(finance, "", "refused"), 400, "VALIDATION_FAILED")
        assert _open(finance, "idem-mended", "refused").status_code == 201


@rule("IDEM-7")
def test_twenty_repeats_at_once_happen_once_and_get_one_answer(house: House) -> None:
    def attempt(_: int) -> httpx.Response:
        with house.client("FINANCE_ADMIN") as finance:
            return _open(finance, "idem-at-once", "at-once")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


@rule("IDEM-12")
def test_a_download_token_is_minted_anew_for_a_repeated_key(house: House) -> None:
    document_id = house.issued(paid("idem-token"))["documentId"]
    with house.client("AUDITOR") as auditor:
        path, headers = f"/v1/documents/{document_id}/download-token", {"Idempotency-Key": "token"}
        answers = [auditor.post(path, json={}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert all("idempotent-replayed" not in answer.headers for answer in answers)


@rule("IDEM-11")
def test_neither_keys_nor_answers_nor_requests_are_readable_in_the_database(house: House) -> None:
    key = "findable-key-4711"
    with house.client("SYSTEM") as system:
        event = json.dumps(paid("findable-order-4711")).encode()
        headers = {"Content-Type": ONE_EVENT, "Idempotency-Key": key}
        assert system.post("/v1/inbound/events", content=event, headers=headers).status_code == 200
    with house.database() as connection:
        rows = connection.execute("SELECT command::text FROM ledger.command").fetchall()
    text = "\n".join(row[0] for row in rows)
    for secret in (key, "findable-order-4711"):
        assert secret not in text and secret.encode().hex() not in text
