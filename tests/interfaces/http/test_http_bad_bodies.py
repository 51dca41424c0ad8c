"""Malformed bodies are refused with the field named; extra fields of facts are kept, of commands refused."""

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.decisions import decision, rule
from tests.support.house import BATCH_OF_EVENTS, ONE_EVENT, House, paid
from tests.support.problems import check_envelope, fields_of, problem

TWENTY_MEGABYTES = b'{"a":"' + b"a" * 20_000_000 + b'"}'
SERIES = {"countryCode": "GB", "issuerEntityId": "bad-bodies", "docType": "RECEIPT"}

MONEY = (
    ("orderFinancialSnapshot", "buyerTotal"),
    ("orderFinancialSnapshot", "opsFee"),
    ("orderFinancialSnapshot", "lines", 0, "amount"),
    ("orderFinancialSnapshot", "sellerFees", 0, "amount"),
    ("orderFinancialSnapshot", "taxes", 0, "baseAmount"),
)
NOT_MONEY = (
    "1.5",
    "100.0",
    "1e2",
    '"100"',
    "true",
    "null",
    "[]",
    str(2**53),
    str(-(2**53)),
    "NaN",
    "Infinity",
)


def _post(house: House, content: Any, media_type: str = ONE_EVENT, **headers: str) -> httpx.Response:
    with house.client("SYSTEM") as system:
        return system.post(
            "/v1/inbound/events", content=content, headers={"Content-Type": media_type, **headers}
        )


def _changed(event: dict[str, Any], path: tuple[str | int, ...], raw: str) -> bytes:
    """The event's JSON with the raw text in place of one value, spelled as no encoder would."""
    changed = copy.deepcopy(event)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = "THE-RAW-VALUE"
    return json.dumps(changed).replace('"THE-RAW-VALUE"', raw).encode()


@rule("IDEM-28")
@decision("S2", "Money is a whole number of minor units, and nothing else is taken for it")
@pytest.mark.parametrize("raw", NOT_MONEY)
@pytest.mark.parametrize("path", MONEY, ids=lambda path: str(path[-1]))
def test_money_is_a_whole_number_that_json_keeps_exactly(
    house: House, path: tuple[str | int, ...], raw: str
) -> None:
    answer = _post(house, _changed(paid("bad-money"), ("data", *path), raw))
    body = problem(answer, 400, "VALIDATION_FAILED")
    expected = "body" if raw in {"NaN", "Infinity"} else ".".join(map(str, ("data", *path)))
    assert expected in fields_of(body)


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        (("specversion",), '"0.3"'),
        (("specversion",), "1.0"),
        (("id",), '""'),
        (("id",), f'"{"x" * 256}"'),
        (("id",), '"a\\u0000b"'),
        (("id",), "5"),
        (("source",), '""'),
        (("source",), "null"),
        (("type",), '"orders.UNHEARD_OF"'),
        (("type",), "null"),
        (("data",), "null"),
        (("data",), "[]"),
        (("data",), '"text"'),
        (("data", "orderId"), '""'),
        (("data", "orderId"), f'"{"x" * 65}"'),
        (("data", "orderId"), '"a\\u0000"'),
        (("data", "orderId"), '"a\\nb"'),
        (("data", "orderId"), "7"),
        (("data", "countryCode"), '"gb"'),
        (("data", "countryCode"), '"GBR"'),
        (("data", "orderFinancialSnapshot", "currencyUomId"), '"XQX"'),
        (("data", "orderFinancialSnapshot", "lines"), "[]"),
        (("data", "orderFinancialSnapshot", "lines", 0, "quantity"), "2"),
        (("data", "orderFinancialSnapshot", "lines", 0, "quantity"), '"1e3"'),
        (("data", "orderFinancialSnapshot", "lines", 0, "quantity"), '"-1"'),
        (("data", "orderFinancialSnapshot", "taxes", 0, "rateBasisPoints"), "20.0"),
        (("data", "orderFinancialSnapshot", "taxes", 0, "mode"), '"FREE"'),
        (("data", "orderFinancialSnapshot", "capturedAt"), '"2026-03-14"'),
        (("data", "orderFinancialSnapshot", "capturedAt"), '"2026-03-14T09:26:53"'),
        (("data", "orderFinancialSnapshot", "capturedAt"), "1773480413"),
        (("data", "orderFinancialSnapshot", "capturedAt"), '"1773480413"'),
        (("data", "orderFinancialSnapshot", "capturedAt"), '"0001-01-01T00:00:00+14:00"'),
        (("data", "orderFinancialSnapshot", "capturedAt"), '"9999-12-31T23:59:59-14:00"'),
        (("data", "orderPartySnapshot", "buyer", "type"), '"B2X"'),
        (("data", "orderPartySnapshot", "buyer", "legalName"), '"a\\u0007"'),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value[:30],
)
def test_a_malformed_field_of_a_fact_is_named(house: House, path: tuple[str | int, ...], raw: str) -> None:
    body = problem(_post(house, _changed(paid("bad-field"), path, raw)), 400, "VALIDATION_FAILED")
    assert ".".join(map(str, path)) in fields_of(body)


