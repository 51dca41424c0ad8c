"""A workshop for tests: a ledger with an accepted order, and everything its receipt needs to be issued."""

from dataclasses import dataclass, field
from typing import Any

from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.issuing import Issuer
from application.ledger import Audit, Command, Handler
from application.stamping import StampAnswer, StampRequest
from application.stamping_work import StampOffice
from application.vault import Deposit, StoredObject, VaultError
from domain.documents.document import Document
from domain.documents.document_facts import DocumentIssued, DocumentIssueFailed
from domain.documents.keys import document_id, document_key
from domain.kernel.recorded import RecordedEvent
from domain.streams import REGISTRY
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.rendering.direct import DirectRenderer
from tests.support.clocks import SetClock
from tests.support.desks import READING
from tests.support.facts import DOCUMENT_ID, NOON
from tests.support.memory_ledger import MemoryLedger
from tests.support.memory_stamper import MemoryStamper
from tests.support.memory_vault import MemoryVault
from tests.support.simulated_country import SimulatedInvoice, drafting
from tests.support.snapshots import order_data

PDF_NAME = f"documents/{DOCUMENT_ID}/document.pdf"
JSON_NAME = f"documents/{DOCUMENT_ID}/document.json"
AUDIT = Audit("north", "importer", "SYSTEM", "inbound.receive-events", "trace-1")


class Crash(BaseException):
    """The process ended here."""


@dataclass
class Fuse:
    """Lets so many port calls take place, then ends the process right after the last of them."""

    calls_left: int = 10**9

    def burn(self) -> None:
        """Counts a call."""
        self.calls_left -= 1
        if self.calls_left == 0:
            raise Crash


class FailingVault(MemoryVault):
    """A vault that refuses to write what has `refused` in its name, for as long as `failure` is set."""

    failure: VaultError | None = None
    refused = ""

    def put(self, deposit: Deposit) -> StoredObject:
        """Stores, or refuses."""
        if self.failure is not None and self.refused in deposit.name:
            raise self.failure
        return super().put(deposit)


@dataclass
class Observer:
    """Counts as the metrics do."""

    told: list[tuple[str, str, str]] = field(default_factory=list)

    def repeated(self, doc_type: str) -> None:
        """Notes it."""
        self.told.append(("repeated", doc_type, ""))

    def issued(self, doc_type: str, country: str) -> None:
        """Notes it."""
        self.told.append(("issued", doc_type, country))

    def failed(self, reason: str, country: str) -> None:
        """Notes it."""
        self.told.append(("failed", reason, country))

    def blocked(self, country: str) -> None:
        """Notes it."""
        self.told.append(("blocked", "", country))

    def authority_took(self, country: str, seconds: float) -> None:
        """Notes it."""
        assert seconds >= 0
        self.told.append(("asked", "authority", country))


