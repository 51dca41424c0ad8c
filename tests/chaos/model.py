"""What the service must answer and keep, said in plain dictionaries and without any of the service's code.

Each client works on orders, events and series of its own, one command after the other, so that what becomes
of a command follows from what this client did before, whatever the others do. Only contested events are sent
by several clients, and then any of them may be the first.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.orders import COMPLETED, KINDS, PAID, Order, plain, told

INBOUND = "/v1/inbound/events"
SERIES = "/v1/number-series"


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
            replayed = known == plain(request.body)
            verdict = REPLAYED if replayed else Verdict(422, code="IDEMPOTENCY_KEY_REUSED")
            return verdict, verdict
        first, again = self._answer(request), self._answer(request)
        if request.key is not None and first.status < 400:
            self.keys[request.path, request.key] = plain(request.body)
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
        fingerprint = plain({"type": event["type"], "data": data})
        try:
            if inbound.data is not None:
                if inbound.data != fingerprint:
                    raise _Refused(409, "EVENT_CONFLICT")
                return "DUPLICATE"
            effect = self._pay(data) if event["type"] == PAID else self._follow(event)
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
        order.pay(data)
        parties = data["orderPartySnapshot"]
        self.series.setdefault(f"{data['countryCode']}:{parties['platform']['partyId']}:RECEIPT", None)
        return "ACCEPTED"

    def _follow(self, event: dict[str, Any]) -> str:
        order_id, what = event["data"]["orderId"], told(event)
        order = self.orders.get(order_id, Order())
        known = order.taken.get(what.cause) or order.waiting.get(what.cause)
        if known is not None:
            # An order is completed once, whatever else is told of it.
            if event["type"] != COMPLETED and known.fingerprint != what.fingerprint:
                raise _Refused(409, "SNAPSHOT_CONFLICT")
            return "DUPLICATE"
        if what.snapshot is not None:
            _check_sums(what.snapshot)
        if order.paid is not None and (objection := order.objection(what)) is not None:
            raise _Refused(422, objection)
        if what.snapshot is not None:
            self._claim(what.snapshot["snapshotId"], f"{order_id}/{what.id}")
        self.orders[order_id] = order
        return order.follow(what)

    def _claim(self, snapshot_id: str, holder: str) -> None:
        if snapshot_id in self._snapshots:
            raise _Refused(409, "SNAPSHOT_CONFLICT")
        self._snapshots[snapshot_id] = holder


def _what_documents_show(data: dict[str, Any]) -> str:
    names = ("orderId", "countryCode", "orderFinancialSnapshot", "orderPartySnapshot")
    return plain({name: data[name] for name in names})


def _is_well_formed(event: dict[str, Any]) -> bool:
    data = event["data"]
    snapshot = data.get("orderFinancialSnapshot" if event["type"] == PAID else "refundSnapshot")
    if snapshot is None:
        return event["type"] in KINDS
    return type(snapshot.get("buyerTotal")) is int


def _check_sums(snapshot: dict[str, Any]) -> None:
    """The orders of these tests have lines, a platform fee and one tax on items, and nothing else."""
    lines = sum(line["amount"] for line in snapshot["lines"])
    taxes = sum(tax["amount"] for tax in snapshot["taxes"])
    if snapshot["buyerTotal"] != lines + snapshot["platformFeeAfterCredits"] + taxes:
        raise _Refused(422, "SNAPSHOT_INCONSISTENT")
