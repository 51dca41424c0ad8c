"""Artifacts of invoices over HTTP (BILL-DEC-005): lists, one-time tokens, and contents for them."""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest

from application.ports import ArtifactClaims
from infrastructure.download_tokens import MacArtifactTokens
from infrastructure.keys.store import KeyStore
from tests.support.artifact_facts import SIGNATURE, an_artifact, by_value
from tests.support.decisions import decision, rule
from tests.support.house import House, all_items
from tests.support.problems import fields_of, problem
from tests.support.work_orders import a_work_order, account_updated, an_account, work_order_ready

MOUNTS = ("/v1/billing", "/billing")
DOWNLOAD = "/v1/billing/artifacts/download"


@dataclass(frozen=True)
class Shop:
    """An invoice with three artifacts: one by value, one by address, one without either."""

    account_id: str
    invoice_id: str
    by_value: str
    by_address: str
    bare: str


def told(house: House, *refs: dict[str, Any], account_id: str | None = None) -> tuple[str, str]:
    """An account and the draft of a work order of it with these artifacts: their ids."""
    account = an_account(account_id)
    assert house.post(account_updated(account)).status_code == 200
    order = a_work_order(account["customerAccountId"], artifactRefs=list(refs))
    answer = house.post(work_order_ready(order))
    assert answer.status_code == 200, answer.text
    with house.client("SERVICE_ADVISOR") as advisor:
        drafted = advisor.post("/v1/billing/invoices/draft", json={"workOrderId": order["workOrderId"]})
    assert drafted.status_code == 201, drafted.text
    return account["customerAccountId"], drafted.json()["invoiceId"]


@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    ids = [f"{name}-{uuid4()}" for name in ("signature", "photo", "estimate")]
    uri = "https://files.workexec.example/approvals/1?sig=SECRET-IN-ADDRESS"
    account_id, invoice_id = told(
        house,
        by_value(ids[0], displayName='Firma "Ñandú"\n2026.png'),
        an_artifact(ids[1], uri=uri),
        an_artifact(ids[2]),
    )
    return Shop(account_id, invoice_id, *ids)


def advisor_of(house: House, *account_ids: str, **claims: Any) -> httpx.Client:
    """Somebody who may list and download, bound to accounts where any are given."""
    bound = {"account_ids": account_ids} if account_ids else {}
    return house.client("SERVICE_ADVISOR", **bound, **claims)


def a_token(house: House, artifact_ref_id: str, **claims: Any) -> str:
    """A fresh token."""
    with advisor_of(house, **claims) as advisor:
        answer = advisor.post(f"/v1/billing/artifacts/{artifact_ref_id}/download-token", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["downloadToken"])


def download(house: House, token: str, **headers: str) -> httpx.Response:
    """What the token gives somebody without a bearer token, as a browser is."""
    with house.client() as anybody:
        return anybody.get(DOWNLOAD, params={"token": token}, headers=headers)


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-005", "An invoice's artifacts are listed with type, time, name, content type, size")
def test_the_list_tells_what_there_is_and_what_can_be_had(house: House, shop: Shop, mount: str) -> None:
    with advisor_of(house) as advisor:
        answer = advisor.get(f"{mount}/invoices/{shop.invoice_id}/artifacts")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    first, second, third = answer.json()["artifacts"]
    assert first == {
        "artifactRefId": shop.by_value,
        "type": "APPROVAL_SIGNATURE",
        "createdAt": "2026-03-14T11:00:00.000000Z",
        "displayName": 'Firma "Ñandú"\n2026.png',
        "contentType": "image/png",
        "sizeBytes": len(SIGNATURE),
        "sha256": sha256(SIGNATURE).hexdigest(),
        "available": True,
    }
    assert (second["available"], second["unavailableReason"]) == (False, "SOURCE_NOT_ALLOWED")
    assert (third["available"], third["unavailableReason"]) == (False, "NO_CONTENT")
    assert "SECRET-IN-ADDRESS" not in answer.text


