"""The part of Stripe's API that the adapter uses, simulated; objects hold what is read of them, and no more.

`tok_…` and `pm_…` decide what becomes of a payment (`BEHAVIOURS`); amounts are in Stripe's units.
"""

import re
import time
from dataclasses import replace
from typing import Any

from application.gateway import RefundStatus
from infrastructure.gateways.simulated_api import Asked, Operation, json_reply, new_id, tell
from infrastructure.gateways.simulated_book import GatewayBook, KeptPayment, KeptRefund, Reply
from infrastructure.gateways.simulated_faults import Behaviour, SimulatedGateway, behaviour_of_token
from infrastructure.gateways.stripe_answers import BILLING_KEY, BILLING_PAYMENT_ID, BILLING_STEP, VOID

SIMULATED_STRIPE_KEY = "sk_test_simulated"
"""The API key that it takes. It refuses all others, so that no real one is ever used with it unnoticed."""

_INTENTS = "/v1/payment_intents"
_REFUNDS = "/v1/refunds"
_MOVE = re.compile(r"/v1/payment_intents/(\w+)/(capture|cancel)")
_QUERY = re.compile(r'metadata\["billingKey"\]:"(.*)"')
_STATUSES = {
    "PENDING": "processing",
    "AUTHORIZED": "requires_capture",
    "CAPTURED": "succeeded",
    "VOIDED": "canceled",
    "DECLINED": "requires_payment_method",
}
_EVENTS = {
    "PENDING": "payment_intent.processing",
    "AUTHORIZED": "payment_intent.amount_capturable_updated",
    "CAPTURED": "payment_intent.succeeded",
    "VOIDED": "payment_intent.canceled",
    "DECLINED": "payment_intent.payment_failed",
}
_DECLINE = {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"}


class SimulatedStripe:
    """`SimulatedApi` of Stripe."""

    gateway: SimulatedGateway = "stripe"
    bearer = SIMULATED_STRIPE_KEY

    def __init__(self, book: GatewayBook) -> None:
        self._book = book

    def operation(self, asked: Asked) -> Operation | Reply:
        """A PaymentIntent to be made, captured or cancelled, or a refund."""
        if asked.path == _INTENTS:
            return self._making(asked)
        if asked.path == _REFUNDS:
            return self._refunding(asked)
        if (move := _MOVE.fullmatch(asked.path)) is None:
            return self.error(404, "unknown_url")
        payment = self._book.payment("stripe", move[1])
        if payment is None:
            return self.error(404, "resource_missing")
        capture = move[2] == "capture"
        return Operation(
            step="capture" if capture else "void",
            subject=payment.reference,
            behaviour=_behaviour(payment),
            perform=lambda: (self._capture if capture else self._cancel)(payment.reference),
            once_by_key=True,
        )

    def read(self, asked: Asked) -> Reply:
        """An intent, those of a key, or an intent's refunds."""
        if asked.path == f"{_INTENTS}/search":
            query = _QUERY.fullmatch(asked.params.get("query", ""))
            if query is None:
                return self.error(400, "invalid_query")
            behind = self._book.conditions().search_lag_seconds
            found = self._book.payments_under("stripe", query[1], time.time() - behind)
            data = [self._intent(payment) for payment in found]
            return json_reply(200, {"object": "search_result", "data": data, "has_more": False})
        if asked.path == _REFUNDS:
            return self._refund_list(asked)
        payment = self._book.payment("stripe", asked.path.removeprefix(f"{_INTENTS}/"))
        return json_reply(200, self._intent(payment)) if payment else self.error(404, "resource_missing")

    def advance(self) -> None:
        """Authorises or declines what was processing, and ends pending refunds."""
        for payment in self._book.payments_due():
            if payment.gateway == "stripe":
                self._stands(replace(payment, code="card_declined" if payment.status == "DECLINED" else None))
        for refund in self._book.refunds_due():
            self._refund_stands(refund)

    def error(self, status: int, code: str) -> Reply:
        """Stripe's envelope. An address that nobody knows has no code there."""
        kind = "api_error" if status >= 500 else "invalid_request_error"
        kind = "idempotency_error" if code.startswith("idempotency") else kind
        told = {"type": kind, "message": f"Simulated: {code}."}
        known = code not in {"unknown_url", "idempotency_key_reused"}
        return json_reply(status, {"error": {**told, **({"code": code} if known else {})}})

    def _making(self, asked: Asked) -> Operation | Reply:
        params = asked.params
        method = params.get("payment_method") or params.get("payment_method_data[card][token]", "")
        behaviour = behaviour_of_token(method)
        wanted = {"capture_method": "manual", "confirm": "true", "error_on_requires_action": "true"}
        amount = params.get("amount", "")
        if not amount.isdecimal() or int(amount) == 0 or any(params.get(n) != v for n, v in wanted.items()):
            return self.error(400, "parameter_invalid")
        if behaviour is None:
            return self.error(400, "resource_missing")
        key = params.get(f"metadata[{BILLING_KEY}]", "")
        return Operation(
            step="authorize",
            subject=key,
            behaviour=behaviour,
            perform=lambda: self._make(asked, method, behaviour, int(amount)),
            once_by_key=True,
        )

    def _make(self, asked: Asked, method: str, behaviour: Behaviour, amount: int) -> Reply:
        declined = behaviour.declined and not behaviour.pending
        payment = KeptPayment(
            reference=new_id("pi"),
            gateway="stripe",
            key=asked.params.get(f"metadata[{BILLING_KEY}]", ""),
            billing_payment_id=asked.params.get(f"metadata[{BILLING_PAYMENT_ID}]", ""),
            method=method,
            amount=amount,
            currency=asked.params.get("currency", ""),
            status="PENDING" if behaviour.pending else "DECLINED" if declined else "AUTHORIZED",
            code="card_declined" if declined else None,
            made_at=time.time(),
        )
        if behaviour.pending:
            due_at = payment.made_at + self._book.conditions().pending_seconds
            due_status: Any = "DECLINED" if behaviour.declined else "AUTHORIZED"
            payment = replace(payment, due_at=due_at, due_status=due_status)
        self._stands(payment)
        if declined:
            return json_reply(402, {"error": {**_DECLINE, "payment_intent": self._intent(payment)}})
        return json_reply(200, self._intent(payment))

    def _capture(self, reference: str) -> Reply:
        payment = self._known(reference)
        if payment.status == "AUTHORIZED" and _behaviour(payment).expires:
            payment = replace(payment, status="VOIDED")
            self._stands(payment)
        if payment.status != "AUTHORIZED":
            return self.error(400, "payment_intent_unexpected_state")
        payment = replace(payment, status="CAPTURED")
        self._stands(payment)
        self._book.move(payment, "CAPTURED", payment.amount)
        return json_reply(200, self._intent(payment))

    def _cancel(self, reference: str) -> Reply:
        payment = self._known(reference)
        if payment.status not in {"AUTHORIZED", "DECLINED"}:
            return self.error(400, "payment_intent_unexpected_state")
        payment = replace(payment, status="VOIDED")
        self._stands(payment)
        return json_reply(200, self._intent(payment))

    def _refunding(self, asked: Asked) -> Operation | Reply:
        payment = self._book.payment("stripe", asked.params.get("payment_intent", ""))
        if payment is None:
            return self.error(404, "resource_missing")
        whole = asked.params.get(f"metadata[{BILLING_STEP}]") == VOID
        return Operation(
            step="void" if whole else "refund",
            subject=asked.params.get(f"metadata[{BILLING_KEY}]", ""),
            behaviour=_behaviour(payment),
            perform=lambda: self._refund(asked, payment.reference, whole=whole),
            once_by_key=True,
        )

    def _refund(self, asked: Asked, reference: str, *, whole: bool) -> Reply:
        payment, behaviour = self._known(reference), _behaviour(self._known(reference))
        if payment.status != "CAPTURED":
            return self.error(400, "payment_intent_unexpected_state")
        given = sum(each.amount for each in self._book.refunds_of(reference) if each.status != "FAILED")
        left = payment.amount - given
        amount = int(asked.params.get("amount", left))
        if left == 0:
            return self.error(400, "charge_already_refunded")
        if not 0 < amount <= left:
            return self.error(400, "amount_too_large")
        refund = KeptRefund(
            refund_id=new_id("re"),
            reference=reference,
            key=asked.params.get(f"metadata[{BILLING_KEY}]", ""),
            amount=amount,
            whole=whole,
            status="SUCCEEDED",
        )
        if behaviour.refunds_pending:
            due_at = time.time() + self._book.conditions().pending_seconds
            refund = replace(refund, status="PENDING", due_at=due_at, due_status=behaviour.refunds)
        self._refund_stands(refund)
        return json_reply(200, self._refund_body(refund, payment))

    def _refund_list(self, asked: Asked) -> Reply:
        reference = asked.params.get("payment_intent", "")
        refunds = self._book.refunds_of(reference)
        after, limit = asked.params.get("starting_after"), int(asked.params.get("limit", "10"))
        ids = [refund.refund_id for refund in refunds]
        rest = refunds[ids.index(after) + 1 :] if after in ids else refunds
        data = [self._refund_body(refund, self._known(reference)) for refund in rest[:limit]]
        return json_reply(200, {"object": "list", "data": data, "has_more": len(rest) > limit})

    def _stands(self, payment: KeptPayment) -> None:
        """Writes down how a payment stands from now on, and tells of it."""
        self._book.keep_payment(payment)
        self._tell(_EVENTS[payment.status], self._intent(payment))

    def _refund_stands(self, refund: KeptRefund) -> None:
        """Writes down how a refund stands from now on, moves its money, and tells of it."""
        payment = self._known(refund.reference)
        self._book.keep_refund(refund)
        if refund.status == "SUCCEEDED":
            self._book.move(payment, "VOIDED" if refund.whole else "REFUNDED", refund.amount)
        failed: RefundStatus = "FAILED"
        event = "refund.failed" if refund.status == failed else "refund.updated"
        self._tell(event, self._refund_body(refund, payment))
        if refund.status == "SUCCEEDED":
            self._tell("charge.refunded", self._charge(payment))

    def _tell(self, event_type: str, subject: dict[str, Any]) -> None:
        event_id = new_id("evt")
        told = {"id": event_id, "object": "event", "type": event_type, "created": int(time.time())}
        tell(self._book, "stripe", event_id, {**told, "livemode": False, "data": {"object": subject}})

    def _known(self, reference: str) -> KeptPayment:
        payment = self._book.payment("stripe", reference)
        assert payment is not None, "payments are never forgotten"
        return payment

    def _intent(self, payment: KeptPayment) -> dict[str, Any]:
        failed = {"code": payment.code, "decline_code": _DECLINE["decline_code"], "type": "card_error"}
        return {
            "id": payment.reference,
            "object": "payment_intent",
            "status": _STATUSES[payment.status],
            "amount": payment.amount,
            "currency": payment.currency,
            "livemode": False,
            "metadata": _metadata(payment),
            "last_payment_error": failed if payment.code else None,
            "latest_charge": self._charge(payment) if payment.status == "CAPTURED" else None,
        }

    def _charge(self, payment: KeptPayment) -> dict[str, Any]:
        newest = self._book.refunds_of(payment.reference)[:10]
        refunds = [self._refund_body(refund, payment) for refund in newest]
        return {
            "id": payment.reference.replace("pi_", "ch_", 1),
            "object": "charge",
            "metadata": _metadata(payment),
            "refunds": {"object": "list", "data": refunds, "has_more": False},
        }

    def _refund_body(self, refund: KeptRefund, payment: KeptPayment) -> dict[str, Any]:
        whose = {BILLING_PAYMENT_ID: payment.billing_payment_id, BILLING_KEY: refund.key}
        return {
            "id": refund.refund_id,
            "object": "refund",
            "amount": refund.amount,
            "currency": payment.currency,
            "payment_intent": payment.reference,
            "status": refund.status.lower(),
            "failure_reason": "lost_or_stolen_card" if refund.status == "FAILED" else None,
            "metadata": {**whose, **({BILLING_STEP: VOID} if refund.whole else {})},
        }


def _metadata(payment: KeptPayment) -> dict[str, str]:
    return {BILLING_PAYMENT_ID: payment.billing_payment_id, BILLING_KEY: payment.key}


def _behaviour(payment: KeptPayment) -> Behaviour:
    return behaviour_of_token(payment.method) or Behaviour()
