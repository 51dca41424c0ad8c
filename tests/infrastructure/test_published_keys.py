"""Bearer tokens verified with the keys that a real HTTP server publishes."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from application.identity import IdentityUnavailable, TokenRefused
from infrastructure.identity import JwtVerifier, LocalTokens, PublishedKeys
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


class KeyServer:
    """A real HTTP server of a key set; `body` and `status` may change while it runs."""

    def __init__(self) -> None:
        self.body: bytes = b'{"keys":[]}'
        self.status = 200
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None:
                """Tests stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def publish(self, *jwks: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": jwks}).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    server = KeyServer()
    yield server
    server.stop()


@pytest.fixture
def published(server: KeyServer, clock: CallableClock) -> JwtVerifier:
    return JwtVerifier(PublishedKeys(server.url, clock), ISSUER, AUDIENCE, clock)


def refused(verifier: JwtVerifier, token: str) -> None:
    with pytest.raises(TokenRefused):
        verifier.verify(token)


class Party:
    """Someone with a key pair of one kind."""

    def __init__(self, kid: str, algorithm: str) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.key: Any
        to_jwk: Any
        match algorithm:
            case "EdDSA":
                self.key, to_jwk = ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm.to_jwk
            case "ES256":
                self.key, to_jwk = ec.generate_private_key(ec.SECP256R1()), ECAlgorithm.to_jwk
            case _:
                self.key, to_jwk = rsa.generate_private_key(65537, 2048), RSAAlgorithm.to_jwk
        self.jwk = {**to_jwk(self.key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": algorithm}

    def token(self, **changes: Any) -> str:
        claims = {
            "sub": self.kid,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": int(START.timestamp()) + 86400,
            **changes,
        }
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": self.kid})


def test_published_keys_of_every_allowed_algorithm_verify(server: KeyServer, published: JwtVerifier) -> None:
    parties = [Party(f"key-{name}", name) for name in ("EdDSA", "ES256", "RS256", "PS256")]
    server.publish(*(party.jwk for party in parties))
    for party in parties:
        assert published.verify(party.token()).sub == party.kid
    assert server.requests == 1


def test_a_token_under_the_key_id_of_another_published_key_is_refused(
    server: KeyServer, published: JwtVerifier
) -> None:
    ours, other = Party("ours", "EdDSA"), Party("other", "ES256")
    server.publish(ours.jwk, other.jwk)
    other.kid = "ours"
    refused(published, other.token())


def test_a_shared_secret_in_the_key_set_is_no_key(server: KeyServer, published: JwtVerifier) -> None:
    secret = b"k" * 32
    server.publish(
        {"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64.urlsafe_b64encode(secret).decode()},
        Party("a", "EdDSA").jwk,
    )
    claims = {"sub": "ana", "iss": ISSUER, "aud": AUDIENCE, "exp": int(START.timestamp()) + 60}
    refused(published, jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "shared"}))


def test_a_weak_rsa_key_is_refused(server: KeyServer, published: JwtVerifier) -> None:
    weak = Party("weak", "RS256")
    weak.key = rsa.generate_private_key(65537, 1024)
    weak.jwk = {**RSAAlgorithm.to_jwk(weak.key.public_key(), as_dict=True), "kid": "weak", "alg": "RS256"}
    server.publish(weak.jwk)
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = weak.token()
    refused(published, token)


def test_a_new_key_is_found_after_rotation_and_a_withdrawn_one_is_dropped(
    server: KeyServer, published: JwtVerifier, clock: CallableClock
) -> None:
    old, new = Party("old", "EdDSA"), Party("new", "EdDSA")
    server.publish(old.jwk)
    assert published.verify(old.token()).sub == "old"
    server.publish(new.jwk)
    clock.forward(11)
    assert published.verify(new.token()).sub == "new"
    refused(published, old.token(iat=int(START.timestamp())))


def test_tokens_with_invented_key_ids_cannot_make_us_flood_the_key_server(
    server: KeyServer, published: JwtVerifier, clock: CallableClock
) -> None:
    known = Party("known", "EdDSA")
    server.publish(known.jwk)
    published.verify(known.token())
    stranger = Party("stranger", "EdDSA")
    for number in range(50):
        stranger.kid = f"invented-{number}"
        refused(published, stranger.token())
    assert server.requests == 1
    clock.forward(11)
    refused(published, stranger.token())
    assert server.requests == 2


def test_while_the_key_server_is_down_known_keys_serve_for_an_hour(
    server: KeyServer, published: JwtVerifier, clock: CallableClock
) -> None:
    party = Party("ours", "EdDSA")
    server.publish(party.jwk)
    published.verify(party.token())
    server.status = 500
    clock.forward(3599)
    assert published.verify(party.token(tenant="t")).sub == "ours"
    clock.forward(2)
    with pytest.raises(IdentityUnavailable):
        published.verify(party.token(tenant="u"))
    server.status = 200
    clock.forward(10)
    assert published.verify(party.token(tenant="u")).sub == "ours"


def test_an_unknown_key_while_the_key_server_is_down_gets_no_verdict(
    server: KeyServer, published: JwtVerifier, clock: CallableClock
) -> None:
    party = Party("ours", "EdDSA")
    server.publish(party.jwk)
    published.verify(party.token())
    server.status = 500
    clock.forward(11)
    with pytest.raises(IdentityUnavailable):
        published.verify(Party("new", "EdDSA").token())


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"keys":[]}', b'{"keys":5}', b'{"keys":[5]}', b"\xff", b"[" * 9999],
)
def test_a_key_server_that_answers_nonsense_gives_no_verdict(
    server: KeyServer, published: JwtVerifier, body: bytes
) -> None:
    server.body = body
    with pytest.raises(IdentityUnavailable):
        published.verify(Party("ours", "EdDSA").token())


def test_a_key_server_that_is_not_there_gives_no_verdict(clock: CallableClock) -> None:
    gone = KeyServer()
    gone.stop()
    verifier = JwtVerifier(PublishedKeys(gone.url, clock), ISSUER, AUDIENCE, clock)
    with pytest.raises(IdentityUnavailable):
        verifier.verify(Party("ours", "EdDSA").token())


def test_the_local_key_set_can_be_published_and_verified_from_there(
    server: KeyServer, published: JwtVerifier, tokens: LocalTokens, keys: KeyStore
) -> None:
    keys.rotate("jwt")
    server.body = json.dumps(tokens.jwks()).encode()
    assert published.verify(tokens.issue(sub="ana", now=START, ttl_seconds=60)).sub == "ana"
    assert len(tokens.jwks()["keys"]) == 2
    assert all("d" not in key for key in tokens.jwks()["keys"])
