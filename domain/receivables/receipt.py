"""A receipt confirms a captured payment, is handed over and copied as policy lets (BILL-DEC-011).

Commands: generate, print, request a delivery, tell how a delivery goes, reprint, adjust, void. Its original
goes out once by print and once by e-mail; what failed or came back may be sent again, and whatever else is
wanted is a copy, which policy counts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, assert_never

from pydantic import Field

from domain.accounts.policies import ReprintTerms
from domain.documents import delivery as deliveries
from domain.documents.delivery import (
    Delivery,
    DeliveryAttemptFact,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryOf,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    first_delivery_id,
    withdraw,
)
from domain.kernel.errors import DomainError
from domain.kernel.facts import Utc, Value
from domain.kernel.privacy import PersonalDataErased, without_personal_data
from domain.kernel.streams import EventType, StreamType
from domain.receivables.payment_facts import ReceiptChannel
from domain.receivables.receipt_facts import (
    ReceiptAdjusted,
    ReceiptDeliveryBounced,
    ReceiptDeliveryFact,
    ReceiptDeliveryFailed,
    ReceiptDeliveryRequested,
    ReceiptDeliverySent,
    ReceiptDeliveryStarted,
    ReceiptDeliveryUnconfirmed,
    ReceiptFact,
    ReceiptGenerated,
    ReceiptPersonalDataErased,
    ReceiptPrinted,
    ReceiptReprinted,
    ReceiptVoided,
)

ReceiptDeliveryStatus = Literal["PENDING", "SENT", "FAILED", "BOUNCED"]
"""PENDING: asked for and not done yet. SENT: printed, or taken by the mail server (BILL-DEC-011)."""

ReceiptAction = Literal["DELIVER", "RETRY_DELIVERY", "REPRINT"]

RefusalReason = Literal[
    "RECEIPT_VOIDED",
    "ALREADY_PRINTED",
    "ALREADY_SENT",
    "DELIVERY_PENDING",
    "REPRINTS_EXHAUSTED",
    "WINDOW_CLOSED",
]
"""Why the original does not go out again, or why there is no other copy."""

DELIVERABLE: Mapping[ReceiptChannel, frozenset[ReceiptDeliveryStatus | None]] = MappingProxyType(
    {"PRINT": frozenset({None, "PENDING"}), "EMAIL": frozenset({None, "FAILED", "BOUNCED"})}
)
"""With which status of a way, None for not asked for, it may be delivered that way.

A pending print waits for the till, a pending e-mail is on its way by itself.
"""

RETRIED: frozenset[ReceiptDeliveryStatus | None] = frozenset({"FAILED", "BOUNCED"})
"""With which status of its e-mail a delivery is another try (B3)."""

_NOT_DELIVERABLE: Mapping[tuple[ReceiptChannel, ReceiptDeliveryStatus], RefusalReason] = MappingProxyType(
    {
        ("PRINT", "SENT"): "ALREADY_PRINTED",
        ("EMAIL", "SENT"): "ALREADY_SENT",
        ("EMAIL", "PENDING"): "DELIVERY_PENDING",
    }
)

_MESSAGES: Mapping[RefusalReason, str] = MappingProxyType(
    {
        "RECEIPT_VOIDED": "The payment was voided, so its receipt goes nowhere.",
        "ALREADY_PRINTED": "The original was printed; ask for a reprint.",
        "ALREADY_SENT": "It was sent; ask for a reprint.",
        "DELIVERY_PENDING": "It is on its way by e-mail already.",
        "REPRINTS_EXHAUSTED": "Policy lets no more copies of this receipt be made.",
        "WINDOW_CLOSED": "The time in which policy lets copies be made is over.",
    }
)


class Email(Value):
    """A delivery of the receipt by e-mail; `copy_number` 0 is the original."""

    copy_number: int
    delivery: Delivery

    @property
    def status(self) -> ReceiptDeliveryStatus:
        """How it stands; of an attempt that nobody knows the end of, a person decides whether to retry."""
        if self.delivery.is_open:
            return "PENDING"
        match self.delivery.status:
            case "DELIVERED":
                return "SENT"
            case "BOUNCED":
                return "BOUNCED"
            case _:
                return "FAILED"


class Receipt(Value):
    """A receipt's state. `emails` by delivery id, oldest first; `last_channel` is what was asked for last."""

    generated: ReceiptGenerated
    printed: bool = False
    emails: dict[str, Email] = Field(default_factory=dict)
    last_channel: ReceiptChannel | None = None
    reprints: int = 0
    adjustments: tuple[ReceiptAdjusted, ...] = ()
    voided: ReceiptVoided | None = None

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Its documents: its own, then those of its adjustments."""
        return (self.generated.document_id, *(each.document_id for each in self.adjustments))

    @property
    def last_email(self) -> tuple[str, Email] | None:
        """The id of the newest delivery by e-mail, and how it stands."""
        return next(reversed(self.emails.items()), None)

    @property
    def delivery_status(self) -> ReceiptDeliveryStatus | None:
        """How the delivery that was asked for last stands; None where none was."""
        return None if self.last_channel is None else self.status_by(self.last_channel)

    def status_by(self, channel: ReceiptChannel) -> ReceiptDeliveryStatus | None:
        """How it stands with one way; None where nobody asked for it."""
        if channel == "PRINT":
            return "SENT" if self.printed else "PENDING" if self.generated.to_be_printed else None
        return None if self.last_email is None else self.last_email[1].status


class Reprints(Value):
    """What policy leaves of reprints (B4); `window_ends_at` is the last moment at which one may be made."""

    remaining_reprints: int
    window_ends_at: Utc
    requires_reason_code: bool
    requires_elevation: bool


def generate(receipt: Receipt | None, generated: ReceiptGenerated) -> tuple[ReceiptGenerated, ...]:
    """Records the receipt of a captured payment; one that is there: ()."""
    return () if receipt is not None else (generated,)


def require_deliverable(receipt: Receipt, channel: ReceiptChannel) -> None:
    """Raises `REPRINT_NOT_ALLOWED` where the receipt has gone out that way, or is on its way."""
    if receipt.voided is not None:
        raise _refusal("RECEIPT_VOIDED")
    status = receipt.status_by(channel)
    if status is not None and status not in DELIVERABLE[channel]:
        raise _refusal(_NOT_DELIVERABLE[channel, status])


def print_original(receipt: Receipt, printed: ReceiptPrinted) -> tuple[ReceiptPrinted, ...]:
    """Hands the original over to a till. Raises `REPRINT_NOT_ALLOWED` where it was printed before."""
    require_deliverable(receipt, "PRINT")
    return (printed,)


def new_delivery_id(receipt: Receipt, fresh_id: str) -> str:
    """How the next delivery by e-mail is called: the first one so that the document's issue finds it."""
    return fresh_id if receipt.emails else first_delivery_id(receipt.generated.document_id)


