"""What the service must answer and keep, said in plain dictionaries and without any of the service's code.

Each client works on orders, events and series of its own, one command after the other, so that what becomes
of a command follows from what this client did before, whatever the others do. Only contested events are sent
by several clients, and then any of them may be the first.
"""

import json
from dataclasses import dataclass, field
from typing import Any

INBOUND = "/v1/inbound/events"
SERIES = "/v1/number-series"
PAID = "orders.PAID_IN_ESCROW"


@dataclass(frozen=True)
class Request:
    """A command as sent; `contested` says that other clients send the same."""

    path: str
    body: Any
    key: str | None = None
    contested: bool = False


@dataclass(frozen=True)
class Verdict:
    """An answer: its status (202 counts as 200), what became of each event, and the code of an error."""

    status: int
    outcomes: tuple[tuple[str, str | None], ...] = ()
    code: str | None = None


REPLAYED = Verdict(0)
"""The answer that was stored under the key, byte for byte."""


class _Refused(Exception):
    """A command may not take effect, with this status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Order:
    """An order: its paid event's data, and refunds by id as (fingerprint, amount, currency)."""

    paid: dict[str, Any] | None = None
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    waiting: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What was paid, in minor units."""
        return int(self.paid["orderFinancialSnapshot"]["buyerTotal"]) if self.paid else 0

    @property
    def currency(self) -> str:
        """The currency it was paid in."""
        return str(self.paid["orderFinancialSnapshot"]["currencyUomId"]) if self.paid else ""

    def objection(self, amount: int, currency: str) -> str | None:
        """Why a refund cannot be taken from what was paid."""
        if currency != self.currency:
            return "CURRENCY_MISMATCH"
        refunded = sum(taken for _, taken, _ in self.refunds.values())
        return "REFUND_EXCEEDS_PAID" if refunded + amount > self.total else None


@dataclass
class Inbound:
    """What is recorded under an event's id: `log` holds effects and codes in their order."""

    data: str | None = None
    log: list[str] = field(default_factory=list)
    last_refused: tuple[str, str] | None = None


