"""Every error is one envelope: unknown routes, tokens that do not hold, permissions that are missing."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import jwt
import pytest

from infrastructure.identity import LocalTokens
from infrastructure.keys.store import KeyStore
from infrastructure.settings import LOCAL_ISSUER
from tests.support.house import House
from tests.support.problems import problem

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/v1", "/v1/nothing", "/schema/nothing", "/schema/nothing.json", "/metrics/x"]
)
def test_an_unknown_route_answers_the_envelope(house: House, path: str) -> None:
    with house.client() as anybody:
        problem(anybody.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "POST", "HEAD", "FROBNICATE"])
def test_a_method_that_a_route_does_not_take_answers_405_and_what_it_takes(house: House, method: str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.request(method, "/v1/documents")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    if method == "HEAD":
        assert answer.content == b""
    else:
        problem(answer, 405, "METHOD_NOT_ALLOWED")


def test_options_tells_the_methods_without_a_body(house: House) -> None:
    with house.client() as anybody:
        answer = anybody.options("/v1/documents")
    assert answer.status_code == 204
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "OPTIONS"}
    assert answer.content == b""


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/number-series", {"GET", "POST", "OPTIONS"}),
        ("/v1/billing/rules/any", {"GET", "PUT", "OPTIONS"}),
        ("/billing/policies/issuance/any", {"GET", "PUT", "OPTIONS"}),
    ],
)
def test_options_tells_the_methods_of_every_handler_of_a_path(
    house: House, path: str, methods: set[str]
) -> None:
    with house.client() as anybody:
        answer = anybody.options(path)
        refused = anybody.delete(path)
    assert answer.status_code == 204 and answer.content == b""
    for told in (answer, refused):
        assert set(told.headers["allow"].replace(" ", "").split(",")) == methods


def _base64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _without_signature(house: House) -> str:
    claims = house.token("AUDITOR").split(".")[1]
    return f"{_base64({'alg': 'none', 'typ': 'JWT'})}.{claims}."


def _signed_with_the_public_key(house: House) -> str:
    ring = KeyStore(house.data_dir / "keys").jwt
    key_id = ring.current_id()
    pem = (house.data_dir / "keys" / "jwt" / f"{key_id}.pub.pem").read_bytes()
    claims = jwt.decode(house.token("AUDITOR"), options={"verify_signature": False})
    # The classic mix-up: the published key used as a shared secret. PyJWT refuses to make such a token.
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    content = f"{_base64({'alg': 'HS256', 'typ': 'JWT', 'kid': key_id})}.{_base64(claims)}"
    signature = base64.urlsafe_b64encode(signer.sign(content.encode(), pem)).rstrip(b"=").decode()
    return f"{content}.{signature}"


def _for_another_audience(house: House) -> str:
    tokens = LocalTokens(KeyStore(house.data_dir / "keys").jwt, LOCAL_ISSUER, "somebody-else")
    return _issued(tokens)


def _by_another_issuer(house: House) -> str:
    return _issued(LocalTokens(KeyStore(house.data_dir / "keys").jwt, "somebody-else", LOCAL_ISSUER))


def _issued(tokens: LocalTokens) -> str:
    return tokens.issue(sub="ana", now=datetime.now(UTC), ttl_seconds=600, roles=["AUDITOR"])


def _with_one_letter_changed(house: House) -> str:
    head, claims, signature = house.token("AUDITOR").split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{claims}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def _with_other_claims(house: House) -> str:
    head, claims, signature = house.token("BUYER", buyer_id="b").split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return f"{head}.{_base64({**content, 'roles': ['SUPER_ADMIN']})}.{signature}"


BAD_TOKENS: dict[str, Callable[[House], str]] = {
    "expired": lambda house: house.token("AUDITOR", ttl_seconds=-60),
    "without signature": _without_signature,
    "signed with the public key": _signed_with_the_public_key,
    "for another audience": _for_another_audience,
    "by another issuer": _by_another_issuer,
    "one letter changed": _with_one_letter_changed,
    "claims changed": _with_other_claims,
    "garbage": lambda _: "garbage",
    "dots": lambda _: "..",
    "long": lambda _: "a" * 9000,
    "json that is no object": lambda _: f"{_base64([1])}.{_base64([1])}.{_base64([1])}",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_token_that_does_not_hold_is_401(house: House, kind: str) -> None:
    token = BAD_TOKENS[kind](house)
    with house.client() as anybody:
        answer = anybody.get("/v1/documents", headers={"Authorization": f"Bearer {token}"})
    body = problem(answer, 401, "UNAUTHENTICATED")
    assert token[:20] not in json.dumps(body)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Bearer\ta"])
def test_a_missing_or_foreign_authorization_is_401(house: House, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    with house.client() as anybody:
        problem(anybody.get("/v1/documents", headers=headers), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("SYSTEM", "GET", "/v1/documents"),
        ("AP_CLERK", "GET", "/v1/documents/x/verify"),
        ("BUYER", "GET", "/v1/audit/events"),
        ("SELLER", "GET", "/v1/number-series"),
        ("SUPPORT", "GET", "/v1/audit/streams/order/x"),
        ("AUDITOR", "POST", "/v1/number-series"),
        ("FINANCE_ADMIN", "POST", "/v1/inbound/events"),
        ("NOBODY_KNOWS_THIS_ROLE", "GET", "/v1/documents"),
    ],
)
def test_a_permission_that_is_missing_is_403_before_anything_else(
    house: House, role: str, method: str, path: str
) -> None:
    with house.client(role) as caller:
        problem(caller.request(method, path, content=b"{"), 403, "PERMISSION_DENIED")


def test_a_permission_of_the_token_itself_counts_like_one_of_a_role(house: House) -> None:
    with house.client(permissions=["docs.audit.read"]) as caller:
        assert caller.get("/v1/audit/events").status_code == 200


def test_the_catalog_needs_any_token_and_no_permission(house: House) -> None:
    with house.client("NOBODY_KNOWS_THIS_ROLE") as caller, house.client() as anybody:
        rows = caller.get("/v1/operations").json()["items"]
        problem(anybody.get("/v1/operations"), 401, "UNAUTHENTICATED")
    assert {row["path"] for row in rows} >= {
        "/v1/inbound/events",
        "/v1/documents/{documentId}",
        "/v1/audit/streams/{streamType}/{streamId}",
    }


def _traced(client: httpx.Client, path: str, **headers: str) -> tuple[str, httpx.Response]:
    answer = client.get(path, headers=headers)
    version, trace, span, flags = answer.headers["traceparent"].split("-")
    assert (version, len(span), len(flags)) == ("00", 16, 2)
    assert re.fullmatch(r"(?!0{32})[0-9a-f]{32}", trace)
    assert answer.headers["x-correlation-id"] == trace
    return trace, answer


@pytest.mark.parametrize("path", ["/health/live", "/nothing", "/v1/documents", "/metrics", "/schema"])
def test_a_trace_is_continued_on_every_answer(house: House, path: str) -> None:
    with house.client() as anybody:
        trace, answer = _traced(anybody, path, traceparent=PARENT, tracestate="vendor=1")
    assert trace == TRACE
    assert answer.headers["traceparent"] != PARENT, "the answer's span is the service's own"
    assert answer.headers["tracestate"] == "vendor=1"


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "garbage",
        PARENT.upper(),
        PARENT[:-1],
        f"{PARENT}-more",
        f"ff{PARENT[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_malformed_trace_is_dropped_with_its_state_and_a_new_one_started(
    house: House, malformed: str
) -> None:
    with house.client() as anybody:
        first, answer = _traced(anybody, "/health/live", traceparent=malformed, tracestate="vendor=1")
        second, _ = _traced(anybody, "/health/live", traceparent=malformed)
    assert TRACE not in {first, second} and first != second
    assert "tracestate" not in answer.headers


def test_a_trace_of_a_later_version_is_continued(house: House) -> None:
    with house.client() as anybody:
        assert _traced(anybody, "/health/live", traceparent=f"01{PARENT[2:]}-more")[0] == TRACE


def test_without_a_trace_each_request_starts_its_own(house: House) -> None:
    with house.client() as anybody:
        assert _traced(anybody, "/nothing")[0] != _traced(anybody, "/nothing")[0]


@pytest.mark.parametrize("prefix", ["/invoice", "/customer"])
def test_a_gateway_may_leave_its_segment_on(house: House, prefix: str) -> None:
    with house.client("AUDITOR") as auditor:
        assert auditor.get(f"{prefix}/v1/documents", params={"limit": 1}).status_code == 200
        problem(auditor.get(f"{prefix}/nothing"), 404, "NOT_FOUND")
        problem(auditor.get(f"{prefix}{prefix}/v1/documents"), 404, "NOT_FOUND")
