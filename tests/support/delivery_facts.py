"""Examples of every fact of a delivery."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from domain.documents.delivery import (
    DeliveryBounced,
    DeliveryFact,
    DeliveryFailed,
    DeliveryOf,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
    ResendChannel,
)
from domain.documents.keys import document_id, document_key
from domain.documents.notices import Notice
from domain.kernel.facts import Fact

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
DELIVERY = DeliveryOf(
    document_id=document_id(document_key(("o-1",), "RECEIPT", "platform-gb", 1)),
    delivery_id="5b1c1b44-0000-7000-8000-0000000000d1",
    channel="EMAIL",
)
NOTICE = Notice(
    doc_type="RECEIPT",
    number="R-2026-000001",
    owner_type="BUYER",
    owner_id="buyer-17",
    country_code="GB",
    language="en",
)

FactT = TypeVar("FactT", bound=DeliveryFact)


def attempted(kind: type[FactT], attempt: int = 1, **changes: Any) -> FactT:
    """What became of an attempt."""
    return kind(**{**dict(DELIVERY), "attempt": attempt, **changes})


def a_resend(channel: ResendChannel = "EMAIL", **changes: Any) -> DocumentResent:
    """Somebody asked for the document again."""
    asked: dict[str, Any] = {
        "document_id": DELIVERY.document_id,
        "delivery_id": DELIVERY.delivery_id,
        "channel": channel,
        "resent_at": NOON,
        "notice": NOTICE,
    }
    return DocumentResent(**{**asked, **changes})


def examples() -> tuple[Fact, ...]:
    """One full fact of each kind."""
    return (
        a_resend(),
        attempted(DeliveryStarted),
        attempted(DocumentDelivered),
        attempted(DeliveryFailed, reason="mail_refused", reply_code=451, retry_at=NOON),
        attempted(DeliveryUnconfirmed),
        DeliveryBounced(**dict(DELIVERY), reason="mailbox full"),
    )
