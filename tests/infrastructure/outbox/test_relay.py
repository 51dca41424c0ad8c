"""Every subscriber is told every fact it wants, in order, once by id, whatever becomes of the others."""

import json
import threading
from collections.abc import Callable

import psycopg
import pytest

from application.ledger import Answer as LedgerAnswer
from application.ledger import Transaction
from domain.documents.document import DOCUMENT
from domain.kernel.canonical import sha256_hex
from infrastructure.eventstore.committer import Committer
from tests.support.decisions import rule
from tests.support.facts import issued
from tests.support.ledger_fixtures import LedgerUrls, a_command, eventually, one
from tests.support.outbox import SOURCE, a_relay, add_webhook, issue, running, webhooks_of
from tests.support.receivers import OK, Answer, Post, Receiver, a_receiver

pytestmark = pytest.mark.slow


def test_a_fact_comes_as_a_signed_cloud_event(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    _, secret = add_webhook(database_urls.service, receiver.url)
    (document_id,) = issue(committer, 1)
    with running(a_relay(database_urls.service)):
        (post,) = eventually(lambda: receiver.posts[:])
    event = post.verified(secret)
    with psycopg.connect(database_urls.service) as connection:
        event_id = str(one(connection, "SELECT event_id FROM ledger.outbox"))
        recorded_at = one(connection, "SELECT recorded_at FROM ledger.event WHERE position = 3")
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert post.message_id == event["id"] == event_id
    assert event | {"data": None} == {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": "docs.DocumentIssued",
        "subject": f"document/{document_id}",
        "time": recorded_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": "00000000000000000003",
        "data": None,
    }
    assert event["data"]["documentId"] == document_id
    assert event["data"]["number"] == "R-2026-000001"
    assert event["data"]["totals"]["grandTotal"] == 7680
    assert b"buyer-17" not in post.body and b"seller-4" not in post.body


@rule("IDEM-27")
def test_hundreds_of_facts_come_once_and_in_ledger_order_to_each(
    database_urls: LedgerUrls, committer: Committer
) -> None:
    with a_receiver() as first, a_receiver() as second, running(a_relay(database_urls.service)):
        for receiver in (first, second):
            add_webhook(database_urls.service, receiver.url)
        told = issue(committer, 250)
        eventually(lambda: min(len(first.posts), len(second.posts)) >= 250)
    assert first.document_ids == second.document_ids == told
    assert len({post.message_id for post in first.posts}) == 250


def test_a_new_webhook_is_told_what_comes_from_now_on_unless_it_asks_for_more(
    database_urls: LedgerUrls, committer: Committer
) -> None:
    told = issue(committer, 3)
    with a_receiver() as new, a_receiver() as curious, running(a_relay(database_urls.service)):
        add_webhook(database_urls.service, new.url, after=None)
        add_webhook(database_urls.service, curious.url, after=3)
        told += issue(committer, 2)
        eventually(lambda: len(curious.posts) == 4 and len(new.posts) == 2)
    assert curious.document_ids == told[1:]
    assert new.document_ids == told[3:]


def test_a_webhook_gets_the_types_it_asked_for_and_is_not_held_up_by_others(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    add_webhook(database_urls.service, receiver.url, "docs.DocumentIssued")
    first = issue(committer, 1)
    issue(committer, 120, fact_type="docs.SomethingElse")
    last = issue(committer, 1)
    with running(a_relay(database_urls.service)):
        eventually(lambda: len(receiver.posts) == 2)
    assert receiver.document_ids == first + last


def test_one_that_is_down_slow_or_refusing_holds_up_nobody(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    released = threading.Event()

    def hang(_: Post) -> Answer:
        released.wait(30)
        return OK

    with a_receiver(hang) as slow, a_receiver(lambda _: Answer(500)) as broken:
        add_webhook(database_urls.service, slow.url)
        add_webhook(database_urls.service, broken.url)
        add_webhook(database_urls.service, "http://127.0.0.1:9/nobody-listens")
        add_webhook(database_urls.service, receiver.url)
        told = issue(committer, 5)
        with running(a_relay(database_urls.service)):
            eventually(lambda: len(receiver.posts) == 5, seconds=10)
            assert len(slow.posts) == 1
            released.set()
            eventually(lambda: len(slow.posts) == 5)
    assert receiver.document_ids == slow.document_ids == told
    assert set(broken.document_ids) == {told[0]}


def test_what_failed_comes_again_with_the_same_id_and_bytes_and_the_rest_behind_it(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    _, secret = add_webhook(database_urls.service, receiver.url)
    receiver.reply = lambda _: Answer(503) if len(receiver.posts) < 3 else OK
    told = issue(committer, 2)
    with running(a_relay(database_urls.service, chance=lambda: 0.0)):
        eventually(lambda: len(receiver.posts) == 4)
    assert receiver.document_ids == [told[0]] * 3 + [told[1]]
    tries = receiver.posts[:3]
    assert len({post.body for post in tries}) == len({post.message_id for post in tries}) == 1
    assert len({post.headers["webhook-timestamp"] for post in tries}) > 1
    for post in receiver.posts:
        post.verified(secret)


def test_a_fact_is_told_as_it_was_even_if_its_stream_has_grown_since(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    (document_id,) = issue(committer, 1)
    stream = DOCUMENT.stream(document_id)

    def grow(transaction: Transaction) -> LedgerAnswer:
        transaction.append(stream, (issued(pdf=b"another"),))
        return LedgerAnswer(200, {})

    committer.submit(a_command(grow, stream)).result()
    add_webhook(database_urls.service, receiver.url)
    with running(a_relay(database_urls.service)):
        (post,) = eventually(lambda: receiver.posts[:])
    assert json.loads(post.body)["data"]["seal"]["sha256Pdf"] == sha256_hex(b"%PDF")


def test_a_fact_that_cannot_be_told_is_not_passed_over(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver, logged_lines: Callable[[], str]
) -> None:
    add_webhook(database_urls.service, receiver.url)
    issue(committer, 1, fact_type="docs.SomethingElse")
    issue(committer, 1)
    with a_receiver() as other, running(a_relay(database_urls.service)):
        add_webhook(database_urls.service, other.url, "docs.DocumentIssued")
        eventually(lambda: other.posts)
        eventually(lambda: "outbox-turn-failed" in logged_lines())
    assert receiver.posts == []
    with webhooks_of(database_urls.service) as webhooks:
        assert [webhook.pending for webhook in webhooks.all()] == [2, 0]
