"""Customers' payments by Stripe, through its official library: an authorised PaymentIntent, then its capture.

Stripe keeps the first answer to an idempotency key for a day at least and repeats it, failures included, so
each step of ours is also found by what is written at Stripe: the key in the metadata. Steps that move money
look there first, because after that day the key alone would not hold (Stripe's documentation, "Idempotent
requests", "Search", "Place a hold on a payment method").
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, Literal, TypeVar

import httpx
import stripe
from pydantic import BaseModel, ValidationError

from application.gateway import (
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnconfirmed,
    PaymentInstruction,
)
from infrastructure.gateways.stripe_amounts import stripe_amount
from infrastructure.gateways.stripe_answers import (
    BILLING_KEY,
    BILLING_PAYMENT_ID,
    BILLING_STEP,
    VOID,
    Declined,
    Intent,
    Intents,
    Refund,
    Refunds,
    payment_of,
    refund_of,
    word,
)
from infrastructure.gateways.transport import NEVER_SENT, direct_client

STRIPE: Final = "stripe"
"""The gateway's name in the ledger."""

STRIPE_URL = "https://api.stripe.com"
SEEN_WITHIN = timedelta(seconds=60)
"""Stripe's search finds what is new within a minute, as a rule; outages may make it an hour."""

_PAGE = 100
_AS_IT_STANDS = {"expand": ["latest_charge.refunds"]}
_UNTAKEN = frozenset({401, 403, 404, 429})
"""Statuses that speak of Stripe, or of how it is addressed, and not of the step."""

_Read = TypeVar("_Read", bound=BaseModel)