@pytest.mark.parametrize(
    "raw",
    ['"a\\u0000b"', '{"a\\u0000":1}', str(2**53), "[" * 60 + "]" * 60, '"\\ud800"', '"\\uffff"'],
    ids=["zero byte", "zero byte in a name", "2^53", "60 levels", "lone surrogate", "noncharacter"],
)
@pytest.mark.parametrize("path", [("extra",), ("orderPartySnapshot", "buyer", "extra")], ids=["top", "party"])
def test_an_extra_field_that_the_ledger_cannot_hold_is_refused(
    house: House, path: tuple[str, ...], raw: str
) -> None:
    problem(_post(house, _changed(paid("bad-extra"), ("data", *path), raw)), 400, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"nothing",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\x00"}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"1" * 10_000,
        b"5",
        b'"text"',
        b"null",
        b"true",
    ],
    ids=lambda content: content[:12],
)
@pytest.mark.parametrize("path", ["/v1/inbound/events", "/v1/number-series"])
def test_what_is_no_json_object_in_utf8_is_refused(house: House, path: str, content: bytes) -> None:
    media_type = ONE_EVENT if path.endswith("events") else "application/json"
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.post(path, content=content, headers={"Content-Type": media_type})
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED"))


def test_of_a_name_given_twice_the_last_value_counts_for_everything(house: House) -> None:
    once = json.dumps(paid("twice-given")).encode()
    twice = once.replace(b'"orderId": "twice-given"', b'"orderId": "other", "orderId": "twice-given"', 1)
    assert twice != once
    first = _post(house, twice).json()["results"][0]
    assert first["documents"][0]["documentKey"].startswith("twice-given:")
    assert _post(house, once).json()["results"][0]["outcome"] == "DUPLICATE"


def test_extra_fields_of_a_fact_are_kept_and_auditors_see_them(house: House) -> None:
    event = paid("extra-kept", loyaltyTier="GOLD", weight=1.25)
    event["data"]["orderPartySnapshot"]["buyer"]["nickname"] = "Mari"
    event["data"]["orderFinancialSnapshot"]["lines"][0]["colour"] = {"ral": 6011}
    house.issued(event)
    with house.client("AUDITOR") as auditor:
        stream = auditor.get("/v1/audit/streams/order/extra-kept").json()
    for order in (stream["events"][0]["data"]["order"], stream["state"]["order"]):
        assert order["loyaltyTier"] == "GOLD" and order["weight"] == 1.25
        assert order["orderPartySnapshot"]["buyer"]["nickname"] == "Mari"
        assert order["orderFinancialSnapshot"]["lines"][0]["colour"] == {"ral": 6011}


def _chunks() -> Iterator[bytes]:
    for start in range(0, len(TWENTY_MEGABYTES), 65536):
        yield TWENTY_MEGABYTES[start : start + 65536]


