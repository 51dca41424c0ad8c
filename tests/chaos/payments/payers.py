"""Clients that pay, void and refund until they are answered, with everything that clients get wrong.

They click twice, hang up too early, never come back, take back what somebody else takes back, and ask for
more than is due. What a payment is like depends on the seed and its number alone.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from tests.chaos.payments.asked import Asked, Record, Told

TOKENS: tuple[tuple[int, str], ...] = (
    (60, "tok_ok"),
    (8, "tok_declined"),
    (8, "tok_pending"),
    (3, "tok_pending_declined"),
    (2, "tok_slow"),
    (2, "tok_timeout"),
    (5, "tok_timeout_charged"),
    (4, "tok_timeout_captured"),
    (3, "tok_expired"),
    (4, "tok_refund_pending"),
    (2, "tok_refund_failed"),
)
VENDOR_SHARE = 0.1
WHOLE_SHARE = 0.1
TWICE_SHARE = 0.15
LEFT_ALONE_SHARE = 0.1
TAKEN_BACK_SHARE = 0.3
LARGEST_PART = 2_500
LATELY_PAID = 4
"""So many invoices are paid at a time, and by all clients: they contend for the same balance."""

PATIENCE_SECONDS: tuple[tuple[int, float], ...] = ((2, 1.5), (3, 8.0), (5, 45.0))
"""How long a client waits for an answer before it hangs up, with how often."""

GIVING_UP_SECONDS = 150.0
AGAIN_SECONDS = 0.3


@dataclass(frozen=True)
class Till:
    """What there is to be paid: invoice ids, and bills that payables approved, with their vendors."""

    seed: int
    payments: int
    invoices: Sequence[str]
    bills: Sequence[dict[str, Any]]

    def chance(self, number: int) -> random.Random:
        """The random numbers of a payment."""
        return random.Random(f"{self.seed}/payment/{number}")

    def invoice(self, number: int, chance: random.Random) -> str:
        """Which invoice a payment is for."""
        first = number * len(self.invoices) // self.payments
        return self.invoices[min(first + chance.randrange(LATELY_PAID), len(self.invoices) - 1)]


class Payer:
    """One client; `opened` are HTTP clients of the servers, of which it asks any."""

    def __init__(self, till: Till, record: Record, opened: Sequence[httpx.AsyncClient]) -> None:
        self._till = till
        self._record = record
        self._opened = opened

    async def run(self, numbers: Iterator[int]) -> None:
        """Makes one payment after the other, of those that nobody has taken yet."""
        for number in numbers:
            chance = self._till.chance(number)
            if chance.random() < VENDOR_SHARE:
                await self._send_until_told(self._noted(self._vendor_payment(number, chance)), chance)
            else:
                await self._pay(number, chance)

    async def _pay(self, number: int, chance: random.Random) -> None:
        asked = self._noted(await self._payment(number, chance))
        times = 2 if chance.random() < TWICE_SHARE else 1
        told, *_ = await asyncio.gather(*(self._send_until_told(asked, chance) for _ in range(times)))
        if chance.random() < TWICE_SHARE and told is not None and told.is_kept:
            await self._send_until_told(asked, chance)
        if told is None or told.status not in {201, 202} or chance.random() >= TAKEN_BACK_SHARE:
            return
        attempts = range(chance.randint(1, 2))
        wanted = [self._noted(self._taking_back(number, attempt, asked, chance)) for attempt in attempts]
        # Two of them at once, so that they meet.
        await asyncio.gather(*(self._send_until_told(each, chance) for each in wanted))

    def _noted(self, asked: Asked) -> Asked:
        self._record.asked.append(asked)
        return asked

    async def _send_until_told(self, asked: Asked, chance: random.Random) -> Told | None:
        """The first answer other than "again"; None where the client never came back or gave up."""
        comes_back = chance.random() >= LEFT_ALONE_SHARE
        give_up_at = asyncio.get_running_loop().time() + GIVING_UP_SECONDS
        while asyncio.get_running_loop().time() < give_up_at:
            weights, patience = zip(*PATIENCE_SECONDS, strict=True)
            (seconds,) = chance.choices(patience, weights)
            told = await send(chance.choice(self._opened), asked, self._record, seconds)
            if told is not None:
                return told
            if not comes_back:
                self._record.left_alone += 1
                return None
            await asyncio.sleep(AGAIN_SECONDS)
        self._record.given_up += 1
        return None

    async def _payment(self, number: int, chance: random.Random) -> Asked:
        """A part of an invoice, or all of it that is due now."""
        invoice_id = self._till.invoice(number, chance)
        amount = chance.randint(1, LARGEST_PART)
        if chance.random() < WHOLE_SHARE:
            with contextlib.suppress(httpx.TransportError):
                answer = await chance.choice(self._opened).get(f"/v1/billing/invoices/{invoice_id}")
                due = answer.json()["balanceDue"] if answer.is_success else 0
                amount = due or amount
        weights, tokens = zip(*TOKENS, strict=True)
        (token,) = chance.choices(tokens, weights)
        body = {"amount": amount, "currencyUomId": "EUR", "paymentMethodToken": token}
        path = f"/v1/billing/invoices/{invoice_id}/payments"
        return Asked("pay", number, path, body, f"{self._till.seed}/{number}/pay")

    def _taking_back(self, number: int, attempt: int, paid: Asked, chance: random.Random) -> Asked:
        """The payment is voided, or some of it is given back, or all."""
        assert paid.kept is not None, "it was paid"
        billing_payment_id = paid.kept.body["billingPaymentId"]
        kind: Literal["void", "refund"] = chance.choice(("void", "refund", "refund"))
        body: dict[str, Any] = (
            {"reasonCode": "ERROR"} if kind == "void" else {"reasonCode": "CUSTOMER_REQUEST"}
        )
        if kind == "refund" and chance.random() < 0.6:
            body |= {"amount": chance.randint(1, paid.body["amount"]), "currencyUomId": "EUR"}
        path = f"/v1/billing/payments/{billing_payment_id}/{kind}"
        key = f"{self._till.seed}/{number}/{kind}/{attempt}"
        return Asked(kind, number, path, body, key, billing_payment_id)

    def _vendor_payment(self, number: int, chance: random.Random) -> Asked:
        """A part of a bill, sometimes with something on account besides."""
        bill, amount = chance.choice(self._till.bills), chance.randint(1, LARGEST_PART)
        reference = f"{self._till.seed}/{number}/vendor"
        body = {
            "vendorId": bill["vendorId"],
            "grossAmount": amount + chance.choice((0, 0, 100)),
            "currencyUomId": "EUR",
            "paymentRef": reference,
            "allocations": [{"billId": bill["billId"], "appliedAmount": amount}],
        }
        return Asked("pay-vendor", number, "/v1/billing/ap/payments", body, reference)


async def send(
    client: httpx.AsyncClient, asked: Asked, record: Record, patience_seconds: float
) -> Told | None:
    """Sends it once; None where no answer came, or one that says to ask again."""
    try:
        response = await client.post(
            asked.path, json=asked.body, headers=asked.headers, timeout=patience_seconds
        )
    except httpx.TransportError:
        record.lost += 1
        return None
    return record.hear(asked, response)
