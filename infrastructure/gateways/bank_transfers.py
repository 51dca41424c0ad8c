"""Payments of vendors by a bank's HTTP API: a transfer is created, then released.

`docs/integrators.md` describes the bank's protocol. Its transfers are idempotent by their key, releases and
cancellations by the transfer's state, and no answer is behind an earlier one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, StringConstraints, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from application.gateway import (
    GatewayNotice,
    GatewayPayment,
    GatewayRefund,
    GatewayRefused,
    GatewayStatus,
    GatewayUnavailable,
    GatewayUnconfirmed,
    NoticeRefused,
    PaymentInstruction,
)
from domain.kernel.facts import UpstreamValue
from infrastructure.gateways.transport import NEVER_SENT, direct_client

BANK: Final = "bank"
"""The gateway's name in the ledger."""

SEEN_WITHIN = timedelta(seconds=5)
"""The bank's answers are up to date; so long may a request still be on its way to it."""

VENDOR = "vendor:"
"""How a `method` begins that names a vendor, whose account the bank knows."""

TRANSFER_UNKNOWN = "transfer_unknown"
REFUND_NOT_SUPPORTED = "refund_not_supported"

_UNTAKEN = frozenset({401, 403, 404, 429})
_REFUSED = frozenset({400, 409, 422})
_STATUSES: Mapping[str, GatewayStatus] = {
    "CREATED": "AUTHORIZED",
    "RELEASED": "PENDING",
    "SETTLED": "CAPTURED",
    "REJECTED": "DECLINED",
    "CANCELLED": "VOIDED",
}
_UNMOVED: Mapping[str, frozenset[GatewayStatus]] = {
    "release": frozenset({"AUTHORIZED"}),
    "cancel": frozenset({"AUTHORIZED", "PENDING", "CAPTURED"}),
}
"""How a transfer stands that could have been released or cancelled, or where it was too late for that."""

_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
_Read = TypeVar("_Read", bound=BaseModel)


class TransferBody(UpstreamValue):
    """A transfer as the bank answers it."""

    transfer_id: _Word
    status: Literal["CREATED", "RELEASED", "SETTLED", "REJECTED", "CANCELLED"]
    code: _Word | None = None

    def payment(self) -> GatewayPayment:
        """How the payment stands that it is."""
        return GatewayPayment(self.transfer_id, _STATUSES[self.status], self.code)


class TransfersBody(UpstreamValue):
    """The transfers of a key: one, or none."""

    items: tuple[TransferBody, ...]


class ErrorBody(UpstreamValue):
    """Why the bank refuses something, in its own word."""

    code: _Word


class _Subject(UpstreamValue):
    billing_payment_id: str | None = None


class _Notice(UpstreamValue):
    data: _Subject


