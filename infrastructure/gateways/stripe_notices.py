"""Stripe's webhooks: signed events, of which only whose payment they are about is read."""

from collections.abc import Sequence

import stripe
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from application.gateway import GatewayNotice, NoticeRefused

TOLERANCE_SECONDS = 300
"""How old a signature may be: a notice that somebody kept cannot be sent again later."""


class _Metadata(BaseModel):
    """Ours names the payment; that of others does not."""

    billing_payment_id: str | None = Field(None, alias="billingPaymentId")


class _Object(BaseModel):
    """A PaymentIntent, or what belongs to one."""

    object: str | None = None
    id: str | None = None
    payment_intent: str | None = None
    metadata: _Metadata | None = None

    @property
    def reference(self) -> str | None:
        """The PaymentIntent's id."""
        return self.id if self.object == "payment_intent" else self.payment_intent


class _Data(BaseModel):
    object: _Object


class _Event(BaseModel):
    """An event of a PaymentIntent, a Charge or a Refund: each carries our metadata."""

    model_config = ConfigDict(frozen=True)

    type: str
    data: _Data


class StripeNotices:
    """`application.gateway.GatewayNotices` of Stripe. One secret is enough, so that it can be replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` are those of the webhook endpoint at Stripe, `whsec_…`; without any, all is refused."""
        self._secrets = tuple(secrets)

    def read(self, body: bytes, headers: dict[str, str]) -> GatewayNotice | None:
        """Whose payment an event is about. Raises `NoticeRefused`."""
        signature = headers.get("stripe-signature")
        if not any(_verified(body, signature, secret) for secret in self._secrets):
            raise NoticeRefused("The notice is not signed by Stripe, or is too old.")
        try:
            event = _Event.model_validate_json(body)
        except ValidationError:
            # No cause: it would hold the body.
            raise NoticeRefused("The notice cannot be read.") from None
        metadata = event.data.object.metadata
        billing_payment_id = None if metadata is None else metadata.billing_payment_id
        return GatewayNotice(billing_payment_id, event.data.object.reference) if billing_payment_id else None


def _verified(body: bytes, signature: str | None, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):
        # A TypeError comes of signatures that are not ASCII.
        return False
    return True
