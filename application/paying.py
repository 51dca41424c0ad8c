"""Takes customers' payments on, step by step, until nothing is left to do of them (S2; BILL-DEC-012).

The ledger knows of every step before the gateway does, and what the gateway answers is recorded together with
all that it leads to and with the answer to who asked. So a crash between any two steps leaves a payment that
hangs, which the worker finds and takes on.
"""

from datetime import timedelta

import structlog

from application.desk import Desk
from application.gateway import Gateway, GatewayFailed, GatewayNotice
from application.handlers.intents import claim_of
from application.handlers.payment_outcomes import answering, record_gateway_deferred
from application.ledger import Audit, Command, Handler, Ledger, worker_audit
from application.operations.unrouted import SETTLE_PAYMENT
from application.payment_steps import AskAgain, Standing, StepTaken, look_again, take_step
from application.ports import Clock, Ids
from domain.documents.policy import DocumentPolicies
from domain.invoicing.invoice import INVOICE
from domain.kernel.errors import DomainError, not_found
from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.receivables.payment import PAYMENT, Payment
from domain.receivables.payment_facts import KeyedRequest, PaymentGatewayDeferred

log = structlog.get_logger(__name__)

MOST_STEPS = 8
"""More than any payment takes at once; a gateway that keeps changing its mind is asked again later."""


class Cashier:
    """Takes payments on. Any number may be at the same payment: keys and the ledger keep it one."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        gateway: Gateway,
        policies: DocumentPolicies,
        ids: Ids,
        clock: Clock,
        *,
        in_hand: timedelta,
    ) -> None:
        """`in_hand` is how long a request that is not answered yet is left to the process that took it."""
        self.gateway = gateway
        self.in_hand = in_hand
        self._ledger = ledger
        self._registry = registry
        self._policies = policies
        self._ids = ids
        self._clock = clock

    async def carry_out(
        self, billing_payment_id: str, asked: KeyedRequest, audit: Audit, method: str | None = None
    ) -> Payment:
        """Takes on what was just asked for until it is answered; `method` is what a new payment is paid with.

        Raises `LedgerUnavailable`: what was begun is then finished by the worker.
        """
        for _ in range(MOST_STEPS):
            history = await self._history(billing_payment_id)
            standing = self._standing(billing_payment_id, history)
            if standing.payment.unanswered != asked:
                break
            taken = await self._step(standing, audit.tenant_id, asker=True, method=method)
            if isinstance(taken, AskAgain):
                break
            await self._record(standing, taken, audit)
        return standing.payment

    async def hear(self, notice: GatewayNotice) -> None:
        """Asks how the payment stands that a notice is about. Raises `LedgerUnavailable`, `NOT_FOUND`."""
        billing_payment_id = notice.billing_payment_id
        history = await self._history(billing_payment_id)
        standing = self._standing(billing_payment_id, history)
        if standing.payment.next_step is None:
            try:
                handler = await look_again(self.gateway, standing, notice.reference)
            except GatewayFailed:
                log.warning("gateway-unconfirmed", billingPaymentId=billing_payment_id, step="look-up")
                return
            if handler is not None:
                await self._record(standing, handler, worker_audit(history[0], SETTLE_PAYMENT))
        await self.settle(billing_payment_id)

    async def settle(self, billing_payment_id: str) -> bool:
        """Takes on what hangs; whether nothing is left to do. Raises `LedgerUnavailable`, `NOT_FOUND`."""
        history = await self._history(billing_payment_id)
        standing = self._standing(billing_payment_id, history)
        if standing.is_in_hand(self._clock.now()):
            return False
        audit = worker_audit(history[0], SETTLE_PAYMENT)
        if standing.payment.initiated.gateway != self.gateway.name:
            log.error("payment-at-another-gateway", billingPaymentId=billing_payment_id)
            await self._defer(standing, AskAgain("UNAVAILABLE"), audit)
            return False
        begun_for = standing.payment.unanswered
        for _ in range(MOST_STEPS):
            if standing.payment.next_step is None:
                return True
            if standing.payment.unanswered != begun_for and standing.is_in_hand(self._clock.now()):
                return False
            taken = await self._step(standing, audit.tenant_id, asker=False, method=None)
            if isinstance(taken, AskAgain):
                await self._defer(standing, taken, audit)
                return False
            try:
                await self._record(standing, taken, audit)
            except DomainError as error:
                log.error("payment-differs", billingPaymentId=billing_payment_id, code=error.code)
                break
            standing = self._standing(billing_payment_id, await self._history(billing_payment_id))
        await self._defer(standing, AskAgain("UNCONFIRMED"), audit)
        return False

    async def _step(self, standing: Standing, tenant: str, *, asker: bool, method: str | None) -> StepTaken:
        desk = Desk(self._policies, tenant)
        return await take_step(self.gateway, standing, desk, self._clock.now(), asker=asker, method=method)

    async def _history(self, billing_payment_id: str) -> list[RecordedEvent]:
        history = await self._ledger.history(PAYMENT.stream(billing_payment_id))
        if not history:
            raise not_found("The payment")
        return history

    def _standing(self, billing_payment_id: str, history: list[RecordedEvent]) -> Standing:
        stream = PAYMENT.stream(billing_payment_id)
        payment: Payment = self._registry.fold(stream, [event.fact for event in history])
        got_anywhere = [event for event in history if not isinstance(event.fact, PaymentGatewayDeferred)]
        return Standing(
            billing_payment_id,
            payment,
            in_hand_until=got_anywhere[-1].recorded_at + self.in_hand,
            certain_from=history[0].recorded_at + self.in_hand + self.gateway.seen_within,
            receipt_id=str(self._ids.new()),
            correlation_id=history[0].correlation_id,
        )

    async def _record(self, standing: Standing, handler: Handler, audit: Audit) -> None:
        """Records an outcome, and with it the answer to the request that waits for it.

        Where somebody else was faster, theirs stands, and what is left to do is looked at again.
        """
        invoice = INVOICE.stream(standing.payment.initiated.invoice_id)
        streams = frozenset((PAYMENT.stream(standing.billing_payment_id), invoice))
        asked = standing.payment.unanswered
        claim = None if asked is None else claim_of(asked)
        keeping = answering(asked, standing.billing_payment_id, handler)
        committed = await self._ledger.commit(Command(audit, keeping, streams, idempotency=claim))
        if committed.replayed:
            # The key had its answer, from another payment perhaps; this one's outcome is news all the same.
            await self._ledger.commit(Command(audit, keeping, streams))

    async def _defer(self, standing: Standing, again: AskAgain, audit: Audit) -> None:
        """Records that the gateway told nothing new, and when it is asked again."""
        billing_payment_id = standing.billing_payment_id
        handler = record_gateway_deferred(
            billing_payment_id, standing.payment, again.reason, again.not_before
        )
        streams = frozenset((PAYMENT.stream(billing_payment_id),))
        recorded = (await self._ledger.commit(Command(audit, handler, streams))).answer.body
        deferred: PaymentGatewayDeferred | None = recorded
        if deferred is not None:
            log.warning(
                "payment-deferred",
                billingPaymentId=billing_payment_id,
                reason=again.reason,
                attempt=deferred.attempt,
                retryAt=deferred.retry_at.isoformat(),
            )