class StripeGateway:
    """`application.gateway.Gateway` on Stripe. A `method` is a PaymentMethod `pm_…` or a card token `tok_…`.

    A payment that would need its customer's authentication is declined: nobody is there to give it.
    """

    def __init__(
        self,
        api_key: str,
        *,
        url: str = STRIPE_URL,
        answer_seconds: float,
        seen_within: timedelta = SEEN_WITHIN,
    ) -> None:
        """`url` has no slash at its end; `answer_seconds` is for all requests of a step together."""
        _keep_silent()
        self._answer_seconds = answer_seconds
        self._seen_within = seen_within
        self._transport = _Transport(direct_client(url, answer_seconds))
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": url},
            http_client=self._transport,
            max_network_retries=0,
        )

    @property
    def name(self) -> str:
        """`stripe`."""
        return STRIPE

    @property
    def seen_within(self) -> timedelta:
        """How far Stripe's search may be behind."""
        return self._seen_within

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """Makes and confirms an intent that is captured by hand. The currency must be one of Stripe's."""
        amount = stripe_amount(instruction.amount, instruction.currency_uom_id)
        async with self._step():
            try:
                answer = await self._ask(
                    "post",
                    "/v1/payment_intents",
                    amount=amount,
                    currency=instruction.currency_uom_id.lower(),
                    capture_method="manual",
                    confirm=True,
                    error_on_requires_action=True,
                    automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
                    metadata={
                        BILLING_PAYMENT_ID: instruction.billing_payment_id,
                        BILLING_KEY: instruction.key,
                    },
                    idempotency_key=instruction.key,
                    **_paid_with(instruction.method),
                )
            except stripe.CardError as error:
                return _declined(error)
            intent = _read(Intent, answer.data)
            if answer.headers.get("Idempotent-Replayed") == "true":
                # That is how it stood when it was made.
                intent = await self._intent_since(intent.id)
            return payment_of(intent)

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """Captures the intent, which can be done once, whatever the key."""
        async with self._step():
            return payment_of(await self._moved(reference, "capture"))

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """Cancels the intent, or refunds the whole of what it captured; once that is done it is VOIDED."""
        async with self._step():
            intent = await self._intent(reference)
            if intent.status not in {"succeeded", "canceled"}:
                intent = await self._moved(reference, "cancel")
            if take_back and intent.status == "succeeded" and intent.taking_back is None:
                known = await self._refund_under(reference, key)
                if known is None and intent.refunds:
                    raise GatewayRefused("charge_already_refunded")
                if known is None:
                    known = await self._refunded(intent, {BILLING_KEY: key, BILLING_STEP: VOID})
                _require_not_failed(refund_of(known))
                intent = await self._intent_since(reference)
            return payment_of(intent)

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """Refunds a part of what the intent captured, once a key."""
        async with self._step():
            known = await self._refund_under(reference, key)
            if known is not None:
                return refund_of(known)
            intent = await self._intent(reference)
            units = stripe_amount(amount, intent.currency.upper())
            return refund_of(await self._refunded(intent, {BILLING_KEY: key}, units))

    async def look_up(self, key: str) -> GatewayPayment | None:
        """Searches for the intent by the key in its metadata, then asks how it stands."""
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        async with self._step():
            answer = await self._asked(
                "get", "/v1/payment_intents/search", query=f'metadata["{BILLING_KEY}"]:"{quoted}"', limit=1
            )
            found = _read(Intents, answer.data).data
            return payment_of(await self._intent(found[0].id)) if found else None

    async def payment(self, reference: str) -> GatewayPayment:
        """Retrieves the intent with its refunds."""
        async with self._step():
            return payment_of(await self._intent(reference))

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """Looks through the intent's refunds; such lists are up to date."""
        async with self._step():
            found = await self._refund_under(reference, key)
            return None if found is None else refund_of(found)

    async def close(self) -> None:
        """Closes all connections."""
        await self._transport.close_async()

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._answer_seconds):
                yield
        except TimeoutError as error:
            raise GatewayUnconfirmed("Stripe has not answered in time.") from error

    async def _intent(self, reference: str) -> Intent:
        answer = await self._asked("get", f"/v1/payment_intents/{reference}", **_AS_IT_STANDS)
        return _read(Intent, answer.data)

    async def _intent_since(self, reference: str) -> Intent:
        """As it stands after a step that may have been taken; no answer is no proof that it was not."""
        try:
            return await self._intent(reference)
        except GatewayUnavailable as error:
            raise GatewayUnconfirmed("Stripe does not tell how the payment stands.") from error

    async def _moved(self, reference: str, move: Literal["capture", "cancel"]) -> Intent:
        """Captures or cancels the intent; as it stands where that was done, or has become impossible, before.

        No key of ours goes with it: Stripe does either once for an intent, and would answer a failure of its
        own for a day to the same key.
        """
        try:
            answer = await self._asked("post", f"/v1/payment_intents/{reference}/{move}", **_AS_IT_STANDS)
        except GatewayRefused:
            # An earlier attempt may have been taken.
            intent = await self._intent_since(reference)
            if payment_of(intent).status in {"AUTHORIZED", "PENDING"}:
                raise
            return intent
        return _read(Intent, answer.data)

    async def _refunded(self, intent: Intent, what: dict[str, str], units: int | None = None) -> Refund:
        """Refunds so much of the intent, in Stripe's units, or all of it, under the key that `what` holds."""
        whose = {BILLING_PAYMENT_ID: intent.metadata.get(BILLING_PAYMENT_ID, "")}
        part = {} if units is None else {"amount": units}
        answer = await self._asked(
            "post",
            "/v1/refunds",
            payment_intent=intent.id,
            metadata={**whose, **what},
            idempotency_key=what[BILLING_KEY],
            **part,
        )
        return _read(Refund, answer.data)

    async def _refund_under(self, reference: str, key: str) -> Refund | None:
        after: dict[str, str] = {}
        while True:
            answer = await self._asked("get", "/v1/refunds", payment_intent=reference, limit=_PAGE, **after)
            page = _read(Refunds, answer.data)
            for refund in page.data:
                if refund.metadata.get(BILLING_KEY) == key:
                    return refund
            if not page.has_more or not page.data:
                return None
            after = {"starting_after": page.data[-1].id}

    async def _asked(self, method: str, path: str, **params: Any) -> stripe.StripeResponse:
        """One request; a card that is refused is a refusal like any other."""
        try:
            return await self._ask(method, path, **params)
        except stripe.CardError as error:
            raise GatewayRefused(_word_of(error)) from error

    async def _ask(self, method: str, path: str, **params: Any) -> stripe.StripeResponse:
        """One request. Raises `stripe.CardError`, and failures of gateways for all other errors."""
        try:
            answer: stripe.StripeResponse = await self._client.raw_request_async(method, path, **params)
        except stripe.CardError:
            raise
        except stripe.APIConnectionError as error:
            if isinstance(error.__cause__, NEVER_SENT):
                raise GatewayUnavailable("Stripe cannot be reached.") from error
            raise GatewayUnconfirmed("Stripe's answer was lost.") from error
        except stripe.StripeError as error:
            raise _failure(error) from error
        return answer


