"""Artifacts by address against a real TLS server: what is handed out, and what is never asked for."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from application.ports import ArtifactNotFetched, ArtifactTooLarge
from infrastructure.artifact_source import HttpsArtifactSource
from tests.support.file_server import FileServer, Reply, a_file_server

HOST = "files.workexec.example"
URI = f"https://{HOST}/approvals/1%2F2?sig=a%2Bb&x=1"
MOST = 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with a_file_server(tmp_path, HOST) as server:
        server.reply = Reply(b"signed")
        yield server


def a_source(server: FileServer, *addresses: str, **changes: Any) -> HttpsArtifactSource:
    """A source that finds the host at these addresses, and may reach the test's own."""
    fields: dict[str, Any] = {
        "port": server.port,
        "resolve": lambda *_: addresses or ("127.0.0.1",),
        "may_reach": lambda address: address == "127.0.0.1",
        "authorities": server.authorities,
        "fetch_seconds": 5.0,
        **changes,
    }
    return HttpsArtifactSource([HOST], **fields)


async def not_fetched(source: HttpsArtifactSource, uri: str = URI) -> str:
    """Why nothing was fetched; the reason tells nothing of the address."""
    with pytest.raises(ArtifactNotFetched) as refusal:
        await source.fetch(uri, MOST)
    assert not any(part in str(refusal.value) for part in ("workexec", "sig", "127.0.0.1"))
    return refusal.value.reason


async def test_what_stands_at_the_address_is_fetched_from_the_checked_one_under_the_hosts_name(
    server: FileServer,
) -> None:
    assert await a_source(server).fetch(URI, MOST) == b"signed"
    assert server.asked == [(HOST, "/approvals/1%2F2?sig=a%2Bb&x=1")]


async def test_the_name_is_resolved_once_so_it_cannot_mean_another_place_when_connecting(
    server: FileServer,
) -> None:
    asked: list[str] = []

    def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    assert await a_source(server, resolve=rebinding).fetch(URI, MOST) == b"signed"
    assert asked == [HOST]


async def test_a_certificate_for_another_host_is_refused(server: FileServer, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with a_file_server(folder, "other.example") as other:
        assert await not_fetched(a_source(other)) == "ConnectError"
        assert other.asked == []
    unknown_authority = a_source(server, authorities=httpx.create_ssl_context)
    assert await not_fetched(unknown_authority) == "ConnectError"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.7"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["0.0.0.0"],
        ["93.184.216.34", "127.0.0.1"],
        [],
    ],
)
async def test_a_name_that_leads_to_what_is_not_public_is_not_asked(
    server: FileServer, addresses: list[str]
) -> None:
    strict = HttpsArtifactSource(
        [HOST], port=server.port, resolve=lambda *_: addresses, authorities=server.authorities
    )
    assert await not_fetched(strict) == "ADDRESS_NOT_PUBLIC"
    assert server.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "169.254.169.254"])
async def test_an_operators_list_does_not_open_what_is_not_public(server: FileServer, host: str) -> None:
    strict = HttpsArtifactSource([host], port=server.port, authorities=server.authorities)
    assert await not_fetched(strict, f"https://{host}/") in {"ADDRESS_NOT_PUBLIC", "gaierror"}
    assert server.asked == []


@pytest.mark.parametrize(
    "uri",
    [
        f"http://{HOST}/1",
        f"ftp://{HOST}/1",
        "file:///etc/passwd",
        "https://127.0.0.1/1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/1",
        "https://2130706433/1",
        "https://other.example/1",
        f"https://{HOST}.other.example/1",
        f"https://sub.{HOST}/1",
        f"https://user@{HOST}/1",
        f"https://{HOST}@other.example/1",
        f"https://other.example\\@{HOST}/1",
        f"https://{HOST}:8443/1",
        f"https://{HOST}:99999/1",
        f"https://{HOST}/1#part",
        f"https://{HOST}/1 2",
        f"https://{HOST}/1\r\nHost: other.example",
        f"https://{HOST}\t/1",
        f" https://{HOST}/1",
        f"https://{HOST}/é",
        f"https://{HOST.replace('e', 'е')}/1",
        f"//{HOST}/1",
        HOST,
        "",
    ],
)
async def test_an_address_that_is_not_plainly_an_allowed_hosts_is_not_served(
    server: FileServer, uri: str
) -> None:
    source = a_source(server)
    assert not source.serves(uri)
    assert await not_fetched(source, uri) == "NOT_ALLOWED"


@pytest.mark.parametrize(
    "uri", [f"https://{HOST}", f"https://{HOST.upper()}/1", f"https://{HOST}:443/a(1)?b"]
)
def test_an_allowed_hosts_address_is_served(server: FileServer, uri: str) -> None:
    assert a_source(server).serves(uri)


def test_with_no_host_allowed_nothing_is_served() -> None:
    assert not HttpsArtifactSource([]).serves(URI)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(server: FileServer, status: int) -> None:
    server.reply = Reply(status=status, headers={"Location": f"https://{HOST}/elsewhere"})
    assert await not_fetched(a_source(server)) == f"HTTP_{status}"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [204, 206, 403, 404, 500])
async def test_only_200_is_a_content(server: FileServer, status: int) -> None:
    server.reply = Reply(b"" if status == 204 else b"no", status)
    assert await not_fetched(a_source(server)) == f"HTTP_{status}"


async def test_an_encoded_answer_is_refused_for_it_may_unfold_without_end(server: FileServer) -> None:
    server.reply = Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert await not_fetched(a_source(server)) == "ENCODED"


@pytest.mark.parametrize("announced", [True, False])
async def test_more_than_was_asked_for_is_cut_off(server: FileServer, announced: bool) -> None:
    source = a_source(server)
    body = b"x" * MOST
    for content in (body, body + b"x"):
        server.reply = Reply(content, headers={"Content-Length": str(len(content))} if announced else {})
        if content == body:
            assert await source.fetch(URI, MOST) == body
        else:
            with pytest.raises(ArtifactTooLarge):
                await source.fetch(URI, MOST)


async def test_a_server_that_drips_holds_nobody_for_ever(server: FileServer) -> None:
    given_up = threading.Event()
    server.reply = Reply(b"late", wait=given_up.wait)
    try:
        assert await not_fetched(a_source(server, fetch_seconds=0.5)) in {"TIMEOUT", "ReadTimeout"}
    finally:
        given_up.set()


async def test_a_name_that_nobody_knows_is_told_by_a_word(server: FileServer) -> None:
    def unknown(*_: object) -> Sequence[str]:
        raise OSError(f"{HOST} is not known")

    assert await not_fetched(a_source(server, resolve=unknown)) == "OSError"
