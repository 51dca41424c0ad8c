"""Documents go in batches, and each stands and fails alone; the loop keeps just so many under way."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from application.issuing import IssuingLoop
from application.ledger import LedgerUnavailable
from application.vault import VaultUnavailable
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.rendering.pdf import render_pdf
from tests.support.facts import DOCUMENT_ID
from tests.support.workshop import Workshop


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Ed25519Signer:
    keys: Path = tmp_path_factory.mktemp("issuing") / "keys"
    return Ed25519Signer(KeyStore.create(keys).seal)


@pytest.fixture
async def workshop(signer: Ed25519Signer) -> Workshop:
    workshop = Workshop(signer)
    await workshop.accept_order()
    return workshop


@dataclass
class _WorkList:
    listed: list[str]

    async def documents_to_issue(self, limit: int) -> list[str]:
        return self.listed[:limit]


async def test_the_loop_issues_what_is_listed_and_survives_what_fails(workshop: Workshop) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise LedgerUnavailable

    sound = workshop.ledger.histories
    workshop.ledger.histories = away  # type: ignore[method-assign, assignment]
    work = _WorkList([DOCUMENT_ID])
    loop = IssuingLoop(workshop.issuer(), work)
    assert await loop.step() == 1
    await loop.drain()
    assert not workshop.events("document.issued")
    workshop.ledger.histories = sound  # type: ignore[method-assign]
    assert await loop.step() == 1
    await loop.drain()
    assert len(workshop.events("document.issued")) == 1
    work.listed = []
    assert await loop.step() == 0


async def test_the_loop_keeps_no_more_under_way_than_it_may(workshop: Workshop) -> None:
    work = _WorkList([f"d-{number}" for number in range(20)])
    loop = IssuingLoop(workshop.issuer(), work, batches=3, batch_size=2)
    assert await loop.step() == 6
    assert await loop.step() == 6
    await loop.drain()
    assert await loop.step() == 6


async def test_the_loop_leaves_alone_what_it_issued_while_the_list_still_names_it(workshop: Workshop) -> None:
    loop = IssuingLoop(workshop.issuer(), _WorkList([DOCUMENT_ID]))
    assert await loop.step() == 1
    await loop.drain()
    assert workshop.document().status == "ISSUED"
    assert await loop.step() == 0


async def test_documents_are_issued_together(workshop: Workshop) -> None:
    document_ids = [DOCUMENT_ID, *[await workshop.accept_order(f"o-{number}") for number in (2, 3)]]
    assert await workshop.issuer().issue(document_ids) == set(document_ids)
    for document_id in document_ids:
        assert workshop.document(document_id).status == "ISSUED"
        pdf = workshop.vault.content(f"documents/{document_id}/document.pdf")
        assert pdf == render_pdf(workshop.vault.content(f"documents/{document_id}/document.json"))
    assert await workshop.issuer().issue(document_ids) == set(document_ids)
    assert len(workshop.events("document.issued")) == 3


async def test_what_fails_of_one_document_parks_that_one_alone(workshop: Workshop) -> None:
    document_ids = [DOCUMENT_ID, *[await workshop.accept_order(f"o-{number}") for number in (2, 3)]]
    workshop.vault.failure, workshop.vault.refused = VaultUnavailable("Full."), document_ids[1]
    workshop.renderer = _StumblingOver(document_ids[2])
    assert await workshop.issuer().issue(document_ids) == {DOCUMENT_ID}
    failures = [workshop.document(document_id).failure for document_id in document_ids]
    assert [failure and failure.reason for failure in failures] == [
        None,
        "vault_unavailable",
        "render_failed",
    ]


class _StumblingOver(DirectRenderer):
    def __init__(self, document_id: str) -> None:
        self._document_id = document_id.encode()

    async def render(self, content_json: bytes) -> bytes:
        if self._document_id in content_json:
            raise ZeroDivisionError
        return await super().render(content_json)


async def test_a_document_that_cannot_even_be_read_holds_up_no_other(workshop: Workshop) -> None:
    unreadable = await workshop.accept_order("o-2")
    sound = workshop.ledger.histories

    async def stumbling(streams: Collection[StreamId]) -> dict[StreamId, list[RecordedEvent]]:
        if ("document", unreadable) in streams:
            raise RuntimeError
        return await sound(streams)

    workshop.ledger.histories = stumbling  # type: ignore[method-assign]
    loop = IssuingLoop(workshop.issuer(), _WorkList([unreadable, DOCUMENT_ID]))
    assert await loop.step() == 2
    await loop.drain()
    assert workshop.document().status == "ISSUED"
    assert workshop.document(unreadable).status == "DRAFT"
