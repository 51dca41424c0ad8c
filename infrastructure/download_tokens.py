"""Download tokens: signed with a key of their own, good for one file of one document for a few minutes."""

from collections.abc import Callable
from datetime import UTC, datetime

import jwt
from pydantic import TypeAdapter, ValidationError

from application.ports import DownloadClaims
from domain.kernel.errors import DomainError

_ALGORITHM = "HS256"
_AUDIENCE = "document-download"
_CLAIMS = TypeAdapter(DownloadClaims)


class MacDownloadTokens:
    """`application.ports.DownloadTokens` by HMAC; the key is derived from the ledger's secret."""

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._key = key
        self._now = now

    def issue(self, claims: DownloadClaims) -> str:
        """A token that nobody can forge."""
        content = _CLAIMS.dump_python(claims, mode="json")
        return jwt.encode({"aud": _AUDIENCE, "download": content}, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> DownloadClaims:
        """What the token stands for. Raises `DOWNLOAD_TOKEN_INVALID` if forged, altered or expired."""
        try:
            payload = jwt.decode(token, self._key, algorithms=[_ALGORITHM], audience=_AUDIENCE)
            claims = _CLAIMS.validate_python(payload.get("download"))
        except (jwt.PyJWTError, ValidationError, ValueError):
            raise _invalid() from None
        if claims.expires_at <= self._now().astimezone(UTC):
            raise _invalid()
        return claims


def _invalid() -> DomainError:
    return DomainError("DOWNLOAD_TOKEN_INVALID", "The download token is not valid or has expired.")
