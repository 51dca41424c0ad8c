"""Payment gateways as the application knows them: money moves outside, and what became of it is asked for.

Money is taken in two steps. An authorisation moves nothing and is all that a request which got lost on its
way can leave behind; only what the ledger has recorded as authorised is captured. Each step goes out under a
key that is derived from the payment, so that a repeat is the same step, and each can be looked up afterwards
(S2; BILL-DEC-012, BILL-DEC-013; ADR 0026).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol, TypeVar

GatewayStatus = Literal["PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "DECLINED"]
"""How a payment stands at its gateway; a PENDING one is authorised, or declined, later."""

RefundStatus = Literal["PENDING", "SUCCEEDED", "FAILED"]


def gateway_key(billing_payment_id: str, step: str) -> str:
    """The idempotency key of a payment's step at the gateway: the same for every repeat of it."""
    return f"{billing_payment_id}:{step}"


@dataclass(frozen=True)
class PaymentInstruction:
    """What a gateway is asked to authorise: so much (minor units), from or to whom `method` stands for.

    `method` is a tokenised reference, never card data: a customer's payment method, a vendor's bank account.
    """

    key: str
    billing_payment_id: str
    amount: int
    currency_uom_id: str
    method: str = field(repr=False)


@dataclass(frozen=True)
class GatewayPayment:
    """A payment as its gateway knows it, by its own `reference`. `code` is its word for a decline."""

    reference: str
    status: GatewayStatus
    code: str | None = None


@dataclass(frozen=True)
class GatewayRefund:
    """Money that a gateway gives back, by its own `reference`. `code` is its word for a failure."""

    reference: str
    status: RefundStatus
    code: str | None = None


class GatewayFailed(Exception):
    """The gateway did not tell how the payment stands."""


class GatewayUnconfirmed(GatewayFailed):
    """No answer came, or none that can be read: the step may have been taken or not. Look it up."""


class GatewayUnavailable(GatewayFailed):
    """The gateway cannot be reached, or takes nothing now: the step has certainly not been taken."""


class GatewayRefused(GatewayFailed):
    """The gateway refuses the step for good and nothing has happened; `code` is its word, free of content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Gateway(Protocol):
    """One gateway. Every step raises `GatewayUnconfirmed`, `GatewayUnavailable`, `GatewayRefused`."""

    @property
    def name(self) -> str:
        """What the ledger calls it, such as `stripe`; recorded with each payment."""
        ...

    @property
    def seen_within(self) -> timedelta:
        """How long after a step was sent a look-up may still miss it; None is certain only then."""
        ...

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """Reserves the money, and moves none. The same key again answers with the same payment."""
        ...

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """Moves all that was authorised. A captured payment stays as it is."""
        ...

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """Gives up an authorisation; with `take_back` also a whole capture of which nothing was refunded.

        Without it, what was captured meanwhile stays CAPTURED; with it, until the money is back. Where it
        never comes back, the same key again is refused.
        """
        ...

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """Gives a part (minor units) of a captured payment back. The same key again answers the same."""
        ...

    async def look_up(self, key: str) -> GatewayPayment | None:
        """The payment that was authorised under a key, as it stands now; None where none is known."""
        ...

    async def payment(self, reference: str) -> GatewayPayment:
        """A payment as it stands now."""
        ...

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """The refund of a payment that was asked for under a key, as it stands now; None where none is."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


AnswerT = TypeVar("AnswerT")


async def told(question: Awaitable[AnswerT]) -> AnswerT:
    """What a gateway answers to a question. One that it refuses tells nothing: `GatewayUnconfirmed`."""
    try:
        return await question
    except GatewayRefused as refused:
        raise GatewayUnconfirmed("The gateway refuses to tell how the payment stands.") from refused


@dataclass(frozen=True)
class GatewayNotice:
    """A gateway's word that something became of a payment. How it stands is asked for, not read from this.

    `reference` is the gateway's own name of the payment, where the notice tells it.
    """

    billing_payment_id: str
    reference: str | None = None


class NoticeRefused(Exception):
    """A notice that is not signed by the gateway, is too old, or cannot be read."""


class GatewayNotices(Protocol):
    """Reads what a gateway sends by itself (webhooks)."""

    def read(self, body: bytes, headers: dict[str, str]) -> GatewayNotice | None:
        """What it is about; None where that is none of our payments. `headers` have lower-case names.

        Raises `NoticeRefused`.
        """
        ...


class UnconfiguredGateway:
    """Stands where no gateway is configured: nothing has ever been sent, and nothing can be."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """What the gateway would be called."""
        return self._name

    @property
    def seen_within(self) -> timedelta:
        """There is nothing to miss."""
        return timedelta(0)

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def look_up(self, key: str) -> GatewayPayment | None:
        """Raises `GatewayUnavailable`: payments of when there was a gateway may be known there."""
        raise self._unavailable()

    async def payment(self, reference: str) -> GatewayPayment:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """Raises `GatewayUnavailable`."""
        raise self._unavailable()

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _unavailable(self) -> GatewayUnavailable:
        return GatewayUnavailable(f"The gateway {self._name} is not configured.")


@dataclass(frozen=True)
class GatewayDoor:
    """Where a gateway's notices come in, and who then asks it how the payment of that id stands."""

    notices: GatewayNotices
    hear: Callable[[GatewayNotice], Awaitable[object]]
