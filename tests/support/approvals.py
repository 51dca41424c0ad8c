"""A counter where approvals are asked for and used, over a ledger in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from application.caller import Caller
from application.credentials import Credentials, NewCredential
from application.elevation import Approver, Elevations, IssuedElevation, use_elevation
from application.identity import TokenClaims
from application.ledger import Answer, Audit, Command, Transaction
from application.people import People
from application.ports import ElevationClaims
from domain.accounts.credential import Purpose
from domain.accounts.elevation import Asked
from domain.kernel.errors import DomainError
from infrastructure.clock import RandomIds
from infrastructure.elevation_tokens import MacElevationTokens
from infrastructure.identity import JwtVerifier, LocalKeys, LocalTokens
from infrastructure.keys.store import KeyStore
from infrastructure.secret_hashing import SealedArgon2
from tests.support.clocks import SetClock
from tests.support.facts import FINGERPRINT
from tests.support.identity import AUDIENCE, ISSUER
from tests.support.memory_ledger import MemoryLedger

OPERATOR = Audit("default", "operator", "SYSTEM", "auth.set-credential", "trace-0")
MANAGER = frozenset({"billing:auth:elevate", "billing:invoice:void", "billing:checkout:po:override"})
PIN = "735519"
ANA = Caller(TokenClaims(sub="ana"), "trace-1")
BOB = Caller(TokenClaims(sub="bob"), "trace-2")
VOID = Asked(purpose="INVOICE_VOID", target_id="invoice-7")


class CountedSecrets(SealedArgon2):
    """Tells how often a secret was compared, for each costs the same time."""

    compared = 0

    async def matches(self, credential_id: str, verifier: str | None, secret: str) -> bool:
        """Compares and counts."""
        self.compared += 1
        return await super().matches(credential_id, verifier, secret)


@dataclass
class Desk:
    """A counter where approvals are asked for."""

    keys: KeyStore
    clock: SetClock = field(default_factory=lambda: SetClock(datetime(2026, 3, 14, 9, tzinfo=UTC)))
    people: People = field(default_factory=lambda: People(FINGERPRINT))
    secrets: CountedSecrets = field(default_factory=lambda: CountedSecrets(bytes(32)))

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)
        self.tokens = MacElevationTokens(b"t" * 32)
        self.issuer = LocalTokens(self.keys.jwt, ISSUER, AUDIENCE)
        verifier = JwtVerifier(LocalKeys(self.keys.jwt), ISSUER, AUDIENCE, self.clock.now)
        self.credentials = Credentials(self.ledger, self.secrets, self.people)
        self.elevations = Elevations(
            self.ledger, self.tokens, self.secrets, verifier, self.people, RandomIds()
        )

    async def manager(self, username: str = "maria", **changes: Any) -> None:
        """Somebody who may approve."""
        fields = {"kind": "PIN", "secret": PIN, "permissions": MANAGER, **changes}
        await self.credentials.set(OPERATOR, NewCredential(username, **fields))

    async def ask(
        self, secret: str = PIN, *, username: str = "maria", caller: Caller = ANA, asked: Asked = VOID
    ) -> IssuedElevation:
        """Asks for an approval by PIN."""
        return await self.elevations.by_secret(caller, asked, username=username, kind="PIN", secret=secret)

    def step_up(self, sub: str = "maria", age_seconds: int = 60, **claims: Any) -> str:
        """A fresh token of a manager."""
        now = self.clock.now()
        fields: dict[str, Any] = {"roles": ("BILLING_MANAGER",), "amr": ("pwd", "otp"), **claims}
        auth_time = now - timedelta(seconds=age_seconds)
        return self.issuer.issue(sub=sub, now=now, ttl_seconds=3600, auth_time=auth_time, **fields)

    async def use(self, token: str, caller: Caller = ANA, **changes: Any) -> Approver:
        """A tiny command that needs an approval, carried out as the HTTP door does it."""
        claims: tuple[ElevationClaims, ...] = ()
        approvers: list[Approver] = []
        purpose: Purpose = changes.get("purpose", "INVOICE_VOID")
        target_id = changes.get("target_id", "invoice-7")
        audit = Audit("default", caller.claims.sub, "BILLING_MANAGER", "invoices.void", "trace-9")

        def handle(transaction: Transaction) -> Answer:
            approvers[:] = [
                use_elevation(
                    transaction, claims[0], purpose=purpose, target_id=target_id, requester=caller.claims.sub
                )
            ]
            if changes.get("then_fails"):
                raise DomainError("NOT_FOUND", "The invoice was not found.")
            return Answer(200, None)

        try:
            claims = (self.elevations.read(caller, token),)
            await self.ledger.commit(Command(audit, handle, frozenset({claims[0].stream})))
        except DomainError as refused:
            if refused.code == "ELEVATION_INVALID":
                await self.elevations.record_refused_use(audit, claims, refused.reason_code)
            raise
        return approvers[0]

    def told(self, name: str) -> list[dict[str, Any]]:
        """What auditors read of the events of a name."""
        return [event.data for event in self.ledger.events if event.name == f"credential.{name}"]

    def everything(self) -> str:
        """All that is stored and all that auditors read."""
        stored = b"".join(event.state for event in self.ledger.events).decode()
        return stored + str([event.data for event in self.ledger.events]) + str(self.ledger.events)
