"""A key has one effect and one answer, whoever uses it how often at once; answers at rest are unreadable."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from application.ledger import Answer, Transaction
from domain.kernel.errors import DomainError
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.deciding import KEY_LIFETIME
from tests.support.clocks import SetClock
from tests.support.decisions import rule
from tests.support.ledger_fixtures import (
    SERIES,
    LedgerUrls,
    a_claim,
    a_command,
    assert_sound,
    assigning,
    downloading,
    holders,
    in_threads,
    one,
    running_committer,
)
from tests.support.ledger_workers import go, next_line, worker

SECRET = "Marigold Tansy-Okafor, Flat 3, The Old Ropeworks"


def commands_of(urls: LedgerUrls) -> list[dict[str, Any]]:
    """The stored keys, as rows by column."""
    with psycopg.connect(urls.admin, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute("SELECT * FROM ledger.command").fetchall()


def test_one_key_at_once_from_many_threads_of_two_processes_has_one_effect(
    database_urls: LedgerUrls,
) -> None:
    key = b"k" * 32
    with contextlib.ExitStack() as running:
        workers = [
            running.enter_context(worker("same_key", database_urls.service, key.hex(), 32)) for _ in range(2)
        ]
        for process in workers:
            go(process)
        told = [answer for process in workers for answer in json.loads(next_line(process))]
    assert len(told) == 64
    assert [replayed for *_, replayed in told].count(False) == 1
    assert {tuple(answer) for *answer, _ in told} == {(201, json.dumps({"sequence": 1}), 2)}
    assert holders(assert_sound(database_urls.service)) == ["the one"]
    assert len(commands_of(database_urls)) == 1


def test_an_answer_is_repeated_with_the_same_bytes(database_urls: LedgerUrls) -> None:
    body = {"zeta": [1, 2.5, None, True], "alpha": {"é": "山内 楓", "b": "\u2028</script>"}, "empty": []}
    claim = a_claim()
    handler = lambda _: Answer(207, body)  # noqa: E731 - shorter than a function.
    with running_committer(database_urls.service) as committer:
        first = committer.submit(a_command(handler, claim=claim)).result()
        again = committer.submit(a_command(handler, claim=claim)).result()
    assert json.dumps(again.answer.body) == json.dumps(first.answer.body) == json.dumps(body)
    assert (again.answer.status, again.replayed) == (207, True)


def test_two_bodies_under_one_key_at_once_leave_one_effect_and_one_refusal(
    database_urls: LedgerUrls,
) -> None:
    claim = a_claim()
    claims = [claim, replace(claim, request_hash=b"other".ljust(32))]
    with running_committer(database_urls.service) as committer:

        def work(thread: int) -> str:
            try:
                command = a_command(assigning("it"), SERIES, claim=claims[thread % 2])
                return str(committer.submit(command).result().replayed)
            except DomainError as error:
                return error.code

        told = in_threads(20, work)
    assert sorted(told) == ["False"] + ["IDEMPOTENCY_KEY_REUSED"] * 10 + ["True"] * 9
    assert len(holders(assert_sound(database_urls.service))) == 1


@rule("PII-13")
def test_answers_and_request_hashes_are_unreadable_at_rest(database_urls: LedgerUrls) -> None:
    with running_committer(database_urls.service) as committer:
        for _ in range(2):
            answer = Answer(201, {"buyer": SECRET})
            committer.submit(a_command(lambda _, answer=answer: answer, claim=a_claim())).result()
    one_row, other = commands_of(database_urls)
    assert one_row["answer"] != other["answer"], "the same answer is never stored as the same bytes"
    for row in (one_row, other):
        assert SECRET.encode() not in row["answer"]
        assert b"buyer" not in row["answer"]


@rule("PII-13")
def test_a_stored_answer_opens_under_its_own_key_only(database_urls: LedgerUrls) -> None:
    claims = [a_claim(), a_claim()]

    def ask(committer: Committer, number: int) -> Answer:
        command = a_command(lambda _: Answer(201, {"number": number}), claim=claims[number])
        return committer.submit(command).result().answer

    with running_committer(database_urls.service) as committer:
        assert [ask(committer, number).body for number in (0, 1)] == [{"number": 0}, {"number": 1}]
        with psycopg.connect(database_urls.admin) as connection:
            connection.execute(
                "UPDATE ledger.command AS c SET answer = o.answer FROM ledger.command AS o"
                " WHERE o.key_hash <> c.key_hash"
            )
        with pytest.raises(InvalidTag):
            ask(committer, 0)


@pytest.mark.parametrize("place", [0, 20, -1])
def test_an_altered_answer_is_not_opened(place: int) -> None:
    seal = AnswerSeal(bytes(32))
    sealed = bytearray(seal.seal(Answer(200, {"a": "b" * 50}), b"key"))
    assert seal.open(bytes(sealed), b"key") == Answer(200, {"a": "b" * 50})
    sealed[place] ^= 1
    with pytest.raises(InvalidTag):
        seal.open(bytes(sealed), b"key")


@rule("IDEM-10")
def test_keys_of_money_never_expire_and_others_after_thirty_days(database_urls: LedgerUrls) -> None:
    clock = SetClock()
    with running_committer(database_urls.service, clock=clock) as committer:
        for number, never_expires in enumerate((True, False)):
            handler, stream = downloading(f"document-{number}")
            claim = a_claim(never_expires=never_expires)
            committer.submit(a_command(handler, stream, claim=claim)).result()
    money, other = sorted(commands_of(database_urls), key=lambda row: row["position"])
    assert money["expires_at"] > datetime(9000, 1, 1, tzinfo=UTC)
    assert other["expires_at"] == clock.now() + KEY_LIFETIME
    assert KEY_LIFETIME.days == 30


@rule("AUDIT-11")
def test_a_refused_or_failed_command_leaves_its_key_free(database_urls: LedgerUrls) -> None:
    claim = a_claim()

    def refuse(_: Transaction) -> Answer:
        raise DomainError("NO", "No.")

    def stumble(_: Transaction) -> Answer:
        raise ZeroDivisionError

    with running_committer(database_urls.service) as committer:
        for handler, error_type in ((refuse, DomainError), (stumble, ZeroDivisionError)):
            with pytest.raises(error_type):
                committer.submit(a_command(handler, claim=claim)).result()
        assert commands_of(database_urls) == []
        committed = committer.submit(a_command(assigning("it"), SERIES, claim=claim)).result()
    assert not committed.replayed


@rule("AUDIT-1")
@rule("IDEM-5")
def test_keys_stand_in_the_transaction_of_their_events(database_urls: LedgerUrls) -> None:
    with running_committer(database_urls.service) as committer:

        def work(thread: int) -> None:
            handler, stream = downloading(f"document-{thread}")
            committer.submit(a_command(handler, stream, claim=a_claim())).result()

        in_threads(16, work)
    with psycopg.connect(database_urls.admin) as connection:
        together = one(
            connection,
            "SELECT count(*) FROM ledger.command AS c JOIN ledger.event AS e"
            " ON e.position = c.position AND e.xmin = c.xmin AND e.recorded_at = c.recorded_at",
        )
    assert together == 16
