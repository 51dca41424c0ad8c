"""The bank's API, as `docs/integrators.md` describes it, simulated.

A vendor's id decides what becomes of a transfer (`BEHAVIOURS`); amounts are in minor units.
"""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, ValidationError

from domain.kernel.facts import Identifier, Value, rfc3339
from domain.kernel.money import CurrencyCode, MinorUnits
from infrastructure.gateways.bank_transfers import TRANSFER_UNKNOWN
from infrastructure.gateways.simulated_api import Asked, Operation, json_reply, new_id, tell
from infrastructure.gateways.simulated_book import GatewayBook, KeptPayment, Reply
from infrastructure.gateways.simulated_faults import SimulatedGateway, behaviour_of_vendor

SIMULATED_BANK_KEY = "simulated"
"""The bearer token that it takes; it refuses all others."""

_TRANSFERS = "/bank/transfers"
_MOVE = re.compile(r"/bank/transfers/(\w+)/(release|cancel)")
_STATUSES = {
    "PENDING": "RELEASED",
    "AUTHORIZED": "CREATED",
    "CAPTURED": "SETTLED",
    "VOIDED": "CANCELLED",
    "DECLINED": "REJECTED",
}


class _Transfer(Value):
    """What a transfer is made of."""

    key: str = Field(min_length=1, max_length=255)
    billing_payment_id: Identifier
    vendor_id: Identifier
    amount: MinorUnits = Field(gt=0)
    currency_uom_id: CurrencyCode


class SimulatedBank:
    """`SimulatedApi` of the bank."""

    gateway: SimulatedGateway = "bank"
    bearer = SIMULATED_BANK_KEY

    def __init__(self, book: GatewayBook) -> None:
        self._book = book

    def operation(self, asked: Asked) -> Operation | Reply:
        """A transfer to be created, released or cancelled."""
        if asked.path == _TRANSFERS:
            return self._creating(asked)
        if (move := _MOVE.fullmatch(asked.path)) is None:
            return self.error(404, "unknown_url")
        transfer = self._book.payment("bank", move[1])
        if transfer is None:
            return self.error(404, TRANSFER_UNKNOWN)
        release = move[2] == "release"
        return Operation(
            step="capture" if release else "void",
            subject=transfer.reference,
            behaviour=behaviour_of_vendor(transfer.method),
            perform=lambda: (self._release if release else self._cancel)(transfer.reference),
            once_by_key=False,
        )

    def read(self, asked: Asked) -> Reply:
        """A transfer, or those of a key."""
        if asked.path == _TRANSFERS:
            found = self._book.payments_under("bank", asked.params.get("key", ""), time.time())
            return json_reply(200, {"items": [_body(transfer) for transfer in found]})
        transfer = self._book.payment("bank", asked.path.removeprefix(f"{_TRANSFERS}/"))
        return json_reply(200, _body(transfer)) if transfer else self.error(404, TRANSFER_UNKNOWN)

    def advance(self) -> None:
        """Settles or rejects what was released."""
        for transfer in self._book.payments_due():
            if transfer.gateway == "bank":
                rejected = transfer.status == "DECLINED"
                self._stands(replace(transfer, code="account_closed" if rejected else None))

    def error(self, status: int, code: str) -> Reply:
        """The bank's word for it."""
        return json_reply(status, {"code": code})

    def _creating(self, asked: Asked) -> Operation | Reply:
        try:
            wanted = _Transfer.model_validate(asked.params)
        except ValidationError:
            return self.error(400, "malformed")
        if asked.key != wanted.key:
            return self.error(400, "key_differs")
        return Operation(
            step="authorize",
            subject=wanted.key,
            behaviour=behaviour_of_vendor(wanted.vendor_id),
            perform=lambda: self._create(wanted),
            once_by_key=False,
        )

    def _create(self, wanted: _Transfer) -> Reply:
        behaviour = behaviour_of_vendor(wanted.vendor_id)
        declined = behaviour.declined and not behaviour.pending
        transfer = KeptPayment(
            reference=new_id("tr"),
            gateway="bank",
            key=wanted.key,
            billing_payment_id=wanted.billing_payment_id,
            method=wanted.vendor_id,
            amount=wanted.amount,
            currency=wanted.currency_uom_id,
            status="DECLINED" if declined else "AUTHORIZED",
            code="account_closed" if declined else None,
            made_at=time.time(),
        )
        for known in self._book.payments_under("bank", wanted.key, transfer.made_at):
            same = _content(known) == _content(transfer)
            return json_reply(200, _body(known)) if same else self.error(422, "key_reused")
        self._stands(transfer)
        return json_reply(201, _body(transfer))

    def _release(self, reference: str) -> Reply:
        transfer = self._known(reference)
        if transfer.status in {"PENDING", "CAPTURED"}:
            return json_reply(200, _body(transfer))
        behaviour = behaviour_of_vendor(transfer.method)
        if transfer.status == "AUTHORIZED" and behaviour.expires:
            transfer = replace(transfer, status="VOIDED")
            self._stands(transfer)
        if transfer.status != "AUTHORIZED":
            return self.error(409, "transfer_ended")
        if behaviour.pending:
            due_at = time.time() + self._book.conditions().pending_seconds
            due_status: Any = "DECLINED" if behaviour.declined else "CAPTURED"
            transfer = replace(transfer, status="PENDING", due_at=due_at, due_status=due_status)
        else:
            transfer = replace(transfer, status="CAPTURED")
        self._stands(transfer)
        return json_reply(200, _body(transfer))

    def _cancel(self, reference: str) -> Reply:
        transfer = self._known(reference)
        if transfer.status in {"PENDING", "CAPTURED"}:
            return self.error(409, "transfer_released")
        if transfer.status == "AUTHORIZED":
            transfer = replace(transfer, status="VOIDED")
            self._stands(transfer)
        return json_reply(200, _body(transfer))

    def _stands(self, transfer: KeptPayment) -> None:
        """Writes down how a transfer stands from now on, moves its money, and tells of it."""
        self._book.keep_payment(transfer)
        if transfer.status == "CAPTURED":
            self._book.move(transfer, "CAPTURED", transfer.amount)
        notice = {
            "type": f"transfer.{_STATUSES[transfer.status].lower()}",
            "timestamp": rfc3339(datetime.now(UTC)),
            "data": {"transferId": transfer.reference, "billingPaymentId": transfer.billing_payment_id},
        }
        tell(self._book, "bank", new_id("msg"), notice)

    def _known(self, reference: str) -> KeptPayment:
        transfer = self._book.payment("bank", reference)
        assert transfer is not None, "transfers are never forgotten"
        return transfer


def _content(transfer: KeptPayment) -> tuple[str, str, int, str]:
    return transfer.billing_payment_id, transfer.method, transfer.amount, transfer.currency


def _body(transfer: KeptPayment) -> dict[str, Any]:
    told = {
        "transferId": transfer.reference,
        "key": transfer.key,
        "billingPaymentId": transfer.billing_payment_id,
        "status": _STATUSES[transfer.status],
    }
    return {**told, **({"code": transfer.code} if transfer.code else {})}
