"""A desk where artifacts come in and are handed out, over a ledger and a vault in memory."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from application.artifact_keeping import VaultArtifactKeeper
from application.artifacts import Artifacts, DownloadedArtifact
from application.caller import Caller
from application.erasure import SubjectKeyState
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.handlers.invoices import Asking, draft_invoice
from application.identity import TokenClaims
from application.ledger import Audit, Command
from application.ports import ArtifactNotFetched, ArtifactSource
from application.vault import Deposit
from domain.kernel.privacy import RetentionClass
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds
from infrastructure.download_tokens import MacArtifactTokens
from tests.support.clocks import SetClock
from tests.support.desks import DESK, READING
from tests.support.memory_ledger import MemoryLedger
from tests.support.memory_vault import MemoryVault
from tests.support.work_orders import a_work_order, an_account

AUDIT = Audit("default", "workexec", "SYSTEM", "inbound.receive-events", "trace-1")
ANA = Caller(TokenClaims(sub="ana", roles=frozenset({"SERVICE_ADVISOR"})), "trace-2")
ADDRESS = "https://files.workexec.example/1"


class Elsewhere:
    """An upstream that hands out what stands in `content`, or fails as `failure` says."""

    def __init__(self, content: bytes = b"", failure: ArtifactNotFetched | None = None) -> None:
        self.content = content
        self.failure = failure
        self.asked = 0

    def serves(self, uri: str) -> bool:
        """Of one address."""
        return uri == ADDRESS

    async def fetch(self, uri: str, most_bytes: int) -> bytes:
        """Whatever there is."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.content


class NotedVault(MemoryVault):
    """A vault that notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.deposits: list[Deposit] = []

    def put(self, deposit: Deposit) -> Any:
        """Notes it, then stores it."""
        self.deposits.append(deposit)
        return super().put(deposit)


@dataclass
class Desk:
    """Where work orders come in and artifacts go out."""

    source: ArtifactSource = field(default_factory=Elsewhere)
    clock: SetClock = field(default_factory=lambda: SetClock(datetime(2026, 3, 14, 23, 30, tzinfo=UTC)))
    erased: dict[UUID, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)
        self.vault = NotedVault()
        keys = self.ledger.keys
        self.keeper = VaultArtifactKeeper(self.ledger, REGISTRY, self.vault, self, keys, self.clock)  # type: ignore[arg-type]
        tokens = MacArtifactTokens(b"k" * 32, self.clock.now)
        self.artifacts = Artifacts(
            self.ledger, REGISTRY, self.vault, keys, self.source, tokens, self.clock, RandomIds()
        )

    async def of_subject(self, subject: str) -> list[SubjectKeyState]:
        """The subject's keys as the key store tells of them, oldest first."""
        classes: tuple[RetentionClass, ...] = ("FISCAL", "CONTACT")
        known = [key_id for key_id, of in self.erased.items() if of == subject]
        states = [_key(key_id, subject, "FISCAL", self.clock.now()) for key_id in known]
        for retention_class in classes:
            if self.ledger.keys.has(subject, retention_class):
                key = self.ledger.keys.key_for(subject, retention_class)
                states.append(_key(key.key_id, subject, retention_class, None))
        return states

    def erase(self, party_id: str) -> None:
        """The law lets go of a customer, who asked to be forgotten."""
        subject = f"party:{party_id}"
        self.erased[self.ledger.keys.erase(subject, "FISCAL")] = subject

    async def take(self, event_type: str, data: dict[str, Any]) -> str:
        """An upstream fact comes in as through the door; what became of it."""
        envelope = {"specversion": "1.0", "id": str(uuid4()), "source": "urn:s", "type": event_type}
        fact = read_fact(CloudEvent.model_validate({**envelope, "data": data}), READING)
        fact = replace(fact, intake=await fact.intake.with_files_kept(self.keeper))
        committed = await self.ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        outcome: Outcome = committed.answer.body
        return outcome.outcome

    async def crm_tells(self, **changes: Any) -> dict[str, Any]:
        """CRM tells of an account."""
        account = an_account(**changes)
        await self.take("crm.ACCOUNT_UPDATED", account)
        return account

    async def work_order(self, account_id: str, *refs: dict[str, Any]) -> dict[str, Any]:
        """A work order with these artifacts comes in."""
        data = a_work_order(account_id, artifactRefs=list(refs))
        assert await self.take("workexec.WORK_ORDER_READY", data) == "ACCEPTED"
        return data

    async def draft(self, work_order: dict[str, Any]) -> str:
        """Its invoice is drafted."""
        invoice_id = str(uuid4())
        asking = Asking("ana", None, frozenset(), None, DESK)
        handler = draft_invoice(work_order["workOrderId"], invoice_id, asking)
        await self.ledger.commit(Command(AUDIT, handler))
        return invoice_id

    async def invoice(self, *refs: dict[str, Any]) -> str:
        """The draft of a known account's work order with these artifacts."""
        account = await self.crm_tells()
        return await self.draft(await self.work_order(account["customerAccountId"], *refs))

    def token(self, invoice_id: str, artifact_ref_id: str = "approval-1") -> str:
        """Ana's token for one of its artifacts."""
        return self.artifacts.make_token(ANA, invoice_id, artifact_ref_id, "SERVICE_ADVISOR").token

    async def redeem(self, token: str, caller: Caller | None = None) -> DownloadedArtifact:
        """The content, as a browser asks for it."""
        return await self.artifacts.redeem(token, caller, ip=None, device=None, correlation_id="trace-3")

    def names(self) -> list[str]:
        """The ledger's events."""
        return [event.name for event in self.ledger.events]


def _key(
    key_id: UUID, subject: str, retention_class: RetentionClass, erased_at: datetime | None
) -> SubjectKeyState:
    return SubjectKeyState(
        key_id=key_id,
        subject=subject,
        retention_class=retention_class,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        erase_after=None,
        erased_at=erased_at,
        redacted_at=None,
        requested_by=None,
        reason=None,
    )
