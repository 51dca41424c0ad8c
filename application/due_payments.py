"""Payments that a gateway has to be asked about, customers' and vendors' alike."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DuePayment:
    """One of them, as `application.due_loop.Due`."""

    billing_payment_id: str

    @property
    def key(self) -> str:
        """The payment."""
        return self.billing_payment_id

    @property
    def logged_as(self) -> Mapping[str, str]:
        """The ids that a log line names it by."""
        return {"billingPaymentId": self.billing_payment_id}
