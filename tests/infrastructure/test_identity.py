"""Bearer tokens, good and hostile, against local keys and a real key server."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from application.identity import IdentityUnavailable, TokenClaims, TokenRefused
from infrastructure.identity import JwtVerifier, LocalKeys, LocalTokens
from infrastructure.keys.store import KeyStore
from tests.support.identity import AUDIENCE, ISSUER, START, CallableClock


@pytest.fixture
def clock() -> CallableClock:
    return CallableClock()


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "keys")


@pytest.fixture
def tokens(keys: KeyStore) -> LocalTokens:
    return LocalTokens(keys.jwt, ISSUER, AUDIENCE)


@pytest.fixture
def verifier(keys: KeyStore, clock: CallableClock) -> JwtVerifier:
    return JwtVerifier(LocalKeys(keys.jwt), ISSUER, AUDIENCE, clock)


@pytest.fixture
def sign(keys: KeyStore) -> Callable[..., str]:
    """Sign any claims with the true key; a claim given as None is left out."""

    def signed(**changes: Any) -> str:
        claims = {
            "sub": "ana",
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": int(START.timestamp()) + 3600,
            **changes,
        }
        key_id, key = keys.jwt.current()
        payload = {claim: value for claim, value in claims.items() if value is not None}
        signing_input = encoded({"alg": "EdDSA", "kid": key_id}) + "." + encoded(payload)
        return signing_input + "." + encoded(key.sign(signing_input.encode()))

    return signed


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refusal(verifier: JwtVerifier, token: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token)
    assert len(token) < 20 or token not in str(refused.value)
    assert verifier.known(token) is None
    return str(refused.value)


def test_an_issued_token_carries_every_claim_through(tokens: LocalTokens, verifier: JwtVerifier) -> None:
    token = tokens.issue(
        sub="ana",
        now=START,
        ttl_seconds=3600,
        roles=["SUPPORT", "BUYER"],
        permissions=["docs.resend"],
        buyer_id="buyer-1",
        seller_id="seller-1",
        account_ids=["a1", "a2"],
        countries=["MX"],
        tenant="t1",
        amr=["pwd", "otp"],
        auth_time=START - timedelta(minutes=1),
    )
    assert verifier.verify(token) == TokenClaims(
        sub="ana",
        roles=frozenset({"SUPPORT", "BUYER"}),
        permissions=frozenset({"docs.resend"}),
        buyer_id="buyer-1",
        seller_id="seller-1",
        account_ids=frozenset({"a1", "a2"}),
        countries=frozenset({"MX"}),
        tenant="t1",
        amr=("pwd", "otp"),
        auth_time=START - timedelta(minutes=1),
    )


def test_an_absent_narrowing_claim_is_none_and_an_empty_one_is_empty(
    tokens: LocalTokens, verifier: JwtVerifier
) -> None:
    free = verifier.verify(tokens.issue(sub="ana", now=START, ttl_seconds=60))
    bound = verifier.verify(tokens.issue(sub="ana", now=START, ttl_seconds=60, account_ids=[], countries=[]))
    assert (free.account_ids, free.countries) == (None, None)
    assert (bound.account_ids, bound.countries) == (frozenset(), frozenset())


def test_a_token_holds_until_its_end_and_the_leeway_and_no_longer(
    tokens: LocalTokens, verifier: JwtVerifier, clock: CallableClock
) -> None:
    token = tokens.issue(sub="ana", now=START, ttl_seconds=60)
    clock.forward(89)
    assert verifier.verify(token).sub == "ana"
    assert verifier.known(token) is not None
    clock.forward(1)
    assert verifier.known(token) is None
    assert "expired" in refusal(verifier, token)


def test_the_injected_clock_decides_and_not_the_machine(
    verifier: JwtVerifier, sign: Callable[..., str], clock: CallableClock
) -> None:
    clock.at = datetime(2001, 1, 1, tzinfo=UTC)
    assert verifier.verify(sign(exp=int(clock.at.timestamp()) + 10)).sub == "ana"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused(
    verifier: JwtVerifier, sign: Callable[..., str], clock: CallableClock, claim: str
) -> None:
    token = sign(**{claim: int(START.timestamp()) + 31})
    assert "not valid yet" in refusal(verifier, token)
    clock.forward(1)
    assert verifier.verify(token).sub == "ana"


@pytest.mark.parametrize("claim", ["exp", "sub", "iss", "aud"])
def test_a_token_without_a_required_claim_is_refused(
    verifier: JwtVerifier, sign: Callable[..., str], claim: str
) -> None:
    assert refusal(verifier, sign(**{claim: None})) == f"The token's claim {claim} is missing."


@pytest.mark.parametrize(
    ("claim", "value", "reason"),
    [
        ("aud", "other", "not meant"),
        ("aud", ["x", "y"], "not meant"),
        ("iss", "https://evil.example", "issuer"),
    ],
)
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(
    verifier: JwtVerifier, sign: Callable[..., str], claim: str, value: object, reason: str
) -> None:
    assert reason in refusal(verifier, sign(**{claim: value}))


def test_an_audience_among_several_is_enough(verifier: JwtVerifier, sign: Callable[..., str]) -> None:
    assert verifier.verify(sign(aud=["other", AUDIENCE])).sub == "ana"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", ""), ("sub", "a\0b"), ("sub", "\ud800"), ("sub", "x" * 256), ("sub", "line\nbreak"),
        ("roles", "FINANCE_ADMIN"), ("roles", 7), ("roles", [7]), ("roles", [None]),
        ("roles", {"SUPER_ADMIN": 1}),
        ("permissions", "docs.issue"), ("permissions", [["docs.issue"]]),
        ("buyer_id", 5), ("buyer_id", ""), ("seller_id", ["s"]), ("account_ids", "a1"), ("account_ids", [1]),
        ("countries", "MX"), ("countries", ["mx"]), ("countries", ["MEX"]), ("tenant", {}), ("amr", "otp"),
        ("auth_time", "yesterday"), ("auth_time", 1e300), ("auth_time", -1), ("auth_time", True),
        ("exp", "4102444800"), ("exp", True), ("exp", 1e300), ("exp", float("inf")), ("exp", float("nan")),
        ("exp", [1]), ("exp", 10**400), ("nbf", "0"), ("nbf", float("nan")), ("iat", {}),
        ("iss", 5), ("aud", 5), ("aud", [5]), ("jti", 5),
    ],
)  # fmt: skip
def test_a_malformed_claim_is_refused_and_not_crashed_on(
    verifier: JwtVerifier, sign: Callable[..., str], claim: str, value: object
) -> None:
    refusal(verifier, sign(**{claim: value}))


def test_unknown_claims_are_ignored(verifier: JwtVerifier, sign: Callable[..., str]) -> None:
    assert verifier.verify(sign(azp="app", scope="openid", nested={"a": [1]})).sub == "ana"


def test_a_flipped_character_anywhere_in_a_token_is_refused(
    verifier: JwtVerifier, sign: Callable[..., str]
) -> None:
    token = sign()
    for offset, character in enumerate(token):
        flipped = token[:offset] + ("A" if character != "A" else "B") + token[offset + 1 :]
        refusal(verifier, flipped)


def test_a_token_signed_by_a_stranger_under_our_key_id_is_refused(
    verifier: JwtVerifier, keys: KeyStore
) -> None:
    claims = {"sub": "ana", "iss": ISSUER, "aud": AUDIENCE, "exp": int(START.timestamp()) + 60}
    stranger = ed25519.Ed25519PrivateKey.generate()
    forged = jwt.encode(claims, stranger, algorithm="EdDSA", headers={"kid": keys.jwt.current_id()})
    assert "signature is wrong" in refusal(verifier, forged)


def test_neither_none_nor_a_shared_secret_made_of_the_public_key_is_an_algorithm(
    verifier: JwtVerifier, keys: KeyStore
) -> None:
    key_id = keys.jwt.current_id()
    public = keys.jwt.public(key_id)
    claims = {"sub": "ana", "iss": ISSUER, "aud": AUDIENCE, "exp": int(START.timestamp()) + 60}
    for name in ("none", "None", "NONE", ""):
        head = encoded({"alg": name, "kid": key_id}) + "." + encoded(claims)
        refusal(verifier, head + ".")
        refusal(verifier, head + "." + encoded(b"x" * 64))
    secrets = (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
    )
    for secret in secrets:
        head = encoded({"alg": "HS256", "kid": key_id}) + "." + encoded(claims)
        mac = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        assert "algorithm" in refusal(verifier, head + "." + encoded(mac))


@pytest.mark.parametrize("kid", ["0" * 16, "../seal/current", "", "\0", 5, None, ["x"], "ключ"])
def test_a_token_that_names_another_key_is_refused(
    verifier: JwtVerifier, keys: KeyStore, sign: Callable[..., str], kid: object
) -> None:
    _, payload, _ = sign().split(".")
    signing_input = encoded({"alg": "EdDSA", "kid": kid}) + "." + payload
    _, key = keys.jwt.current()
    refusal(verifier, signing_input + "." + encoded(key.sign(signing_input.encode())))


def test_a_token_signed_with_the_key_of_seals_is_refused(verifier: JwtVerifier, keys: KeyStore) -> None:
    as_token = LocalTokens(keys.seal, ISSUER, AUDIENCE).issue(sub="ana", now=START, ttl_seconds=60)
    assert "unknown" in refusal(verifier, as_token)


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b.c", "Bearer x", "\0", "\ud800.x.y", "é.é.é", "x" * 10_240,
        encoded(b"[]") + "." + encoded({}) + ".", encoded(b"[" * 4000) + "." + encoded({}) + ".",
        encoded({"alg": "EdDSA", "kid": "0" * 16, "crit": ["x"]}) + "." + encoded({}) + ".",
        encoded({"alg": ["EdDSA"], "kid": "0" * 16}) + "." + encoded({}) + ".",
    ],
)  # fmt: skip
def test_garbage_is_refused(verifier: JwtVerifier, token: str) -> None:
    refusal(verifier, token)


def test_deep_payload_under_a_good_signature_is_refused(verifier: JwtVerifier, keys: KeyStore) -> None:
    key_id, key = keys.jwt.current()
    signing_input = encoded({"alg": "EdDSA", "kid": key_id}) + "." + encoded(b'{"sub":' + b"[" * 5000)
    refusal(verifier, signing_input + "." + encoded(key.sign(signing_input.encode())))


def test_a_good_token_over_the_limit_is_refused(tokens: LocalTokens, verifier: JwtVerifier) -> None:
    ids = [f"account-{number:04}" for number in range(700)]
    token = tokens.issue(sub="ana", now=START, ttl_seconds=60, account_ids=ids)
    assert len(token) > 10_000
    assert "too long" in refusal(verifier, token)


def test_a_verified_token_is_known_for_five_minutes_and_then_verified_again(
    tokens: LocalTokens, verifier: JwtVerifier, clock: CallableClock
) -> None:
    token = tokens.issue(sub="ana", now=START, ttl_seconds=3600)
    assert verifier.known(token) is None
    claims = verifier.verify(token)
    clock.forward(299)
    assert verifier.known(token) is claims
    clock.forward(1)
    assert verifier.known(token) is None


def test_the_memory_of_tokens_is_bounded_and_forgets_the_least_used(
    tokens: LocalTokens, verifier: JwtVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.identity._CACHED_TOKENS", 3)
    issued = [tokens.issue(sub=f"s{number}", now=START, ttl_seconds=60) for number in range(4)]
    for token in issued[:3]:
        verifier.verify(token)
    assert verifier.known(issued[0]) is not None
    verifier.verify(issued[3])
    assert [verifier.known(token) is not None for token in issued] == [True, False, True, True]


def test_a_damaged_local_key_means_no_verdict(
    tokens: LocalTokens, verifier: JwtVerifier, tmp_path: Path
) -> None:
    token = tokens.issue(sub="ana", now=START, ttl_seconds=60)
    (public,) = (tmp_path / "keys" / "jwt").glob("*.pub.pem")
    public.write_bytes(public.read_bytes().replace(b"A", b"B"))
    with pytest.raises(IdentityUnavailable):
        verifier.verify(token)


def test_tokens_of_a_rotated_local_key_still_verify(
    tokens: LocalTokens, verifier: JwtVerifier, keys: KeyStore
) -> None:
    old = tokens.issue(sub="old", now=START, ttl_seconds=60)
    keys.rotate("jwt")
    new = tokens.issue(sub="new", now=START, ttl_seconds=60)
    assert [verifier.verify(token).sub for token in (old, new)] == ["old", "new"]
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]


def test_a_verifier_without_issuer_or_audience_cannot_be_made(keys: KeyStore, clock: CallableClock) -> None:
    for issuer, audience in (("", AUDIENCE), (ISSUER, "")):
        with pytest.raises(ValueError, match="issuer and audience"):
            JwtVerifier(LocalKeys(keys.jwt), issuer, audience, clock)