class Model:
    """The whole service as its clients see it."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.events: dict[str, Inbound] = {}
        self.series: dict[str, dict[str, Any] | None] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.abandoned: dict[str, dict[str, Any]] = {}
        self._snapshots: dict[str, str] = {}

    def take(self, request: Request) -> tuple[Verdict, Verdict]:
        """Lets a command take effect: its answer, and the answer to a repeat whose first answer was lost."""
        known = self.keys.get((request.path, request.key)) if request.key is not None else None
        if known is not None:
            replayed = known == _plain(request.body)
            verdict = REPLAYED if replayed else Verdict(422, code="IDEMPOTENCY_KEY_REUSED")
            return verdict, verdict
        first, again = self._answer(request), self._answer(request)
        if request.key is not None and first.status < 400:
            self.keys[request.path, request.key] = _plain(request.body)
            if request.path == SERIES:
                # Key and effect are kept in one transaction; the inbound door keeps its answer afterwards.
                again = first
        return first, again

    def _answer(self, request: Request) -> Verdict:
        if request.path == SERIES:
            return self._open_series(request.body)
        if isinstance(request.body, list):
            return Verdict(200, tuple(self._receive(event) for event in request.body))
        try:
            return Verdict(200, ((self._effect(request.body), None),))
        except _Refused as refused:
            return Verdict(refused.status, code=refused.code)

    def _open_series(self, body: dict[str, Any]) -> Verdict:
        if body.get("docType") != "RECEIPT":
            return Verdict(400, code="VALIDATION_FAILED")
        series_id = f"{body['countryCode']}:{body['issuerEntityId']}:RECEIPT"
        wanted = body.get("format")
        if series_id not in self.series:
            self.series[series_id] = wanted
            return Verdict(201)
        if wanted is not None and wanted != self.series[series_id]:
            return Verdict(409, code="SERIES_EXISTS")
        return Verdict(200)

    def _receive(self, event: dict[str, Any]) -> tuple[str, str | None]:
        try:
            return self._effect(event), None
        except _Refused as refused:
            return "REJECTED", refused.code

    def _effect(self, event: dict[str, Any]) -> str:
        data = event["data"]
        if not _is_well_formed(event):
            raise _Refused(400, "VALIDATION_FAILED")
        inbound = self.events.setdefault(event["id"], Inbound())
        fingerprint = _plain({"type": event["type"], "data": data})
        try:
            if inbound.data is not None:
                if inbound.data != fingerprint:
                    raise _Refused(409, "EVENT_CONFLICT")
                return "DUPLICATE"
            effect = self._pay(data) if event["type"] == PAID else self._refund(data)
        except _Refused as refused:
            if inbound.last_refused != (fingerprint, refused.code):
                inbound.last_refused = (fingerprint, refused.code)
                inbound.log.append(refused.code)
            raise
        inbound.data = fingerprint
        inbound.log.append(effect)
        return effect

    def _pay(self, data: dict[str, Any]) -> str:
        order = self.orders.get(data["orderId"], Order())
        snapshot = data["orderFinancialSnapshot"]
        if order.paid is not None:
            if _what_documents_show(order.paid) != _what_documents_show(data):
                raise _Refused(409, "SNAPSHOT_CONFLICT")
            return "DUPLICATE"
        _check_sums(snapshot)
        self._claim(snapshot["snapshotId"], data["orderId"])
        self.orders[data["orderId"]] = order
        order.paid = data
        order.names.append("order.paid-in-escrow")
        for refund_id, (fingerprint, amount, currency) in order.waiting.items():
            if order.objection(amount, currency) is None:
                order.refunds[refund_id] = (fingerprint, amount, currency)
                order.names.append("order.refund-executed")
            else:
                order.names.append("order.refund-parked")
        order.waiting = {}
        parties = data["orderPartySnapshot"]
        self.series.setdefault(f"{data['countryCode']}:{parties['platform']['partyId']}:RECEIPT", None)
        return "ACCEPTED"

    def _refund(self, data: dict[str, Any]) -> str:
        order = self.orders.get(data["orderId"], Order())
        snapshot = data["refundSnapshot"]
        known = order.refunds.get(data["refundId"]) or order.waiting.get(data["refundId"])
        if known is not None:
            if known[0] != _plain(data):
                raise _Refused(409, "SNAPSHOT_CONFLICT")
            return "DUPLICATE"
        _check_sums(snapshot)
        amount, currency = int(snapshot["buyerTotal"]), str(snapshot["currencyUomId"])
        if order.paid is not None and (objection := order.objection(amount, currency)) is not None:
            raise _Refused(422, objection)
        self._claim(snapshot["snapshotId"], f"{data['orderId']}/{data['refundId']}")
        self.orders[data["orderId"]] = order
        recorded = (_plain(data), amount, currency)
        if order.paid is None:
            order.waiting[data["refundId"]] = recorded
            order.names.append("order.refund-awaited")
            return "WAITING"
        order.refunds[data["refundId"]] = recorded
        order.names.append("order.refund-executed")
        return "ACCEPTED"

    def _claim(self, snapshot_id: str, holder: str) -> None:
        if snapshot_id in self._snapshots:
            raise _Refused(409, "SNAPSHOT_CONFLICT")
        self._snapshots[snapshot_id] = holder


def _plain(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


def _what_documents_show(data: dict[str, Any]) -> str:
    names = ("orderId", "countryCode", "orderFinancialSnapshot", "orderPartySnapshot")
    return _plain({name: data[name] for name in names})


def _is_well_formed(event: dict[str, Any]) -> bool:
    data = event["data"]
    snapshot = data.get("orderFinancialSnapshot" if event["type"] == PAID else "refundSnapshot")
    return (
        isinstance(snapshot, dict) and type(snapshot.get("buyerTotal")) is int and bool(data.get("orderId"))
    )


def _check_sums(snapshot: dict[str, Any]) -> None:
    """The orders of these tests have lines, a platform fee and one tax on items, and nothing else."""
    lines = sum(line["amount"] for line in snapshot["lines"])
    taxes = sum(tax["amount"] for tax in snapshot["taxes"])
    if snapshot["buyerTotal"] != lines + snapshot["platformFeeAfterCredits"] + taxes:
        raise _Refused(422, "SNAPSHOT_INCONSISTENT")
