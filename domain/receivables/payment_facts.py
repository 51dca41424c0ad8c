"""What happens to a customer's payment, as it is stored; `payment.py` says when (BILL-DEC-012, S2)."""

from typing import Literal

from domain.gateway_deferrals import GatewayDeferral
from domain.gateway_words import GatewayCode, GatewayReference
from domain.kernel.facts import Fact, Utc, Value
from domain.kernel.money import CurrencyCode, MinorUnits, PositiveMinorUnits

PaymentType = Literal["PAID_IN_FULL", "PARTIAL_PAYMENT"]
ReceiptChannel = Literal["PRINT", "EMAIL"]

FailedReason = Literal["DECLINED", "REFUSED", "NOT_RECEIVED", "GATEWAY_UNAVAILABLE"]
"""DECLINED by who would have paid, REFUSED by the gateway; of the other two the gateway never knew."""


StepFailedReason = Literal["REFUSED", "GATEWAY_UNAVAILABLE"]
"""Why a void or a refund did not come about."""

DeferredCause = Literal["GATEWAY", "UNCONFIRMED"]
"""The gateway itself does not know yet, or it did not answer in time."""


class KeyedRequest(Value):
    """Under which Idempotency-Key something was asked for: the keyed hashes of key and request, hex."""

    key_hash: str
    request_hash: str


class PaymentInitiated(Fact):
    """Somebody wants that much (minor units) of an invoice paid; the gateway has not been asked yet.

    With `no_receipt` the receipt is made and goes nowhere (BILL-DEC-011, B7); `deliver` is how else it goes
    out, None for nobody asked. What the money is taken from is not kept.
    """

    invoice_id: str
    amount: PositiveMinorUnits
    currency_uom_id: CurrencyCode
    gateway: str
    no_receipt: bool = False
    deliver: ReceiptChannel | None = None
    initiated_by: str
    initiated_at: Utc
    asked: KeyedRequest


class PaymentAuthorized(Fact):
    """The gateway holds the money ready, by that reference of its own; none has moved."""

    reference: GatewayReference


class PaymentDeferred(Fact):
    """It is not known yet how the payment ends; who asked for it has been told so."""

    cause: DeferredCause
    reference: GatewayReference | None = None


class PaymentGatewayDeferred(GatewayDeferral):
    """The gateway, asked on, did not tell how the step under way ends; it is asked again at `retry_at`.

    `attempt` counts from 1 how often in a row it did not answer, or did not know itself.
    """


class PaymentCaptured(Fact):
    """The money has moved. `remaining_balance` (minor units) is what is due of the invoice after it."""

    captured_at: Utc
    payment_type: PaymentType
    remaining_balance: MinorUnits
    receipt_id: str


class PaymentFailed(Fact):
    """No money has moved, and none will."""

    reason: FailedReason
    code: GatewayCode | None = None


class PaymentVoidAsked(Fact):
    """Somebody wants the whole payment taken back."""

    reason_code: str | None = None
    reason_notes: str | None = None
    asked_by: str
    asked: KeyedRequest


class PaymentVoidDeferred(Fact):
    """It is not known yet whether the gateway takes it back."""

    cause: DeferredCause


class PaymentVoided(Fact):
    """The gateway has let go of all of it: no money moves, or what moved was given back."""

    voided_at: Utc


class PaymentVoidFailed(Fact):
    """The gateway does not take it back; the payment stands."""

    reason: StepFailedReason
    code: GatewayCode | None = None


class PaymentRefundAsked(Fact):
    """Somebody wants so much (minor units) of a captured payment given back."""

    refund_id: str
    amount: PositiveMinorUnits
    reason_code: str | None = None
    reason_notes: str | None = None
    asked_by: str
    asked_at: Utc
    asked: KeyedRequest


class PaymentRefundDeferred(Fact):
    """It is not known yet how the refund ends."""

    refund_id: str
    cause: DeferredCause


class PaymentRefunded(Fact):
    """That much (minor units) was given back. `document_id` shows it to whom it was given."""

    refund_id: str
    amount: PositiveMinorUnits
    reference: GatewayReference
    refunded_at: Utc
    document_id: str


class PaymentRefundFailed(Fact):
    """The gateway gives nothing back for that refund; what it was for stays paid."""

    refund_id: str
    reason: StepFailedReason
    code: GatewayCode | None = None


class PaymentRefundReturned(Fact):
    """The gateway got back the money of a refund that had succeeded: its customer has yet to be given it."""

    refund_id: str
    code: GatewayCode | None = None


PaymentFact = (
    PaymentInitiated
    | PaymentAuthorized
    | PaymentDeferred
    | PaymentGatewayDeferred
    | PaymentCaptured
    | PaymentFailed
    | PaymentVoidAsked
    | PaymentVoidDeferred
    | PaymentVoided
    | PaymentVoidFailed
    | PaymentRefundAsked
    | PaymentRefundDeferred
    | PaymentRefunded
    | PaymentRefundFailed
    | PaymentRefundReturned
)
"""Everything that a payment's history may hold."""
