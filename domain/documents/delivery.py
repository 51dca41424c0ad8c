"""Bringing an issued document to its reader: asked for, started, then delivered, failed or unconfirmed.

What goes out may not be called back, so an attempt is recorded before it is made, and one of which nobody
knows how it ended is never made again by itself (S3 §4.1, §8.3; contract §6).
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from domain.accounts.choices import DeliveryMethod
from domain.documents.document_facts import Audience
from domain.documents.notices import Notice
from domain.documents.order_snapshot import OrderData, Party
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Utc, Value

_NAMESPACE = UUID("1f3c2a84-6a0e-5d0b-9d2c-0f3f7ab9f0c7")

DeliveryChannel = Literal["EMAIL", "MAIL"]
"""How a document leaves the house: MAIL is post."""

ResendChannel = Literal["EMAIL", "IN_APP"]

FailureReason = Literal[
    "mail_unreachable",
    "mail_refused",
    "address_missing",
    "address_refused",
    "erased",
    "withdrawn",
    "file_unavailable",
    "folder_unavailable",
]
"""`withdrawn`: the document was voided or replaced before it went out."""

MOST_RESENDS: Final = 5
RESEND_WINDOW: Final = timedelta(hours=24)
MOST_ATTEMPTS: Final = 8
_FIRST_RETRY: Final = timedelta(seconds=30)
_LONGEST_RETRY: Final = timedelta(hours=6)
_ADDRESS: Final = re.compile(r"[^\s<>]*@[^\s<>]*")


class DocumentResent(Fact):
    """Somebody asked for an issued document to be sent again; `notice` is what its reader is told.

    IN_APP is done with this. `delivery_id` names the delivery, and the notification.
    """

    document_id: str
    delivery_id: str
    channel: ResendChannel
    resent_at: Utc
    notice: Notice


class DeliveryStarted(Fact):
    """An attempt to deliver the document is about to be made. `attempt` counts from 1."""

    document_id: str
    delivery_id: str
    channel: DeliveryChannel
    attempt: int


class DocumentDelivered(Fact):
    """The mail server took the message, or the letter lies in the print room's folder."""

    document_id: str
    delivery_id: str
    channel: DeliveryChannel
    attempt: int


class DeliveryFailed(Fact):
    """The document certainly did not go out. It is tried again at `retry_at`, or, without one, no more.

    `reply_code` is the mail server's, where it refused.
    """

    document_id: str
    delivery_id: str
    channel: DeliveryChannel
    attempt: int
    reason: FailureReason
    reply_code: int | None = None
    retry_at: Utc | None = None


class DeliveryUnconfirmed(Fact):
    """Nobody knows whether the mail server took the message, so it is not sent again by itself."""

    document_id: str
    delivery_id: str
    channel: DeliveryChannel
    attempt: int


class DeliveryBounced(Fact):
    """What the mail server took came back. `reason` is what it says, without any address in it."""

    document_id: str
    delivery_id: str
    channel: DeliveryChannel
    reason: str


DeliveryAttemptFact = (
    DeliveryStarted | DocumentDelivered | DeliveryFailed | DeliveryUnconfirmed | DeliveryBounced
)
"""What becomes of a delivery, once something calls for it."""

DeliveryFact = DocumentResent | DeliveryAttemptFact


class Delivery(Value):
    """How a delivery stands; WAITING was asked for, not tried yet. `reason` is of a failure or a bounce."""

    status: Literal["WAITING", "STARTED", "DELIVERED", "FAILED", "UNCONFIRMED", "BOUNCED"]
    attempt: int = 0
    retry_at: Utc | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for an attempt, or one is under way."""
        return self.status in {"WAITING", "STARTED"} or self.retry_at is not None


class DeliveryOf(Value):
    """Which delivery it is: of which document, by which way."""

    document_id: str
    delivery_id: str
    channel: DeliveryChannel


def first_delivery_id(document_id: str) -> str:
    """The id of the delivery that the document's issue calls for."""
    return str(uuid5(_NAMESPACE, document_id))


def delivery_method_of(audience: Audience, order: OrderData) -> DeliveryMethod:
    """EMAIL where the party that the document is made for has an address in the order, else PORTAL."""
    party = party_of(audience, order)
    return "EMAIL" if party is not None and party.email else "PORTAL"


def party_of(audience: Audience, order: OrderData) -> Party | None:
    """The order's party that documents for that audience are made for; nobody for FINANCE."""
    parties = order.order_party_snapshot
    return {"BUYER": parties.buyer, "SELLER": parties.seller}.get(audience)


