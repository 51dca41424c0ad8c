"""The payer's work list: a payment is on it until the gateway has ended it."""

from datetime import timedelta

from domain.kernel.facts import Fact
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.ap_payment_facts import ApPaymentGatewayFailed
from projections.ap_payments_due import AP_PAYMENTS_DUE
from tests.support.folding import History, folded
from tests.support.payable_facts import HELD, NOON, PAYMENT_ID, SUCCEEDED, deferred, initiated


async def _due_at(*facts: Fact) -> object:
    history = History()
    for fact in facts:
        await history.append(AP_PAYMENT.stream(PAYMENT_ID), fact)
    row = folded(AP_PAYMENTS_DUE, history.events)["ap_payment_due_v1"].get((PAYMENT_ID,))
    return None if row is None else row["due_at"]


async def test_a_payment_is_due_at_once_and_again_when_it_is_time() -> None:
    assert await _due_at(initiated()) is not None
    later = NOON + timedelta(minutes=4)
    assert await _due_at(initiated(), deferred(retry_at=later)) == later
    # Who recorded that it is held may die with that.
    assert await _due_at(initiated(), deferred(retry_at=later), HELD) not in {None, later}, (
        "who held it may die"
    )


async def test_what_ended_is_not_listed() -> None:
    assert await _due_at(initiated(), HELD, SUCCEEDED) is None
    assert await _due_at(initiated(), deferred(), ApPaymentGatewayFailed(code="declined")) is None
