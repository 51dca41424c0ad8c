"""Numbered documents are finished: the same bytes every time, whatever fails and wherever it crashes."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.issuing import Issuer, IssuingLoop, retry_delay_seconds
from application.ledger import Audit, Command, LedgerUnavailable
from application.signing import KeyUnusable, Signature
from application.vault import StoredObject, VaultConflict, VaultUnavailable
from domain.documents.document import Document, DocumentIssued, DocumentIssueFailed
from domain.documents.seal import seal_payload
from domain.kernel.canonical import sha256_hex
from domain.kernel.recorded import RecordedEvent
from domain.streams import REGISTRY
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.rendering.pdf import render_pdf
from tests.support.clocks import SetClock
from tests.support.facts import DOCUMENT_ID, KEY, NOON
from tests.support.memory_ledger import Announcement, MemoryLedger
from tests.support.memory_vault import MemoryVault
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
        self.calls_left -= 1
        if self.calls_left == 0:
            raise Crash


class FailingVault(MemoryVault):
    """A vault that refuses to write for as long as `failure` is set."""

    failure: Exception | None = None

    def put(self, name: str, content: bytes, *, retention_class: str, retain_until: date) -> StoredObject:
        if self.failure is not None:
            raise self.failure
        return super().put(name, content, retention_class=retention_class, retain_until=retain_until)


@dataclass
class Observer:
    """Counts as the metrics do."""

    told: list[tuple[str, str, str]] = field(default_factory=list)

    def repeated(self, doc_type: str) -> None:
        self.told.append(("repeated", doc_type, ""))

    def issued(self, doc_type: str, country: str) -> None:
        self.told.append(("issued", doc_type, country))

    def failed(self, reason: str, country: str) -> None:
        self.told.append(("failed", reason, country))


class _Fused:
    """A port whose every call burns the fuse after it took place."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse


class FusedLedger(_Fused):
    async def history(self, *arguments: Any, **options: Any) -> Any:
        answer = await self._port.history(*arguments, **options)
        self._fuse.burn()
        return answer

    async def commit(self, command: Command) -> Any:
        answer = await self._port.commit(command)
        self._fuse.burn()
        return answer


class FusedVault(_Fused):
    def put(self, *arguments: Any, **options: Any) -> Any:
        answer = self._port.put(*arguments, **options)
        self._fuse.burn()
        return answer


class FusedSigner(_Fused):
    def sign(self, payload: bytes) -> Any:
        answer = self._port.sign(payload)
        self._fuse.burn()
        return answer


class FusedRenderer(_Fused):
    async def render(self, content_json: bytes) -> Any:
        answer = await self._port.render(content_json)
        self._fuse.burn()
        return answer


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Ed25519Signer:
    keys: Path = tmp_path_factory.mktemp("issuing") / "keys"
    return Ed25519Signer(KeyStore.create(keys).seal)


class Workshop:
    """A ledger with one accepted order, and everything its receipt needs to be issued."""

    def __init__(self, signer: Ed25519Signer) -> None:
        self.clock = SetClock(NOON)
        self.ledger = MemoryLedger(self.clock)
        self.vault = FailingVault()
        self.signer: Any = signer
        self.renderer: Any = DirectRenderer()
        self.observer = Observer()

    async def accept_order(self) -> None:
        """Takes the order in; its receipt has a number from now on."""
        event = CloudEvent(
            specversion="1.0", id="e-1", source="urn:s", type="orders.PAID_IN_ESCROW", data=order_data()
        )
        fact = read_fact(event)
        await self.ledger.commit(Command(AUDIT, receive_fact(fact), fact.streams))
        self.clock.move(60)

    def issuer(self, fuse: Fuse | None = None) -> Issuer:
        """An issuer as a process starts it; with a fuse, one that will end early."""
        fuse = fuse or Fuse()
        return Issuer(
            FusedLedger(self.ledger, fuse),  # type: ignore[arg-type]
            REGISTRY,
            FusedVault(self.vault, fuse),  # type: ignore[arg-type]
            FusedSigner(self.signer, fuse),  # type: ignore[arg-type]
            FusedRenderer(self.renderer, fuse),  # type: ignore[arg-type]
            self.clock,
            self.observer,
        )

    async def issue(self) -> None:
        """Runs an issuer once, to its end."""
        await self.issuer().issue(DOCUMENT_ID)

    def events(self, name: str) -> list[RecordedEvent]:
        """The ledger's events of that name."""
        return [event for event in self.ledger.events if event.name == name]

    def document(self) -> Document:
        """The receipt as the ledger has it."""
        of_document = [event for event in self.ledger.events if event.stream == ("document", DOCUMENT_ID)]
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
        return self.vault.get(PDF_NAME), self.vault.get(JSON_NAME), event.fact


