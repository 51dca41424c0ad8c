"""A caller: the verified claims of a token, what they permit, and what narrows that (contract §3)."""

from dataclasses import dataclass

from application.identity import TokenClaims
from application.ledger import Audit
from application.operations.operation import Operation
from application.roles import (
    COUNTRY_BOUND_ROLES,
    DOCUMENT_READERS,
    OWNER_BOUND_ROLES,
    ROLE_PERMISSIONS,
)
from domain.accounts.fiscal_profile import ProfileOwner
from domain.documents.visibility import DocumentScope
from domain.kernel.errors import DomainError

DEFAULT_TENANT = "default"


@dataclass(frozen=True)
class Caller:
    """Who asks, within which trace."""

    claims: TokenClaims
    correlation_id: str
    on_behalf_of: str | None = None

    @property
    def permissions(self) -> frozenset[str]:
        """What the token permits by itself and by its roles. Unknown roles permit nothing."""
        granted = set(self.claims.permissions)
        for role in self.claims.roles:
            granted |= ROLE_PERMISSIONS.get(role, frozenset())
        return frozenset(granted)

    def holds_any(self, permissions: frozenset[str]) -> bool:
        """Whether the caller has one of the permissions; an empty set asks for none."""
        return not permissions or not permissions.isdisjoint(self.permissions)

    def acting_role(self, permissions: frozenset[str]) -> str:
        """The role, first by name, that permits the act; `PERMISSION` where the token itself does."""
        for role in sorted(self.claims.roles):
            if not permissions or not permissions.isdisjoint(ROLE_PERMISSIONS.get(role, frozenset())):
                return role
        return "PERMISSION"

    @property
    def tenant(self) -> str:
        """The tenant that the token names."""
        return self.claims.tenant or DEFAULT_TENANT

    @property
    def countries(self) -> frozenset[str] | None:
        """The countries that the caller reaches; None for all. Roles bound to countries reach named ones."""
        claims = self.claims
        if claims.countries is None and claims.roles and claims.roles <= COUNTRY_BOUND_ROLES:
            return frozenset()
        return claims.countries

    @property
    def is_narrowed(self) -> bool:
        """Whether a claim, or a role that is bound to countries, keeps the caller from the whole."""
        narrowing = (self.claims.buyer_id, self.claims.seller_id, self.claims.account_ids, self.countries)
        return any(claim is not None for claim in narrowing)

    def audit(self, operation: Operation) -> Audit:
        """What is recorded of the caller with every event of a command."""
        return Audit(
            tenant_id=self.tenant,
            actor=self.claims.sub,
            role=self.acting_role(operation.permissions),
            operation=operation.name,
            correlation_id=self.correlation_id,
            on_behalf_of=self.on_behalf_of,
        )

    def sees_country(self, country_code: str) -> bool:
        """Whether the caller reaches this country."""
        return self.countries is None or country_code in self.countries

    def reaches_document(self, *, buyer_id: str, seller_id: str, audience: str, country_code: str) -> bool:
        """Whether no claim keeps the caller from acting on a document that is theirs, and made for them."""
        return self._claimed_scope().shows(
            buyer_id=buyer_id,
            seller_id=seller_id,
            audience=audience,
            country_code=country_code,
            was_issued=False,
        )

    def reaches_profile(self, owner: ProfileOwner) -> bool:
        """Whether the caller may know of that owner's fiscal profile; buyers and sellers, of their own."""
        claims = self.claims
        owned = {("BUYER", claims.buyer_id), ("SELLER", claims.seller_id)}
        is_owner = claims.buyer_id is not None or claims.seller_id is not None
        if is_owner or (claims.roles and claims.roles <= OWNER_BOUND_ROLES):
            return (owner.owner_type, owner.owner_id) in owned and self.sees_country(owner.country_code)
        return self.sees_country(owner.country_code)

    def document_scope(self) -> DocumentScope:
        """Which documents the caller may know of, by the `docs.read.*` and `docs.audit.read` it holds."""
        permissions = self.permissions
        claims = self.claims
        audits = "docs.audit.read" in permissions
        owned = claims.buyer_id is not None or claims.seller_id is not None
        return DocumentScope(
            every=audits and not owned,
            buyer_id=claims.buyer_id if audits or "docs.read.own" in permissions else None,
            seller_id=claims.seller_id if audits or "docs.read.seller" in permissions else None,
            by_country=(self.countries or frozenset())
            if "docs.read.country" in permissions and not owned
            else frozenset(),
            countries=self.countries,
            drafts=audits,
        )

    def resend_scope(self) -> DocumentScope:
        """Which documents the caller may send again.

        Those it may know of; where it holds no permission to read any, all that the token's claims leave.
        """
        if not self.permissions.isdisjoint(DOCUMENT_READERS):
            return self.document_scope()
        return self._claimed_scope()

    def _claimed_scope(self) -> DocumentScope:
        """The documents, drafts included, that the token's claims leave whoever may act on all."""
        claims = self.claims
        owned = claims.buyer_id is not None or claims.seller_id is not None
        return DocumentScope(
            every=not owned,
            buyer_id=claims.buyer_id,
            seller_id=claims.seller_id,
            countries=self.countries,
            drafts=True,
        )

    def owners(self) -> dict[str, str] | None:
        """Whose tasks and notifications the caller sees: ids by type; None for everybody's."""
        claims = self.claims
        own = {"BUYER": claims.buyer_id, "SELLER": claims.seller_id}
        named = {kind: owner for kind, owner in own.items() if owner is not None}
        return None if not named and "docs.audit.read" in self.permissions else named


def require_whole(caller: Caller) -> None:
    """Refuses a narrowed token what shows the whole ledger. Raises `PERMISSION_DENIED`."""
    if caller.is_narrowed:
        raise DomainError(
            "PERMISSION_DENIED", "This token is narrowed to a part; this shows the whole ledger."
        )
