"""An order's state: what its events fold to, and what still waits for it or was parked."""

from typing import Any, Literal, TypeVar, assert_never

from pydantic import Field

from domain.documents.document_facts import DocType
from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_facts import (
    Cause,
    OrderCompleted,
    OrderCompletionAwaited,
    OrderCompletionParked,
    OrderDisputeAwaited,
    OrderDisputeCompleted,
    OrderDisputeParked,
    OrderDocumentDrafted,
    OrderPaid,
    OrderPayoutAwaited,
    OrderPayoutSent,
    OrderPersonalDataErased,
    OrderRefundAwaited,
    OrderRefunded,
    OrderRefundParked,
)
from domain.documents.order_snapshot import (
    OrderData,
    OrderFinancialSnapshot,
    OrderPartySnapshot,
    Party,
)
from domain.kernel.facts import Value
from domain.kernel.privacy import without_personal_data
from domain.kernel.streams import EventType, StreamType

ValueT = TypeVar("ValueT")

Awaited = OrderRefundAwaited | OrderDisputeAwaited | OrderCompletionAwaited | OrderPayoutAwaited
"""What waits for its order."""


class RefundRecorded(Value):
    """Money that went back to the buyer, by a refund or at a dispute's end."""

    told: RefundData | DisputeData
    fingerprint: str

    @property
    def type(self) -> Literal["REFUND", "DISPUTE"]:
        """What moved it."""
        return "REFUND" if isinstance(self.told, RefundData) else "DISPUTE"

    @property
    def snapshot(self) -> OrderFinancialSnapshot:
        """The amounts."""
        assert self.told.refund_snapshot is not None, "a dispute without a snapshot moves no money"
        return self.told.refund_snapshot


class PayoutRecorded(Value):
    """A payout and the keyed hash of all that was told of it."""

    payout: PayoutData
    fingerprint: str


class Order(Value):
    """An order's state. `order` is None while only what follows it has arrived.

    `refunds` are by the id of the refund or of the dispute, which are one namespace; `disputes` are the
    fingerprints of all that ended, with and without money. `waiting` and `parked` are by `Cause.key`, as are
    `documents`, each cause's in the order in which they were called for. `had_waited` are the causes that
    came before the order.
    """

    order: OrderData | None = None
    fingerprint: str | None = None
    completion: CompletionData | None = None
    payouts: dict[str, PayoutRecorded] = Field(default_factory=dict)
    refunds: dict[str, RefundRecorded] = Field(default_factory=dict)
    disputes: dict[str, str] = Field(default_factory=dict)
    waiting: dict[str, Awaited] = Field(default_factory=dict)
    parked: dict[str, str] = Field(default_factory=dict)
    documents: dict[str, tuple[OrderDocumentDrafted, ...]] = Field(default_factory=dict)
    had_waited: frozenset[str] = frozenset()

    @property
    def refunded(self) -> int:
        """The sum of what went back to the buyer, minor units."""
        return sum(refund.snapshot.buyer_total for refund in self.refunds.values())

    def document_ids(self, doc_type: DocType) -> tuple[str, ...]:
        """The documents of that type that were called for, each cause's in that order."""
        called = (each for of_cause in self.documents.values() for each in of_cause)
        return tuple(each.document_id for each in called if each.doc_type == doc_type)


OrderFact = (
    OrderPaid
    | OrderCompleted
    | OrderCompletionAwaited
    | OrderCompletionParked
    | OrderPayoutSent
    | OrderPayoutAwaited
    | OrderRefunded
    | OrderRefundAwaited
    | OrderRefundParked
    | OrderDisputeCompleted
    | OrderDisputeAwaited
    | OrderDisputeParked
    | OrderDocumentDrafted
    | OrderPersonalDataErased
)


def evolve(state: Order | None, fact: OrderFact) -> Order:
    """Folds one fact of an order."""
    state = state or Order()
    return state.model_copy(update=_changes(state, fact))


def _changes(state: Order, fact: OrderFact) -> dict[str, Any]:
    match fact:
        case OrderPaid():
            had_waited = frozenset(state.waiting)
            return {"order": fact.order, "fingerprint": fact.fingerprint, "had_waited": had_waited}
        case OrderCompleted():
            return {"completion": fact.completion, **_settled(state, "COMPLETION")}
        case OrderPayoutSent(payout=payout):
            recorded = PayoutRecorded(payout=payout, fingerprint=fact.fingerprint)
            settled = _settled(state, f"PAYOUT/{payout.payout_id}")
            return {"payouts": {**state.payouts, payout.payout_id: recorded}, **settled}
        case OrderRefunded(refund=data):
            refunded = RefundRecorded(told=data, fingerprint=fact.fingerprint)
            settled = _settled(state, f"REFUND/{data.refund_id}")
            return {"refunds": {**state.refunds, data.refund_id: refunded}, **settled}
        case OrderDisputeCompleted():
            return _dispute_completed(state, fact)
        case OrderRefundAwaited() | OrderDisputeAwaited() | OrderCompletionAwaited() | OrderPayoutAwaited():
            return {"waiting": {**state.waiting, awaited_cause(fact).key: fact}}
        case OrderRefundParked(refund_id=refund_id):
            return _parked(state, f"REFUND/{refund_id}", fact.code)
        case OrderDisputeParked(dispute_id=dispute_id):
            return _parked(state, f"DISPUTE/{dispute_id}", fact.code)
        case OrderCompletionParked():
            return _parked(state, "COMPLETION", fact.code)
        case OrderDocumentDrafted(cause=cause):
            called = (*state.documents.get(cause.key, ()), fact)
            return {"documents": {**state.documents, cause.key: called}}
        case OrderPersonalDataErased():
            return {"order": state.order and _erased(state.order, fact)}
        case _:
            assert_never(fact)


