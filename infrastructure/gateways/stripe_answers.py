"""What Stripe answers, as far as it is read, and what it means for a payment."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from application.gateway import (
    GatewayPayment,
    GatewayRefund,
    GatewayStatus,
    GatewayUnconfirmed,
    RefundStatus,
)

BILLING_PAYMENT_ID = "billingPaymentId"
BILLING_KEY = "billingKey"
BILLING_STEP = "billingStep"
"""Names in the metadata of what we make at Stripe: whose payment it is, under which key, to what end."""

VOID = "VOID"
"""The step of a refund that takes a whole capture back."""

AUTHENTICATION_REQUIRED = "authentication_required"

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STATUSES: Mapping[str, GatewayStatus] = {
    "processing": "PENDING",
    "requires_capture": "AUTHORIZED",
    "succeeded": "CAPTURED",
    "canceled": "VOIDED",
    "requires_payment_method": "DECLINED",
    # Nobody is there who could confirm or authenticate it any more: it never moves money.
    "requires_confirmation": "DECLINED",
    "requires_action": "DECLINED",
}
_REFUND_STATUSES: Mapping[str, RefundStatus] = {
    "pending": "PENDING",
    "requires_action": "PENDING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "canceled": "FAILED",
}


StripeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,255}$")]
"""An object's id, which may stand in a path."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class PaymentError(_Answer):
    """Why an attempt to pay failed, in Stripe's words."""

    code: str | None = None
    decline_code: str | None = None


class Refund(_Answer):
    """A refund of an intent, in Stripe's units."""

    id: StripeId
    status: str
    metadata: dict[str, str] = {}
    failure_reason: str | None = None


class Refunds(_Answer):
    """A page of refunds, the newest first."""

    data: list[Refund]
    has_more: bool = False


class Charge(_Answer):
    """What an intent charged; `refunds` are its ten newest."""

    id: StripeId
    refunds: Refunds | None = None


class Intent(_Answer):
    """A PaymentIntent: our payment at Stripe. `latest_charge` is an id where it was not asked for."""

    id: StripeId
    status: str
    currency: str
    metadata: dict[str, str] = {}
    last_payment_error: PaymentError | None = None
    latest_charge: Charge | str | None = None

    @property
    def refunds(self) -> list[Refund]:
        """Its newest refunds that have not failed, where they were asked for."""
        charge = self.latest_charge
        found = charge.refunds.data if isinstance(charge, Charge) and charge.refunds is not None else []
        return [refund for refund in found if refund_of(refund).status != "FAILED"]

    @property
    def taking_back(self) -> Refund | None:
        """What takes the whole capture back for a void, or has; None where nothing does."""
        return next((refund for refund in self.refunds if refund.metadata.get(BILLING_STEP) == VOID), None)


class Intents(_Answer):
    """What a search found."""

    data: list[Intent]


class Declined(_Answer):
    """An error that tells of an intent beside it."""

    payment_intent: Intent


def word(*candidates: str | None) -> str:
    """The first that is a word, which may be logged and shown: a message never is one."""
    return next((each for each in candidates if each is not None and _WORD.fullmatch(each)), "unknown")


def payment_of(intent: Intent) -> GatewayPayment:
    """How the payment stands. Raises `GatewayUnconfirmed` for a status that we do not know."""
    status = _STATUSES.get(intent.status)
    if status is None:
        raise GatewayUnconfirmed("Stripe answers a status that is not known here.")
    taking_back = intent.taking_back
    if status == "CAPTURED" and taking_back is not None and refund_of(taking_back).status == "SUCCEEDED":
        status = "VOIDED"
    return GatewayPayment(intent.id, status, _code(intent) if status == "DECLINED" else None)


def refund_of(refund: Refund) -> GatewayRefund:
    """How the refund stands. Raises `GatewayUnconfirmed` for a status that we do not know."""
    status = _REFUND_STATUSES.get(refund.status)
    if status is None:
        raise GatewayUnconfirmed("Stripe answers a status that is not known here.")
    return GatewayRefund(
        refund.id, status, word(refund.failure_reason, refund.status) if status == "FAILED" else None
    )


def _code(intent: Intent) -> str:
    if intent.status == "requires_action":
        return AUTHENTICATION_REQUIRED
    error = intent.last_payment_error
    return word(*((error.decline_code, error.code) if error else ()), intent.status)
