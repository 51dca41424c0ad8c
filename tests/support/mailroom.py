"""A room from which documents go out, in memory: what is due is what the read model lists."""

from collections.abc import Iterable
from typing import Any

from application.delivering import Deliverer, DueDelivery
from application.files import DocumentFiles
from application.ledger import Answer, Audit, Command, Committed, Transaction
from application.mailing import Letter, Mail
from application.ports import DownloadClaims
from application.vault import Deposit
from domain.documents.delivery import DeliveryOf
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DeliveryMethod
from domain.documents.order_state import ORDER
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from projections.deliveries import DELIVERIES
from tests.support.clocks import SetClock
from tests.support.facts import DOCUMENT_ID, an_order, drafted, issued, numbered, paid
from tests.support.folding import folded
from tests.support.memory_ledger import MemoryLedger
from tests.support.memory_vault import MemoryVault

DOCUMENT_STREAM = DOCUMENT.stream(DOCUMENT_ID)
AUDIT = Audit("north", "ana", "SYSTEM", "inbound.receive-events", "trace-1")


class SetMailer:
    """A mailer that notes what it is given and then fails as it is told, once each."""

    def __init__(self) -> None:
        self.repeatable = False
        self.mails: list[Mail] = []
        self.failures: list[BaseException] = []

    async def send(self, mail: Mail) -> None:
        """Notes the mail."""
        self.mails.append(mail)
        if self.failures:
            raise self.failures.pop(0)


class SetPapers:
    """A print room and the memory of whom papers were forgotten."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.forgotten: list[str] = []

    async def lay_in(self, letter: Letter) -> None:
        """Notes the letter."""
        self.letters.append(letter)

    async def forget(self, subject_id: str) -> None:
        """Notes the subject."""
        self.forgotten.append(subject_id)


class _SetTokens:
    """Tokens that tell what they stand for."""

    def __init__(self) -> None:
        self.claims: list[DownloadClaims] = []

    def issue(self, claims: DownloadClaims) -> str:
        """A token by its number."""
        self.claims.append(claims)
        return f"token-{len(self.claims)}"

    def read(self, token: str) -> DownloadClaims:
        """What the token stands for."""
        return self.claims[int(token.removeprefix("token-")) - 1]


class _FailingLedger(MemoryLedger):
    """A ledger whose next commit of an operation fails, before or after it took effect."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__(clock)
        self.failures: dict[int, BaseException] = {}
        self.commits = 0

    async def commit(self, command: Command) -> Committed:
        """Fails before the commit of that number."""
        self.commits += 1
        if failure := self.failures.pop(self.commits, None):
            raise failure
        return await super().commit(command)


class Mailroom:
    """A paid order whose receipt goes out by a method once it is issued."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.order = an_order()
        self.ledger = _FailingLedger(self.clock)
        self.mailer = SetMailer()
        self.papers = SetPapers()
        self.tokens = _SetTokens()
        vault = MemoryVault()
        until = issued().retention
        vault.put(Deposit(issued().pdf_name, b"%PDF-1", until.retention_class, until.until, None))
        self._deliverer = Deliverer(
            *(self.ledger, REGISTRY, self.ledger.keys, DocumentFiles(vault, self.ledger.keys)),
            *(self.tokens, self.mailer, self.papers, self.papers, self.clock),
            "https://billing.example",
        )

    async def have_issued(self, method: DeliveryMethod = "EMAIL", **changes: Any) -> None:
        """The order is paid, its receipt drafted, numbered and issued."""
        await self.append(ORDER.stream("o-1"), paid(self.order))
        await self.append(DOCUMENT_STREAM, drafted(delivery_method=method, **changes), numbered(), issued())

    async def append(self, stream: StreamId, *facts: Fact) -> None:
        """These facts happen."""

        def handle(transaction: Transaction) -> Answer:
            transaction.append(stream, facts)
            return Answer(200, None)

        await self.ledger.commit(Command(AUDIT, handle))

    def erase(self, subject: str) -> None:
        """The subject's contact data cannot be read from now on."""
        self.ledger.keys.erase(subject, "CONTACT")
        self.ledger.events = self.ledger.read_again()

    def due(self) -> list[DueDelivery]:
        """What the read model lists now."""
        rows = folded(DELIVERIES, self.ledger.events)["delivery_v2"].values()
        now = self.clock.now()
        return [
            DueDelivery(
                DeliveryOf(
                    delivery_id=row["delivery_id"], document_id=row["document_id"], channel=row["channel"]
                ),
                StreamId(row["stream_type"], row["stream_id"]),
            )
            for row in rows
            if row["due_at"] is not None and row["due_at"] <= now
        ]

    async def work(self) -> None:
        """Makes every attempt that is due, once."""
        for due in self.due():
            await self._deliverer.deliver(due)

    def told(self) -> list[str]:
        """What was recorded of deliveries, by the end of its name."""
        return [_end(event.name) for event in self._accesses()]

    def facts(self) -> list[Fact]:
        """The same as facts."""
        return [event.fact for event in self._accesses()]

    def _accesses(self) -> Iterable[Any]:
        return (event for event in self.ledger.events if event.stream.type == "document-access")


def _end(name: str) -> str:
    return name.partition(".")[2]