def reprints_left(receipt: Receipt, terms: ReprintTerms) -> Reprints:
    """What policy leaves of reprints, whenever asked."""
    return Reprints(
        remaining_reprints=max(0, terms.max_reprints - receipt.reprints),
        window_ends_at=receipt.generated.captured_at + timedelta(hours=terms.window_hours),
        requires_reason_code=terms.requires_reason_code,
        requires_elevation=terms.requires_elevation,
    )


def no_reprint_because(receipt: Receipt, terms: ReprintTerms, at: datetime) -> RefusalReason | None:
    """Why no copy may be made now; None where one may."""
    left = reprints_left(receipt, terms)
    if receipt.voided is not None:
        return "RECEIPT_VOIDED"
    if not left.remaining_reprints:
        return "REPRINTS_EXHAUSTED"
    return "WINDOW_CLOSED" if at > left.window_ends_at else None


def require_reprintable(
    receipt: Receipt, terms: ReprintTerms, channel: ReceiptChannel, reason_code: str | None, at: datetime
) -> None:
    """Raises `REPRINT_NOT_ALLOWED`, also while an e-mail is on its way, `REASON_CODE_REQUIRED`."""
    if because := no_reprint_because(receipt, terms, at):
        raise _refusal(because)
    if channel == "EMAIL" and receipt.status_by("EMAIL") == "PENDING":
        raise _refusal("DELIVERY_PENDING")
    if terms.requires_reason_code and reason_code is None:
        raise DomainError("REASON_CODE_REQUIRED", "Policy wants to know why this receipt is reprinted.")


def allowed_actions(
    receipt: Receipt, terms: ReprintTerms, at: datetime, permissions: frozenset[str]
) -> list[ReceiptAction]:
    """What its state and the reprint policy let a caller with these permissions do at that moment."""
    if receipt.voided is not None:
        return []
    by = {channel: receipt.status_by(channel) for channel in DELIVERABLE}
    actions: list[ReceiptAction] = []
    if "billing:receipt:deliver" in permissions:
        if any(status in DELIVERABLE[channel] - RETRIED for channel, status in by.items()):
            actions.append("DELIVER")
        if by["EMAIL"] in RETRIED:
            actions.append("RETRY_DELIVERY")
    if "billing:receipt:reprint" in permissions and no_reprint_because(receipt, terms, at) is None:
        actions.append("REPRINT")
    return actions


def told_of_receipt(facts: Iterable[DeliveryAttemptFact]) -> tuple[ReceiptDeliveryFact, ...]:
    """How a delivery goes, as the receipt's own history tells it."""
    return tuple(_as_receipts_tell(fact) for fact in facts)