class BankTransfers:
    """`application.gateway.Gateway` on a bank. A `method` is `vendor:` and the vendor's id."""

    def __init__(
        self, api_key: str, *, url: str, answer_seconds: float, seen_within: timedelta = SEEN_WITHIN
    ) -> None:
        """`url` has no slash at its end; `answer_seconds` is for all requests of a step together."""
        self._url = url
        self._answer_seconds = answer_seconds
        self._seen_within = seen_within
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._client = direct_client(url, answer_seconds)

    @property
    def name(self) -> str:
        """`bank`."""
        return BANK

    @property
    def seen_within(self) -> timedelta:
        """How long a request may be on its way."""
        return self._seen_within

    async def authorize(self, instruction: PaymentInstruction) -> GatewayPayment:
        """Creates a transfer that is not released."""
        if not instruction.method.startswith(VENDOR):
            raise GatewayRefused("vendor_unknown")
        body = {
            "key": instruction.key,
            "billingPaymentId": instruction.billing_payment_id,
            "vendorId": instruction.method.removeprefix(VENDOR),
            "amount": instruction.amount,
            "currencyUomId": instruction.currency_uom_id,
        }
        headers = {"Idempotency-Key": instruction.key}
        async with self._step():
            response = await self._ask("POST", "/bank/transfers", json=body, headers=headers)
            return _read(TransferBody, response).payment()

    async def capture(self, reference: str, key: str) -> GatewayPayment:
        """Releases the transfer, which the bank does once, whatever the key."""
        return await self._move(reference, "release")

    async def void(self, reference: str, key: str, *, take_back: bool) -> GatewayPayment:
        """Cancels the transfer; one that was released comes back no more, and the bank refuses."""
        return await self._move(reference, "cancel")

    async def refund(self, reference: str, amount: int, key: str) -> GatewayRefund:
        """Raises `GatewayRefused`: a transfer comes back only from its receiver."""
        raise GatewayRefused(REFUND_NOT_SUPPORTED)

    async def look_up(self, key: str) -> GatewayPayment | None:
        """Asks for the key's transfer."""
        async with self._step():
            response = await self._ask("GET", "/bank/transfers", params={"key": key})
            found = _read(TransfersBody, response).items
            return found[0].payment() if found else None

    async def payment(self, reference: str) -> GatewayPayment:
        """Asks for the transfer."""
        async with self._step():
            response = await self._ask("GET", _path(reference))
            return _read(TransferBody, response).payment()

    async def look_up_refund(self, reference: str, key: str) -> GatewayRefund | None:
        """There never is one."""
        return None

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def _move(self, reference: str, move: Literal["release", "cancel"]) -> GatewayPayment:
        """Releases or cancels; as it stands where that has become impossible before."""
        async with self._step():
            try:
                response = await self._ask("POST", f"{_path(reference)}/{move}")
            except GatewayRefused:
                try:
                    standing = await self.payment(reference)
                except GatewayUnavailable as error:
                    # An earlier attempt may have been taken.
                    raise GatewayUnconfirmed("The bank does not tell how the transfer stands.") from error
                if standing.status in _UNMOVED[move]:
                    raise
                return standing
            return _read(TransferBody, response).payment()

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._answer_seconds):
                yield
        except TimeoutError as error:
            raise GatewayUnconfirmed("The bank has not answered in time.") from error

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """One request that succeeded. Raises failures of gateways."""
        try:
            response = await self._client.request(
                method, self._url + path, headers={**self._authorization, **(headers or {})}, **request
            )
        except NEVER_SENT as error:
            raise GatewayUnavailable("The bank cannot be reached.") from error
        except httpx.HTTPError as error:
            raise GatewayUnconfirmed("The bank's answer was lost.") from error
        if response.is_success:
            return response
        status, code = response.status_code, _code(response)
        if status in _REFUSED or code == TRANSFER_UNKNOWN:
            raise GatewayRefused(code or f"http_{status}")
        if status in _UNTAKEN or response.is_redirect:
            raise GatewayUnavailable(f"The bank answers {status}.")
        raise GatewayUnconfirmed(f"The bank answers {status}.")


class BankNotices:
    """`application.gateway.GatewayNotices` of the bank. One secret is enough, so that it can be replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` are of Standard Webhooks, `whsec_…`; without any, all is refused. Raises ValueError."""
        self._webhooks = tuple(Webhook(secret) for secret in secrets)

    def read(self, body: bytes, headers: dict[str, str]) -> GatewayNotice | None:
        """Whose payment it is about. Raises `NoticeRefused`."""
        if not any(_verified(webhook, body, headers) for webhook in self._webhooks):
            raise NoticeRefused("The notice is not signed by the bank, or is too old.")
        try:
            notice = _Notice.model_validate_json(body, by_name=False)
        except ValidationError:
            # No cause: it would hold the body.
            raise NoticeRefused("The notice cannot be read.") from None
        billing_payment_id = notice.data.billing_payment_id
        return GatewayNotice(billing_payment_id) if billing_payment_id else None


def _verified(webhook: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    try:
        webhook.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        # A ValueError comes of signatures, times and bodies that are not even of their form.
        return False
    return True


def _path(reference: str) -> str:
    return f"/bank/transfers/{quote(reference, safe='')}"


def _code(response: httpx.Response) -> str | None:
    """The bank's word where it is one, for it is recorded and shown."""
    try:
        return ErrorBody.model_validate_json(response.content).code
    except ValidationError:
        return None


def _read(model: type[_Read], response: httpx.Response) -> _Read:
    """Raises `GatewayUnconfirmed` for what cannot be read."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise GatewayUnconfirmed("The bank's answer cannot be read.") from error
