"""An order as upstream told it: paid once, completed, paid out, refunded; never recalculated (S3 §5.1).

Commands: pay, complete, pay out, refund, end a dispute. What arrives before its order waits, takes effect
with it, or is parked.
"""

from collections.abc import Callable
from typing import Any, assert_never

from domain.documents.order_events import CompletionData, DisputeData, PayoutData, RefundData
from domain.documents.order_facts import (
    Cause,
    OrderCompleted,
    OrderCompletionAwaited,
    OrderCompletionParked,
    OrderDisputeAwaited,
    OrderDisputeCompleted,
    OrderDisputeParked,
    OrderPaid,
    OrderPayoutAwaited,
    OrderPayoutSent,
    OrderRefundAwaited,
    OrderRefunded,
    OrderRefundParked,
)
from domain.documents.order_snapshot import (
    OrderData,
    OrderFinancialSnapshot,
    check_equations,
)
from domain.documents.order_state import Awaited, Order, OrderFact, awaited_money, evolve, same_money
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Fact, Value


def order_content(order: OrderData) -> dict[str, Any]:
    """What an order's documents are made of and may never differ: country, financial and party snapshots."""
    return order.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        include={"order_id", "country_code", "order_financial_snapshot", "order_party_snapshot"},
    )


def told_content(told: RefundData | PayoutData | DisputeData) -> dict[str, Any]:
    """What may never differ of a refund, a payout or a dispute's end: all of it."""
    return told.model_dump(mode="json", by_alias=True, exclude_none=True)


def pay(state: Order | None, order: OrderData, fingerprint: str) -> tuple[Fact, ...]:
    """Records a paid order, then what waited for it, in the order in which it came.

    `fingerprint` is that of `order_content(order)`. The same order again is (). Raises
    `SNAPSHOT_INCONSISTENT`, or `SNAPSHOT_CONFLICT` where the order is known with another snapshot.
    """
    if state is not None and state.order is not None:
        if state.fingerprint != fingerprint:
            raise DomainError("SNAPSHOT_CONFLICT", "This order was recorded with another snapshot.")
        return ()
    check_equations(order.order_financial_snapshot)
    paid = OrderPaid(order=order, fingerprint=fingerprint)
    facts: list[OrderFact] = [paid]
    after = evolve(state, paid)
    for awaited in after.waiting.values():
        outcome = _outcome(after, order, awaited)
        facts.append(outcome)
        after = evolve(after, outcome)
    return tuple(facts)


def complete(
    state: Order | None, completion: CompletionData, fingerprint: str | None
) -> tuple[OrderCompleted | OrderCompletionAwaited, ...]:
    """Records that the order was completed, or that this waits for the order; an order completes once.

    `fingerprint` is that of the order's data where the event repeats them. Raises `SNAPSHOT_CONFLICT` where
    they differ.
    """
    state = state or Order()
    _check_completion(state, fingerprint)
    if state.completion is not None or Cause(type="COMPLETION").key in state.waiting:
        return ()
    if state.order is None:
        return (OrderCompletionAwaited(completion=completion, fingerprint=fingerprint),)
    return (OrderCompleted(completion=completion),)


def pay_out(
    state: Order | None, payout: PayoutData, fingerprint: str
) -> tuple[OrderPayoutSent | OrderPayoutAwaited, ...]:
    """Records a payout, or that it waits for its order; the same payout again is ().

    `fingerprint` is that of `told_content(payout)`. Raises `SNAPSHOT_CONFLICT`.
    """
    state = state or Order()
    known = state.payouts.get(payout.payout_id) or state.waiting.get(f"PAYOUT/{payout.payout_id}")
    if _is_known(known, fingerprint):
        return ()
    if state.order is None:
        return (OrderPayoutAwaited(payout=payout, fingerprint=fingerprint),)
    return (OrderPayoutSent(payout=payout, fingerprint=fingerprint),)


def refund(
    state: Order | None, data: RefundData, fingerprint: str
) -> tuple[OrderRefunded | OrderRefundAwaited, ...]:
    """Records a refund, or that it waits for its order; the same refund again is ().

    `fingerprint` is that of `told_content(data)`. Raises `SNAPSHOT_INCONSISTENT`, `SNAPSHOT_CONFLICT`,
    `CURRENCY_MISMATCH` or `REFUND_EXCEEDS_PAID`.
    """
    state = state or Order()
    if _is_known(_known_refund(state, data.refund_id), fingerprint):
        return ()
    check_equations(data.refund_snapshot, "refundSnapshot")
    if state.order is None:
        return (OrderRefundAwaited(refund=data, fingerprint=fingerprint),)
    _check_refund(state, state.order, data.refund_snapshot)
    return (OrderRefunded(refund=data, fingerprint=fingerprint),)


