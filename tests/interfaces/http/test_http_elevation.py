"""Approvals over HTTP, at both mounts: tokens, refusals, credentials; and that no secret is left anywhere."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.decisions import rule
from tests.support.house import House
from tests.support.problems import fields_of, problem

MOUNTS = ("/v1/billing", "/billing")
PIN = "7355196208"
VOID = {"purpose": "INVOICE_VOID", "targetId": "invoice-7"}
MANAGER = ["billing:auth:elevate", "billing:invoice:void"]


@pytest.fixture(scope="module")
def root(house: House) -> Iterator[httpx.Client]:
    with house.client("SUPER_ADMIN", sub="root") as client:
        yield client


@pytest.fixture
def ana(house: House) -> Iterator[httpx.Client]:
    """Somebody who may ask, as anybody may: of a name of their own, so that no test tires out another's."""
    with house.client(sub=f"ana-{uuid4()}") as client:
        yield client


@pytest.fixture
def maria(root: httpx.Client) -> str:
    """The username of a manager with a PIN."""
    name = f"maria-{uuid4()}"
    answer = _set(root, name, pin=PIN)
    assert answer.status_code == 201, answer.text
    return name


def _set(client: httpx.Client, username: str, mount: str = "/v1/billing", **body: Any) -> httpx.Response:
    return client.post(
        f"{mount}/auth/credentials", json={"username": username, "permissions": MANAGER, **body}
    )


def _ask(
    client: httpx.Client, mount: str = "/v1/billing", headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    return client.post(f"{mount}/auth/elevate", json={**VOID, **body}, headers=headers)


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_pin_gives_a_token_for_five_minutes(ana: httpx.Client, maria: str, mount: str) -> None:
    answer = _ask(ana, mount, username=maria, pin=PIN)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert set(body) == {"elevationToken", "expiresAt"}
    lifetime = datetime.fromisoformat(body["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < lifetime <= timedelta(minutes=5)
    assert "no-store" in answer.headers["cache-control"]
    assert int(answer.headers["x-ledger-position"]) > 0


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_credential_is_set_and_set_again(root: httpx.Client, ana: httpx.Client, mount: str) -> None:
    name = f"zoe-{uuid4()}"
    first = _set(root, name, mount, pin=PIN)
    assert first.status_code == 201
    body = first.json()
    assert set(body) == {"credentialId", "kind", "permissions"}
    assert (body["kind"], body["permissions"]) == ("PIN", MANAGER)
    assert name not in first.text and PIN not in first.text
    again = _set(root, name, mount, password="correct horse")
    assert (again.status_code, again.json()["kind"]) == (200, "PASSWORD")
    assert again.json()["credentialId"] == body["credentialId"]
    problem(_ask(ana, mount, username=name, pin=PIN), 401, "ELEVATION_REFUSED")
    assert _ask(ana, mount, username=name, password="correct horse").status_code == 201


def test_setting_a_credential_is_repeated_by_its_key(root: httpx.Client) -> None:
    name, headers = f"kim-{uuid4()}", {"Idempotency-Key": str(uuid4())}
    body = {"username": name, "pin": PIN, "permissions": MANAGER}
    first, again = (root.post("/v1/billing/auth/credentials", json=body, headers=headers) for _ in "12")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content and again.headers["idempotent-replayed"] == "true"
    other = root.post("/v1/billing/auth/credentials", json={**body, "pin": "4711"}, headers=headers)
    problem(other, 422, "IDEMPOTENCY_KEY_REUSED")


def test_only_who_may_manage_credentials_sets_one(house: House) -> None:
    for role in ("FINANCE_ADMIN", "BILLING_MANAGER", "SYSTEM"):
        with house.client(role) as client:
            problem(_set(client, "eve", pin=PIN), 403, "PERMISSION_DENIED")


def test_a_repeated_key_mints_a_token_anew(ana: httpx.Client, maria: str) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = (_ask(ana, headers=headers, username=maria, pin=PIN) for _ in "12")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["elevationToken"] != again.json()["elevationToken"]
    assert "idempotent-replayed" not in again.headers


@pytest.mark.parametrize("mount", MOUNTS)
def test_every_refusal_reads_the_same(
    house: House, root: httpx.Client, ana: httpx.Client, maria: str, mount: str
) -> None:
    stale = house.token("BILLING_MANAGER", sub="olga", amr=("pwd",), auth_time=_ago(6))
    refusals = [
        _ask(ana, mount, username=maria, pin="000000"),
        _ask(ana, mount, username=f"nobody-{uuid4()}", pin=PIN),
        _ask(ana, mount, username=maria, password=PIN),
        _ask(ana, mount, username=maria, pin=PIN, purpose="REPRINT"),
        _ask(ana, mount, stepUpToken=stale),
        _ask(ana, mount, stepUpToken="garbage"),
        _ask(ana, mount),
    ]
    bodies = [problem(answer, 401, "ELEVATION_REFUSED") for answer in refusals]
    for body in bodies:
        del body["correlationId"]
    assert all(body == bodies[0] for body in bodies)


def _ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def test_five_failures_lock_however_many_come_at_once(house: House, maria: str) -> None:
    with house.client(sub=f"ana-{uuid4()}") as ana, ThreadPoolExecutor(8) as pool:
        guesses = list(pool.map(lambda _: _ask(ana, username=maria, pin="000000"), range(8)))
        assert {answer.status_code for answer in guesses} == {401}
        problem(_ask(ana, username=maria, pin=PIN), 401, "ELEVATION_REFUSED")
    with house.client("AUDITOR") as auditor:
        events = auditor.get(
            "/v1/audit/events", params={"type": "credential.elevation-refused", "order": "desc", "limit": 9}
        ).json()["items"]
    reasons = [event["data"]["reason"] for event in events]
    assert reasons == ["LOCKED"] * 4 + ["WRONG_SECRET"] * 5


def test_a_fresh_step_up_approves_as_a_token_of_its_own_and_as_the_bearer(
    house: House, ana: httpx.Client
) -> None:
    olga = house.token("BILLING_MANAGER", sub="olga", amr=("pwd", "otp"), auth_time=_ago(1))
    assert _ask(ana, stepUpToken=olga).status_code == 201
    with house.client("BILLING_MANAGER", sub="olga", amr=("pin",), auth_time=_ago(1)) as herself:
        assert _ask(herself).status_code == 201


def test_who_is_unknown_to_the_service_asks_for_nothing(house: House, maria: str) -> None:
    with house.client() as nobody:
        problem(_ask(nobody, username=maria, pin=PIN), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "maria"}, "pin"),
        ({"pin": PIN}, "username"),
        ({"username": "maria", "pin": PIN, "password": PIN}, "pin"),
        ({"username": "maria", "pin": PIN, "stepUpToken": "x"}, "stepUpToken"),
        ({"username": "maria", "pin": 735519}, "pin"),
        ({"username": "maria", "pin": "x" * 129}, "pin"),
        ({"username": "", "pin": PIN}, "username"),
        ({"username": "a\x00b", "pin": PIN}, "username"),
        ({"purpose": "ANYTHING"}, "purpose"),
        ({"targetId": "x" * 65}, "targetId"),
        ({"code": PIN}, "code"),
    ],
)
def test_a_malformed_request_is_told_where_and_not_quoted(
    ana: httpx.Client, body: dict[str, Any], field: str
) -> None:
    answer = _ask(ana, **body)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}
    assert PIN not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "pin"),
        ({"pin": "123"}, "pin"),
        ({"pin": "12345678901234"}, "pin"),
        ({"password": "too short"}, "password"),
        ({"pin": PIN, "permissions": ["billing:everything"]}, "permissions"),
        ({"pin": PIN, "permissions": "billing:auth:elevate"}, "permissions"),
    ],
)
def test_a_weak_secret_or_an_unknown_permission_is_refused(
    root: httpx.Client, body: dict[str, Any], field: str
) -> None:
    answer = _set(root, "weak", **body)
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {field}


