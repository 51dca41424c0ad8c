"""What every error answer of the service must look like (contract §2)."""

import re
from typing import Any

import httpx

NAMES = {
    "type",
    "title",
    "status",
    "detail",
    "code",
    "errorCode",
    "message",
    "reasonCode",
    "correlationId",
    "fieldErrors",
    "missingFields",
    "issuanceBlockers",
}
INNARDS = re.compile(
    r"Traceback|\.py\b|psycopg|litestar|pydantic|SELECT |INSERT |ledger\.event|readmodel|/tmp/|site-packages"
)
PERSONAL = ("Marigold", "Tansy", "Gannet", "Ropeworks", "YO21", "marigold@example.org")


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The envelope of an error answer, after asserting that it is whole and tells nothing it should not."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    check_envelope(body, status, code)
    assert body["correlationId"] == answer.headers["x-correlation-id"]
    assert answer.headers["traceparent"].split("-")[1] == body["correlationId"]
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return body


def check_envelope(body: dict[str, Any], status: int, code: str) -> None:
    """Asserts the shape of an envelope, at the top of an answer or inside one."""
    assert set(body) == NAMES
    assert (body["status"], body["code"], body["errorCode"]) == (status, code, code)
    assert body["type"] and body["title"] and body["detail"] and body["message"]
    assert re.fullmatch(r"[0-9a-f]{32}", body["correlationId"])
    for name in ("fieldErrors", "missingFields", "issuanceBlockers"):
        assert isinstance(body[name], list)
    for found in body["fieldErrors"]:
        assert set(found) == {"field", "code", "message"}
        assert all(isinstance(value, str) and value for value in found.values())
    text = str(body)
    assert not INNARDS.search(text), text
    assert not any(personal in text for personal in PERSONAL), text


def fields_of(body: dict[str, Any]) -> set[str]:
    """The fields that an envelope names."""
    return {found["field"] for found in body["fieldErrors"]}
