"""What every stamper promises; each adapter's test module runs this suite with its own `bench` fixture."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pytest

from application.stamping import (
    StampAnswer,
    Stamper,
    StampRejected,
    StampRequest,
    StampTimeout,
    StampUnavailable,
)


class Bench(Protocol):
    """A stamper, and how to make its authority fail."""

    stamper: Stamper

    def down(self) -> None:
        """It takes nothing from now on."""
        ...

    def well(self) -> None:
        """It works from now on."""
        ...

    def loses_answers(self) -> None:
        """It stamps, and its answers do not arrive."""
        ...

    def hangs_up(self) -> None:
        """It neither stamps nor answers."""
        ...

    def rejects(self, code: str) -> None:
        """It refuses with that code."""
        ...


def a_request(name: str = "1", content: bytes | None = None) -> StampRequest:
    """A document to be stamped."""
    document_id = f"5b1c1b44-0000-5000-8000-{int(name):012d}"
    return StampRequest(
        document_id=document_id,
        country_code="XS",
        doc_type="FISCAL_INVOICE",
        number=f"F-2026-{int(name):06d}",
        content_json=content or f'{{"documentId":"{document_id}","grandTotal":100}}'.encode(),
    )


class StamperContract:
    """Subclasses give a fixture `bench`: an authority that works and knows nothing."""

    async def test_a_document_is_stamped(self, bench: Bench) -> None:
        answer = await bench.stamper.stamp(a_request())
        assert answer.uuid and answer.file and answer.stamped_at.tzinfo is not None

    async def test_the_same_document_gets_the_same_stamp_however_often(self, bench: Bench) -> None:
        first = await bench.stamper.stamp(a_request())
        assert [await bench.stamper.stamp(a_request()) for _ in range(3)] == [first] * 3

    async def test_many_at_once_of_one_document_get_one_stamp(self, bench: Bench) -> None:
        answers = await asyncio.gather(*(bench.stamper.stamp(a_request()) for _ in range(8)))
        assert answers == [answers[0]] * 8

    async def test_documents_have_stamps_of_their_own(self, bench: Bench) -> None:
        answers = await asyncio.gather(*(bench.stamper.stamp(a_request(str(n))) for n in range(1, 9)))
        assert len({answer.uuid for answer in answers}) == 8
        assert len({answer.file for answer in answers}) == 8

    async def test_what_was_stamped_without_an_answer_is_found_by_asking_again(self, bench: Bench) -> None:
        bench.loses_answers()
        with pytest.raises(StampTimeout):
            await bench.stamper.stamp(a_request())
        bench.well()
        found = await bench.stamper.stamp(a_request())
        assert await bench.stamper.stamp(a_request()) == found

    async def test_what_was_not_stamped_is_stamped_by_asking_again(self, bench: Bench) -> None:
        bench.hangs_up()
        with pytest.raises(StampTimeout):
            await bench.stamper.stamp(a_request())
        bench.well()
        assert (await bench.stamper.stamp(a_request())).uuid

    async def test_an_authority_that_is_down_is_unavailable_until_it_is_back(self, bench: Bench) -> None:
        await self._fails_until_well(bench, bench.down, StampUnavailable)

    async def test_a_refusal_tells_the_authoritys_code(self, bench: Bench) -> None:
        bench.rejects("XS301")
        with pytest.raises(StampRejected) as refused:
            await bench.stamper.stamp(a_request())
        assert refused.value.code == "XS301"

    async def _fails_until_well(self, bench: Bench, fail: Callable[[], None], error: type[Exception]) -> None:
        before: StampAnswer = await bench.stamper.stamp(a_request())
        fail()
        with pytest.raises(error):
            await bench.stamper.stamp(a_request())
        bench.well()
        assert await bench.stamper.stamp(a_request()) == before