@pytest.mark.parametrize("path", ["/v1/inbound/events", "/v1/number-series"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_a_body_of_twenty_megabytes_is_too_large(house: House, path: str, chunked: bool) -> None:
    media_type = ONE_EVENT if path.endswith("events") else "application/json"
    content = _chunks() if chunked else TWENTY_MEGABYTES
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.post(path, content=content, headers={"Content-Type": media_type})
        problem(answer, 413, "PAYLOAD_TOO_LARGE")
        assert admin.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize(
    "path", ["/v1/inbound/events", "/v1/number-series", "/v1/documents/{id}/download-token"]
)
def test_another_media_type_is_refused(house: House, path: str, media_type: str) -> None:
    document_id = house.issued(paid("media-type"))["documentId"]
    headers = {"Content-Type": media_type} if media_type else {}
    with house.client("SUPER_ADMIN") as admin:
        answer = admin.post(path.format(id=document_id), content=b"{}", headers=headers)
    problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_compressed_body_is_refused_rather_than_misread(house: House) -> None:
    event = json.dumps(paid("compressed")).encode()
    packed = _post(house, gzip.compress(event), **{"Content-Encoding": "gzip"})
    problem(packed, 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(_post(house, event, **{"Content-Encoding": "gzip"}), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("media_type", [ONE_EVENT, "application/json", f"{ONE_EVENT}; charset=utf-8"])
def test_an_event_may_come_under_any_of_its_media_types(house: House, media_type: str) -> None:
    answer = _post(house, json.dumps(paid("media-types")), media_type)
    assert answer.json()["results"][0]["outcome"] in {"ACCEPTED", "DUPLICATE"}


def test_a_batch_is_not_sent_as_one_event_nor_one_event_as_a_batch(house: House) -> None:
    answer = _post(house, json.dumps([paid("in-no-batch")]), ONE_EVENT)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"body"}
    answer = _post(house, json.dumps(paid("in-no-batch")), BATCH_OF_EVENTS)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"body"}
    assert _post(house, json.dumps([paid("as-plain-json")]), "application/json").is_success


def test_a_batch_too_long_is_refused_whole(house: House) -> None:
    answer = _post(house, json.dumps([{}] * 1001), BATCH_OF_EVENTS)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"body"}


def test_what_is_no_object_within_a_batch_is_refused_alone(house: House) -> None:
    answer = _post(house, json.dumps([5, None, paid("in-odd-batch"), {}]), BATCH_OF_EVENTS)
    results = answer.json()["results"]
    assert [result["outcome"] for result in results] == ["REJECTED", "REJECTED", "ACCEPTED", "REJECTED"]
    for result in (results[0], results[1], results[3]):
        check_envelope(result["error"], 400, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unheardOf": 1}, "unheardOf"),
        ({"country_code": "GB"}, "country_code"),
        ({"countryCode": "gb"}, "countryCode"),
        ({"countryCode": None}, "countryCode"),
        ({"issuerEntityId": ""}, "issuerEntityId"),
        ({"issuerEntityId": "x" * 65}, "issuerEntityId"),
        ({"issuerEntityId": "a\x00"}, "issuerEntityId"),
        ({"issuerEntityId": 5}, "issuerEntityId"),
        ({"docType": "LETTER"}, "docType"),
        ({"format": {"prefix": "A", "padding": 3.0, "yearlyReset": False}}, "format.padding"),
        ({"format": {"prefix": "A", "padding": "3", "yearlyReset": False}}, "format.padding"),
        ({"format": {"prefix": "A", "padding": True, "yearlyReset": False}}, "format.padding"),
        ({"format": {"prefix": "A", "padding": 13, "yearlyReset": False}}, "format.padding"),
        ({"format": {"prefix": "A", "padding": 3, "yearlyReset": "false"}}, "format.yearlyReset"),
        ({"format": {"prefix": "a\n", "padding": 3, "yearlyReset": False}}, "format.prefix"),
        ({"format": {"prefix": "A", "padding": 3, "yearlyReset": True}}, "format"),
        ({"format": {"prefix": "A", "padding": 3, "yearlyReset": False, "colour": 1}}, "format.colour"),
        ({"format": {"prefix": "A", "padding": 3, "yearly_reset": False}}, "format.yearlyReset"),
    ],
    ids=str,
)
def test_a_malformed_or_unknown_field_of_a_new_series_is_named(
    house: House, change: dict[str, Any], field: str
) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        answer = finance.post("/v1/number-series", json={**SERIES, **change})
    assert field in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


def test_what_get_answers_of_a_series_may_be_sent_back(house: House) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        opened = finance.post("/v1/number-series", json={**SERIES, "issuerEntityId": "sent-back"})
        again = finance.post("/v1/number-series", json=opened.json())
    assert (opened.status_code, again.status_code) == (201, 200)
    assert again.json() == opened.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"unheardOf": 1}, "unheardOf"), ({"format": "DOCX"}, "format"), ({"format": 1}, "format")],
)
def test_a_malformed_or_unknown_field_of_a_download_token_is_named(
    house: House, body: dict[str, Any], field: str
) -> None:
    document_id = house.issued(paid("token-fields"))["documentId"]
    with house.client("AUDITOR") as auditor:
        answer = auditor.post(f"/v1/documents/{document_id}/download-token", json=body)
    assert field in fields_of(problem(answer, 400, "VALIDATION_FAILED"))


def test_a_fact_from_long_ago_is_kept_and_read_back(house: House) -> None:
    event = paid("long-ago")
    event["data"]["orderFinancialSnapshot"]["capturedAt"] = "0999-05-05T00:00:00Z"
    house.issued(event)
    with house.client("AUDITOR") as auditor:
        stream = auditor.get("/v1/audit/streams/order/long-ago").json()
    captured = stream["state"]["order"]["orderFinancialSnapshot"]["capturedAt"]
    assert captured.startswith("0999-05-05T00:00:00")
    house.catch_up()
