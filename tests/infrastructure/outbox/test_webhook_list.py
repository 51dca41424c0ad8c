"""Webhooks as operators have them: added, disabled, removed, their secrets rotated; what they may be."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import WebhookVerificationError

from application.signing import KeyUnusable
from infrastructure.eventstore.committer import Committer
from infrastructure.outbox.subscribers import NoSuchSubscriber
from infrastructure.outbox.target import (
    SECRET_OVERLAP,
    AddressRefused,
    Secret,
    TargetSeal,
    WebhookTarget,
    new_secret,
    shown_address,
)
from tests.support.clocks import SetClock
from tests.support.decisions import rule
from tests.support.ledger_fixtures import LedgerUrls, eventually
from tests.support.outbox import SEAL, a_relay, add_webhook, issue, running, webhooks_of
from tests.support.receivers import Answer, Post, Receiver, a_receiver


def test_a_disabled_webhook_is_told_nothing_until_it_is_enabled_and_then_all(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    with a_receiver() as other, webhooks_of(database_urls.service) as webhooks:
        webhook_id, _ = add_webhook(database_urls.service, receiver.url)
        add_webhook(database_urls.service, other.url)
        webhooks.disable(webhook_id)
        told = issue(committer, 3)
        with running(a_relay(database_urls.service)):
            eventually(lambda: len(other.posts) == 3)
            assert receiver.posts == []
            assert [webhook.disabled_reason for webhook in webhooks.all()] == ["operator", None]
            webhooks.enable(webhook_id)
            eventually(lambda: len(receiver.posts) == 3)
    assert receiver.document_ids == told


def test_disabling_takes_effect_in_the_middle_of_a_turn(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    webhook_id, _ = add_webhook(database_urls.service, receiver.url)
    issue(committer, 5)
    with webhooks_of(database_urls.service) as webhooks:
        plain = receiver.reply

        def disable_first(post: Post) -> Answer:
            webhooks.disable(webhook_id)
            return plain(post)

        receiver.reply = disable_first
        with running(a_relay(database_urls.service)):
            eventually(lambda: receiver.posts and webhooks.all()[0].pending == 4)
    assert len(receiver.posts) == 1


def test_enabling_one_that_waits_for_its_next_attempt_tries_at_once(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    clock = SetClock(datetime.now(UTC))
    receiver.reply = lambda _: Answer(500)
    webhook_id, _ = add_webhook(database_urls.service, receiver.url)
    issue(committer, 1)
    with running(a_relay(database_urls.service, clock)), webhooks_of(database_urls.service) as webhooks:
        for attempts in (1, 2, 3):
            eventually(lambda attempts=attempts: len(receiver.posts) == attempts)
            eventually(lambda: webhooks.all()[0].attempts == 1)
            webhooks.enable(webhook_id)


def test_a_removed_webhook_is_forgotten_with_its_dead_letters(
    database_urls: LedgerUrls, committer: Committer
) -> None:
    webhook_id, _ = add_webhook(database_urls.service, "http://127.0.0.1:9/")
    issue(committer, 1)
    with (
        webhooks_of(database_urls.service) as webhooks,
        running(a_relay(database_urls.service, give_up_after=timedelta(0))),
    ):
        eventually(lambda: webhooks.dead_letters(webhook_id))
        webhooks.remove(webhook_id)
        assert webhooks.all() == [] == webhooks.dead_letters()


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one_only(
    database_urls: LedgerUrls, committer: Committer, receiver: Receiver
) -> None:
    webhook_id, old = add_webhook(database_urls.service, receiver.url)
    clock = SetClock(datetime.now(UTC))
    with webhooks_of(database_urls.service, clock) as webhooks:
        new = webhooks.rotate_secret(webhook_id)
    for moved in (0.0, SECRET_OVERLAP.total_seconds() - 1, 1.0):
        clock.move(moved)
        issue(committer, 1)
        seen = len(receiver.posts)
        with running(a_relay(database_urls.service, clock)):
            eventually(lambda seen=seen: len(receiver.posts) > seen)
    both, last_time, after = (post.headers["webhook-signature"].split(" ") for post in receiver.posts)
    assert [len(both), len(last_time), len(after)] == [2, 2, 1]
    for secret in (old, new):
        receiver.posts[0].verified(secret)
    with pytest.raises(WebhookVerificationError):
        receiver.posts[0].verified(new_secret())


def test_what_is_not_there_cannot_be_changed(database_urls: LedgerUrls) -> None:
    with webhooks_of(database_urls.service) as webhooks:
        for change in (
            webhooks.remove,
            webhooks.enable,
            webhooks.disable,
            webhooks.rotate_secret,
            webhooks.retry,
        ):
            with pytest.raises(NoSuchSubscriber):
                change(uuid4())


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "http://10.0.0.5/hook",
        "ftp://shop.example/",
        "https://",
        "shop.example/hook",
        "https://shop.example:99999/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://[::1/",
        "http://localhost.shop.example/",
        "",
    ],
)
def test_an_address_that_is_none_or_not_https_is_refused_unrepeated(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        shown_address(url)
    assert "shop" not in str(refused.value)


@rule("PII-14")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ana:secret@shop.example:8443/hook?token=secret", "https://shop.example:8443/hook"),
        ("https://10.0.0.5/hook", "https://10.0.0.5/hook"),
        ("http://localhost:9/", "http://localhost:9/"),
        ("http://127.8.8.8/", "http://127.8.8.8/"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert shown_address(url) == shown


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    target = WebhookTarget(
        url="https://shop.example/", secrets=(Secret(text="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)
    )
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = target.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_target_opens_for_its_own_subscriber_only_and_never_shows_itself() -> None:
    target = WebhookTarget(url="https://shop.example/?token=cyclamen", secrets=(Secret(text=new_secret()),))
    subscriber_id = uuid4()
    sealed = SEAL.seal(target, subscriber_id)
    assert SEAL.open(sealed, subscriber_id) == target
    for seal, whose in ((SEAL, uuid4()), (TargetSeal(bytes(32)), subscriber_id)):
        with pytest.raises(KeyUnusable):
            seal.open(sealed, whose)
    assert "cyclamen" not in repr(target) and "whsec" not in repr(target)


def test_two_secrets_are_never_the_same_and_long_enough() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {len("whsec_") + 44}


def test_tls_is_verified(
    database_urls: LedgerUrls, committer: Committer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    receiver = Receiver()
    receiver.speak_tls(certificate)
    add_webhook(database_urls.service, receiver.url)
    issue(committer, 1)
    with receiver.serving(), webhooks_of(database_urls.service) as webhooks:
        with running(a_relay(database_urls.service)):
            assert eventually(lambda: webhooks.all()[0].last_failure) == "ConnectError"
        assert receiver.posts == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with running(a_relay(database_urls.service)):
            eventually(lambda: receiver.posts)


def self_signed(folder: Path) -> Path:
    """A file with the certificate of 127.0.0.1 and its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "receiver.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    assert ssl.create_default_context(cafile=str(path)).get_ca_certs()
    return path