@decision("BILL-DEC-005", "Signed URLs come on request to who may download, and are short-lived")
def test_links_come_only_when_asked_for_and_permitted_and_for_what_can_be_had(
    house: House, shop: Shop
) -> None:
    path = f"/v1/billing/invoices/{shop.invoice_id}/artifacts"
    asked = {"includeSignedUrls": "true"}
    with advisor_of(house) as advisor, house.client(permissions=["billing:artifact:list"]) as lister:
        unasked = advisor.get(path).json()["artifacts"]
        linked = advisor.get(path, params=asked).json()["artifacts"]
        unpermitted = lister.get(path, params=asked).json()["artifacts"]
    assert not any("signedUrl" in item for item in (*unasked, *unpermitted, *linked[1:]))
    lifetime = datetime.fromisoformat(linked[0]["expiresAt"]) - datetime.now(UTC)
    assert timedelta(0) < lifetime <= timedelta(minutes=5)
    with house.client() as anybody:
        assert anybody.get(linked[0]["signedUrl"]).content == SIGNATURE
        problem(anybody.get(linked[0]["signedUrl"]), 403, "DOWNLOAD_TOKEN_INVALID")


@pytest.mark.parametrize("mount", MOUNTS)
@decision("BILL-DEC-005", "A token is asked for, and the content is had for it, once")
def test_a_token_gives_the_bytes_that_came_once(house: House, shop: Shop, mount: str) -> None:
    with advisor_of(house) as advisor:
        made = advisor.post(f"{mount}/artifacts/{shop.by_value}/download-token")
    assert made.status_code == 201 and "no-store" in made.headers["cache-control"]
    assert set(made.json()) == {"downloadToken", "expiresAt", "url"}
    with house.client() as anybody:
        token = made.json()["downloadToken"]
        answer = anybody.get(f"{mount}/artifacts/download", params={"token": token})
        again = anybody.get(made.json()["url"])
    assert answer.status_code == 200 and answer.content == SIGNATURE
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-sha256"] == sha256(SIGNATURE).hexdigest()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Firma __and__ 2026.png"; '
        "filename*=UTF-8''Firma%20%22%C3%91and%C3%BA%22%202026.png"
    )
    assert problem(again, 403, "DOWNLOAD_TOKEN_INVALID")["reasonCode"] == "USED"


@decision("BILL-DEC-005", "Of many uses of a token at once one gets the bytes")
def test_of_fifty_uses_at_once_one_gets_the_bytes(house: House, shop: Shop) -> None:
    token = a_token(house, shop.by_value)
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: download(house, token), range(50)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 403: 49}
    house.catch_up()
    traces = {answer.headers["x-correlation-id"] for answer in answers}
    with house.client("AUDITOR") as auditor:
        found = all_items(auditor, "/v1/audit/events", type="document-access.artifact-downloaded")
    assert sum(event["correlationId"] in traces for event in found) == 1


@rule("AUDIT-9")
@decision("BILL-DEC-005", "Each download is on record: who, what, from where")
def test_a_download_is_told_to_auditors_with_its_origin(house: House) -> None:
    _, invoice_id = told(house, by_value(ref := f"told-{uuid4()}"))
    answer = download(house, a_token(house, ref, sub="mari"), **{"User-Agent": "Mari's telephone"})
    with house.database() as connection:
        row = connection.execute(
            "SELECT actor, role, operation, convert_from(state, 'UTF8') FROM ledger.event"
            " WHERE position = %s",
            (int(answer.headers["x-ledger-position"]),),
        ).fetchone()
    assert row is not None
    assert row[:3] == ("mari", "SERVICE_ADVISOR", "artifacts.download")
    assert "telephone" not in row[3] and "127.0.0.1" not in row[3], "the origin is sealed"
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        found = auditor.get("/v1/audit/events", params={"type": "document-access.artifact-downloaded"})
    (mine,) = [event["data"] for event in found.json()["items"] if event["data"]["invoiceId"] == invoice_id]
    assert (mine["ip"], mine["device"], mine["caller"]) == ("127.0.0.1", "Mari's telephone", "mari")
    assert (mine["artifactRefId"], mine["sha256"]) == (ref, sha256(SIGNATURE).hexdigest())


@decision("BILL-DEC-005", "A token is its caller's")
def test_who_sends_a_bearer_token_too_must_be_the_one_the_token_was_made_for(
    house: House, shop: Shop
) -> None:
    token = a_token(house, shop.by_value, sub="mari")
    other = {"Authorization": f"Bearer {house.token('SUPER_ADMIN', sub='root')}"}
    refused = problem(download(house, token, **other), 403, "DOWNLOAD_TOKEN_INVALID")
    assert refused["reasonCode"] == "OTHER_CALLER"
    problem(download(house, token, Authorization="Bearer forged"), 401, "UNAUTHENTICATED")
    own = {"Authorization": f"Bearer {house.token('SERVICE_ADVISOR', sub='mari')}"}
    assert download(house, token, **own).content == SIGNATURE, "refused uses leave it unused"


