"""An order as upstream told it: paid once, then refunded in parts; immutable, never recalculated (S3 §5.1).

Commands: pay, refund. A refund that arrives before its order waits, takes effect with it, or is parked.
"""

from typing import Any, TypeVar, assert_never

from pydantic import Field

from domain.documents.order_snapshot import (
    OrderData,
    OrderFinancialSnapshot,
    OrderPartySnapshot,
    Party,
    check_equations,
)
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Fact, Identifier, Value
from domain.kernel.privacy import PersonalDataErased, without_personal_data
from domain.kernel.streams import EventType, StreamType
from domain.upstream import SnapshotValue

ValueT = TypeVar("ValueT")


class RefundData(SnapshotValue):
    """What `payments.REFUND_EXECUTED` brings; the snapshot holds what is refunded, in positive amounts."""

    order_id: Identifier
    refund_id: Identifier
    reason: str
    refund_snapshot: OrderFinancialSnapshot


class OrderPaid(Fact):
    """The order was paid into escrow. `fingerprint` is the keyed hash of what may never differ again."""

    order: OrderData
    fingerprint: str


class OrderRefunded(Fact):
    """A refund of the order was executed."""

    refund: RefundData
    fingerprint: str


class OrderRefundAwaited(Fact):
    """A refund arrived before its order; it takes effect when the order does."""

    refund: RefundData
    fingerprint: str


class OrderRefundParked(Fact):
    """A refund that had waited proved invalid when its order arrived: a person has to look at it."""

    refund_id: str
    code: str


class OrderPersonalDataErased(PersonalDataErased):
    """What the order held of a party is erased; its amounts stay."""


class RefundRecorded(Value):
    """A refund that took effect or waits: its fingerprint and buyer total (minor units)."""

    fingerprint: str
    amount: int


class Order(Value):
    """An order's state. `order` is None while only refunds of it have arrived."""

    order: OrderData | None = None
    fingerprint: str | None = None
    refunds: dict[str, RefundRecorded] = Field(default_factory=dict)
    waiting: dict[str, OrderRefundAwaited] = Field(default_factory=dict)
    parked: dict[str, str] = Field(default_factory=dict)

    @property
    def refunded(self) -> int:
        """The sum of the executed refunds, minor units."""
        return sum(refund.amount for refund in self.refunds.values())


def order_content(order: OrderData) -> dict[str, Any]:
    """What an order's documents are made of and may never differ: country, financial and party snapshots."""
    return order.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        include={"order_id", "country_code", "order_financial_snapshot", "order_party_snapshot"},
    )


def refund_content(refund: RefundData) -> dict[str, Any]:
    """What may never differ of a refund: all of it."""
    return refund.model_dump(mode="json", by_alias=True, exclude_none=True)


Paid = tuple[OrderPaid | OrderRefunded | OrderRefundParked, ...]


def pay(state: Order | None, order: OrderData, fingerprint: str) -> Paid:
    """Records a paid order and lets the refunds that waited for it take effect.

    `fingerprint` is that of `order_content(order)`. The same order again is (). Raises
    `SNAPSHOT_INCONSISTENT`, or `SNAPSHOT_CONFLICT` where the order is known with another snapshot.
    """
    if state is not None and state.order is not None:
        if state.fingerprint != fingerprint:
            raise DomainError("SNAPSHOT_CONFLICT", "This order was recorded with another snapshot.")
        return ()
    check_equations(order.order_financial_snapshot)
    paid = OrderPaid(order=order, fingerprint=fingerprint)
    facts: list[OrderPaid | OrderRefunded | OrderRefundParked] = [paid]
    after = evolve(state, paid)
    for awaited in after.waiting.values():
        outcome: OrderRefunded | OrderRefundParked
        try:
            _check_refund(after, order, awaited.refund)
            outcome = OrderRefunded(refund=awaited.refund, fingerprint=awaited.fingerprint)
        except DomainError as error:
            outcome = OrderRefundParked(refund_id=awaited.refund.refund_id, code=error.code)
        facts.append(outcome)
        after = evolve(after, outcome)
    return tuple(facts)


