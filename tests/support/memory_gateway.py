"""A gateway in memory that keeps the port's promises, and fails as tests want it to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from application.gateway import (
    GatewayFailed,
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayStatus,
    PaymentInstruction,
    RefundStatus,
)

Failing = Callable[[str, str], GatewayFailed | None]
"""What goes wrong with a step (`authorize`, `capture` …) under a key or reference, if anything does."""


def nothing(_step: str, _subject: str) -> None:
    """All goes well."""


def once(step: str, failure: GatewayFailed) -> Failing:
    """Goes wrong the next time that the step is taken, and never again."""
    left = [failure]

    def failing(taken: str, _subject: str) -> GatewayFailed | None:
        return left.pop() if left and taken == step else None

    return failing


@dataclass
class MemoryPayment:
    """A payment that the gateway knows; `captures` are how often its money was moved, which is once."""

    reference: str
    instruction: PaymentInstruction
    status: GatewayStatus
    code: str | None = None
    captures: int = 0
    taken_back: bool = False
    refunds: dict[str, GatewayRefund] = field(default_factory=dict)
    refunded: Counter[str] = field(default_factory=Counter)

    def told(self) -> GatewayPayment:
        """As the port tells of it."""
        return GatewayPayment(self.reference, self.status, self.code)

    def left(self) -> int:
        """What may still be refunded, in minor units."""
        standing = (key for key, refund in self.refunds.items() if refund.status != "FAILED")
        return self.instruction.amount - sum(self.refunded[key] for key in standing)


class MemoryGateway:
    """Satisfies `application.gateway.Gateway`.

    `before` goes wrong without the step taken, `after` once it is. New authorisations get the status
    `authorizes_as`, DECLINED ones with `code`; new refunds `refunds_as`; captures `captures_as`. `asked`
    counts by step and key or reference. Time passes by `decide` and `decide_refund`.
    """

    def __init__(self, name: str = "memory", seen_within: timedelta = timedelta(0)) -> None:
        self.before: Failing = nothing
        self.after: Failing = nothing
        self.authorizes_as: GatewayStatus = "AUTHORIZED"
        self.captures_as: GatewayStatus = "CAPTURED"
        self.refunds_as: RefundStatus = "SUCCEEDED"
        self.code = "card_declined"
        self.asked: Counter[tuple[str, str]] = Counter()
        self.payments: dict[str, MemoryPayment] = {}
        self._name = name
        self._seen_within = seen_within

    @property
    def name(self) -> str:
        """As it was made."""
        return self._name

    @property
    def seen_within(self) -> timedelta:
        """As it was made."""
        return self._seen_within

    def of_billing_payment(self, billing_payment_id: str) -> list[MemoryPayment]:
        """All payments that were made for one of Billing's; more than one captured is a double charge."""
        made = self.payments.values()
        return [each for each in made if each.instruction.billing_payment_id == billing_payment_id]

    def decide(self, reference: str, status: GatewayStatus) -> None:
        """What was pending is so from now on."""
        payment = self.payments[reference]
        payment.status = status
        payment.captures += status == "CAPTURED"
        payment.code = self.code if status == "DECLINED" else None

    def decide_refund(self, reference: str, key: str, status: RefundStatus) -> None:
        """A pending refund is so from now on."""
        refunds = self.payments[reference].refunds
        refunds[key] = replace(refunds[key], status=status, code=self.code if status == "FAILED" else None)

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """A payment for the key, the same each time."""
        self._begin("authorize", instruction.key)
        payment = self._under(instruction.key)
        if payment is None:
            declined = self.authorizes_as == "DECLINED"
            payment = MemoryPayment(
                reference=f"memory-{len(self.payments) + 1}",
                instruction=instruction,
                status=self.authorizes_as,
                code=self.code if declined else None,
            )
            self.payments[payment.reference] = payment
        elif payment.instruction != instruction:
            raise GatewayRefused("idempotency_key_reused")
        self._end("authorize", instruction.key)
        return payment.told()

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """Moves its money, unless that was done or has become impossible."""
        self._begin("capture", key)
        payment = self._known(reference)
        if payment.status == "AUTHORIZED":
            payment.status = self.captures_as
            payment.captures += payment.status == "CAPTURED"
        self._end("capture", key)
        return payment.told()

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """Gives an authorisation up, or takes a capture back, which ends as refunds do."""
        self._begin("void", key)
        payment = self._known(reference)
        if payment.status == "PENDING":
            raise GatewayRefused("payment_pending")
        if payment.status != "CAPTURED":
            payment.status = "VOIDED"
        elif take_back:
            self._take_back(payment)
        self._end("void", key)
        return payment.told()

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """Gives a part back, once a key."""
        self._begin("refund", key)
        payment = self._known(reference)
        if key not in payment.refunds:
            if payment.status != "CAPTURED" or amount > payment.left():
                raise GatewayRefused("refund_not_possible")
            identity = f"{reference}-refund-{len(payment.refunds) + 1}"
            payment.refunds[key] = GatewayRefund(identity, self.refunds_as)
            payment.refunded[key] = amount
            if self.refunds_as == "FAILED":
                payment.refunds[key] = replace(payment.refunds[key], code=self.code)
        self._end("refund", key)
        return payment.refunds[key]

    async def look_up(self, key: str) -> GatewayPayment | None:
        """The key's payment."""
        self._begin("look-up", key)
        payment = self._under(key)
        return None if payment is None else payment.told()

    async def payment(self, reference: str) -> GatewayPayment:
        """The payment."""
        self._begin("payment", reference)
        return self._known(reference).told()

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """The key's refund."""
        self._begin("look-up-refund", key)
        return self._known(reference).refunds.get(key)

    async def close(self) -> None:
        """Nothing is held."""

    def _take_back(self, payment: MemoryPayment) -> None:
        if payment.left() < payment.instruction.amount:
            raise GatewayRefused("charge_already_refunded")
        if self.refunds_as == "FAILED":
            raise GatewayRefused(self.code)
        if self.refunds_as == "SUCCEEDED":
            payment.status, payment.taken_back = "VOIDED", True

    def _begin(self, step: str, subject: str) -> None:
        self.asked[step, subject] += 1
        if (failed := self.before(step, subject)) is not None:
            raise failed

    def _end(self, step: str, subject: str) -> None:
        if (failed := self.after(step, subject)) is not None:
            raise failed

    def _under(self, key: str) -> MemoryPayment | None:
        return next((each for each in self.payments.values() if each.instruction.key == key), None)

    def _known(self, reference: str) -> MemoryPayment:
        if reference not in self.payments:
            raise GatewayRefused("resource_missing")
        return self.payments[reference]