@rule("PII-10")
def test_no_secret_token_or_hash_reaches_answers_logs_audit_or_database_and_no_name_the_database(
    house: House, root: httpx.Client
) -> None:
    mark = uuid4().hex
    maria, pin, wrong, password = f"maria-{mark}", "918273645501", "918273645502", f"horse {mark}"
    olga = house.token("BILLING_MANAGER", sub="olga", amr=("pwd",), auth_time=_ago(1))
    person = _set(root, maria, pin=pin).json()["credentialId"]
    with house.client(sub=f"ana-{mark}") as ana:
        problem(_ask(ana, username=maria, pin=wrong), 401, "ELEVATION_REFUSED")
        problem(_ask(ana, username=f"typed-{mark}", password=password), 401, "ELEVATION_REFUSED")
        tokens = [
            _ask(ana, username=maria, pin=pin).json()["elevationToken"],
            _ask(ana, stepUpToken=olga).json()["elevationToken"],
        ]
    assert _set(root, maria, password=password).status_code == 200
    secrets = [pin, wrong, password, f"typed-{mark}", olga, *tokens, "argon2", *(t[-43:] for t in tokens)]
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        stream = auditor.get(f"/v1/audit/streams/credential/{person}")
        events = auditor.get("/v1/audit/events", params={"order": "desc", "limit": 50})
    assert [event["type"].partition(".")[2] for event in stream.json()["events"]] == [
        "added",
        "elevation-refused",
        "elevation-granted",
        "changed",
    ]
    assert maria in stream.text
    log, stored = house.log_path.read_text(), _everything_stored(house)
    for secret in secrets:
        for place in (stream.text, events.text, log, stored):
            assert secret not in place
    for name in (maria, f"typed-{mark}"):
        assert name not in log and name not in stored
    assert person in stored, "the search looks at the right place"


@pytest.mark.slow
def test_an_erased_name_is_gone_for_auditors_and_its_pin_serves_no_more(
    house: House, root: httpx.Client, ana: httpx.Client, maria: str
) -> None:
    person = _set(root, maria, pin=PIN).json()["credentialId"]
    house.catch_up()
    command = [
        "-m",
        "interfaces.cli.main",
        "keys",
        "erase",
        f"user:{person}",
        "--by",
        "dpo",
        "--reason",
        "r-1",
    ]
    assert house.spawn(command, house.port).wait(60) == 0
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        stream = auditor.get(f"/v1/audit/streams/credential/{person}")
    assert maria not in stream.text
    assert [event["type"] for event in stream.json()["events"]][-1] == "credential.personal-data-erased"
    problem(_ask(ana, username=maria, pin=PIN), 401, "ELEVATION_REFUSED")


def _everything_stored(house: House) -> str:
    """Every column of every table, as text and with what is bytes decoded."""
    parts = []
    with house.database() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_schema IN ('ledger', 'readmodel') AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                parts += [
                    bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    for value in row
                ]
    return "\n".join(parts)
