"""Elevation tokens: signed with a key of their own, random, and worth nothing but what the ledger grants."""

import hashlib
import secrets
from uuid import UUID

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from application.ports import ElevationClaims
from domain.accounts.elevation import elevation_invalid

_ALGORITHM = "HS256"
_AUDIENCE = "elevation"
_RANDOM_BYTES = 16


class _Payload(BaseModel):
    """Ids of stream and grant; `jti` keeps whoever holds the key from making a token a second time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aud: str
    tenant: str
    credential: UUID
    grant: UUID
    jti: str


class MacElevationTokens:
    """`application.ports.ElevationTokens` by HMAC; the key is derived from the ledger's secret.

    When a token expires and whether it was used, the ledger decides.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, tenant: str, credential_id: str, grant_id: str) -> tuple[str, ElevationClaims]:
        """A token that nobody can forge, nor make again."""
        payload = _Payload(
            aud=_AUDIENCE,
            tenant=tenant,
            credential=UUID(credential_id),
            grant=UUID(grant_id),
            jti=secrets.token_urlsafe(_RANDOM_BYTES),
        )
        token = jwt.encode(payload.model_dump(mode="json"), self._key, algorithm=_ALGORITHM)
        return token, _claims(token, payload)

    def read(self, token: str) -> ElevationClaims:
        """What the token stands for. Raises `ELEVATION_INVALID` if forged or altered."""
        try:
            content = jwt.decode(token, self._key, algorithms=[_ALGORITHM], audience=_AUDIENCE)
            payload = _Payload.model_validate(content)
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise elevation_invalid("UNREADABLE") from None
        return _claims(token, payload)


def _claims(token: str, payload: _Payload) -> ElevationClaims:
    return ElevationClaims(
        tenant=payload.tenant,
        credential_id=str(payload.credential),
        grant_id=str(payload.grant),
        token_hash=hashlib.sha256(token.encode()).hexdigest(),
    )