def resend(times: Iterable[datetime], resent: DocumentResent) -> tuple[DocumentResent, ...]:
    """Asks for a document to go out again; `times` are those of the resends so far.

    Raises `RESEND_LIMIT` where there were five in the last 24 hours (contract §6).
    """
    begin = resent.resent_at - RESEND_WINDOW
    recent = sorted(time for time in times if time > begin)
    if len(recent) >= MOST_RESENDS:
        wait = recent[-MOST_RESENDS] - begin
        raise DomainError(
            "RESEND_LIMIT",
            f"A document is sent again at most {MOST_RESENDS} times in 24 hours.",
            retry_after_seconds=max(1, -(-wait // timedelta(seconds=1))),
        )
    return (resent,)


def start(
    delivery: Delivery | None, of: DeliveryOf, at: datetime, *, repeatable: bool
) -> tuple[DeliveryStarted | DeliveryUnconfirmed, ...]:
    """Begins an attempt that is due; () where none is, or where the attempt under way may simply go on.

    An attempt that was begun and not finished may have reached the mail server: unless the same message sent
    again is the same message (`repeatable`), it is told as unconfirmed.
    """
    if delivery is not None and delivery.status == "STARTED":
        return () if repeatable else (DeliveryUnconfirmed(**dict(of), attempt=delivery.attempt),)
    return (DeliveryStarted(**dict(of), attempt=_next_attempt(delivery)),) if _is_due(delivery, at) else ()


def deliver(delivery: Delivery | None, of: DeliveryOf, attempt: int) -> tuple[DocumentDelivered, ...]:
    """Records that an attempt reached its end; also one that was given up as unconfirmed meanwhile."""
    if delivery is None or delivery.attempt != attempt or delivery.status not in {"STARTED", "UNCONFIRMED"}:
        return ()
    return (DocumentDelivered(**dict(of), attempt=attempt),)


def fail(
    delivery: Delivery | None,
    of: DeliveryOf,
    at: datetime,
    reason: FailureReason,
    *,
    again: bool,
    reply_code: int | None = None,
) -> tuple[DeliveryFailed, ...]:
    """Records that nothing went out; with `again` it is retried, up to eight times in all. Settled: ()."""
    attempt = delivery.attempt if delivery is not None and delivery.status == "STARTED" else None
    if attempt is None and not _is_due(delivery, at):
        return ()
    attempt = attempt or _next_attempt(delivery)
    retry_at = at + retry_delay(attempt) if again and attempt < MOST_ATTEMPTS else None
    failed = DeliveryFailed(
        **dict(of), attempt=attempt, reason=reason, reply_code=reply_code, retry_at=retry_at
    )
    return (failed,)


def leave_open(delivery: Delivery | None, of: DeliveryOf, attempt: int) -> tuple[DeliveryUnconfirmed, ...]:
    """Records that nobody knows how an attempt ended."""
    if delivery is None or (delivery.status, delivery.attempt) != ("STARTED", attempt):
        return ()
    return (DeliveryUnconfirmed(**dict(of), attempt=attempt),)


def bounce(delivery: Delivery | None, of: DeliveryOf, reason: str) -> tuple[DeliveryBounced, ...]:
    """Records that what went out came back; known already, or where nothing went out: ()."""
    if delivery is None or delivery.status not in {"STARTED", "DELIVERED", "UNCONFIRMED"}:
        return ()
    return (DeliveryBounced(**dict(of), reason=without_addresses(reason)),)


def withdraw(delivery: Delivery, of: DeliveryOf) -> tuple[DeliveryFailed, ...]:
    """Ends what waits for an attempt; one under way ends by itself, and what has ended stays: ()."""
    if not delivery.is_open or delivery.status == "STARTED":
        return ()
    return (DeliveryFailed(**dict(of), attempt=delivery.attempt, reason="withdrawn"),)


def without_addresses(text: str) -> str:
    """What a mail server says, with every e-mail address in it taken out."""
    return _ADDRESS.sub("[address]", text)


def retry_delay(attempt: int) -> timedelta:
    """How long to wait after the attempt of that number (from 1): 30 seconds, 2 minutes … at most 6 hours."""
    longer: int = 4 ** (attempt - 1)
    return min(_FIRST_RETRY * longer, _LONGEST_RETRY)


def evolve(delivery: Delivery | None, fact: DeliveryFact) -> Delivery:
    """Folds one fact of a delivery."""
    match fact:
        case DocumentResent(channel=channel):
            return Delivery(status="WAITING" if channel == "EMAIL" else "DELIVERED")
        case DeliveryStarted():
            return Delivery(status="STARTED", attempt=fact.attempt)
        case DocumentDelivered():
            return Delivery(status="DELIVERED", attempt=fact.attempt)
        case DeliveryFailed():
            return Delivery(status="FAILED", attempt=fact.attempt, retry_at=fact.retry_at, reason=fact.reason)
        case DeliveryUnconfirmed():
            return Delivery(status="UNCONFIRMED", attempt=fact.attempt)
        case DeliveryBounced():
            attempt = 0 if delivery is None else delivery.attempt
            return Delivery(status="BOUNCED", attempt=attempt, reason=fact.reason)


def _is_due(delivery: Delivery | None, at: datetime) -> bool:
    if delivery is None or delivery.status == "WAITING":
        return True
    return delivery.status == "FAILED" and delivery.retry_at is not None and delivery.retry_at <= at


def _next_attempt(delivery: Delivery | None) -> int:
    return 1 if delivery is None else delivery.attempt + 1
