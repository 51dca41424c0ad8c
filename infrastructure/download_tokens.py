"""Download tokens: signed with a key of their own, good for one file for a few minutes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

import jwt
from pydantic import TypeAdapter, ValidationError

from application.ports import ArtifactClaims, DownloadClaims
from domain.kernel.errors import DomainError

_ALGORITHM = "HS256"
_DOCUMENTS = TypeAdapter(DownloadClaims)
_ARTIFACTS = TypeAdapter(ArtifactClaims)

ClaimsT = TypeVar("ClaimsT", DownloadClaims, ArtifactClaims)


class _MacTokens(Generic[ClaimsT]):
    """Tokens for one kind of file, by HMAC; the key is derived from the ledger's secret."""

    _audience: str
    _claims: TypeAdapter[ClaimsT]

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._key = key
        self._now = now

    def issue(self, claims: ClaimsT) -> str:
        """A token that nobody can forge."""
        content = self._claims.dump_python(claims, mode="json")
        return jwt.encode({"aud": self._audience, "download": content}, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> ClaimsT:
        """What the token stands for. Raises `DOWNLOAD_TOKEN_INVALID` if forged, altered or expired."""
        try:
            payload = jwt.decode(token, self._key, algorithms=[_ALGORITHM], audience=self._audience)
            claims = self._claims.validate_python(payload.get("download"))
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise _invalid() from None
        if claims.expires_at <= self._now().astimezone(UTC):
            raise _invalid()
        return claims


class MacDownloadTokens(_MacTokens[DownloadClaims]):
    """`application.ports.DownloadTokens`."""

    _audience = "document-download"
    _claims = _DOCUMENTS


class MacArtifactTokens(_MacTokens[ArtifactClaims]):
    """`application.ports.ArtifactTokens`."""

    _audience = "artifact-download"
    _claims = _ARTIFACTS


def _invalid() -> DomainError:
    return DomainError("DOWNLOAD_TOKEN_INVALID", "The download token is not valid or has expired.")
