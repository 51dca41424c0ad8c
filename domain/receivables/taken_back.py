"""What was asked to be taken back of a payment: all of it by a void, a part by a refund."""

from typing import Literal

from domain.kernel.facts import Value
from domain.receivables.payment_facts import (
    PaymentRefundAsked,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentRefundReturned,
    PaymentVoidAsked,
    PaymentVoidFailed,
)


class Void(Value):
    """A void that was asked for. One that failed leaves the payment as it was, and may be asked for again."""

    asked: PaymentVoidAsked
    status: Literal["ASKED", "PENDING", "DONE", "FAILED"] = "ASKED"
    failed: PaymentVoidFailed | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the gateway may still take the payment back."""
        return self.status in {"ASKED", "PENDING"}

    @property
    def was_given_up(self) -> bool:
        """Whether it failed because nobody reached the gateway."""
        return self.failed is not None and self.failed.reason == "GATEWAY_UNAVAILABLE"


class Refund(Value):
    """A refund that was asked for, and how it stands."""

    asked: PaymentRefundAsked
    status: Literal["ASKED", "PENDING", "SUCCEEDED", "FAILED"] = "ASKED"
    done: PaymentRefunded | None = None
    failed: PaymentRefundFailed | None = None
    returned: PaymentRefundReturned | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the gateway may still give this money back."""
        return self.status in {"ASKED", "PENDING"}

    @property
    def may_succeed(self) -> bool:
        """Whether its success would be news; of one that nobody could ask for, somebody else may have."""
        was_given_up = self.failed is not None and self.failed.reason == "GATEWAY_UNAVAILABLE"
        return self.is_under_way or was_given_up
