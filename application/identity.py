"""Who is calling: the claims of a bearer token once it has been verified (contract §3)."""

from typing import Protocol

from pydantic import AwareDatetime

from domain.kernel.facts import Value


class TokenClaims(Value):
    """The verified claims that guards decide on.

    A narrowing claim that the token does not carry is None; one that it carries empty narrows to nothing.
    `auth_time` is when the person last proved who they are, `amr` by which methods (RFC 8176).
    """

    sub: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    buyer_id: str | None = None
    seller_id: str | None = None
    account_ids: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    tenant: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: AwareDatetime | None = None


class TokenRefused(Exception):
    """The token is forged, expired, not meant for us or malformed; the text says which, never the token."""


class IdentityUnavailable(Exception):
    """No verdict on the token is possible now, because the keys cannot be had: retry later."""


class TokenVerifier(Protocol):
    """Turns a bearer token into claims."""

    def known(self, token: str) -> TokenClaims | None:
        """The claims of a token verified a short while ago and still valid; never blocks."""
        ...

    def verify(self, token: str) -> TokenClaims:
        """Verify in full. Raises TokenRefused, IdentityUnavailable. Blocks where it fetches keys."""
        ...
