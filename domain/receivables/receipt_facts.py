"""What happens to a payment's receipt, as it is stored; `receipt.py` says when (BILL-DEC-011)."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from domain.documents.delivery import (
    DeliveryBounced,
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
)
from domain.kernel.facts import CountryCode, Fact, Identifier, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits, PositiveMinorUnits
from domain.kernel.privacy import ERASED_TEXT, PersonalData, PersonalDataErased, Pii
from domain.receivables.payment_facts import PaymentType, ReceiptChannel
from domain.upstream import Name

CopyNumber = Annotated[int, Field(strict=True, ge=0)]
"""Which copy it is; 0 is the original."""


class PaidBy(Value):
    """Whom the paid invoice is for, by the name under which it was issued."""

    personal: ClassVar[PersonalData] = PersonalData("party", "party_id", unknown_fields="CONTACT")

    party_id: str
    name: Annotated[Name, Pii("FISCAL", erased=ERASED_TEXT)]


class ReceiptGenerated(Fact):
    """A captured payment has a receipt: all that it shows, frozen. Amounts in minor units.

    `remaining_balance` is what was due of the invoice after the payment. With `delivery_suppressed` nobody
    wanted it (B7); `to_be_printed` says that it is handed over at the till.
    """

    billing_payment_id: str
    invoice_id: str
    invoice_number: str
    invoice_date: date
    work_order_id: str
    customer_account_id: str
    issuer_entity_id: Identifier
    country_code: CountryCode
    currency_uom_id: CurrencyCode
    amount: PositiveMinorUnits
    payment_type: PaymentType
    remaining_balance: MinorUnits
    captured_at: Utc
    paid_by: PaidBy
    delivery_suppressed: bool
    to_be_printed: bool
    document_id: str


class ReceiptPrinted(Fact):
    """The original was handed to a till as text, to be printed."""

    document_id: str
    printed_by: str
    printed_at: Utc


class ReceiptReprinted(Fact):
    """A copy was asked for: printed with this, or sent by a delivery that says so.

    `policy_version` is the policy that let it through, `approver` the credential of who approved.
    """

    document_id: str
    copy_number: CopyNumber
    channel: ReceiptChannel
    reason_code: str | None = None
    reason_notes: str | None = None
    approver: str | None = None
    policy_version: str
    reprinted_by: str
    reprinted_at: Utc


class ReceiptDeliveryRequested(Fact):
    """Somebody wants it sent by e-mail. With `waits_for_seal` its document was not issued yet."""

    document_id: str
    delivery_id: str
    copy_number: CopyNumber
    waits_for_seal: bool
    requested_by: str
    requested_at: Utc


class ReceiptDeliveryStarted(DeliveryStarted):
    """An attempt to send it is about to be made. `attempt` counts from 1."""


class ReceiptDeliverySent(DocumentDelivered):
    """The mail server took it."""


class ReceiptDeliveryFailed(DeliveryFailed):
    """It certainly did not go out. It is tried again at `retry_at`, or, without one, no more."""


class ReceiptDeliveryUnconfirmed(DeliveryUnconfirmed):
    """Nobody knows whether the mail server took it, so it is not sent again by itself."""


class ReceiptDeliveryBounced(DeliveryBounced):
    """What the mail server took came back. `reason` is what it says, without any address in it."""


class ReceiptVoided(Fact):
    """The payment was voided, so the receipt confirms nothing any more."""

    reason_code: str


class ReceiptAdjusted(Fact):
    """A refund gave so much of the payment back (minor units); `left` stands. The document shows it."""

    refund_id: str
    document_id: str
    amount: PositiveMinorUnits
    left: MinorUnits
    reason_code: str | None = None


class ReceiptPersonalDataErased(PersonalDataErased):
    """Whom the receipt was for is erased; its amounts stay."""


ReceiptDeliveryFact = (
    ReceiptDeliveryStarted
    | ReceiptDeliverySent
    | ReceiptDeliveryFailed
    | ReceiptDeliveryUnconfirmed
    | ReceiptDeliveryBounced
)
"""What becomes of a delivery, as a document's own deliveries tell it."""

ReceiptFact = (
    ReceiptGenerated
    | ReceiptPrinted
    | ReceiptReprinted
    | ReceiptDeliveryRequested
    | ReceiptDeliveryFact
    | ReceiptVoided
    | ReceiptAdjusted
    | ReceiptPersonalDataErased
)
"""Everything that a receipt's history may hold."""