def _claims(shop: Shop, **changes: Any) -> ArtifactClaims:
    later = datetime.now(UTC) + timedelta(minutes=1)
    fields = {"invoice_id": shop.invoice_id, "artifact_ref_id": shop.by_value, "token_id": str(uuid4())}
    who = {"caller": "mari", "role": "SERVICE_ADVISOR", "tenant": "default", "expires_at": later}
    return ArtifactClaims(**{**fields, **who, **changes})


def _issued(house: House, claims: ArtifactClaims, key: bytes | None = None) -> str:
    own = KeyStore(house.data_dir / "keys").derive(b"artifact-token")
    return MacArtifactTokens(key or own, lambda: datetime.now(UTC)).issue(claims)


def _altered(house: House, shop: Shop) -> str:
    head, claims, signature = _issued(house, _claims(shop)).split(".")
    content = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    other = content.replace("mari", "root").encode()
    return f"{head}.{base64.urlsafe_b64encode(other).rstrip(b'=').decode()}.{signature}"


def _of_a_document(house: House, shop: Shop) -> str:
    own = KeyStore(house.data_dir / "keys").derive(b"download-token")
    return _issued(house, _claims(shop), own)


BAD_TOKENS: dict[str, Callable[[House, Shop], str]] = {
    "expired": lambda house, shop: _issued(house, _claims(shop, expires_at=datetime.now(UTC))),
    "by another key": lambda house, shop: _issued(house, _claims(shop), b"k" * 32),
    "by the key of documents": _of_a_document,
    "altered": _altered,
    "garbage": lambda *_: "garbage",
    "a bearer token": lambda house, _: house.token("SUPER_ADMIN"),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
@decision("BILL-DEC-005", "A token that expired, was altered or is of another kind gives nothing")
def test_a_token_that_does_not_hold_hands_nothing_out(house: House, shop: Shop, kind: str) -> None:
    before = house.catch_up()
    problem(download(house, BAD_TOKENS[kind](house, shop)), 403, "DOWNLOAD_TOKEN_INVALID")
    assert house.catch_up() == before, "nothing was recorded"


def test_what_cannot_be_had_gets_no_token(house: House, shop: Shop) -> None:
    reasons = {shop.by_address: "SOURCE_NOT_ALLOWED", shop.bare: "NO_CONTENT", "nobody-knows": None}
    with advisor_of(house) as advisor:
        for ref, reason in reasons.items():
            answer = advisor.post(f"/v1/billing/artifacts/{ref}/download-token", json={})
            assert problem(answer, 404, "NOT_FOUND")["reasonCode"] == reason


@decision("BILL-DEC-005", "Artifacts are reached by who reaches their invoice's account")
def test_a_token_bound_to_accounts_reaches_only_theirs(house: House, shop: Shop) -> None:
    path = f"/v1/billing/invoices/{shop.invoice_id}/artifacts"
    for_token = f"/v1/billing/artifacts/{shop.by_value}/download-token"
    with advisor_of(house, shop.account_id) as own, advisor_of(house, str(uuid4())) as other:
        assert own.get(path).status_code == 200
        assert own.post(for_token, json={}).status_code == 201
        problem(other.get(path), 404, "NOT_FOUND")
        problem(other.post(for_token, json={}), 404, "NOT_FOUND")
        problem(other.post(for_token, json={"invoiceId": shop.invoice_id}), 404, "NOT_FOUND")


def test_each_of_two_invoices_with_one_artifact_id_has_its_own(house: House) -> None:
    ref = f"twice {uuid4()}"
    first_account, first = told(house, by_value(ref, b"first"))
    _, second = told(house, by_value(ref, b"second"))
    house.catch_up()
    path = f"/v1/billing/artifacts/{ref}/download-token"
    with advisor_of(house) as everybody, advisor_of(house, first_account) as bound, house.client() as anybody:
        for client, asked, content in (
            (everybody, {}, b"second"),
            (everybody, {"invoiceId": first}, b"first"),
            (everybody, {"invoiceId": second}, b"second"),
            (bound, {}, b"first"),
        ):
            made = client.post(path, json=asked)
            assert made.status_code == 201, made.text
            assert anybody.get(made.json()["url"]).content == content


@pytest.mark.parametrize(
    ("permission", "listed", "token"),
    [
        ("billing:artifact:list", 200, 403),
        ("billing:artifact:download", 403, 201),
        ("billing:invoice:view", 403, 403),
    ],
)
@decision("BILL-DEC-008", "Listing artifacts and downloading them are two permissions")
def test_each_permission_permits_its_own(
    house: House, shop: Shop, permission: str, listed: int, token: int
) -> None:
    with house.client(permissions=[permission]) as client:
        assert client.get(f"/v1/billing/invoices/{shop.invoice_id}/artifacts").status_code == listed
        path = f"/v1/billing/artifacts/{shop.by_value}/download-token"
        assert client.post(path, json={}).status_code == token


def test_a_repeated_key_gets_a_fresh_token(house: House, shop: Shop) -> None:
    with advisor_of(house) as advisor:
        path, headers = f"/v1/billing/artifacts/{shop.by_value}/download-token", {"Idempotency-Key": "again"}
        one, two = (advisor.post(path, json={}, headers=headers).json() for _ in range(2))
    assert one["downloadToken"] != two["downloadToken"]
    assert download(house, one["downloadToken"]).content == SIGNATURE
    assert download(house, two["downloadToken"]).content == SIGNATURE


def test_the_same_event_again_is_a_duplicate_and_its_content_is_kept_once(house: House) -> None:
    account = an_account()
    house.post(account_updated(account))
    order = a_work_order(account["customerAccountId"], artifactRefs=[by_value(f"again-{uuid4()}")])
    event = work_order_ready(order)
    outcomes = [house.post(sent).json()["results"][0]["outcome"] for sent in (event, event)]
    outcomes.append(house.post(work_order_ready(order)).json()["results"][0]["outcome"])
    assert outcomes == ["ACCEPTED", "DUPLICATE", "DUPLICATE"]
    event["data"]["artifactRefs"][0] = by_value(order["artifactRefs"][0]["artifactRefId"], b"another")
    problem(house.post(event), 409, "EVENT_CONFLICT")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contentBase64": "not base64!"}, "contentBase64"),
        ({"contentBase64": 7}, "contentBase64"),
        ({"sizeBytes": 1}, "sizeBytes"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"uri": "https://files.workexec.example/1"}, "uri"),
    ],
)
def test_a_content_that_its_reference_does_not_describe_is_refused_by_name(
    house: House, changes: dict[str, Any], field: str
) -> None:
    order = a_work_order(str(uuid4()), artifactRefs=[by_value(**changes)])
    answer = house.post(work_order_ready(order))
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {f"data.artifactRefs.0.{field}"}


