"""Many documents on their way to an authority: each stands and fails alone, and none waits for another."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from application.issuing import IssuingLoop
from application.ledger import LedgerUnavailable
from application.stamping import (
    StampAnswer,
    StampFailed,
    StampRejected,
    StampRequest,
    StampTimeout,
    StampUnavailable,
)
from application.stamping_work import StampingLoop
from domain.documents.document import Document
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from domain.fiscal.registry import stamping_of
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from tests.support.memory_stamper import MemoryStamper, nothing
from tests.support.simulated_country import SimulatedInvoice
from tests.support.workshop import Workshop


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Ed25519Signer:
    keys: Path = tmp_path_factory.mktemp("stamping") / "keys"
    return Ed25519Signer(KeyStore.create(keys).seal)


@pytest.fixture
def workshop(signer: Ed25519Signer) -> Workshop:
    return Workshop(signer)


@dataclass
class _LedgersWork:
    """Both work lists, of a ledger in memory: what the read model's statements say."""

    workshop: Workshop

    async def documents_to_issue(self, limit: int) -> list[str]:
        return self._due(None)[:limit]

    async def documents_to_stamp(self, authority: str, limit: int) -> list[str]:
        return self._due(authority)[:limit]

    def _due(self, authority: str | None) -> list[str]:
        due = []
        for stream, document in self._documents():
            wanted = stamping_of(document.drafted) if document.stamped is None else None
            of_authority = None if wanted is None else wanted.authority
            late = document.retry_at is not None and document.retry_at <= self.workshop.clock.now()
            if document.status == "DRAFT" and late and of_authority == authority:
                due.append(stream)
        return due

    def _documents(self) -> list[tuple[str, Document]]:
        ids = dict.fromkeys(e.stream.id for e in self.workshop.ledger.events if e.stream.type == "document")
        return [(document_id, self.workshop.document(document_id)) for document_id in ids]


def _loop(workshop: Workshop, *, at_once: int = 32) -> StampingLoop:
    return StampingLoop(SIMULATED_AUTHORITY, workshop.office(), _LedgersWork(workshop), at_once=at_once)


async def _until(holds: Callable[[], bool]) -> None:
    """Lets everything go on until it holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is waited for are the ledger's events.
            await asyncio.sleep(0)


class _HeldUp(MemoryStamper):
    """Answers one document only when it is told to."""

    def __init__(self, document_id: str) -> None:
        super().__init__()
        self.held_up = document_id
        self.asked_for = asyncio.Event()
        self.go_on = asyncio.Event()

    async def stamp(self, request: StampRequest) -> StampAnswer:
        if request.document_id == self.held_up:
            self.asked_for.set()
            await self.go_on.wait()
        return await super().stamp(request)


async def test_a_slow_one_holds_up_no_other(workshop: Workshop) -> None:
    ids = [await workshop.draft(SimulatedInvoice(name=f"i-{number}")) for number in range(6)]
    receipt = await workshop.accept_order()
    workshop.stamper = slow = _HeldUp(ids[0])
    stamping, issuing = _loop(workshop), IssuingLoop(workshop.issuer(), _LedgersWork(workshop))
    await stamping.step()
    await _until(lambda: len(workshop.events("document.stamped")) == 5)
    await issuing.step()
    await issuing.drain()
    statuses = [workshop.document(each).status for each in (*ids, receipt)]
    assert statuses == ["DRAFT", *["ISSUED"] * 6]
    assert await stamping.step() == 0, "the slow one is under way, and not asked for twice"
    slow.go_on.set()
    await _until(lambda: len(workshop.events("document.stamped")) == 6)
    await issuing.step()
    await issuing.drain()
    assert workshop.document(ids[0]).status == "ISSUED"


async def test_only_so_many_are_asked_for_at_once(workshop: Workshop) -> None:
    for number in range(5):
        await workshop.draft(SimulatedInvoice(name=f"i-{number}"))
    workshop.stamper.before = lambda _: StampUnavailable("Down.")
    loop = _loop(workshop, at_once=2)
    assert await loop.step() == 2
    assert await loop.step() == 0
    await loop.drain()
    assert await loop.step() == 2


async def test_a_ledger_that_is_away_or_a_document_that_breaks_ends_nothing(workshop: Workshop) -> None:
    first = await workshop.draft(SimulatedInvoice(name="i-1"))

    async def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable

    loop = _loop(workshop)
    sound = workshop.ledger.histories
    workshop.ledger.histories = away  # type: ignore[method-assign, assignment]
    assert await loop.step() == 1
    await _until(loop.is_idle)
    workshop.ledger.histories = sound  # type: ignore[method-assign]

    def broken(_: StampRequest) -> None:
        raise RuntimeError

    workshop.stamper.before = broken
    assert await loop.step() == 1
    await _until(loop.is_idle)
    workshop.stamper.before = nothing
    assert await loop.step() == 1
    await _until(lambda: workshop.document(first).stamped is not None)


async def test_stopping_lets_go_of_what_is_under_way_and_it_is_finished_later(workshop: Workshop) -> None:
    document_id = await workshop.draft(SimulatedInvoice(name="i-1"))
    workshop.stamper = slow = _HeldUp(document_id)
    loop = _loop(workshop)
    await loop.step()
    await slow.asked_for.wait()
    async with asyncio.timeout(5):
        await loop.drain()
    assert workshop.document(document_id).failure is None
    slow.go_on.set()
    assert await workshop.office().stamp(document_id)


def _one_in_five(request: StampRequest) -> StampFailed | None:
    drawn = sha256(request.document_id.encode()).digest()
    if drawn[0] % 5:
        return None
    kinds = (StampTimeout("Lost."), StampUnavailable("Down."), StampRejected("XS301"))
    return kinds[drawn[1] % 3]


@pytest.mark.slow
async def test_of_a_hundred_documents_one_in_five_fails_and_all_end_issued_or_parked(
    workshop: Workshop,
) -> None:
    ids = [await workshop.draft(SimulatedInvoice(name=f"i-{number}")) for number in range(100)]
    workshop.stamper.before = _one_in_five
    work = _LedgersWork(workshop)
    stamping, issuing = _loop(workshop), IssuingLoop(workshop.issuer(), work)
    failing = {each for each in ids if sha256(each.encode()).digest()[0] % 5 == 0}
    async with asyncio.timeout(120):
        while len(workshop.events("document.issued")) < len(ids) - len(failing):
            await stamping.step()
            await issuing.step()
            await asyncio.sleep(0)
    await _until(lambda: len(workshop.events("document.issue-failed")) >= len(failing))
    await issuing.drain()
    states = {each: workshop.document(each) for each in ids}
    assert {each for each, state in states.items() if state.status == "ISSUED"} == set(ids) - failing
    assert 8 < len(failing) < 35
    for document_id in failing:
        state = states[document_id]
        assert state.status == "DRAFT" and state.failure is not None and state.numbered is not None
        assert (state.retry_at is None) == (state.failure.reason == "driver_rejected")
    numbers = sorted(state.numbered.number for state in states.values() if state.numbered)
    assert numbers == [f"F-2026-{number:06d}" for number in range(1, 101)]