@pytest.fixture
async def workshop(signer: Ed25519Signer) -> Workshop:
    workshop = Workshop(signer)
    await workshop.accept_order()
    return workshop


async def test_a_numbered_document_is_drawn_stored_sealed_and_issued(workshop: Workshop) -> None:
    await workshop.issue()
    pdf, content, issued = workshop.outcome()
    assert pdf.startswith(b"%PDF-")
    assert pdf == render_pdf(content)
    assert b'"number":"R-2026-000001"' in content
    assert (issued.pdf_name, issued.json_name) == (PDF_NAME, JSON_NAME)
    assert (issued.seal.sha256_pdf, issued.seal.sha256_json) == (sha256_hex(pdf), sha256_hex(content))
    assert issued.retention.until == date(2036, 12, 31)
    assert workshop.document().status == "ISSUED"
    assert workshop.observer.told == [("issued", "RECEIPT", "GB")]


async def test_the_seal_is_a_signature_over_identity_and_hashes(workshop: Workshop) -> None:
    await workshop.issue()
    pdf, content, issued = workshop.outcome()
    payload = seal_payload(
        document_id=DOCUMENT_ID,
        document_key=KEY,
        number="R-2026-000001",
        sha256_pdf=sha256_hex(pdf),
        sha256_json=sha256_hex(content),
    )
    seal = issued.seal
    workshop.signer.verify(
        payload,
        Signature(key_id=seal.key_id, algorithm=seal.algorithm, signature_base64=seal.signature),
    )


async def test_the_issue_is_announced_and_audited_as_the_workers(workshop: Workshop) -> None:
    await workshop.issue()
    (event,) = workshop.events("document.issued")
    assert workshop.ledger.announcements == [Announcement(event.position, "docs.DocumentIssued")]
    drafted = workshop.events("document.drafted")[0]
    assert (event.actor, event.role, event.operation) == (
        "system:worker",
        "SYSTEM",
        "documents.issue-numbered",
    )
    assert (event.tenant_id, event.correlation_id) == ("north", "trace-1")
    assert event.causation_id == str(drafted.position)


async def test_issuing_again_does_nothing(workshop: Workshop) -> None:
    await workshop.issue()
    before = list(workshop.ledger.events)
    await workshop.issue()
    assert workshop.ledger.events == before


async def test_what_does_not_exist_is_left_alone(workshop: Workshop) -> None:
    before = list(workshop.ledger.events)
    await workshop.issuer().issue("0190f5fe-7c00-7a00-8000-000000000001")
    assert workshop.ledger.events == before


async def test_an_unavailable_vault_parks_the_document_until_its_retry_succeeds(workshop: Workshop) -> None:
    workshop.vault.failure = VaultUnavailable("The vault is full.")
    await workshop.issue()
    now = workshop.clock.now()
    expected = DocumentIssueFailed(reason="vault_unavailable", attempt=1, retry_at=now + timedelta(seconds=1))
    assert workshop.failures() == [expected]
    assert workshop.document().status == "DRAFT"
    now = workshop.clock.move(1)
    await workshop.issue()
    assert workshop.failures()[1].attempt == 2
    assert workshop.failures()[1].retry_at == now + timedelta(seconds=4)
    workshop.vault.failure = None
    workshop.clock.move(4)
    await workshop.issue()
    pdf, _, issued = workshop.outcome()
    assert sha256_hex(pdf) == issued.seal.sha256_pdf
    document = workshop.document()
    assert document.failure is None
    assert document.numbered is not None
    assert document.numbered.number == "R-2026-000001"
    assert document.numbered.issued_at == NOON
    assert workshop.observer.told == [
        ("failed", "vault_unavailable", "GB"),
        ("failed", "vault_unavailable", "GB"),
        ("issued", "RECEIPT", "GB"),
    ]