@rule("PII-6")
@decision("BILL-DEC-005", "Signed URLs and tokens are never logged")
@decision("BILL-DEC-015", "Logs hold no signed URL and no token")
def test_contents_addresses_and_tokens_stand_in_no_log_event_or_answer(house: House) -> None:
    content = b"a signature that nobody else has " + uuid4().bytes
    sent = base64.b64encode(content).decode()
    secret = f"sig={uuid4().hex}"
    ref, elsewhere = f"secret-{uuid4()}", f"elsewhere-{uuid4()}"
    address = f"https://files.workexec.example/a?{secret}"
    _, invoice_id = told(house, by_value(ref, content), an_artifact(elsewhere, uri=address))
    token = a_token(house, ref)
    assert download(house, token).content == content
    download(house, token)
    with house.client("SUPER_ADMIN") as admin:
        detail = admin.get(f"/v1/billing/invoices/{invoice_id}")
        linked = admin.get(
            f"/v1/billing/invoices/{invoice_id}/artifacts", params={"includeSignedUrls": "true"}
        )
    assert sent not in detail.text and secret not in detail.text and secret not in linked.text
    signed = linked.json()["artifacts"][0]["signedUrl"].partition("token=")[2]
    log = house.log_path.read_text()
    for text in (sent, sent[8:40], secret, token, token[-43:], signed[-43:]):
        assert text not in log
    with house.database() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('ledger', 'readmodel')"
        ).fetchall()
        for (table,) in tables:
            rows = str(connection.execute(f"SELECT t::text FROM {table} t").fetchall())
            for text in (sent, content.hex(), sent.encode().hex(), token[-43:], token[-43:].encode().hex()):
                assert text not in rows, table
    assert content not in b"".join(path.read_bytes() for path in _files(house))


def _files(house: House) -> list[Any]:
    vault = house.data_dir / "vault" / "objects"
    return [path for path in vault.rglob("*") if path.is_file()]


def test_a_use_is_logged_without_its_token(house: House, shop: Shop) -> None:
    trace = uuid4().hex
    download(house, a_token(house, shop.by_value), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    mine = house.logged(trace)
    assert (mine["route"], mine["status"]) == (DOWNLOAD, 200)
    assert not re.search("token=", json.dumps(mine))
