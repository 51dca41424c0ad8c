"""Gateways' notices: only what they signed lately is read, and only whose payment it is about."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from application.gateway import GatewayNotice, NoticeRefused
from infrastructure.gateways.bank_transfers import BankNotices
from infrastructure.gateways.stripe_notices import StripeNotices
from tests.support.gateways import BANK_SECRET, STRIPE_SECRET

OLD_BANK_SECRET = "whsec_b2YtdGhlLWJhbmstb25jZQ=="
OURS = {"billingPaymentId": "p-1", "billingKey": "p-1:authorize"}


def an_event(metadata: Any, event_type: str = "payment_intent.succeeded") -> bytes:
    """An event of Stripe about an object with that metadata."""
    subject = {"id": "pi_1", "object": "payment_intent", "metadata": metadata}
    event = {"id": "evt_1", "object": "event", "type": event_type, "data": {"object": subject}}
    return json.dumps(event).encode()


def by_stripe(body: bytes, *secrets: str, at: float | None = None) -> dict[str, str]:
    """The header by which Stripe signs, computed as its documentation tells it."""
    signed_at = int(time.time() if at is None else at)
    signatures = [
        hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
        for secret in secrets
    ]
    return {"stripe-signature": ",".join([f"t={signed_at}", *(f"v1={each}" for each in signatures)])}


def by_bank(body: bytes, *secrets: str, at: datetime | None = None) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    signed_at = at or datetime.now(UTC)
    signatures = [Webhook(secret).sign("msg_1", signed_at, body.decode()) for secret in secrets]
    stamp = str(int(signed_at.timestamp()))
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


@pytest.mark.parametrize(
    "event_type", ["payment_intent.succeeded", "charge.refunded", "refund.updated", "refund.failed"]
)
def test_an_event_of_stripe_names_the_payment(event_type: str) -> None:
    body = an_event(OURS, event_type)
    notices = StripeNotices([STRIPE_SECRET])
    assert notices.read(body, by_stripe(body, STRIPE_SECRET)) == GatewayNotice("p-1", "pi_1")


def test_an_event_about_what_belongs_to_a_payment_names_it_too() -> None:
    refund = {"id": "re_1", "object": "refund", "payment_intent": "pi_7", "metadata": OURS}
    body = json.dumps({"type": "refund.updated", "data": {"object": refund}}).encode()
    notice = StripeNotices([STRIPE_SECRET]).read(body, by_stripe(body, STRIPE_SECRET))
    assert notice == GatewayNotice("p-1", "pi_7")


@pytest.mark.parametrize("metadata", [None, {}, {"orderId": "7"}, {"billingPaymentId": ""}])
def test_an_event_about_what_is_not_ours_is_none(metadata: Any) -> None:
    body = an_event(metadata)
    assert StripeNotices([STRIPE_SECRET]).read(body, by_stripe(body, STRIPE_SECRET)) is None


def test_an_event_about_what_has_no_metadata_is_none() -> None:
    body = json.dumps({"type": "balance.available", "data": {"object": {"object": "balance"}}}).encode()
    assert StripeNotices([STRIPE_SECRET]).read(body, by_stripe(body, STRIPE_SECRET)) is None


def test_while_a_secret_is_replaced_both_count() -> None:
    body = an_event(OURS)
    both = StripeNotices(["whsec_new", STRIPE_SECRET])
    assert both.read(body, by_stripe(body, STRIPE_SECRET)) == GatewayNotice("p-1", "pi_1")
    assert both.read(body, by_stripe(body, "whsec_new")) == GatewayNotice("p-1", "pi_1")
    of_both = by_stripe(body, STRIPE_SECRET, "whsec_new")
    assert StripeNotices(["whsec_new"]).read(body, of_both) == GatewayNotice("p-1", "pi_1")
    with pytest.raises(NoticeRefused):
        StripeNotices(["whsec_new"]).read(body, by_stripe(body, STRIPE_SECRET))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=now,v1=x"},
        {"stripe-signature": "v1=00"},
        {"stripe-signature": f"t={int(time.time())}"},
        {"stripe-signature": f"t={int(time.time())},v1=ü"},
        {"stripe-signature": f"t={int(time.time())},v0=00"},
    ],
)
def test_what_stripe_did_not_sign_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(NoticeRefused):
        StripeNotices([STRIPE_SECRET]).read(an_event(OURS), headers)


def test_a_changed_an_old_and_an_unreadable_event_are_refused() -> None:
    notices, body = StripeNotices([STRIPE_SECRET]), an_event(OURS)
    other = an_event({**OURS, "billingPaymentId": "p-2"})
    with pytest.raises(NoticeRefused):
        notices.read(other, by_stripe(body, STRIPE_SECRET))
    with pytest.raises(NoticeRefused):
        notices.read(body, by_stripe(body, STRIPE_SECRET, at=time.time() - 301))
    assert notices.read(body, by_stripe(body, STRIPE_SECRET, at=time.time() - 290))
    for unreadable in (b"[]", b"not JSON", b"\xff", b'{"type":"x"}'):
        with pytest.raises(NoticeRefused) as refused:
            notices.read(unreadable, by_stripe(unreadable, STRIPE_SECRET))
        assert refused.value.__cause__ is None


def test_without_a_secret_everything_is_refused() -> None:
    body = an_event(OURS)
    with pytest.raises(NoticeRefused):
        StripeNotices([]).read(body, by_stripe(body, ""))
    with pytest.raises(NoticeRefused):
        StripeNotices([""]).read(body, by_stripe(body, ""))
    with pytest.raises(NoticeRefused):
        BankNotices([]).read(body, by_bank(body, BANK_SECRET))


def test_a_notice_of_the_bank_names_the_payment() -> None:
    body = b'{"type":"transfer.settled","data":{"transferId":"tr_1","billingPaymentId":"p-1"}}'
    notices = BankNotices([BANK_SECRET, OLD_BANK_SECRET])
    assert notices.read(body, by_bank(body, BANK_SECRET)) == GatewayNotice("p-1")
    assert notices.read(body, by_bank(body, OLD_BANK_SECRET)) == GatewayNotice("p-1")
    assert BankNotices([BANK_SECRET]).read(body, by_bank(body, OLD_BANK_SECRET, BANK_SECRET))


def test_a_notice_of_the_bank_about_what_is_not_ours_is_none() -> None:
    body = b'{"type":"statement.ready","data":{}}'
    assert BankNotices([BANK_SECRET]).read(body, by_bank(body, BANK_SECRET)) is None


def test_what_the_bank_did_not_sign_lately_is_refused() -> None:
    notices = BankNotices([BANK_SECRET])
    body = b'{"type":"transfer.settled","data":{"billingPaymentId":"p-1"}}'
    signed = by_bank(body, BANK_SECRET)
    too_old = by_bank(body, BANK_SECRET, at=datetime.now(UTC) - timedelta(minutes=6))
    forged = {**signed, "webhook-signature": "v1,AAAA"}
    broken = {**signed, "webhook-signature": "nonsense"}
    for headers in ({}, too_old, forged, broken, by_bank(body, OLD_BANK_SECRET)):
        with pytest.raises(NoticeRefused):
            notices.read(body, headers)
    with pytest.raises(NoticeRefused):
        notices.read(body.replace(b"p-1", b"p-2"), signed)
    for unreadable in (b"[]", b"{}", b"nonsense"):
        with pytest.raises(NoticeRefused):
            notices.read(unreadable, by_bank(unreadable, BANK_SECRET))
    with pytest.raises(NoticeRefused):
        notices.read(b"\xff", signed)