def same_money(state: Order, snapshot: OrderFinancialSnapshot) -> str | None:
    """The id of the refund or dispute that brought this very snapshot already: money moves once."""
    return next((name for name, known in state.refunds.items() if known.snapshot == snapshot), None)


def money_of(state: Order, snapshot: OrderFinancialSnapshot) -> Cause | None:
    """The refund or dispute that told of this very snapshot already, be it that it still waits."""
    if (name := same_money(state, snapshot)) is not None:
        return Cause(type=state.refunds[name].type, id=name)
    waits = (awaited for awaited in state.waiting.values() if awaited_money(awaited) == snapshot)
    return next(map(awaited_cause, waits), None)


def awaited_money(awaited: Value | None) -> OrderFinancialSnapshot | None:
    """What moved back to the buyer by something that waits, if that moves any."""
    match awaited:
        case OrderRefundAwaited(refund=refunded):
            return refunded.refund_snapshot
        case OrderDisputeAwaited(dispute=dispute):
            return dispute.refund_snapshot
        case _:
            return None


def awaited_cause(awaited: Awaited) -> Cause:
    """What it is that waits."""
    match awaited:
        case OrderRefundAwaited(refund=refunded):
            return Cause(type="REFUND", id=refunded.refund_id)
        case OrderDisputeAwaited(dispute=dispute):
            return Cause(type="DISPUTE", id=dispute.dispute_id)
        case OrderPayoutAwaited(payout=payout):
            return Cause(type="PAYOUT", id=payout.payout_id)
        case OrderCompletionAwaited():
            return Cause(type="COMPLETION")
        case _:
            assert_never(awaited)


def _dispute_completed(state: Order, fact: OrderDisputeCompleted) -> dict[str, Any]:
    dispute = fact.dispute
    changes: dict[str, Any] = {
        "disputes": {**state.disputes, dispute.dispute_id: fact.fingerprint},
        **_settled(state, f"DISPUTE/{dispute.dispute_id}"),
    }
    snapshot = dispute.refund_snapshot
    if snapshot is None or same_money(state, snapshot) is not None:
        return changes
    refunded = RefundRecorded(told=dispute, fingerprint=fact.fingerprint)
    return {**changes, "refunds": {**state.refunds, dispute.dispute_id: refunded}}


def _settled(state: Order, key: str) -> dict[str, Any]:
    """It waits no more, nor does anybody have to look at it."""
    return {"waiting": _without(state.waiting, key), "parked": _without(state.parked, key)}


def _parked(state: Order, key: str, code: str) -> dict[str, Any]:
    return {"waiting": _without(state.waiting, key), "parked": {**state.parked, key: code}}


def _without(values: dict[str, ValueT], key: str) -> dict[str, ValueT]:
    return {other: value for other, value in values.items() if other != key}


def _erased(order: OrderData, fact: OrderPersonalDataErased) -> OrderData:
    """The order without what its parties' erased keys had sealed."""

    def party(of: Party) -> Party:
        return without_personal_data(of, fact.subject, fact.retention_class)

    parties = order.order_party_snapshot
    remaining: OrderPartySnapshot = without_personal_data(parties, fact.subject, fact.retention_class)
    remaining = remaining.model_copy(
        update={
            "buyer": party(parties.buyer),
            "seller": party(parties.seller),
            "ops": parties.ops and party(parties.ops),
            "platform": party(parties.platform),
        }
    )
    return without_personal_data(order, fact.subject, fact.retention_class).model_copy(
        update={"order_party_snapshot": remaining}
    )


def _unsealed(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 held the parties' data in the clear, under the same names."""
    return content


ORDER: StreamType[Order] = StreamType(
    "order",
    (
        EventType("order.paid-in-escrow", OrderPaid, 2, {1: _unsealed}),
        EventType("order.completed", OrderCompleted),
        EventType("order.completion-awaited", OrderCompletionAwaited),
        EventType("order.completion-parked", OrderCompletionParked),
        EventType("order.payout-sent", OrderPayoutSent),
        EventType("order.payout-awaited", OrderPayoutAwaited),
        EventType("order.refund-executed", OrderRefunded),
        EventType("order.refund-awaited", OrderRefundAwaited),
        EventType("order.refund-parked", OrderRefundParked),
        EventType("order.dispute-completed", OrderDisputeCompleted),
        EventType("order.dispute-awaited", OrderDisputeAwaited),
        EventType("order.dispute-parked", OrderDisputeParked),
        EventType("order.document-drafted", OrderDocumentDrafted),
        EventType("order.personal-data-erased", OrderPersonalDataErased),
    ),
    evolve,
)