def _as_receipts_tell(fact: DeliveryAttemptFact) -> ReceiptDeliveryFact:
    match fact:
        case DeliveryStarted():
            return ReceiptDeliveryStarted(**dict(fact))
        case DocumentDelivered():
            return ReceiptDeliverySent(**dict(fact))
        case DeliveryFailed():
            return ReceiptDeliveryFailed(**dict(fact))
        case DeliveryUnconfirmed():
            return ReceiptDeliveryUnconfirmed(**dict(fact))
        case DeliveryBounced():
            return ReceiptDeliveryBounced(**dict(fact))
        case _:
            assert_never(fact)


def adjust(receipt: Receipt, adjusted: ReceiptAdjusted) -> tuple[ReceiptAdjusted, ...]:
    """Notes a refund and the document that shows it; one that is noted: ()."""
    known = any(each.refund_id == adjusted.refund_id for each in receipt.adjustments)
    return () if known else (adjusted,)


def void(receipt: Receipt, voided: ReceiptVoided) -> tuple[ReceiptVoided | ReceiptDeliveryFact, ...]:
    """Voids it, and withdraws what has not gone out yet; a void one: ()."""
    if receipt.voided is not None:
        return ()
    document_id = receipt.generated.document_id
    withdrawn = (
        fact
        for delivery_id, email in receipt.emails.items()
        for fact in withdraw(
            email.delivery, DeliveryOf(document_id=document_id, delivery_id=delivery_id, channel="EMAIL")
        )
    )
    return (voided, *told_of_receipt(withdrawn))


def _refusal(reason: RefusalReason) -> DomainError:
    return DomainError("REPRINT_NOT_ALLOWED", _MESSAGES[reason], reason_code=reason)


def evolve(receipt: Receipt | None, fact: ReceiptFact) -> Receipt:
    """Folds one fact of a receipt."""
    if isinstance(fact, ReceiptGenerated):
        return Receipt(generated=fact, last_channel="PRINT" if fact.to_be_printed else None)
    assert receipt is not None, "a receipt begins with being generated"
    return receipt.model_copy(update=_changes(receipt, fact))


def _changes(receipt: Receipt, fact: ReceiptFact) -> dict[str, Any]:
    match fact:
        case ReceiptPrinted():
            return {"printed": True, "last_channel": "PRINT"}
        case ReceiptReprinted():
            printed = receipt.printed or fact.channel == "PRINT"
            return {"reprints": fact.copy_number, "printed": printed, "last_channel": fact.channel}
        case ReceiptDeliveryRequested():
            email = Email(copy_number=fact.copy_number, delivery=Delivery(status="WAITING"))
            return {"emails": {**receipt.emails, fact.delivery_id: email}, "last_channel": "EMAIL"}
        case (
            ReceiptDeliveryStarted()
            | ReceiptDeliverySent()
            | ReceiptDeliveryFailed()
            | ReceiptDeliveryUnconfirmed()
            | ReceiptDeliveryBounced()
        ):
            email = receipt.emails[fact.delivery_id]
            after = email.model_copy(update={"delivery": deliveries.evolve(email.delivery, fact)})
            return {"emails": {**receipt.emails, fact.delivery_id: after}}
        case ReceiptVoided():
            return {"voided": fact}
        case ReceiptAdjusted():
            return {"adjustments": (*receipt.adjustments, fact)}
        case ReceiptPersonalDataErased():
            return {"generated": _erased(receipt.generated, fact)}
        case ReceiptGenerated():
            raise AssertionError("a receipt is generated once")
        case _:
            assert_never(fact)


def _erased(generated: ReceiptGenerated, fact: PersonalDataErased) -> ReceiptGenerated:
    paid_by = without_personal_data(generated.paid_by, fact.subject, fact.retention_class)
    return generated.model_copy(update={"paid_by": paid_by})


RECEIPT: StreamType[Receipt] = StreamType(
    "receipt",
    (
        EventType("receipt.generated", ReceiptGenerated),
        EventType("receipt.printed", ReceiptPrinted),
        EventType("receipt.reprinted", ReceiptReprinted),
        EventType("receipt.delivery-requested", ReceiptDeliveryRequested),
        EventType("receipt.delivery-started", ReceiptDeliveryStarted),
        EventType("receipt.delivery-sent", ReceiptDeliverySent),
        EventType("receipt.delivery-failed", ReceiptDeliveryFailed),
        EventType("receipt.delivery-unconfirmed", ReceiptDeliveryUnconfirmed),
        EventType("receipt.delivery-bounced", ReceiptDeliveryBounced),
        EventType("receipt.voided", ReceiptVoided),
        EventType("receipt.adjusted", ReceiptAdjusted),
        EventType("receipt.personal-data-erased", ReceiptPersonalDataErased),
    ),
    evolve,
)
