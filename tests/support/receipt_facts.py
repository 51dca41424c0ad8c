"""A payment's receipt in facts: generated, printed, sent, come back, copied, adjusted, voided."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from domain.documents.keys import document_id, document_key
from domain.kernel.facts import Fact
from domain.receivables.receipt_facts import (
    PaidBy,
    ReceiptAdjusted,
    ReceiptDeliveryBounced,
    ReceiptDeliveryFailed,
    ReceiptDeliveryRequested,
    ReceiptDeliverySent,
    ReceiptDeliveryStarted,
    ReceiptDeliveryUnconfirmed,
    ReceiptGenerated,
    ReceiptPersonalDataErased,
    ReceiptPrinted,
    ReceiptReprinted,
    ReceiptVoided,
)
from tests.support.account_facts import NOON
from tests.support.invoicing_facts import ACCOUNT_ID, INVOICE_ID, ISSUER, PARTY_ID, WORK_ORDER_ID

RECEIPT_ID = "7a3e8c40-0000-7000-8000-000000000011"
PAYMENT_ID = "7a3e8c40-0000-7000-8000-000000000012"
REFUND_ID = "7a3e8c40-0000-7000-8000-000000000013"
DELIVERY_ID = "7a3e8c40-0000-7000-8000-000000000014"
RECEIPT_DOCUMENT_ID = document_id(document_key((RECEIPT_ID,), "RECEIPT", ISSUER, 1))
ADJUSTMENT_ID = document_id(document_key((RECEIPT_ID, REFUND_ID), "ADJUSTMENT_STATEMENT", ISSUER, 1))


def receipt_generated(**changes: Any) -> ReceiptGenerated:
    """A part of an invoice was paid; nobody has asked for anything to be delivered."""
    fields: dict[str, Any] = {
        "billing_payment_id": PAYMENT_ID,
        "invoice_id": INVOICE_ID,
        "invoice_number": "F-2026-000001",
        "invoice_date": date(2026, 3, 14),
        "work_order_id": WORK_ORDER_ID,
        "customer_account_id": ACCOUNT_ID,
        "issuer_entity_id": ISSUER,
        "country_code": "ES",
        "currency_uom_id": "EUR",
        "amount": 10_000,
        "payment_type": "PARTIAL_PAYMENT",
        "remaining_balance": 10_569,
        "captured_at": NOON,
        "paid_by": PaidBy(party_id=PARTY_ID, name="Talleres Ñandú S.A."),
        "delivery_suppressed": False,
        "to_be_printed": False,
        "document_id": RECEIPT_DOCUMENT_ID,
    }
    return ReceiptGenerated(**{**fields, **changes})


def printed() -> ReceiptPrinted:
    """The original was printed."""
    return ReceiptPrinted(document_id=RECEIPT_DOCUMENT_ID, printed_by="ana", printed_at=NOON)


def reprinted(copy_number: int = 1, channel: Any = "PRINT") -> ReceiptReprinted:
    """A copy was asked for."""
    return ReceiptReprinted(
        document_id=RECEIPT_DOCUMENT_ID,
        copy_number=copy_number,
        channel=channel,
        reason_code="LOST",
        reason_notes="Left in the car.",
        approver=str(UUID(int=7)),
        policy_version="reprint/built-in@1",
        reprinted_by="ana",
        reprinted_at=NOON,
    )


def requested(delivery_id: str = DELIVERY_ID, copy_number: int = 0) -> ReceiptDeliveryRequested:
    """Somebody wants it sent."""
    return ReceiptDeliveryRequested(
        document_id=RECEIPT_DOCUMENT_ID,
        delivery_id=delivery_id,
        copy_number=copy_number,
        waits_for_seal=False,
        requested_by="ana",
        requested_at=NOON,
    )


def _of(delivery_id: str) -> dict[str, Any]:
    return {"document_id": RECEIPT_DOCUMENT_ID, "delivery_id": delivery_id, "channel": "EMAIL"}


def sending(delivery_id: str = DELIVERY_ID) -> ReceiptDeliveryStarted:
    """An attempt was begun."""
    return ReceiptDeliveryStarted(**_of(delivery_id), attempt=1)


def sent(delivery_id: str = DELIVERY_ID) -> ReceiptDeliverySent:
    """The mail server took it."""
    return ReceiptDeliverySent(**_of(delivery_id), attempt=1)


def not_sent(delivery_id: str = DELIVERY_ID, *, again: bool = False) -> ReceiptDeliveryFailed:
    """The mail server refused it, for good or for now."""
    retry_at = NOON + timedelta(seconds=30) if again else None
    return ReceiptDeliveryFailed(
        **_of(delivery_id), attempt=1, reason="mail_refused", reply_code=550, retry_at=retry_at
    )


def lost(delivery_id: str = DELIVERY_ID) -> ReceiptDeliveryUnconfirmed:
    """Nobody knows how an attempt ended."""
    return ReceiptDeliveryUnconfirmed(**_of(delivery_id), attempt=1)


def bounced(delivery_id: str = DELIVERY_ID) -> ReceiptDeliveryBounced:
    """It came back."""
    return ReceiptDeliveryBounced(**_of(delivery_id), reason="mailbox full")


def voided() -> ReceiptVoided:
    """Its payment was voided."""
    return ReceiptVoided(reason_code="ERROR")


def adjusted(amount: int = 4_000, left: int = 6_000) -> ReceiptAdjusted:
    """A part of its payment was given back."""
    return ReceiptAdjusted(
        refund_id=REFUND_ID,
        document_id=ADJUSTMENT_ID,
        amount=amount,
        left=left,
        reason_code="CUSTOMER_REQUEST",
    )


def erased() -> ReceiptPersonalDataErased:
    """Whom it was for is erased."""
    return ReceiptPersonalDataErased(
        subject=f"party:{PARTY_ID}", retention_class="FISCAL", key_id=str(UUID(int=19)), positions=(3,)
    )


def receipt_examples() -> tuple[Fact, ...]:
    """One full example of every stored event of receipts."""
    return (
        receipt_generated(),
        printed(),
        reprinted(),
        requested(),
        sending(),
        sent(),
        not_sent(again=True),
        lost(),
        bounced(),
        voided(),
        adjusted(),
        erased(),
    )