async def test_a_parked_document_is_left_alone_until_its_time_has_come(workshop: Workshop) -> None:
    workshop.vault.failure = VaultUnavailable("The vault is full.")
    await workshop.issue()
    workshop.vault.failure = None
    workshop.clock.move(0.999)
    await workshop.issue()
    assert (len(workshop.failures()), workshop.document().status) == (1, "DRAFT")
    workshop.clock.move(0.001)
    await workshop.issue()
    assert workshop.document().status == "ISSUED"


class _UnusableKey:
    def sign(self, payload: bytes) -> Signature:
        raise KeyUnusable("seal", "unreadable")


class _StumblingRenderer:
    async def render(self, content_json: bytes) -> bytes:
        raise ZeroDivisionError


async def test_other_bytes_in_the_vault_park_the_document(workshop: Workshop) -> None:
    workshop.vault.failure = VaultConflict("The vault holds other content under that name.")
    await workshop.issue()
    assert [fact.reason for fact in workshop.failures()] == ["vault_conflict"]


async def test_an_unusable_key_parks_the_document(workshop: Workshop) -> None:
    workshop.signer = _UnusableKey()
    await workshop.issue()
    assert [fact.reason for fact in workshop.failures()] == ["seal_failed"]


async def test_a_template_that_stumbles_parks_the_document(workshop: Workshop) -> None:
    workshop.renderer = _StumblingRenderer()
    await workshop.issue()
    assert [fact.reason for fact in workshop.failures()] == ["render_failed"]


async def test_a_ledger_that_is_away_parks_nothing_and_is_told(workshop: Workshop) -> None:
    async def away(_: Command) -> None:
        raise LedgerUnavailable

    before = list(workshop.ledger.events)
    workshop.ledger.commit = away  # type: ignore[method-assign, assignment]
    with pytest.raises(LedgerUnavailable):
        await workshop.issue()
    assert workshop.ledger.events == before


async def test_a_crash_after_any_step_is_finished_with_the_same_number_and_the_same_bytes(
    workshop: Workshop, signer: Ed25519Signer
) -> None:
    await workshop.issue()
    expected = workshop.outcome()
    steps = 0
    while True:
        crashed = Workshop(signer)
        await crashed.accept_order()
        fuse = Fuse(steps + 1)
        try:
            await crashed.issuer(fuse).issue(DOCUMENT_ID)
        except Crash:
            steps += 1
        else:
            break
        await crashed.issue()
        assert crashed.outcome() == expected
        assert len(crashed.events("document.numbered")) == 1
        assert len(crashed.ledger.announcements) == 1
    # Read document, read order, draw, store JSON, store PDF, seal, record.
    assert steps == 7


async def test_two_issuers_at_once_issue_a_document_once(workshop: Workshop) -> None:
    await asyncio.gather(*(workshop.issue() for _ in range(4)))
    workshop.outcome()
    assert len(workshop.ledger.announcements) == 1
    assert not workshop.failures()


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 1), (2, 4), (3, 16), (4, 64), (5, 256), (6, 1024), (7, 3600), (99, 3600)]
)
def test_retries_wait_longer_each_time_up_to_an_hour(attempt: int, seconds: int) -> None:
    assert retry_delay_seconds(attempt) == seconds


@dataclass
class _WorkList:
    listed: list[str]

    async def documents_to_issue(self, limit: int) -> list[str]:
        return self.listed[:limit]


async def test_the_loop_issues_what_is_listed_and_survives_what_fails(workshop: Workshop) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise LedgerUnavailable

    sound = MemoryLedger.history
    workshop.ledger.history = away  # type: ignore[method-assign, assignment]
    work = _WorkList([DOCUMENT_ID])
    loop = IssuingLoop(workshop.issuer(), work, concurrency=2)
    assert await loop.step() == 1
    await loop.drain()
    assert not workshop.events("document.issued")
    workshop.ledger.history = sound.__get__(workshop.ledger)  # type: ignore[method-assign]
    assert await loop.step() == 1
    await loop.drain()
    assert len(workshop.events("document.issued")) == 1
    work.listed = []
    assert await loop.step() == 0


async def test_the_loop_keeps_no_more_under_way_than_it_may(workshop: Workshop) -> None:
    work = _WorkList([DOCUMENT_ID, "d-2", "d-3", "d-4"])
    loop = IssuingLoop(workshop.issuer(), work, concurrency=2)
    assert await loop.step() == 2
    assert await loop.step() == 2
    await loop.drain()
