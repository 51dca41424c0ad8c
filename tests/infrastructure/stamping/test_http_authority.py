"""Stamps over HTTP, by the real adapter from the simulated authority's real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from application.stamping import StampRejected, StampTimeout, StampUnavailable
from infrastructure.stamping.http_authority import CONTENT_DIFFERS, HttpAuthority
from infrastructure.stamping.simulated_authority import NOTICE, SimulatedAuthority
from tests.infrastructure.stamping.stamper_contract import StamperContract, a_request
from tests.support.authority import AuthorityProcess, an_authority, counts, faults
from tests.support.house import free_port


class _Bench:
    def __init__(self, authority: SimulatedAuthority) -> None:
        self.url = authority.url
        self.stamper = HttpAuthority(authority.url)

    def down(self) -> None:
        faults(self.url, {"kind": "DOWN"})

    def well(self) -> None:
        faults(self.url)

    def loses_answers(self) -> None:
        faults(self.url, {"kind": "LOST"})

    def hangs_up(self) -> None:
        faults(self.url, {"kind": "UNSTAMPED"})

    def rejects(self, code: str) -> None:
        faults(self.url, {"kind": "REJECT", "code": code})


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[SimulatedAuthority]:
    with an_authority(tmp_path / "authority.sqlite") as authority:
        yield authority


@pytest.fixture
async def bench(authority: SimulatedAuthority) -> AsyncIterator[_Bench]:
    bench = _Bench(authority)
    yield bench
    await bench.stamper.close()


class TestHttpAuthority(StamperContract):
    """Its bench is the module's."""


async def test_the_stamped_file_holds_the_content_and_says_that_it_is_a_simulation(bench: _Bench) -> None:
    answer = await bench.stamper.stamp(a_request())
    file = json.loads(answer.file)
    assert answer.file_type == "json"
    assert (file["notice"], file["uuid"], file["qr"]) == (NOTICE, answer.uuid, answer.qr)
    assert file["content"] == json.loads(a_request().content_json)


async def test_an_authority_that_nobody_runs_is_unavailable() -> None:
    stamper = HttpAuthority(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StampUnavailable):
        await stamper.stamp(a_request())
    await stamper.close()


@pytest.mark.parametrize("kind", ["SLOW", "LATE", "UNSTAMPED", "LOST"])
async def test_an_answer_that_takes_too_long_is_given_up(bench: _Bench, kind: str) -> None:
    faults(bench.url, {"kind": kind, "seconds": 3600})
    hasty = HttpAuthority(bench.url, answer_seconds=0.2)
    with pytest.raises(StampTimeout):
        await hasty.stamp(a_request())
    await hasty.close()
    assert counts(bench.url)["stamps"] == (1 if kind in {"LATE", "LOST"} else 0)
    bench.well()
    await bench.stamper.stamp(a_request())
    assert counts(bench.url) == {"stamps": 1, "requests": 2}


async def test_a_slow_answer_comes_and_holds_up_no_other(bench: _Bench) -> None:
    faults(bench.url, {"kind": "SLOW", "seconds": 3600, "taxId": "X-1"})
    content = a_request("2").content_json.replace(b"}", b',"billTo":{"taxId":"X-1"}}')
    slow = asyncio.create_task(bench.stamper.stamp(a_request("2", content)))
    assert (await bench.stamper.stamp(a_request("1"))).uuid
    assert not slow.done()
    slow.cancel()
    faults(bench.url, {"kind": "SLOW", "seconds": 0.05})
    assert (await bench.stamper.stamp(a_request("3"))).uuid


async def test_another_content_of_a_stamped_document_is_refused_and_never_stamped(bench: _Bench) -> None:
    await bench.stamper.stamp(a_request())
    other = a_request(content=a_request().content_json.replace(b"100", b"999"))
    with pytest.raises(StampRejected) as refused:
        await bench.stamper.stamp(other)
    assert refused.value.code == CONTENT_DIFFERS
    assert counts(bench.url)["stamps"] == 1


async def test_content_of_another_document_is_refused(bench: _Bench) -> None:
    with pytest.raises(StampRejected) as refused:
        await bench.stamper.stamp(a_request("1", a_request("2").content_json))
    assert refused.value.code == "DOCUMENT_ID_DIFFERS"


@pytest.mark.slow
async def test_a_fault_hits_one_document_in_so_many_and_only_so_often(bench: _Bench) -> None:
    faults(bench.url, {"kind": "REJECT", "code": "XS1", "oneIn": 3, "times": 1})

    async def refused(name: int) -> bool:
        try:
            await bench.stamper.stamp(a_request(str(name)))
        except StampRejected:
            return True
        return False

    first = [await refused(name) for name in range(1, 40)]
    assert 4 <= sum(first) <= 22
    assert not any([await refused(name) for name in range(1, 40)])


@pytest.mark.parametrize(
    ("tax_id", "error"),
    [("XSREJECT", StampRejected), ("XSDOWN", StampUnavailable), ("XSLOST", StampTimeout)],
)
async def test_some_tax_ids_always_fail(bench: _Bench, tax_id: str, error: type[Exception]) -> None:
    content = a_request().content_json.replace(b"}", b',"issuer":{"taxId":"%s"}}' % tax_id.encode())
    with pytest.raises(error):
        await bench.stamper.stamp(a_request(content=content))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"", StampTimeout),
        (302, b"", StampUnavailable),
        (401, b"", StampUnavailable),
        (404, b"", StampUnavailable),
        (429, b"", StampUnavailable),
        (422, b'{"code":"a person\'s name"}', StampRejected),
        (201, b"not JSON", StampTimeout),
        (201, b'{"uuid":"u","stampedAt":"2026-03-14T12:00:00Z"}', StampTimeout),
        (201, b'{"uuid":"u","stampedAt":1,"contentSha256":"","fileType":"xml","file":""}', StampTimeout),
    ],
)
async def test_answers_that_no_authority_should_give(
    status: int, body: bytes, error: type[Exception]
) -> None:
    stamper = HttpAuthority("http://authority.example")
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    stamper._client = httpx.AsyncClient(transport=answer)
    with pytest.raises(error) as told:
        await stamper.stamp(a_request())
    assert "person" not in str(told.value)


@pytest.mark.slow
async def test_a_killed_authority_knows_its_stamps_and_faults_when_it_is_back(tmp_path: Path) -> None:
    authority = AuthorityProcess(tmp_path / "authority.sqlite")
    await asyncio.to_thread(authority.start)
    stamper = HttpAuthority(authority.url)
    faults(authority.url, {"kind": "LOST", "times": 1})
    with pytest.raises(StampTimeout):
        await stamper.stamp(a_request("1"))
    first = await stamper.stamp(a_request("1"))
    authority.kill()
    with pytest.raises((StampUnavailable, StampTimeout)):
        await stamper.stamp(a_request("1"))
    await asyncio.to_thread(authority.start)
    assert await stamper.stamp(a_request("1")) == first
    with pytest.raises(StampTimeout):
        await stamper.stamp(a_request("2"))
    assert (await stamper.stamp(a_request("2"))).uuid != first.uuid
    assert counts(authority.url)["stamps"] == 2
    assert authority.stop() == 0
    await stamper.close()
