"""Malformed parameters, headers and cursors are refused by name; none of them ever is a server error."""

import base64
import json
import time

import pytest

from tests.support.house import House, paid
from tests.support.problems import fields_of, problem

LISTS = ("/v1/documents", "/v1/number-series", "/v1/tasks", "/v1/audit/events", "/v1/documents/{id}/events")


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def document_id(house: House) -> str:
    return str(house.issued(paid("bad-parameters"))["documentId"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "201", "-1", "abc", "1.5", "", "9" * 30, "%00"])
def test_a_limit_is_1_to_200(house: House, document_id: str, path: str, limit: str) -> None:
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.get(f"{path.format(id=document_id)}?limit={limit}")
    assert "limit" in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor",
    [
        "abc",
        "%00",
        "%FF",
        "é",
        _cursor({}),
        _cursor([]),
        _cursor([1, 2]),
        _cursor([-1]),
        _cursor([1.5]),
        _cursor([True]),
        _cursor([None]),
        _cursor([2**63]),
        _cursor(["\x00"]),
        _cursor(["\ud800"]),
        _cursor([["a"]]),
        "W" * 5000,
    ],
)
def test_a_cursor_is_one_that_the_list_gave(house: House, document_id: str, path: str, cursor: str) -> None:
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.get(f"{path.format(id=document_id)}?cursor={cursor}")
    assert "cursor" in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("docType=LETTER", "docType"),
        ("docType=", "docType"),
        ("status=LOST", "status"),
        ("status=null", "status"),
        ("status=NULL", "status"),
        ("docType=null&docType=null", "docType"),
        ("countryCode=gb", "countryCode"),
        ("countryCode=GBR", "countryCode"),
        (f"orderId={'x' * 65}", "orderId"),
        (f"buyerId={'x' * 65}", "buyerId"),
        (f"sellerId={'x' * 65}", "sellerId"),
        (f"issuerEntityId={'x' * 65}", "issuerEntityId"),
        ("issuedFrom=yesterday", "issuedFrom"),
        ("issuedFrom=2026-02-30", "issuedFrom"),
        ("issuedTo=1773480413", "issuedTo"),
        ("issuedFrom=2026-03-14T00:00:00", "issuedFrom"),
        ("issuedTo=2026-03-14T00:00:00", "issuedTo"),
        ("q=", "q"),
        (f"q={'x' * 201}", "q"),
        ("q=%00", "q"),
        ("orderId=%00", "orderId"),
        ("buyerId=a%00b", "buyerId"),
    ],
)
def test_a_malformed_filter_is_named(house: House, query: str, field: str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(f"/v1/documents?{query}")
    assert field in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("asOf=then", "asOf"),
        ("asOf=2026-03-14", "asOf"),
        ("asOf=2026-03-14T00:00:00", "asOf"),
        ("asOf=1773480413", "asOf"),
        ("asOf=0.5", "asOf"),
        ("asOf=", "asOf"),
        ("asOfPosition=-1", "asOfPosition"),
        ("asOfPosition=1.5", "asOfPosition"),
        ("asOfPosition=x", "asOfPosition"),
        ("asOfPosition=null", "asOfPosition"),
        ("asOf=null", "asOf"),
        (f"asOfPosition={2**63}", "asOfPosition"),
        ("asOf=2026-03-14T00:00:00Z&asOfPosition=1", "asOf"),
    ],
)
def test_a_malformed_moment_is_named(house: House, document_id: str, query: str, field: str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(f"/v1/documents/{document_id}?{query}")
    assert field in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents/by-key",
        "/v1/documents/by-key?documentKey=",
        "/v1/documents/by-key?documentKey=%00",
        "/v1/documents/download",
        "/v1/documents/download?token=",
        "/v1/documents/download?token=%00",
        "/v1/audit/events?actor=%00",
        "/v1/audit/events?type=%00",
        "/v1/audit/events?type=a&type=%00",
        "/v1/audit/events?stream=order/%00",
        "/v1/audit/events?stream=/x",
        "/v1/audit/events?orderId=%00",
        "/v1/audit/events?order=up",
        "/v1/audit/events?from=2026-01-01T00:00:00",
        "/v1/audit/events?from=1773480413",
        "/v1/audit/events?to=0.5",
        "/v1/audit/streams/order/x?asOf=1773480413",
        "/v1/audit/streams/order/x?atVersion=0",
        "/v1/audit/streams/order/x?atVersion=99999999999",
        "/v1/audit/streams/order/x?atVersion=1&asOf=2026-03-14T00:00:00Z",
        "/v1/number-series/x/numbers?from=0",
        "/v1/number-series/x/numbers?to=x",
    ],
)
def test_other_malformed_parameters_are_named(house: House, path: str) -> None:
    with house.client("SUPER_ADMIN") as admin:
        assert fields_of(problem(admin.get(path), 400, "VALIDATION_FAILED"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents/nothing",
        "/v1/documents/%00",
        "/v1/documents/%ED%A0%80",
        f"/v1/documents/{'x' * 3000}",
        "/v1/documents/nothing/events",
        "/v1/documents/nothing/verify",
        "/v1/documents/..%2F..%2Fetc%2Fpasswd",
        "/v1/documents/by-key?documentKey=nothing",
        "/v1/number-series/nothing",
        "/v1/number-series/%00",
        "/v1/number-series/%00/numbers",
        "/v1/audit/streams/order/nothing",
        "/v1/audit/streams/order/%00",
        "/v1/audit/streams/nothing/x",
        "/v1/audit/streams/%00/x",
    ],
)
def test_what_does_not_exist_is_not_found(house: House, path: str) -> None:
    with house.client("SUPER_ADMIN") as admin:
        problem(admin.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents?issuedFrom=0001-01-01T00:00:00%2B14:00",
        "/v1/documents?issuedTo=9999-12-31T23:59:59-14:00",
        "/v1/documents?issuedFrom=2026-03-14&issuedTo=2026-03-14",
        "/v1/documents?q=%25_%5C%27",
        "/v1/documents?q=%20",
        "/v1/documents?q=%ED%A0%80",
        "/v1/documents?unheardOf=1",
        "/v1/documents?limit=1&limit=2",
        "/v1/audit/events?from=0001-01-01T00:00:00%2B14:00&limit=1",
        "/v1/audit/events?stream=nothing/x",
        "/v1/audit/events?type=nothing",
    ],
)
def test_odd_but_lawful_parameters_are_answered(house: House, path: str) -> None:
    with house.client("SUPER_ADMIN") as admin:
        assert admin.get(path).status_code == 200


