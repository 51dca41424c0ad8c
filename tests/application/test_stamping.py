"""Documents that want a stamp: it is asked for, kept and recorded before they are drawn, whatever fails."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from application.handlers.documents import stamp_document
from application.handlers.invoice_documents import void_own_document
from application.ledger import Answer, Transaction
from application.stamping import StampAnswer, StampRejected, StampRequest, StampTimeout, StampUnavailable
from application.vault import VaultConflict, VaultUnavailable
from domain.documents.document import DOCUMENT, ask_again, void
from domain.documents.seal import seal_payload
from domain.fiscal.countries.simulated import driver
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from domain.kernel.canonical import sha256_hex
from domain.kernel.errors import DomainError
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.rendering.pdf import render_pdf
from tests.support.decisions import rule
from tests.support.memory_stamper import MemoryStamper, nothing
from tests.support.simulated_country import SimulatedInvoice
from tests.support.workshop import Crash, Fuse, Workshop

INVOICE = SimulatedInvoice(name="i-1")
DOCUMENT_ID = INVOICE.document_id


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Ed25519Signer:
    keys: Path = tmp_path_factory.mktemp("stamping") / "keys"
    return Ed25519Signer(KeyStore.create(keys).seal)


@pytest.fixture
async def workshop(signer: Ed25519Signer) -> Workshop:
    workshop = Workshop(signer)
    await workshop.draft(INVOICE)
    return workshop


def _voiding(transaction: Transaction) -> Answer:
    document = transaction.state(DOCUMENT, DOCUMENT_ID)
    assert document is not None
    transaction.append(DOCUMENT.stream(DOCUMENT_ID), void(document, "ERROR"))
    return Answer(200, None)


def _voiding_its_invoice(transaction: Transaction) -> Answer:
    void_own_document(transaction, DOCUMENT_ID, "ERROR", None)
    return Answer(200, None)


def _asking_again(transaction: Transaction) -> Answer:
    document = transaction.state(DOCUMENT, DOCUMENT_ID)
    assert document is not None
    transaction.append(DOCUMENT.stream(DOCUMENT_ID), ask_again(document, transaction.stamp.at))
    return Answer(200, None)


async def test_nothing_is_drawn_before_it_has_its_stamp(workshop: Workshop) -> None:
    assert await workshop.issuer().issue([DOCUMENT_ID]) == set()
    assert workshop.document(DOCUMENT_ID).status == "DRAFT"
    assert not workshop.vault.exists(INVOICE.file_name("document.pdf"))


async def test_a_stamped_document_is_issued_with_its_stamp_on_it(workshop: Workshop) -> None:
    assert await workshop.office().stamp(DOCUMENT_ID)
    assert await workshop.issuer().issue([DOCUMENT_ID]) == {DOCUMENT_ID}
    document = workshop.document(DOCUMENT_ID)
    assert document.stamped is not None and document.issued is not None and document.numbered is not None
    stamp, chain, seal = document.stamped.stamp, document.numbered.chain, document.issued.seal
    file = workshop.vault.content(INVOICE.file_name("fiscal.xml"))
    content = workshop.vault.content(INVOICE.file_name("document.json"))
    pdf = workshop.vault.content(INVOICE.file_name("document.pdf"))
    assert chain is not None
    assert json.loads(content)["fiscal"] == {
        "authority": SIMULATED_AUTHORITY,
        "uuid": stamp.uuid,
        "stampedAt": "2026-03-14T12:00:00.000000Z",
        "qr": stamp.qr,
        "chainHash": chain.hash,
    }
    assert (stamp.file_name, stamp.sha256) == (INVOICE.file_name("fiscal.xml"), sha256_hex(file))
    assert seal.sha256_fiscal == stamp.sha256
    assert pdf == render_pdf(content)
    payload = seal_payload(
        document_id=DOCUMENT_ID,
        document_key=INVOICE.document_key,
        number=document.numbered.number,
        sha256_pdf=sha256_hex(pdf),
        sha256_json=sha256_hex(content),
        sha256_fiscal=sha256_hex(file),
    )
    assert workshop.signer.sign(payload).signature_base64 == seal.signature
    assert workshop.observer.told == [("asked", "authority", "XS"), ("issued", "FISCAL_INVOICE", "XS")]


async def test_what_has_a_stamp_is_not_asked_for_again(workshop: Workshop) -> None:
    for _ in range(2):
        assert await workshop.office().stamp(DOCUMENT_ID)
    await workshop.issuer().issue([DOCUMENT_ID])
    assert await workshop.office().stamp(DOCUMENT_ID)
    assert workshop.stamper.asked == {DOCUMENT_ID: 1}
    assert len(workshop.events("document.stamped")) == 1


async def test_documents_of_other_countries_want_no_stamp(workshop: Workshop) -> None:
    receipt = await workshop.accept_order()
    assert await workshop.office().stamp(receipt)
    assert workshop.stamper.asked == {}
    assert await workshop.issuer().issue([receipt]) == {receipt}


async def test_an_authority_that_does_not_answer_parks_the_document_and_is_asked_again(
    workshop: Workshop,
) -> None:
    workshop.stamper.after = lambda _: StampTimeout("Lost.")
    assert not await workshop.office().stamp(DOCUMENT_ID)
    (failed,) = workshop.failures()
    assert (failed.reason, failed.attempt, failed.authority_code) == ("driver_timeout", 1, None)
    assert failed.retry_at == workshop.clock.now() + timedelta(seconds=1)
    workshop.stamper.after = nothing
    assert not await workshop.office().stamp(DOCUMENT_ID), "its time has not come"
    workshop.clock.move(1)
    assert await workshop.office().stamp(DOCUMENT_ID)
    assert await workshop.issuer().issue([DOCUMENT_ID]) == {DOCUMENT_ID}
    assert workshop.stamper.asked == {DOCUMENT_ID: 2}


async def test_an_authority_that_is_away_parks_the_document_longer_each_time(workshop: Workshop) -> None:
    workshop.stamper.before = lambda _: StampUnavailable("Down.")
    for seconds in (1, 4, 16):
        now = workshop.clock.now()
        assert not await workshop.office().stamp(DOCUMENT_ID)
        assert workshop.failures()[-1].reason == "driver_unavailable"
        assert workshop.failures()[-1].retry_at == now + timedelta(seconds=seconds)
        workshop.clock.move(seconds)
    assert ("failed", "driver_unavailable", "XS") in workshop.observer.told


async def test_what_cannot_be_made_is_parked_before_the_authority_is_asked(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> bytes:
        raise ValueError("its source does not hold it")

    monkeypatch.setattr("application.due_documents.document_content", lacking)
    assert not await workshop.office().stamp(DOCUMENT_ID)
    assert [failure.reason for failure in workshop.failures()] == ["render_failed"]
    assert workshop.stamper.asked == {}


async def test_a_refusal_keeps_the_number_and_waits_for_a_person(workshop: Workshop) -> None:
    workshop.stamper.before = lambda _: StampRejected("XS301")
    assert not await workshop.office().stamp(DOCUMENT_ID)
    (failed,) = workshop.failures()
    assert (failed.reason, failed.authority_code, failed.retry_at) == ("driver_rejected", "XS301", None)
    workshop.clock.move(86_400)
    workshop.stamper.before = nothing
    assert not await workshop.office().stamp(DOCUMENT_ID)
    assert workshop.stamper.asked == {DOCUMENT_ID: 1}
    await workshop.do(_asking_again)
    assert await workshop.office().stamp(DOCUMENT_ID)
    assert await workshop.issuer().issue([DOCUMENT_ID]) == {DOCUMENT_ID}
    document = workshop.document(DOCUMENT_ID)
    assert document.numbered is not None and document.numbered.number == "F-2026-000001"


async def test_a_refused_document_of_an_invoice_is_void_whenever_that_is(
    workshop: Workshop,
) -> None:
    workshop.stamper.before = lambda _: StampRejected("XS301")
    assert not await workshop.office().stamp(DOCUMENT_ID)
    workshop.clock.move(2 * 86_400)
    await workshop.do(_voiding_its_invoice)
    assert workshop.document(DOCUMENT_ID).status == "VOIDED"


async def test_an_issued_one_is_void_only_while_the_law_lets_it(workshop: Workshop) -> None:
    assert await workshop.office().stamp(DOCUMENT_ID)
    assert await workshop.issuer().issue([DOCUMENT_ID]) == {DOCUMENT_ID}
    workshop.clock.move(2 * 86_400)
    with pytest.raises(DomainError, match="law"):
        await workshop.do(_voiding_its_invoice)


async def test_a_voided_draft_is_not_stamped_any_more(workshop: Workshop) -> None:
    await workshop.do(_voiding)
    assert not await workshop.office().stamp(DOCUMENT_ID)
    assert workshop.stamper.asked == {}


class _VoidedMeanwhile(MemoryStamper):
    def __init__(self, workshop: Workshop) -> None:
        super().__init__()
        self._workshop = workshop

    async def stamp(self, request: StampRequest) -> StampAnswer:
        answer = await super().stamp(request)
        await self._workshop.do(_voiding)
        return answer


async def test_one_that_is_voided_while_it_is_stamped_keeps_its_stamp(workshop: Workshop) -> None:
    workshop.stamper = _VoidedMeanwhile(workshop)
    assert await workshop.office().stamp(DOCUMENT_ID)
    document = workshop.document(DOCUMENT_ID)
    assert document.status == "VOIDED" and document.stamped is not None
    assert await workshop.issuer().issue([DOCUMENT_ID]) == set()


class _Silent(MemoryStamper):
    async def stamp(self, request: StampRequest) -> StampAnswer:
        await asyncio.Event().wait()
        return await super().stamp(request)


async def test_the_drivers_time_is_up_whatever_the_adapter_does(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "STAMP_TIMEOUT_SECONDS", 0)
    workshop.stamper = _Silent()
    assert not await workshop.office().stamp(DOCUMENT_ID)
    assert [failed.reason for failed in workshop.failures()] == ["driver_timeout"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(VaultUnavailable("Full."), "vault_unavailable"), (VaultConflict("Other bytes."), "vault_conflict")],
)
async def test_a_vault_that_does_not_take_the_stamp_parks_the_document(
    workshop: Workshop, failure: VaultUnavailable | VaultConflict, reason: str
) -> None:
    workshop.vault.failure = failure
    assert not await workshop.office().stamp(DOCUMENT_ID)
    assert [failed.reason for failed in workshop.failures()] == [reason]
    assert not workshop.events("document.stamped")
    workshop.vault.failure = None
    workshop.clock.move(1)
    assert await workshop.office().stamp(DOCUMENT_ID)


@rule("IDEM-26")
async def test_a_crash_after_any_step_ends_in_the_same_stamp_and_the_same_bytes(
    workshop: Workshop, signer: Ed25519Signer
) -> None:
    await workshop.office().stamp(DOCUMENT_ID)
    await workshop.issuer().issue([DOCUMENT_ID])
    expected = workshop.document(DOCUMENT_ID)
    steps = 0
    while True:
        crashed = Workshop(signer)
        await crashed.draft(INVOICE)
        fuse = Fuse(steps + 1)
        try:
            await crashed.office(fuse).stamp(DOCUMENT_ID)
        except Crash:
            steps += 1
        else:
            break
        assert await crashed.office().stamp(DOCUMENT_ID)
        assert await crashed.issuer().issue([DOCUMENT_ID]) == {DOCUMENT_ID}
        assert crashed.document(DOCUMENT_ID) == expected
        assert len(crashed.events("document.stamped")) == 1
    # Read document, read invoice, ask, store, record.
    assert steps == 5


async def test_another_stamp_than_the_recorded_one_is_refused(workshop: Workshop) -> None:
    await workshop.office().stamp(DOCUMENT_ID)
    document = workshop.document(DOCUMENT_ID)
    assert document.stamped is not None
    same, other = document.stamped.stamp, document.stamped.stamp.model_copy(update={"uuid": "another"})
    before = len(workshop.ledger.events)
    await workshop.do(stamp_document(DOCUMENT_ID, same))
    assert len(workshop.ledger.events) == before
    with pytest.raises(DomainError, match="another stamp"):
        await workshop.do(stamp_document(DOCUMENT_ID, other))


async def test_what_was_issued_without_a_stamp_gets_none(workshop: Workshop) -> None:
    receipt = await workshop.accept_order()
    await workshop.issuer().issue([receipt])
    await workshop.office().stamp(DOCUMENT_ID)
    document = workshop.document(DOCUMENT_ID)
    assert document.stamped is not None
    with pytest.raises(DomainError, match="numbered draft"):
        await workshop.do(stamp_document(receipt, document.stamped.stamp))