def refund(
    state: Order | None, data: RefundData, fingerprint: str
) -> tuple[OrderRefunded | OrderRefundAwaited, ...]:
    """Records a refund, or that it waits for its order; the same refund again is ().

    `fingerprint` is that of `refund_content(data)`. Raises `SNAPSHOT_INCONSISTENT`, `SNAPSHOT_CONFLICT`,
    `CURRENCY_MISMATCH` or `REFUND_EXCEEDS_PAID`.
    """
    state = state or Order()
    known = state.refunds.get(data.refund_id) or state.waiting.get(data.refund_id)
    if known is not None:
        if known.fingerprint != fingerprint:
            raise DomainError("SNAPSHOT_CONFLICT", "This refund was recorded with other data.")
        return ()
    check_equations(data.refund_snapshot, "refundSnapshot")
    if state.order is None:
        return (OrderRefundAwaited(refund=data, fingerprint=fingerprint),)
    _check_refund(state, state.order, data)
    return (OrderRefunded(refund=data, fingerprint=fingerprint),)


def _check_refund(state: Order, order: OrderData, data: RefundData) -> None:
    paid = order.order_financial_snapshot
    if data.refund_snapshot.currency_uom_id != paid.currency_uom_id:
        raise DomainError(
            "CURRENCY_MISMATCH",
            "A refund is in its order's currency.",
            field_errors=(
                FieldError("refundSnapshot.currencyUomId", "CURRENCY_MISMATCH", "Not the order's currency."),
            ),
        )
    if state.refunded + data.refund_snapshot.buyer_total > paid.buyer_total:
        raise DomainError("REFUND_EXCEEDS_PAID", "The refunds of this order would exceed what was paid.")


OrderFact = OrderPaid | OrderRefunded | OrderRefundAwaited | OrderRefundParked | OrderPersonalDataErased


def evolve(state: Order | None, fact: OrderFact) -> Order:
    """Folds one fact of an order."""
    state = state or Order()
    match fact:
        case OrderPaid():
            return state.model_copy(update={"order": fact.order, "fingerprint": fact.fingerprint})
        case OrderRefunded():
            recorded = RefundRecorded(
                fingerprint=fact.fingerprint, amount=fact.refund.refund_snapshot.buyer_total
            )
            return state.model_copy(
                update={
                    "refunds": {**state.refunds, fact.refund.refund_id: recorded},
                    "waiting": _without(state.waiting, fact.refund.refund_id),
                    "parked": _without(state.parked, fact.refund.refund_id),
                }
            )
        case OrderRefundAwaited():
            return state.model_copy(update={"waiting": {**state.waiting, fact.refund.refund_id: fact}})
        case OrderRefundParked():
            return state.model_copy(
                update={
                    "waiting": _without(state.waiting, fact.refund_id),
                    "parked": {**state.parked, fact.refund_id: fact.code},
                }
            )
        case OrderPersonalDataErased():
            return state.model_copy(update={"order": state.order and _erased(state.order, fact)})
        case _:
            assert_never(fact)


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


def _without(refunds: dict[str, ValueT], refund_id: str) -> dict[str, ValueT]:
    return {key: value for key, value in refunds.items() if key != refund_id}


def _unsealed(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 held the parties' data in the clear, under the same names."""
    return content


ORDER: StreamType[Order] = StreamType(
    "order",
    (
        EventType("order.paid-in-escrow", OrderPaid, 2, {1: _unsealed}),
        EventType("order.refund-executed", OrderRefunded),
        EventType("order.refund-awaited", OrderRefundAwaited),
        EventType("order.refund-parked", OrderRefundParked),
        EventType("order.personal-data-erased", OrderPersonalDataErased),
    ),
    evolve,
)
