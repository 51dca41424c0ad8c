"""A document as of a moment or position, whole transactions only; its ETag; reading one's own writes."""

from typing import Any

import pytest

from tests.support.decisions import rule
from tests.support.house import House, all_items, paid
from tests.support.problems import problem


@pytest.fixture(scope="module")
def document_id(house: House) -> str:
    return str(house.issued(paid("moments"))["documentId"])


@pytest.fixture(scope="module")
def events(house: House, document_id: str) -> list[dict[str, Any]]:
    """Everything that the ledger holds of the order and its document."""
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        return all_items(auditor, "/v1/audit/events", orderId="moments")


@pytest.mark.slow
def test_at_no_position_is_half_a_transaction_shown(
    house: House, document_id: str, events: list[dict[str, Any]]
) -> None:
    drafted = next(event for event in events if event["type"] == "document.drafted")
    issued = next(event for event in events if event["type"] == "document.issued")
    together = [event for event in events if event["transactionId"] == drafted["transactionId"]]
    assert "document.numbered" in {event["type"] for event in together}
    head = house.catch_up()
    with house.client("AUDITOR") as auditor:
        for position in range(head + 1):
            answer = auditor.get(f"/v1/documents/{document_id}", params={"asOfPosition": position})
            if answer.status_code == 404:
                assert position < drafted["position"]
                continue
            body = answer.json()
            assert body["number"] and body["issuedAt"], f"a draft without its number at {position}"
            assert body["status"] == ("ISSUED" if position >= issued["position"] else "DRAFT")
            assert (body["seal"] is not None) == (position >= issued["position"])


def test_at_each_recorded_time_the_document_is_as_it_was_then(
    house: House, document_id: str, events: list[dict[str, Any]]
) -> None:
    issued = next(event for event in events if event["type"] == "document.issued")
    drafted = next(event for event in events if event["type"] == "document.drafted")
    with house.client("AUDITOR") as auditor:

        def at(moment: str) -> Any:
            return auditor.get(f"/v1/documents/{document_id}", params={"asOf": moment})

        now = auditor.get(f"/v1/documents/{document_id}").json()
        assert at(issued["recordedAt"]).json() == now
        assert at("2999-01-01T00:00:00Z").json() == now
        assert at(drafted["recordedAt"]).json()["status"] == "DRAFT"
        problem(at("2020-01-01T00:00:00+01:00"), 404, "NOT_FOUND")


def test_the_etag_is_the_version_and_moves_only_with_the_documents_life(
    house: House, document_id: str, events: list[dict[str, Any]]
) -> None:
    version = max(event["version"] for event in events if event["streamId"] == document_id)
    with house.client("AUDITOR") as auditor:
        before = auditor.get(f"/v1/documents/{document_id}").headers["etag"]
        token = auditor.post(f"/v1/documents/{document_id}/download-token", json={}).json()
        download = auditor.get(token["url"])
        wait = {"X-Min-Position": download.headers["x-ledger-position"]}
        after = auditor.get(f"/v1/documents/{document_id}", headers=wait).headers["etag"]
        then = auditor.get(f"/v1/documents/{document_id}", params={"asOfPosition": events[-1]["position"]})
    assert before == after == f'"{version}"'
    assert then.headers["etag"] in {f'"{n}"' for n in range(1, version + 1)}


@pytest.mark.slow
def test_a_client_reads_its_own_writes_at_the_position_it_was_told(house: House) -> None:
    for number in range(10):
        answer = house.post(paid(f"own-write-{number}"))
        wait = {"X-Min-Position": answer.headers["x-ledger-position"]}
        with house.client("AUDITOR") as auditor:
            seen = auditor.get("/v1/documents", params={"orderId": f"own-write-{number}"}, headers=wait)
            found = auditor.get("/v1/audit/events", params={"orderId": f"own-write-{number}"}, headers=wait)
        assert len(seen.json()["items"]) == 1
        assert "document.drafted" in {event["type"] for event in found.json()["items"]}
        assert int(seen.headers["x-ledger-position"]) >= int(answer.headers["x-ledger-position"])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents",
        "/v1/documents/{id}",
        "/v1/documents/{id}/events",
        "/v1/documents/{id}/verify",
        "/v1/number-series",
        "/v1/number-series/GB:platform-gb:RECEIPT",
        "/v1/number-series/GB:platform-gb:RECEIPT/numbers",
        "/v1/tasks",
        "/v1/audit/events",
        "/v1/audit/streams/order/moments",
    ],
)
def test_every_query_tells_the_position_that_it_shows(house: House, document_id: str, path: str) -> None:
    head = house.catch_up()
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.get(path.format(id=document_id), headers={"X-Min-Position": str(head)})
    assert answer.status_code == 200
    assert int(answer.headers["x-ledger-position"]) >= head


def test_a_stream_is_told_up_to_a_version_or_time(house: House, events: list[dict[str, Any]]) -> None:
    document = next(event for event in events if event["streamType"] == "document")
    path = f"/v1/audit/streams/document/{document['streamId']}"
    with house.client("AUDITOR") as auditor:
        whole = auditor.get(path).json()
        for version in range(1, whole["version"] + 1):
            part = auditor.get(path, params={"atVersion": version}).json()
            assert part["version"] == version
            assert part["events"] == whole["events"][:version]
        first = auditor.get(path, params={"atVersion": 1}).json()
        assert "numbered" not in first["state"]
        at = auditor.get(path, params={"asOf": whole["events"][0]["recordedAt"]}).json()
        assert "numbered" in at["state"] and "issued" not in at["state"]
        problem(auditor.get(path, params={"asOf": "2020-01-01T00:00:00Z"}), 404, "NOT_FOUND")
    assert whole["state"]["issued"]["seal"]["sha256Pdf"]


@rule("AUDIT-12")
@rule("AUDIT-2")
def test_auditors_filter_the_ledger(house: House, events: list[dict[str, Any]]) -> None:
    issued = next(event for event in events if event["type"] == "document.issued")
    with house.client("AUDITOR") as auditor:

        def found(**parameters: Any) -> list[dict[str, Any]]:
            return all_items(auditor, "/v1/audit/events", **parameters)

        stream = f"document/{issued['streamId']}"
        assert [event["version"] for event in found(stream=stream)] == [1, 2, 3]
        assert {event["streamType"] for event in found(stream="document")} == {"document"}
        assigned = found(stream="number-series")[-1]
        assert ":" in assigned["streamId"]
        assert assigned in found(stream=f"number-series/{assigned['streamId']}")
        types = {event["type"] for event in found(type=["document.issued", "document.drafted"])}
        assert types == {"document.issued", "document.drafted"}
        assert {event["actor"] for event in found(actor="system:worker")} == {"system:worker"}
        same_moment = found(**{"from": issued["recordedAt"], "to": issued["recordedAt"]})
        assert issued in same_moment
        assert {event["recordedAt"] for event in same_moment} == {issued["recordedAt"]}
        assert found(actor="nobody") == [] == found(to="2020-01-01T00:00:00Z")
    assert set(issued) == {
        "position",
        "streamType",
        "streamId",
        "version",
        "type",
        "schemaVersion",
        "recordedAt",
        "transactionId",
        "actor",
        "actorRole",
        "onBehalfOf",
        "operation",
        "correlationId",
        "causationId",
        "data",
        "leafHash",
    }
