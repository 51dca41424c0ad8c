"""What happens to a payment to a vendor, as it is stored; `ap_payment.py` says when (BILL-DEC-013)."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.gateway_deferrals import GatewayDeferral
from domain.gateway_words import GatewayCode, GatewayReference
from domain.kernel.facts import Fact, Identifier, Utc, Uuid, Value
from domain.kernel.money import CurrencyCode, PositiveMinorUnits, SignedMinorUnits
from domain.posting import PostingError

MOST_ALLOCATIONS = 500


class Allocation(Value):
    """How much of a payment (minor units) is for which bill."""

    bill_id: Uuid
    applied_amount: PositiveMinorUnits


def _a_bill_once(allocations: tuple[Allocation, ...]) -> tuple[Allocation, ...]:
    if len({allocation.bill_id for allocation in allocations}) < len(allocations):
        raise PydanticCustomError("bill_repeated", "A bill is named once")
    return allocations


class VendorPayment(Value):
    """What is asked for: so much (minor units) to a vendor, for these bills; the rest is on account.

    `payment_ref` is the payer's own name of it, by which a repeat is known.
    """

    vendor_id: Identifier
    gross_amount: SignedMinorUnits
    currency_uom_id: CurrencyCode
    payment_ref: Identifier
    allocations: Annotated[
        tuple[Allocation, ...], Field(max_length=MOST_ALLOCATIONS), AfterValidator(_a_bill_once)
    ] = ()


class GlAnswer(Value):
    """What accounting says of a payment: it booked it, or why not where there is a `posting_error`."""

    journal_entry_id: Identifier | None = None
    posting_error: PostingError | None = None


class ApPaymentInitiated(Fact):
    """The payment is to be made through that gateway, which has not been asked yet."""

    payment: VendorPayment
    gateway: str
    initiated_at: Utc


class ApPaymentGatewayAwaited(Fact):
    """The gateway knows the payment by that reference of its own. From here on money may move."""

    reference: GatewayReference


class ApPaymentGatewayDeferred(GatewayDeferral):
    """The gateway did not tell how the payment ends; it is asked again at `retry_at`.

    `attempt` counts from 1 how often in a row it did not answer, or did not know itself.
    """


class ApPaymentGatewaySucceeded(Fact):
    """The money has moved."""


class ApPaymentGatewayFailed(Fact):
    """No money has moved, and none will: the gateway declined or refused."""

    code: GatewayCode | None = None
    reference: GatewayReference | None = None


class ApPaymentGlPostAwaited(Fact):
    """Accounting was told and has not answered."""


class ApPaymentGlAnswerReceived(Fact):
    """Accounting answered before the gateway's success was known here; it waits for that."""

    answer: GlAnswer


class ApPaymentGlAnswerParked(Fact):
    """What accounting had answered cannot be: the payment failed. Somebody has to look at it."""

    answer: GlAnswer


class ApPaymentGlPosted(Fact):
    """Accounting booked the payment."""

    journal_entry_id: str | None = None


class ApPaymentGlPostFailed(Fact):
    """Accounting could not book it. The detail is for who may see posting errors (BILL-DEC-014)."""

    posting_error: PostingError


ApPaymentFact = (
    ApPaymentInitiated
    | ApPaymentGatewayAwaited
    | ApPaymentGatewayDeferred
    | ApPaymentGatewaySucceeded
    | ApPaymentGatewayFailed
    | ApPaymentGlPostAwaited
    | ApPaymentGlAnswerReceived
    | ApPaymentGlAnswerParked
    | ApPaymentGlPosted
    | ApPaymentGlPostFailed
)
"""Everything that a payment's history may hold."""
