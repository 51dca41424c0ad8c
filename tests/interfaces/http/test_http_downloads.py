"""Download tokens stand for one sealed file for a few minutes; each hand-over is told to auditors."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from application.ports import DownloadClaims
from infrastructure.download_tokens import MacDownloadTokens
from infrastructure.keys.store import KeyStore
from tests.support.decisions import rule
from tests.support.house import House, all_items, paid
from tests.support.problems import problem


@pytest.fixture(scope="module")
def document_id(house: House) -> str:
    return str(house.issued(paid("downloads"))["documentId"])


def _token(house: House, document_id: str, **body: str) -> str:
    with house.client("BUYER", buyer_id="buyer-17", sub="mari") as buyer:
        answer = buyer.post(f"/v1/documents/{document_id}/download-token", json=body)
    assert answer.status_code == 201
    return str(answer.json()["downloadToken"])


@pytest.mark.parametrize(
    ("file_format", "media_type", "sealed_as"),
    [("PDF", "application/pdf", "sha256Pdf"), ("JSON", "application/json", "sha256Json")],
)
def test_the_bytes_are_the_sealed_bytes(
    house: House, document_id: str, file_format: str, media_type: str, sealed_as: str
) -> None:
    with house.client("AUDITOR") as auditor:
        detail = auditor.get(f"/v1/documents/{document_id}").json()
    with house.client() as anybody:
        token = _token(house, document_id, format=file_format)
        answer = anybody.get("/v1/documents/download", params={"token": token})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert sha256(answer.content).hexdigest() == detail["seal"][sealed_as]
    assert answer.headers["x-content-sha256"] == detail["seal"][sealed_as]
    assert f'filename="{detail["number"]}.{file_format.lower()}"' in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    if file_format == "PDF":
        assert answer.content.startswith(b"%PDF-") and detail["hashSha256"] == detail["seal"]["sha256Pdf"]
    else:
        assert json.loads(answer.content)["documentId"] == document_id


def test_the_answer_of_a_token_names_its_end_and_a_link_that_works(house: House, document_id: str) -> None:
    with house.client("BUYER", buyer_id="buyer-17") as buyer, house.client() as anybody:
        answer = buyer.post(f"/v1/documents/{document_id}/download-token", json={})
        body = answer.json()
        assert set(body) == {"downloadToken", "expiresAt", "url"}
        assert "no-store" in answer.headers["cache-control"]
        lifetime = datetime.fromisoformat(body["expiresAt"]) - datetime.now(UTC)
        assert timedelta(0) < lifetime <= timedelta(minutes=5)
        assert anybody.get(body["url"]).status_code == 200


@rule("AUDIT-9")
def test_a_download_is_told_with_its_origin_to_auditors_and_without_to_others(house: House) -> None:
    document_id = house.issued(paid("downloads-told"))["documentId"]
    token = _token(house, document_id)
    with house.client() as anybody:
        headers = {"User-Agent": "Mari's telephone"}
        answer = anybody.get("/v1/documents/download", params={"token": token}, headers=headers)
    wait = {"X-Min-Position": answer.headers["x-ledger-position"]}
    path = f"/v1/documents/{document_id}/events"
    with house.client("AUDITOR") as auditor, house.client("BUYER", buyer_id="buyer-17") as buyer:
        told = _without_deliveries(auditor.get(path, headers=wait).json()["items"])
        shown = _without_deliveries(buyer.get(path, headers=wait).json()["items"])
    assert [entry["eventType"] for entry in told] == ["ISSUED", "DOWNLOADED"]
    downloaded = told[1]
    assert (downloaded["ip"], downloaded["device"]) == ("127.0.0.1", "Mari's telephone")
    assert (downloaded["actorId"], downloaded["actorRole"]) == ("mari", "BUYER")
    assert downloaded["metadata"] == {"format": "PDF"}
    assert downloaded["position"] == int(answer.headers["x-ledger-position"])
    assert [(entry["eventType"], entry["ip"], entry["device"]) for entry in shown] == [
        ("ISSUED", None, None),
        ("DOWNLOADED", None, None),
    ]


def test_each_download_is_an_event_of_its_own(house: House) -> None:
    document_id = house.issued(paid("downloads-counted"))["documentId"]
    token = _token(house, document_id)
    with house.client() as anybody:
        for _ in range(3):
            assert anybody.get("/v1/documents/download", params={"token": token}).status_code == 200
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        entries = _without_deliveries(all_items(auditor, f"/v1/documents/{document_id}/events", limit=2))
    assert [entry["eventType"] for entry in entries] == ["ISSUED"] + ["DOWNLOADED"] * 3


def _expired(house: House, document_id: str) -> str:
    key = KeyStore(house.data_dir / "keys").derive(b"download-token")
    past = datetime.now(UTC) - timedelta(seconds=1)
    claims = DownloadClaims(document_id, "PDF", "mari", "BUYER", "default", past)
    return MacDownloadTokens(key, lambda: past).issue(claims)


def _by_another_key(house: House, document_id: str) -> str:
    later = datetime.now(UTC) + timedelta(hours=1)
    claims = DownloadClaims(document_id, "PDF", "mari", "BUYER", "default", later)
    return MacDownloadTokens(b"k" * 32, lambda: later).issue(claims)


def _unsigned(house: House, document_id: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{_token(house, document_id).split('.')[1]}."


def _for_another_document(house: House, document_id: str) -> str:
    head, claims, signature = _token(house, document_id).split(".")
    content = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    other = content.replace(document_id, "11111111-1111-5111-8111-111111111111")
    return f"{head}.{base64.urlsafe_b64encode(other.encode()).rstrip(b'=').decode()}.{signature}"


BAD_TOKENS: dict[str, Callable[[House, str], str]] = {
    "expired": _expired,
    "by another key": _by_another_key,
    "unsigned": _unsigned,
    "for another document": _for_another_document,
    "truncated": lambda house, document_id: _token(house, document_id)[:-1],
    "without its signature": lambda house, document_id: _token(house, document_id).rpartition(".")[0],
    "a bearer token": lambda house, _: house.token("SUPER_ADMIN"),
    "garbage": lambda *_: "garbage",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_token_that_does_not_hold_is_403_and_hands_nothing_out(
    house: House, document_id: str, kind: str
) -> None:
    before = house.catch_up()
    token = BAD_TOKENS[kind](house, document_id)
    with house.client() as anybody:
        problem(anybody.get("/v1/documents/download", params={"token": token}), 403, "DOWNLOAD_TOKEN_INVALID")
    assert house.catch_up() == before, "nothing was recorded"


def test_a_file_that_the_document_has_not_got_is_not_found(house: House, document_id: str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.post(f"/v1/documents/{document_id}/download-token", json={"format": "FISCAL"})
    problem(answer, 404, "NOT_FOUND")


def test_a_download_token_is_not_a_bearer_token(house: House, document_id: str) -> None:
    headers = {"Authorization": f"Bearer {_token(house, document_id)}"}
    with house.client() as anybody:
        problem(anybody.get("/v1/documents", headers=headers), 401, "UNAUTHENTICATED")


def test_neither_tokens_nor_personal_data_reach_the_logs(house: House, document_id: str) -> None:
    download_token = _token(house, document_id)
    bearer = house.token("AUDITOR")
    trace = "5af7651916cd43dd8448eb211c80319e"
    with house.client() as anybody:
        anybody.get("/v1/documents/download", params={"token": download_token})
        anybody.get(
            "/v1/documents", params={"q": "Marigold Tansy"}, headers={"Authorization": f"Bearer {bearer}"}
        )
        anybody.get("/v1/documents/Marigold", headers={"Authorization": f"Bearer {bearer}"})
        headers = {"Authorization": f"Bearer {bearer}", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        anybody.get(f"/v1/documents/{document_id}", headers=headers)
    wrong = paid("logs-wrong")
    wrong["data"]["orderPartySnapshot"]["buyer"]["type"] = "marigold@example.org"
    house.post(wrong)
    log = house.log_path.read_text()
    for secret in (
        download_token,
        download_token[-43:],
        bearer,
        bearer[-43:],
        "Marigold",
        "marigold@example.org",
        "Gannet Quay",
        "YO21",
        "Copperline",
    ):
        assert secret not in log, secret
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (mine,) = [line for line in lines if line.get("traceId") == trace]
    assert (mine["event"], mine["status"], mine["documentId"]) == ("request", 200, document_id)
    assert mine["route"] == "/v1/documents/{documentId}"


def _without_deliveries(timeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A link goes to the buyer's e-mail address too, at whatever moment."""
    return [entry for entry in timeline if not entry["eventType"].startswith("DELIVER")]