class _Fused:
    """A port whose every call burns the fuse after it took place."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse


class FusedLedger(_Fused):
    """A ledger that counts."""

    async def histories(self, *arguments: Any, **options: Any) -> Any:
        """Does it, then counts it."""
        answer = await self._port.histories(*arguments, **options)
        self._fuse.burn()
        return answer

    async def commit(self, command: Command) -> Any:
        """Does it, then counts it."""
        answer = await self._port.commit(command)
        self._fuse.burn()
        return answer


class FusedVault(_Fused):
    """A vault that counts."""

    def put(self, *arguments: Any, **options: Any) -> Any:
        """Does it, then counts it."""
        answer = self._port.put(*arguments, **options)
        self._fuse.burn()
        return answer

    def put_all(self, *arguments: Any, **options: Any) -> Any:
        """Does it, then counts it."""
        answer = self._port.put_all(*arguments, **options)
        self._fuse.burn()
        return answer


class FusedSigner(_Fused):
    """A signer that counts."""

    def sign(self, payload: bytes) -> Any:
        """Does it, then counts it."""
        answer = self._port.sign(payload)
        self._fuse.burn()
        return answer


class FusedRenderer(_Fused):
    """A renderer that counts."""

    async def render(self, content_json: bytes) -> Any:
        """Does it, then counts it."""
        answer = await self._port.render(content_json)
        self._fuse.burn()
        return answer


class FusedStamper(_Fused):
    """A stamper that counts."""

    async def stamp(self, request: StampRequest) -> StampAnswer:
        """Does it, then counts it."""
        answer: StampAnswer = await self._port.stamp(request)
        self._fuse.burn()
        return answer


class Workshop:
    """A ledger with one accepted order, and everything its receipt needs to be issued."""

    def __init__(self, signer: Ed25519Signer) -> None:
        self.clock = SetClock(NOON)
        self.ledger = MemoryLedger(self.clock)
        self.vault = FailingVault()
        self.signer: Any = signer
        self.renderer: Any = DirectRenderer()
        self.observer = Observer()
        self.stamper = MemoryStamper()

    async def do(self, handler: Handler) -> Any:
        """Records something; returns the body of its answer."""
        return (await self.ledger.commit(Command(AUDIT, handler))).answer.body

    async def draft(self, invoice: SimulatedInvoice) -> str:
        """Drafts and numbers an invoice that wants a stamp; returns its document's id."""
        await self.do(drafting(invoice))
        self.clock.move(1)
        return invoice.document_id

    def office(self, fuse: Fuse | None = None) -> StampOffice:
        """What has documents stamped, as a process starts it; with a fuse, one that will end early."""
        fuse = fuse or Fuse()
        return StampOffice(
            FusedStamper(self.stamper, fuse),  # type: ignore[arg-type]
            FusedLedger(self.ledger, fuse),  # type: ignore[arg-type]
            REGISTRY,
            FusedVault(self.vault, fuse),  # type: ignore[arg-type]
            self.ledger.keys,
            self.clock,
            self.observer,
        )

    async def accept_order(self, order_id: str = "o-1") -> str:
        """Takes the order in; its receipt has a number from now on. Returns the receipt's id."""
        data = order_data(order_id)
        event = CloudEvent(
            specversion="1.0", id=f"e-{order_id}", source="urn:s", type="orders.PAID_IN_ESCROW", data=data
        )
        fact = read_fact(event, READING)
        await self.ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        self.clock.move(60)
        return document_id(document_key((order_id,), "RECEIPT", "platform-gb", 1))

    def issuer(self, fuse: Fuse | None = None) -> Issuer:
        """An issuer as a process starts it; with a fuse, one that will end early."""
        fuse = fuse or Fuse()
        return Issuer(
            FusedLedger(self.ledger, fuse),  # type: ignore[arg-type]
            REGISTRY,
            FusedVault(self.vault, fuse),  # type: ignore[arg-type]
            self.ledger.keys,
            FusedSigner(self.signer, fuse),  # type: ignore[arg-type]
            FusedRenderer(self.renderer, fuse),  # type: ignore[arg-type]
            self.clock,
            self.observer,
        )

    async def issue(self) -> None:
        """Runs an issuer once, to its end."""
        await self.issuer().issue([DOCUMENT_ID])

    def events(self, name: str) -> list[RecordedEvent]:
        """The ledger's events of that name."""
        return [event for event in self.ledger.events if event.name == name]

    def document(self, document_id: str = DOCUMENT_ID) -> Document:
        """A receipt as the ledger has it."""
        of_document = [event for event in self.ledger.events if event.stream == ("document", document_id)]
        document = REGISTRY.fold(of_document[0].stream, [event.fact for event in of_document])
        assert isinstance(document, Document)
        return document

    def failures(self) -> list[DocumentIssueFailed]:
        """Why it was parked, each time."""
        found = [event.fact for event in self.events("document.issue-failed")]
        return [fact for fact in found if isinstance(fact, DocumentIssueFailed)]

    def outcome(self) -> tuple[bytes, bytes, DocumentIssued]:
        """What the vault and the ledger keep of an issued document, which was issued exactly once."""
        (event,) = self.events("document.issued")
        assert isinstance(event.fact, DocumentIssued)
        return self.vault.content(PDF_NAME), self.vault.content(JSON_NAME), event.fact
