"""An order as its clients see it: what it was told, which events that makes, which documents that leads to.

Nobody asks for an invoice here, so each refund, and each dispute in which money moved, is adjusted.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PAID = "orders.PAID_IN_ESCROW"
REFUND = "payments.REFUND_EXECUTED"
DISPUTE = "payments.DISPUTE_SAGA_COMPLETED"
COMPLETED = "orders.COMPLETED"
PAYOUT = "payments.PAYOUT_SENT"


class _Kind(NamedTuple):
    """How something that follows a payment is named: its id, its events, its document."""

    id: str | None
    awaited: str
    taken: str
    parked: str
    document: str


KINDS = {
    REFUND: _Kind(
        "refundId",
        "order.refund-awaited",
        "order.refund-executed",
        "order.refund-parked",
        "ADJUSTMENT_STATEMENT",
    ),
    DISPUTE: _Kind(
        "disputeId",
        "order.dispute-awaited",
        "order.dispute-completed",
        "order.dispute-parked",
        "ADJUSTMENT_STATEMENT",
    ),
    COMPLETED: _Kind(
        None,
        "order.completion-awaited",
        "order.completed",
        "order.completion-parked",
        "SELLER_STATEMENT",
    ),
    PAYOUT: _Kind(
        "payoutId",
        "order.payout-awaited",
        "order.payout-sent",
        "order.payout-parked",
        "PAYOUT_STATEMENT",
    ),
}
"""What follows a payment, by its event's type."""

DRAFTED = "order.document-drafted"
_PAYMENT = ("order.paid-in-escrow", None)


@dataclass(frozen=True)
class Told:
    """Something that follows a payment; `snapshot` is there where money went back to the buyer."""

    kind: _Kind
    id: str | None
    fingerprint: str
    snapshot: dict[str, Any] | None

    @property
    def cause(self) -> tuple[str, str | None]:
        """What it is, among all that an order is told."""
        return self.kind.taken, self.id

    @property
    def amount(self) -> int:
        """What went back to the buyer, minor units."""
        return 0 if self.snapshot is None else int(self.snapshot["buyerTotal"])


def told(event: dict[str, Any]) -> Told:
    """What an event tells of."""
    kind, data = KINDS[event["type"]], event["data"]
    snapshot = data.get("refundSnapshot")
    return Told(kind, data[kind.id] if kind.id else None, plain(data), snapshot)


def plain(content: Any) -> str:
    """The content as one text, to be compared."""
    return json.dumps(content, sort_keys=True)


@dataclass
class Order:
    """`taken` and `waiting` are by cause, `names` are the events of its stream, `documents` keys by cause.

    `paid_with` are the payment and what had waited for it: whose documents the payment's answer names.
    """

    paid: dict[str, Any] | None = None
    taken: dict[tuple[str, str | None], Told] = field(default_factory=dict)
    waiting: dict[tuple[str, str | None], Told] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    documents: dict[tuple[str, str | None], str] = field(default_factory=dict)
    paid_with: frozenset[tuple[str, str | None]] = frozenset()

    @property
    def total(self) -> int:
        """What was paid, in minor units."""
        return int(self.paid["orderFinancialSnapshot"]["buyerTotal"]) if self.paid else 0

    @property
    def left(self) -> int:
        """What may go back to the buyer still."""
        return self.total - sum(each.amount for each in self.taken.values())

    @property
    def currency(self) -> str:
        """The currency it was paid in."""
        return str(self.paid["orderFinancialSnapshot"]["currencyUomId"]) if self.paid else ""

    def objection(self, what: Told) -> str | None:
        """Why it cannot be, now that it is known what was paid."""
        if what.snapshot is None:
            return None
        if what.snapshot["currencyUomId"] != self.currency:
            return "CURRENCY_MISMATCH"
        return "REFUND_EXCEEDS_PAID" if what.amount > self.left else None

    def pay(self, data: dict[str, Any]) -> None:
        """It is paid; what waited takes effect or is parked, then every document is drafted."""
        self.paid = data
        self.names.append("order.paid-in-escrow")
        self.documents[_PAYMENT] = receipt_key(data)
        self.paid_with = frozenset((_PAYMENT, *self.waiting))
        for what in self.waiting.values():
            if self.objection(what) is None:
                self._take(what)
            else:
                self.names.append(what.kind.parked)
        self.waiting = {}
        self.names += [DRAFTED] * len(self.documents)

    def follow(self, what: Told) -> str:
        """It takes effect, or waits: the effect."""
        if self.paid is None:
            self.waiting[what.cause] = what
            self.names.append(what.kind.awaited)
            return "WAITING"
        self._take(what)
        self.names += [DRAFTED] * (what.cause in self.documents)
        return "ACCEPTED"

    def led_to(self, event: dict[str, Any]) -> list[str]:
        """The keys of the documents that the answer to an event names, sorted."""
        causes = self.paid_with if event["type"] == PAID else {told(event).cause}
        return sorted(key for cause, key in self.documents.items() if cause in causes)

    def _take(self, what: Told) -> None:
        self.taken[what.cause] = what
        self.names.append(what.kind.taken)
        if what.snapshot is None and what.kind.document == "ADJUSTMENT_STATEMENT":
            return
        assert self.paid is not None, "what precedes the payment waits"
        source = "/".join(filter(None, (self.paid["orderId"], what.id)))
        self.documents[what.cause] = f"{source}:{what.kind.document}:{_platform(self.paid)}:1"


def receipt_key(data: dict[str, Any]) -> str:
    """The key of the receipt of a paid order."""
    return f"{data['orderId']}:RECEIPT:{_platform(data)}:1"


def _platform(data: dict[str, Any]) -> str:
    return str(data["orderPartySnapshot"]["platform"]["partyId"])
