"""Numbered documents are finished: the same bytes every time, whatever fails and wherever it crashes."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from application.due_documents import retry_delay_seconds
from application.ledger import Command, LedgerUnavailable
from application.signing import KeyUnusable, Signature
from application.vault import VaultConflict, VaultUnavailable
from domain.documents.document_facts import DocumentIssueFailed
from domain.documents.seal import seal_payload
from domain.kernel.canonical import sha256_hex
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.rendering.pdf import render_pdf
from tests.support.facts import DOCUMENT_ID, KEY, NOON
from tests.support.memory_ledger import Announcement
from tests.support.workshop import JSON_NAME, PDF_NAME, Crash, Fuse, Workshop


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Ed25519Signer:
    keys: Path = tmp_path_factory.mktemp("issuing") / "keys"
    return Ed25519Signer(KeyStore.create(keys).seal)


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
    await workshop.issuer().issue(["0190f5fe-7c00-7a00-8000-000000000001"])
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


async def test_a_document_whose_content_cannot_be_made_is_parked_too(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> bytes:
        raise ValueError("its source does not hold it")

    monkeypatch.setattr("application.due_documents.document_content", lacking)
    await workshop.issue()
    assert [failure.reason for failure in workshop.failures()] == ["render_failed"]


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
            await crashed.issuer(fuse).issue([DOCUMENT_ID])
        except Crash:
            steps += 1
        else:
            break
        await crashed.issue()
        assert crashed.outcome() == expected
        assert len(crashed.events("document.numbered")) == 1
        assert len(crashed.ledger.announcements) == 1
    # Read document, read order, draw, store, seal, record.
    assert steps == 6


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