def end_dispute(
    state: Order | None, data: DisputeData, fingerprint: str
) -> tuple[OrderDisputeCompleted | OrderDisputeAwaited, ...]:
    """Records how a dispute ended, or that this waits for the order; the same end again is ().

    `fingerprint` is that of `told_content(data)`. Raises what `refund` does.
    """
    state = state or Order()
    if (known := state.disputes.get(data.dispute_id)) is not None:
        _require_same(known, fingerprint)
        return ()
    if _is_known(state.waiting.get(f"DISPUTE/{data.dispute_id}"), fingerprint):
        return ()
    _require_same_money(state, data)
    if data.refund_snapshot is not None:
        check_equations(data.refund_snapshot, "refundSnapshot")
    if state.order is None:
        return (OrderDisputeAwaited(dispute=data, fingerprint=fingerprint),)
    _check_dispute(state, state.order, data)
    return (OrderDisputeCompleted(dispute=data, fingerprint=fingerprint),)


def _outcome(state: Order, order: OrderData, awaited: Awaited) -> OrderFact:
    """What becomes of something that waited, now that its order is there."""
    match awaited:
        case OrderRefundAwaited(refund=data):
            return _unless_refused(
                lambda: _check_refund(state, order, data.refund_snapshot),
                OrderRefunded(refund=data, fingerprint=awaited.fingerprint),
                lambda code: OrderRefundParked(refund_id=data.refund_id, code=code),
            )
        case OrderDisputeAwaited(dispute=dispute):
            return _unless_refused(
                lambda: _check_dispute(state, order, dispute),
                OrderDisputeCompleted(dispute=dispute, fingerprint=awaited.fingerprint),
                lambda code: OrderDisputeParked(dispute_id=dispute.dispute_id, code=code),
            )
        case OrderCompletionAwaited(completion=completion):
            return _unless_refused(
                lambda: _check_completion(state, awaited.fingerprint),
                OrderCompleted(completion=completion),
                lambda code: OrderCompletionParked(code=code),
            )
        case OrderPayoutAwaited(payout=payout):
            return OrderPayoutSent(payout=payout, fingerprint=awaited.fingerprint)
        case _:
            assert_never(awaited)


def _unless_refused(
    check: Callable[[], None], accepted: OrderFact, parked: Callable[[str], OrderFact]
) -> OrderFact:
    try:
        check()
    except DomainError as refused:
        return parked(refused.code)
    return accepted


def _known_refund(state: Order, refund_id: str) -> Value | None:
    """What told of money under that id. A dispute that moved none leaves the id to the refund."""
    waits = (state.waiting.get(f"{kind}/{refund_id}") for kind in ("REFUND", "DISPUTE"))
    moving = (awaited for awaited in waits if awaited_money(awaited) is not None)
    return state.refunds.get(refund_id) or next(moving, None)


def _require_same_money(state: Order, data: DisputeData) -> None:
    """A dispute may bear the id of a refund, if that is its own. Raises `SNAPSHOT_CONFLICT`."""
    refunded = state.refunds.get(data.dispute_id)
    known = refunded.snapshot if refunded else awaited_money(state.waiting.get(f"REFUND/{data.dispute_id}"))
    if None not in (known, data.refund_snapshot) and known != data.refund_snapshot:
        raise DomainError("SNAPSHOT_CONFLICT", "What this id stands for was recorded with other data.")


def _is_known(known: Any, fingerprint: str) -> bool:
    """Whether this was told before. Raises `SNAPSHOT_CONFLICT` where it was told otherwise."""
    if known is None:
        return False
    _require_same(known.fingerprint, fingerprint)
    return True


def _require_same(known: str, fingerprint: str) -> None:
    if known != fingerprint:
        raise DomainError("SNAPSHOT_CONFLICT", "What this id stands for was recorded with other data.")


def _check_completion(state: Order, fingerprint: str | None) -> None:
    if None not in (fingerprint, state.fingerprint) and fingerprint != state.fingerprint:
        raise DomainError("SNAPSHOT_CONFLICT", "This order was recorded with another snapshot.")


def _check_dispute(state: Order, order: OrderData, data: DisputeData) -> None:
    if data.refund_snapshot is not None and same_money(state, data.refund_snapshot) is None:
        _check_refund(state, order, data.refund_snapshot)


def _check_refund(state: Order, order: OrderData, snapshot: OrderFinancialSnapshot) -> None:
    paid = order.order_financial_snapshot
    if snapshot.currency_uom_id != paid.currency_uom_id:
        raise DomainError(
            "CURRENCY_MISMATCH",
            "A refund is in its order's currency.",
            field_errors=(
                FieldError("refundSnapshot.currencyUomId", "CURRENCY_MISMATCH", "Not the order's currency."),
            ),
        )
    if state.refunded + snapshot.buyer_total > paid.buyer_total:
        raise DomainError("REFUND_EXCEEDS_PAID", "The refunds of this order would exceed what was paid.")