class _Transport(stripe.HTTPClient):
    """Sends the library's requests by a client of ours: no proxies, no redirects, our timeouts."""

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises `stripe.APIConnectionError` because of an error of httpx."""
        try:
            response = await self._client.request(method, url, headers=headers, content=post_data)
        except httpx.HTTPError as error:
            # The library does not type its exceptions.
            raise stripe.APIConnectionError("The connection failed.") from error  # type: ignore[no-untyped-call]
        return response.content, response.status_code, response.headers

    async def close_async(self) -> None:
        """Closes all connections."""
        await self._client.aclose()


def _keep_silent() -> None:
    """Stripe is not told of times and machines, and the library writes nothing: its lines hold whole bodies.

    `STRIPE_LOG` of the environment would have it write them to stderr.
    """
    stripe.enable_telemetry = False
    stripe.log = None
    stripe._util.STRIPE_LOG = None
    logging.getLogger("stripe").disabled = True


def _paid_with(method: str) -> dict[str, Any]:
    """Raises `GatewayRefused` for what is no reference of Stripe's."""
    if method.startswith("pm_"):
        return {"payment_method": method}
    if method.startswith("tok_"):
        return {"payment_method_data": {"type": "card", "card": {"token": method}}}
    raise GatewayRefused("payment_method_unknown")


def _declined(error: stripe.CardError) -> GatewayPayment:
    """The declined payment that Stripe made all the same. Raises `GatewayRefused` where it made none."""
    body = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    try:
        return payment_of(Declined.model_validate(body).payment_intent)
    except ValidationError:
        raise GatewayRefused(_word_of(error)) from error


def _require_not_failed(refund: GatewayRefund) -> None:
    """Raises `GatewayRefused` for a refund that gives nothing back."""
    if refund.status == "FAILED":
        raise GatewayRefused(refund.code or "refund_failed")


def _failure(error: stripe.StripeError) -> Exception:
    status = error.http_status or 0
    if isinstance(error, stripe.IdempotencyError):
        return GatewayRefused("idempotency_key_reused")
    if isinstance(error, stripe.RateLimitError) or 300 <= status < 400:
        return GatewayUnavailable(f"Stripe answers {status}.")
    if isinstance(error, stripe.InvalidRequestError) and (status == 400 or error.code is not None):
        return GatewayRefused(_word_of(error))
    if status in _UNTAKEN:
        return GatewayUnavailable(f"Stripe answers {status}.")
    return GatewayUnconfirmed(f"Stripe answers {status}.")


def _word_of(error: stripe.StripeError) -> str:
    body = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    told = body if isinstance(body, dict) else {}
    return word(*(told.get(name) for name in ("decline_code", "code", "type")))


def _read(model: type[_Read], body: object) -> _Read:
    """Raises `GatewayUnconfirmed` for what cannot be read."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise GatewayUnconfirmed("Stripe's answer cannot be read.") from error
