"""Whatever a receiver does, its facts wait for it in order, then become dead letters; nothing leaks."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import psycopg
import pytest

from infrastructure.outbox import delivery
from infrastructure.outbox.subscribers import GivenUp, Webhook
from tests.support.clocks import SetClock
from tests.support.decisions import rule
from tests.support.ledger_fixtures import LedgerUrls, eventually
from tests.support.outbox import GIVE_UP_AFTER, a_relay, add_webhook, issued_in, running, webhooks_of
from tests.support.receivers import OK, Answer, Post, Receiver, a_receiver

pytestmark = pytest.mark.slow


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime.now(UTC).replace(microsecond=0))


def only_webhook(urls: LedgerUrls) -> Webhook:
    """The only webhook as it is now."""
    with webhooks_of(urls.service) as webhooks:
        (webhook,) = webhooks.all()
    return webhook


def dead_letters(urls: LedgerUrls) -> list[GivenUp]:
    """All dead letters."""
    with webhooks_of(urls.service) as webhooks:
        return webhooks.dead_letters()


def failure_of(urls: LedgerUrls) -> str:
    """The word for what failed, once something did."""
    return str(eventually(lambda: only_webhook(urls).last_failure))


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_every_answer_but_success_is_a_failure_and_redirects_are_not_followed(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock, status: int
) -> None:
    with a_receiver() as elsewhere:
        receiver.reply = lambda _: Answer(status, {"Location": elsewhere.url})
        add_webhook(database_urls.service, receiver.url)
        issued_in(database_urls.service, 1)
        with running(a_relay(database_urls.service, clock)):
            assert failure_of(database_urls) == f"HTTP {status}"
        assert elsewhere.posts == []
    webhook = only_webhook(database_urls)
    assert (webhook.position, webhook.attempts, webhook.pending) == (0, 1, 1)
    assert webhook.next_attempt_at == clock.now() + timedelta(seconds=1)


def test_nobody_listening_is_a_failure(database_urls: LedgerUrls, clock: SetClock) -> None:
    add_webhook(database_urls.service, "http://127.0.0.1:9/hook")
    issued_in(database_urls.service, 1)
    with running(a_relay(database_urls.service, clock)):
        assert failure_of(database_urls) == "ConnectError"


def test_an_answer_that_is_none_is_a_failure(database_urls: LedgerUrls, clock: SetClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk_nonsense() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-nonsense\r\n")

        threading.Thread(target=talk_nonsense, daemon=True).start()
        add_webhook(database_urls.service, f"http://127.0.0.1:{server.getsockname()[1]}/")
        issued_in(database_urls.service, 1)
        with running(a_relay(database_urls.service, clock)):
            # What is noticed first, the nonsense or the end of the connection, is a matter of timing.
            assert failure_of(database_urls) in {"RemoteProtocolError", "ReadError"}


def test_one_that_takes_the_connection_and_says_nothing_times_out(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ATTEMPT_SECONDS", 0.3)
    released = threading.Event()

    def hang(_: Post) -> Answer:
        released.wait(30)
        return OK

    receiver.reply = hang
    add_webhook(database_urls.service, receiver.url)
    issued_in(database_urls.service, 1)
    with running(a_relay(database_urls.service, clock)):
        assert failure_of(database_urls) in {"TimeoutError", "ReadTimeout"}
        released.set()


def test_an_endless_answer_counts_by_its_status_and_is_cut_off(
    database_urls: LedgerUrls, clock: SetClock
) -> None:
    sent: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                try:
                    while True:
                        sent.append(connection.send(b"x"))
                        time.sleep(0.05)
                except OSError:
                    sent.append(-1)

        threading.Thread(target=drip, daemon=True).start()
        add_webhook(database_urls.service, f"http://127.0.0.1:{server.getsockname()[1]}/")
        issued_in(database_urls.service, 1)
        with running(a_relay(database_urls.service, clock)):
            eventually(lambda: only_webhook(database_urls).position == 3, seconds=5)
            eventually(lambda: sent[-1] == -1, seconds=5)


def test_the_next_attempt_waits_for_its_time(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock
) -> None:
    receiver.reply = lambda _: Answer(500)
    add_webhook(database_urls.service, receiver.url)
    issued_in(database_urls.service, 1)
    with running(a_relay(database_urls.service, clock)):
        for attempts, seconds in ((1, 1), (2, 2), (3, 4), (4, 8)):
            eventually(lambda attempts=attempts: only_webhook(database_urls).attempts == attempts)
            due = only_webhook(database_urls).next_attempt_at
            assert due == clock.now() + timedelta(seconds=seconds)
            clock.move(seconds - 0.001)
            time.sleep(0.3)
            assert len(receiver.posts) == attempts
            clock.move(0.001)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_what_the_receiver_asks_for_is_honoured(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock, form: str
) -> None:
    wanted = clock.now() + timedelta(seconds=3000)
    said = "3000" if form == "seconds" else format_datetime(wanted, usegmt=True)
    receiver.reply = lambda _: Answer(429, {"Retry-After": said})
    add_webhook(database_urls.service, receiver.url)
    issued_in(database_urls.service, 1)
    with running(a_relay(database_urls.service, clock)):
        failure_of(database_urls)
    assert only_webhook(database_urls).next_attempt_at == wanted


@pytest.mark.parametrize("said", ["soon", "-5", "9" * 400, "9" * 5000, "1.5", "²"])
def test_a_wish_that_makes_no_sense_is_not_heard(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock, said: str
) -> None:
    receiver.reply = lambda _: Answer(503, {"Retry-After": said})
    add_webhook(database_urls.service, receiver.url)
    issued_in(database_urls.service, 1)
    with running(a_relay(database_urls.service, clock)):
        failure_of(database_urls)
    assert only_webhook(database_urls).next_attempt_at == clock.now() + timedelta(seconds=1)


def test_one_that_is_gone_is_disabled_and_keeps_its_place(
    database_urls: LedgerUrls, receiver: Receiver
) -> None:
    webhook_id, _ = add_webhook(database_urls.service, receiver.url)
    told = issued_in(database_urls.service, 3)
    receiver.reply = lambda post: Answer(410) if post.document_id == told[1] else OK
    with running(a_relay(database_urls.service)):
        eventually(lambda: not only_webhook(database_urls).enabled)
        assert only_webhook(database_urls).disabled_reason == "gone"
        assert receiver.document_ids == told[:2]
        receiver.reply = lambda _: OK
        with webhooks_of(database_urls.service) as webhooks:
            webhooks.enable(webhook_id)
        eventually(lambda: len(receiver.posts) == 4)
    assert receiver.document_ids == [told[0], told[1], told[1], told[2]]


def test_a_fact_is_given_up_in_time_and_those_behind_it_come(
    database_urls: LedgerUrls, receiver: Receiver, clock: SetClock
) -> None:
    webhook_id, _ = add_webhook(database_urls.service, receiver.url)
    told = issued_in(database_urls.service, 3)
    receiver.reply = lambda post: Answer(500) if post.document_id == told[0] else OK
    since = clock.now()
    with running(a_relay(database_urls.service, clock)):
        eventually(lambda: only_webhook(database_urls).attempts == 1)
        clock.move(GIVE_UP_AFTER.total_seconds() - 1)
        eventually(lambda: only_webhook(database_urls).attempts == 2)
        assert only_webhook(database_urls).next_attempt_at == since + GIVE_UP_AFTER
        clock.move(1)
        eventually(lambda: len(receiver.posts) == 5)
        (letter,) = eventually(lambda: dead_letters(database_urls))
        assert only_webhook(database_urls).dead_letters == 1
    assert receiver.document_ids == [told[0]] * 3 + told[1:]
    assert letter.event_id == UUID(receiver.posts[0].message_id)
    assert (letter.subscriber_id, letter.attempts, letter.last_failure) == (webhook_id, 3, "HTTP 500")
    assert (letter.failed_since, letter.given_up_at) == (since, since + GIVE_UP_AFTER)


def with_dead_letters(urls: LedgerUrls, receiver: Receiver, count: int) -> list[str]:
    """A webhook for which so many facts were given up; their documents."""
    add_webhook(urls.service, receiver.url)
    told = issued_in(urls.service, count)
    receiver.reply = lambda _: Answer(500)
    with running(a_relay(urls.service, give_up_after=timedelta(0))):
        eventually(lambda: len(dead_letters(urls)) == count)
    assert receiver.document_ids == told
    receiver.posts.clear()
    return told


def test_dead_letters_are_sent_again_when_asked_for_under_their_old_ids(
    database_urls: LedgerUrls, receiver: Receiver
) -> None:
    told = with_dead_letters(database_urls, receiver, 3)
    receiver.reply = lambda _: OK
    ids = [letter.event_id for letter in dead_letters(database_urls)]
    with running(a_relay(database_urls.service)), webhooks_of(database_urls.service) as webhooks:
        webhooks.retry(dead_letters(database_urls)[1].dead_letter_id)
        eventually(lambda: len(dead_letters(database_urls)) == 2)
        assert receiver.document_ids == told[1:2]
        assert webhooks.retry_all() == 2
        eventually(lambda: not dead_letters(database_urls))
    assert receiver.document_ids == [told[1], told[0], told[2]]
    assert [UUID(post.message_id) for post in receiver.posts] == [ids[1], ids[0], ids[2]]


def test_a_dead_letter_that_fails_again_stays_one_and_holds_nothing_up(
    database_urls: LedgerUrls, receiver: Receiver
) -> None:
    (dead,) = with_dead_letters(database_urls, receiver, 1)
    receiver.reply = lambda post: Answer(502) if post.document_id == dead else OK
    with running(a_relay(database_urls.service)), webhooks_of(database_urls.service) as webhooks:
        webhooks.retry_all()
        (fresh,) = issued_in(database_urls.service, 1)
        eventually(lambda: fresh in receiver.document_ids)
        eventually(lambda: not dead_letters(database_urls)[0].retry_requested)
    (letter,) = dead_letters(database_urls)
    assert (letter.attempts, letter.last_failure) == (2, "HTTP 502")
    assert receiver.document_ids.count(dead) == 1


@rule("PII-14")
def test_neither_secrets_nor_addresses_nor_answers_are_logged_or_stored_in_clear(
    database_urls: LedgerUrls, receiver: Receiver, logged_lines: Callable[[], str]
) -> None:
    address = receiver.url.replace("http://", "http://amaryllis:belladonna@") + "?token=cyclamen"
    _, secret = add_webhook(database_urls.service, address)
    told = issued_in(database_urls.service, 3)
    replies = {told[0]: Answer(500, body=b"delphinium"), told[2]: Answer(410, body=b"delphinium")}
    receiver.reply = lambda post: replies.get(post.document_id, OK)
    with running(a_relay(database_urls.service, give_up_after=timedelta(0))):
        eventually(lambda: not only_webhook(database_urls).enabled)
    assert all(post.headers["authorization"].startswith("Basic ") for post in receiver.posts)
    logged = logged_lines()
    assert "outbox-dead-letter" in logged and "outbox-subscriber-gone" in logged
    with psycopg.connect(database_urls.admin) as connection:
        rows = connection.execute("SELECT subscriber::text FROM ledger.subscriber").fetchall()
        rows += connection.execute("SELECT dead_letter::text FROM ledger.dead_letter").fetchall()
        (sealed,) = connection.execute("SELECT sealed FROM ledger.subscriber").fetchone() or ()
    key = secret.removeprefix("whsec_")
    for private in ("amaryllis", "belladonna", "cyclamen", "delphinium", secret, key):
        assert private not in logged
        assert private not in str(rows)
        assert private.encode() not in sealed
    assert str(receiver.port) not in logged
