"""A desk for tests over HTTP: invoices are paid, receipts handed over."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.garage import FINANCE, MANAGER, Garage
from tests.support.house import eventually


class ReceiptDesk(Garage):
    """Where invoices are paid and receipts handed over."""

    def paid(self, invoice: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
        """An invoice is paid, all of it unless said otherwise."""
        invoice = invoice or self.issued()
        whole = {
            "amount": invoice["balanceDue"],
            "currencyUomId": invoice["currencyUomId"],
            "paymentMethodToken": "tok_ok",
        }
        answer = self._keyed(f"/invoices/{invoice['invoiceId']}/payments", {**whole, **body})
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json()
        return payment

    def own_policy(self, invoice: dict[str, Any]) -> dict[str, Any]:
        """The invoice, whose account has the usual policy of reprints to itself, whatever others set."""
        terms = {"maxReprints": 3, "windowHours": 72, "requiresReasonCode": True, "requiresElevation": False}
        answer = self.put(f"/policies/reprint/{invoice['customerAccountId']}", terms, FINANCE)
        assert answer.status_code in {200, 201}, answer.text
        return invoice

    def deliver(self, receipt_id: str, channel: str, **options: Any) -> httpx.Response:
        """The original is asked for."""
        return self._keyed(f"/receipts/{receipt_id}/deliver", {"channel": channel}, **options)

    def reprint(self, receipt_id: str, body: dict[str, Any]) -> httpx.Response:
        """A copy is asked for."""
        return self._keyed(f"/receipts/{receipt_id}/reprint", body)

    def receipt(self, receipt_id: str, role: str = MANAGER, **parameters: Any) -> dict[str, Any]:
        """A receipt as somebody sees it."""
        answer = self.get(f"/receipts/{receipt_id}", role, **parameters)
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    def delivered(self, receipt_id: str, status: str) -> dict[str, Any]:
        """The receipt, once its delivery stands so."""

        def look() -> dict[str, Any] | None:
            detail = self.receipt(receipt_id)
            return detail if detail["deliveryStatus"] == status else None

        return eventually(look)

    def take_back(self, payment: dict[str, Any], verb: str, **body: Any) -> None:
        """A payment is voided or given back."""
        answer = self._keyed(f"/payments/{payment['billingPaymentId']}/{verb}", body)
        assert answer.status_code in {200, 201}, answer.text

    def _keyed(self, path: str, body: Any, role: str = MANAGER, key: str | None = None) -> httpx.Response:
        return self.post(path, body, role, {"Idempotency-Key": key or str(uuid4())})
