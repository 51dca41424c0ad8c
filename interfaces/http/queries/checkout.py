"""Evaluating checkouts: a question with a body, answered on the write side (contract §2, §5)."""

from typing import Any

from litestar import Response

from application.handlers.checkout import evaluate_checkout
from application.ledger import Command
from application.operations.checkout import EVALUATE_CHECKOUT
from application.validation import invalid_field
from domain.checkout.evaluation import OrderTotal
from domain.kernel.money import CurrencyCode, MinorUnits
from interfaces.http.answers.checkout import BillingRuleEvaluation
from interfaces.http.bodies import JSON, read_body, schema_of
from interfaces.http.checkouts import CheckoutId, OfAccount, asked_of
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import answered
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route


class EvaluationRequest(OfAccount):
    """What the order comes to, if known: minor units and their currency."""

    order_total: MinorUnits | None = None
    currency_uom_id: CurrencyCode | None = None

    def total(self) -> OrderTotal | None:
        """The total, if there is one. Raises `VALIDATION_FAILED` for an amount without its currency."""
        if self.order_total is None:
            return None
        if self.currency_uom_id is None:
            raise invalid_field("currencyUomId", "MISSING", "An amount names its currency.")
        return OrderTotal(amount_minor=self.order_total, currency_uom_id=self.currency_uom_id)


@route(EVALUATE_CHECKOUT, operation_class=describing_body({JSON: schema_of(EvaluationRequest)}))
async def evaluate(request: AnyRequest, checkout_id: CheckoutId) -> Response[BillingRuleEvaluation]:
    """How the rules that apply see the checkout now; nothing is recorded."""
    body = await read_body(request, EvaluationRequest)
    asked = asked_of(request, checkout_id, body)
    command = Command(
        audit=caller_of(request).audit(EVALUATE_CHECKOUT),
        handler=evaluate_checkout(asked, body.total()),
        streams=asked.streams,
        dry_run=True,
    )
    answer: Response[Any] = answered(await system_of(request).ledger.commit(command))
    return answer


HANDLERS = (evaluate,)