@pytest.mark.parametrize("position", ["-1", "1.5", "x", "", str(2**63)])
def test_a_minimum_position_is_a_position(house: House, position: str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get("/v1/documents", headers={"X-Min-Position": position})
    assert "X-Min-Position" in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/documents", "/v1/audit/events"])
def test_a_minimum_position_that_is_not_reached_is_503_after_five_seconds(house: House, path: str) -> None:
    started = time.monotonic()
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(path, headers={"X-Min-Position": str(2**62)})
    problem(answer, 503, "PROJECTION_BEHIND")
    assert time.monotonic() - started >= 4.9, "it was given the time to be reached"


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve", "a\tb"])
@pytest.mark.parametrize(
    "path", ["/v1/inbound/events", "/v1/number-series", "/v1/documents/{id}/download-token"]
)
def test_an_idempotency_key_is_1_to_255_printable_characters(
    house: House, document_id: str, path: str, key: str
) -> None:
    body = {"countryCode": "GB", "issuerEntityId": "bad-key", "docType": "RECEIPT"}
    headers = {"Idempotency-Key": key.encode("utf-8"), "Content-Type": "application/json"}
    content = b"{}" if path.endswith("token") else json.dumps(body)
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.post(path.format(id=document_id), content=content, headers=headers)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"Idempotency-Key"}
