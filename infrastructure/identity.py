"""Bearer tokens: issued locally for trying out and operating, verified against local or published keys."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Annotated, Any, Protocol

import jwt
from jwt.algorithms import OKPAlgorithm
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from application.identity import IdentityUnavailable, TokenClaims, TokenRefused
from application.signing import KeyUnusable
from domain.kernel.facts import CountryCode
from infrastructure.keys.rings import SigningRing

ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256")
"""Only these: a shared secret (HS256) or none at all would let whoever knows our public key make tokens."""

TOKEN_MAX_BYTES = 8192
"""Longer tokens are refused before they are parsed."""

LEEWAY_SECONDS = 30
"""How far the issuer's clock may be off."""

_CACHED_TOKENS = 4096
_CACHED_SECONDS = 300
JWKS_TIMEOUT_SECONDS = 3.0
_JWKS_FRESH_SECONDS = 300
JWKS_STALE_SECONDS = 3600
JWKS_PAUSE_SECONDS = 10
_LAST_MOMENT = 253_402_300_799


class LocalTokens:
    """Issues tokens with the local key pair, for `billing token`."""

    def __init__(self, ring: SigningRing, issuer: str, audience: str) -> None:
        """`issuer` and `audience` are the `iss` and `aud` of every token."""
        self._ring = ring
        self._issuer = issuer
        self._audience = audience

    def issue(
        self,
        *,
        sub: str,
        now: datetime,
        ttl_seconds: int,
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        buyer_id: str | None = None,
        seller_id: str | None = None,
        account_ids: Iterable[str] | None = None,
        countries: Iterable[str] | None = None,
        tenant: str | None = None,
        amr: Iterable[str] = (),
        auth_time: datetime | None = None,
    ) -> str:
        """A signed compact token, valid from `now` for `ttl_seconds`. Raises KeyUnusable.

        Narrowing claims that are None are left out of it.
        """
        key_id, key = self._ring.current()
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + ttl_seconds,
            "roles": list(roles),
            "permissions": list(permissions),
            "buyer_id": buyer_id,
            "seller_id": seller_id,
            "account_ids": None if account_ids is None else list(account_ids),
            "countries": None if countries is None else list(countries),
            "tenant": tenant,
            "amr": list(amr) or None,
            "auth_time": None if auth_time is None else int(auth_time.timestamp()),
        }
        present = {claim: value for claim, value in claims.items() if value is not None}
        return jwt.encode(present, key, algorithm="EdDSA", headers={"kid": key_id})

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517), old ones included. Raises KeyUnusable."""
        keys = []
        for key_id in self._ring.key_ids():
            key = OKPAlgorithm.to_jwk(self._ring.public(key_id), as_dict=True)
            keys.append({**key, "kid": key_id, "use": "sig", "alg": "EdDSA"})
        return {"keys": keys}


class TokenKeys(Protocol):
    """Where the public keys of tokens come from."""

    def find(self, key_id: str) -> jwt.PyJWK:
        """The key of that id. Raises TokenRefused where there is none, IdentityUnavailable."""
        ...


class LocalKeys:
    """The public half of the local key pair, read from disk at every call."""

    def __init__(self, ring: SigningRing) -> None:
        """`ring` is the one that `LocalTokens` signs with."""
        self._ring = ring

    def find(self, key_id: str) -> jwt.PyJWK:
        """The key of that id. Raises TokenRefused, IdentityUnavailable where its file is damaged."""
        try:
            key = self._ring.public(key_id)
        except KeyUnusable as error:
            if error.problem == "missing":
                raise TokenRefused("The token's key is unknown.") from None
            raise IdentityUnavailable("The key for tokens cannot be used now.") from error
        return jwt.PyJWK(OKPAlgorithm.to_jwk(key, as_dict=True), algorithm="EdDSA")


class PublishedKeys:
    """The keys of a JWKS URL, kept for 5 minutes, and for an hour while the URL does not answer.

    It is asked at most every 10 seconds, whatever key ids tokens name, each time for 3 seconds at most.
    """

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        """`url` is http or https; nothing is fetched before the first token."""
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=JWKS_TIMEOUT_SECONDS)
        self._now = now
        self._lock = Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._asked_at = datetime.min.replace(tzinfo=UTC)

    def find(self, key_id: str) -> jwt.PyJWK:
        """The key of that id; may fetch. Raises TokenRefused, IdentityUnavailable."""
        now = self._now()
        key = self._keys.get(key_id)
        if key is not None and self._younger(self._fetched_at, _JWKS_FRESH_SECONDS, now):
            return key
        with self._lock:
            self._refresh(now)
            if not self._younger(self._fetched_at, JWKS_STALE_SECONDS, now):
                raise IdentityUnavailable("The issuer's keys cannot be fetched now.")
            if key_id in self._keys:
                return self._keys[key_id]
            # While the last question went unanswered, an unknown key may well be a new one.
            if self._asked_at > self._fetched_at:
                raise IdentityUnavailable("The issuer's keys cannot be fetched now.")
        raise TokenRefused("The token's key is unknown.")

    def _refresh(self, now: datetime) -> None:
        if self._younger(self._asked_at, JWKS_PAUSE_SECONDS, now):
            return
        self._asked_at = now
        try:
            keys = self._client.get_signing_keys()
        except (jwt.PyJWTError, OSError, ValueError, RecursionError):
            # The verdict is `find`'s: keys fetched earlier serve for a while, and without any it raises.
            return
        self._keys = {key.key_id: key for key in keys if isinstance(key.key_id, str)}
        self._fetched_at = now

    @staticmethod
    def _younger(moment: datetime, seconds: int, now: datetime) -> bool:
        return now - moment < timedelta(seconds=seconds)


class JwtVerifier:
    """Satisfies `application.identity.TokenVerifier`.

    A verified token is remembered under its SHA-256 until it expires, for 5 minutes at most, so that a key
    that is withdrawn stops working soon.
    """

    def __init__(self, keys: TokenKeys, issuer: str, audience: str, now: Callable[[], datetime]) -> None:
        """Tokens must carry this `iss` and this `aud`. Raises ValueError where either is empty."""
        if not issuer or not audience:
            raise ValueError("Tokens can only be verified for a named issuer and audience.")
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._lock = Lock()
        self._verified: OrderedDict[bytes, tuple[TokenClaims, float]] = OrderedDict()

    def known(self, token: str) -> TokenClaims | None:
        """The claims of a token verified a short while ago and still valid; about 2 µs, never blocks."""
        if len(token) > TOKEN_MAX_BYTES:
            return None
        digest = _digest(token)
        with self._lock:
            claims, until = self._verified.get(digest, (None, 0.0))
            if claims is None or self._now().timestamp() >= until:
                self._verified.pop(digest, None)
                return None
            self._verified.move_to_end(digest)
        return claims

    def verify(self, token: str) -> TokenClaims:
        """Verify in full. Raises TokenRefused, IdentityUnavailable. Published keys may be fetched: blocks."""
        now = self._now().timestamp()
        claims = self._verified_claims(token)
        if claims.exp <= now - LEEWAY_SECONDS:
            raise TokenRefused("The token has expired.")
        if max(claims.nbf, claims.iat) > now + LEEWAY_SECONDS:
            raise TokenRefused("The token is not valid yet.")
        result = claims.as_token_claims()
        with self._lock:
            until = min(claims.exp + LEEWAY_SECONDS, now + _CACHED_SECONDS)
            self._verified[_digest(token)] = (result, until)
            if len(self._verified) > _CACHED_TOKENS:
                self._verified.popitem(last=False)
        return result

    def _verified_claims(self, token: str) -> "_Claims":
        """The claims under a good signature; their times are checked by the caller, by the injected clock."""
        if len(token) > TOKEN_MAX_BYTES:
            raise TokenRefused("The token is too long.")
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            if key_id is None:
                raise TokenRefused("The token names no key.")
            payload = jwt.decode(
                token,
                self._keys.find(key_id),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["exp", "sub", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "enforce_minimum_key_length": True,
                },
            )
            return _Claims.model_validate(payload)
        except ValidationError as error:
            claim = error.errors(include_input=False)[0]["loc"][0]
            raise TokenRefused(f"The token's claim {claim} is malformed.") from None
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenRefused(_reason(error)) from None


def _printable(text: str) -> str:
    """Control characters and lone surrogates can neither be stored nor logged."""
    if not text.isprintable():
        raise ValueError("is not printable")
    return text


_Text = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_printable)]
_Moment = Annotated[int, Field(ge=0, le=_LAST_MOMENT)] | Annotated[float, Field(ge=0, le=_LAST_MOMENT)]


class _Claims(BaseModel):
    """The payload's claims as they must be typed; others are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    sub: _Text
    exp: _Moment
    nbf: _Moment = 0
    iat: _Moment = 0
    roles: list[_Text] = Field(default_factory=list)
    permissions: list[_Text] = Field(default_factory=list)
    buyer_id: _Text | None = None
    seller_id: _Text | None = None
    account_ids: list[_Text] | None = None
    countries: list[CountryCode] | None = None
    tenant: _Text | None = None
    amr: list[_Text] = Field(default_factory=list)
    auth_time: _Moment | None = None

    def as_token_claims(self) -> TokenClaims:
        """What the application sees of them."""
        return TokenClaims(
            sub=self.sub,
            roles=frozenset(self.roles),
            permissions=frozenset(self.permissions),
            buyer_id=self.buyer_id,
            seller_id=self.seller_id,
            account_ids=None if self.account_ids is None else frozenset(self.account_ids),
            countries=None if self.countries is None else frozenset(self.countries),
            tenant=self.tenant,
            amr=tuple(self.amr),
            auth_time=None
            if self.auth_time is None
            else datetime.fromtimestamp(math.floor(self.auth_time), UTC),
        )


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _reason(error: Exception) -> str:
    """Sentences of our own, because the library's may repeat parts of the token."""
    match error:
        case jwt.InvalidAlgorithmError():
            return "The token's algorithm is not allowed."
        case jwt.InvalidSignatureError():
            return "The token's signature is wrong."
        case jwt.InvalidAudienceError():
            return "The token is not meant for this service."
        case jwt.InvalidIssuerError():
            return "The token is not from the issuer that is trusted."
        case jwt.MissingRequiredClaimError():
            return f"The token's claim {error.claim} is missing."
        case _:
            return "The token is malformed."
