"""Paying vendors (BILL-DEC-013, contract §5)."""

from litestar import Response

from application.handlers.ap_payments import execute_ap_payment, streams_of_payment
from application.operations.payables import EXECUTE_AP_PAYMENT
from domain.payables.ap_payment_facts import VendorPayment
from interfaces.http.answers.payables import ApPaymentAnswer
from interfaces.http.bodies import JSON, DryRun, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route


class ApPaymentRequest(VendorPayment):
    """Whom to pay how much for which bills; without allocations all of it is on account."""

    dry_run: DryRun = False

    @property
    def asked(self) -> VendorPayment:
        """The payment that is asked for."""
        return VendorPayment(**{name: getattr(self, name) for name in VendorPayment.model_fields})


@route(EXECUTE_AP_PAYMENT, operation_class=describing_body({JSON: schema_of(ApPaymentRequest)}))
async def execute(request: AnyRequest, idempotency_key: IdempotencyKey = None) -> Response[ApPaymentAnswer]:
    """The payment: 201 if it is new. The worker has it made."""

    async def prepare() -> Prepared:
        body = await read_body(request, ApPaymentRequest)
        system, asked = system_of(request), body.asked
        fresh = str(system.ids.new())
        handler = execute_ap_payment(
            fresh, asked, system.ap_payer.gateway.name, caller_of(request).permissions
        )
        return Prepared(handler, streams_of_payment(fresh, asked), dry_run=body.dry_run)

    return await carry_out(request, EXECUTE_AP_PAYMENT, idempotency_key, prepare)


HANDLERS = (execute,)
