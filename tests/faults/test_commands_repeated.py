"""Commands of every kind, an API killed in the middle of them, and all of them sent again (contract §2).

Some were answered before the kill; of some the answer was lost, for they were decided and nobody heard; and
some were under way, for the ledger's head was held when the API died.
"""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from application.operations import OPERATIONS
from application.operations.payments import NOTIFY_PAYMENT
from tests.support.decisions import decision, rule
from tests.support.garage import APPROVES, PIN, Garage
from tests.support.house import House, eventually
from tests.support.repeated_commands import KINDS, Desk, Kind

KEPT_HEADERS = ("content-type", "etag", "cache-control", "x-ledger-position")
FATES = ("answered", "lost", "under way")
WAITING_FOR_THE_HEAD = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@dataclass
class Sent:
    """A request by somebody who asked for nothing else, and its answer where there was one."""

    kind: Kind
    who: str
    desk: Desk
    request: httpx.Request
    answer: httpx.Response | None = None

    def again(self) -> httpx.Response:
        """Sends it once more."""
        return self.desk.client.send(self.request)

    def is_done_once(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether what was asked for was done, and not twice."""
        query = "SELECT count(DISTINCT transaction_id) FROM ledger.event WHERE actor = %s AND operation = %s"
        row = connection.execute(query, (self.who, self.kind.operation)).fetchone()
        assert row is not None
        return bool(row[0] == self.kind.transactions)


Crash = dict[tuple[str, str], Sent]
"""What was sent before the API was killed, by kind and fate."""


def _unheard(house: House, request: httpx.Request) -> http.client.HTTPConnection:
    """Sends a request and does not listen."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.request(request.method, request.url.raw_path.decode(), request.content, dict(request.headers))
    return connection


def _nothing_is_left_to_seal(house: House) -> bool:
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        return bool(auditor.get("/v1/documents", params={"status": "DRAFT"}).json()["items"] == [])


@pytest.fixture(scope="module")
def crash(fragile: House) -> Iterator[Crash]:
    """Everything was sent, and the API is back."""
    with ExitStack() as stack:
        garage = stack.enter_context(Garage(fragile))
        approver = {"username": f"maria-{uuid4()}", "pin": PIN, "permissions": APPROVES}
        assert garage.post("/auth/credentials", approver, "SUPER_ADMIN").status_code == 201

        def prepared(name: str, fate: str) -> Sent:
            kind, who = KINDS[name], f"{name}, {fate}, {uuid4()}"
            client = stack.enter_context(fragile.client("SUPER_ADMIN", sub=who))
            desk = Desk(garage, client, approver["username"])
            asked = kind.ask(desk)
            return Sent(kind, who, desk, asked.request(client, f"{name} {fate}" if kind.has_key else None))

        crash = {(name, fate): prepared(name, fate) for fate in FATES for name in KINDS}
        by_fate = {fate: [sent for (_, of), sent in crash.items() if of == fate] for fate in FATES}
        database = stack.enter_context(fragile.database())
        for sent in by_fate["answered"]:
            sent.answer = sent.again()
            assert sent.answer.is_success, sent.answer.text
        unheard = [_unheard(fragile, sent.request) for sent in by_fate["lost"]]
        recorded = [sent for sent in by_fate["lost"] if sent.kind.repeat != "minted anew"]
        eventually(lambda: all(sent.is_done_once(database) for sent in recorded))
        # From here on nobody but the API asks for the head.
        eventually(lambda: _nothing_is_left_to_seal(fragile))
        with database.transaction():
            database.execute("SELECT FROM ledger.lock_head()")
            unheard += (waiting := [_unheard(fragile, sent.request) for sent in by_fate["under way"]])
            eventually(lambda: database.execute(WAITING_FOR_THE_HEAD).fetchone() != (0,))
            fragile.kill("api")
        for sent, connection in zip(by_fate["under way"], waiting, strict=True):
            if sent.kind.repeat != "minted anew":
                with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
                    connection.getresponse()
        for connection in unheard:
            connection.close()
        fragile.wait_until_back()
        yield crash


def _kinds(*repeats: str) -> Any:
    return pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.repeat in repeats])


def test_every_command_is_of_some_kind() -> None:
    commands = {row.name for row in OPERATIONS if row.kind == "command" and row.method != "GET"}
    # A notice is whoever signs it, and leads to asking the gateway, however often.
    commands -= {NOTIFY_PAYMENT.name}
    assert commands <= {kind.operation for kind in KINDS.values()}


@rule("IDEM-4")
@pytest.mark.slow
@_kinds("stored", "decided alike")
@decision("S4-CONVENTIONS", "A repeat after a crash is answered as the first time")
def test_what_was_answered_is_answered_byte_for_byte(fragile: House, crash: Crash, name: str) -> None:
    sent = crash[name, "answered"]
    again = sent.again()
    assert sent.answer is not None
    assert (again.status_code, again.content) == (sent.answer.status_code, sent.answer.content)
    assert ("idempotent-replayed" in again.headers) is sent.kind.has_key
    kept = KEPT_HEADERS if sent.kind.has_key else KEPT_HEADERS[:-1]
    assert [again.headers.get(header) for header in kept] == [
        sent.answer.headers.get(header) for header in kept
    ]
    with fragile.database() as database:
        assert sent.is_done_once(database)


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["lost", "under way"])
@_kinds("stored", "decided alike")
def test_what_was_not_answered_is_done_once_and_then_answered_byte_for_byte(
    fragile: House, crash: Crash, name: str, fate: str
) -> None:
    sent = crash[name, fate]
    first, again = sent.again(), sent.again()
    assert first.is_success, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    answered = crash[name, "answered"].answer
    assert answered is not None and first.status_code == answered.status_code
    assert set(first.json()) == set(answered.json())
    if fate == "lost" and sent.kind.repeat == "stored" and name != "upstream fact":
        # The answer of upstream facts follows them in a transaction of its own (ADR 0012).
        assert first.headers["idempotent-replayed"] == "true"
    with fragile.database() as database:
        assert sent.is_done_once(database)


@rule("IDEM-12")
@pytest.mark.slow
@_kinds("minted anew")
@pytest.mark.parametrize("fate", FATES)
def test_what_carries_a_secret_is_made_anew_and_each_secret_serves(
    crash: Crash, name: str, fate: str
) -> None:
    sent = crash[name, fate]
    answers = [each for each in (sent.answer, sent.again(), sent.again()) if each is not None]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == len(answers)
    assert not any("idempotent-replayed" in answer.headers for answer in answers)
    assert sent.kind.use is not None
    for answer in answers:
        used = sent.kind.use(sent.desk, answer.json())
        assert used.is_success, used.text
