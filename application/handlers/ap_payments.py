"""Paying vendors, and recording what the gateway says of it (BILL-DEC-013; contract §5)."""

from collections.abc import Callable

from application.ap_payment_detail import ap_payment_detail
from application.ledger import Answer, Handler, Transaction
from domain.gateway_deferrals import DeferralReason
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId
from domain.payables.ap_payment import (
    AP_PAYMENT,
    ApPayment,
    await_posting,
    defer,
    fail,
    hold,
    require_same,
    require_sound,
    succeed,
)
from domain.payables.ap_payment_facts import (
    ApPaymentInitiated,
    VendorPayment,
)
from domain.payables.bill import BILL, Bill, apply, release, reserve


def streams_of_payment(billing_payment_id: str, asked: VendorPayment) -> frozenset[StreamId]:
    """What initiating a payment reads, as far as known beforehand."""
    bills = (BILL.stream(allocation.bill_id) for allocation in asked.allocations)
    claim = claim_stream("PAYMENT_REF", asked.payment_ref)
    return frozenset((AP_PAYMENT.stream(billing_payment_id), claim, *bills))


def execute_ap_payment(
    fresh_id: str, asked: VendorPayment, gateway: str, permissions: frozenset[str]
) -> Handler:
    """Initiates a payment through that gateway: 201; 200 with the one that the `paymentRef` names already.

    Its allocations are reserved with it. Raises `PAYMENT_REF_CONFLICT`, `GROSS_AMOUNT_NOT_POSITIVE`,
    `ALLOCATIONS_EXCEED_GROSS`, `BILL_NOT_PAYABLE`, `CURRENCY_MISMATCH`, `ALLOCATION_EXCEEDS_OPEN_AMOUNT`.
    """

    def handle(transaction: Transaction) -> Answer:
        claim = claim_stream("PAYMENT_REF", asked.payment_ref)
        taken = transaction.state(CLAIM, claim.id)
        if taken is not None:
            known = _state(transaction, taken.holder)
            require_same(known, asked)
            return Answer(200, ap_payment_detail(taken.holder, known, permissions))
        require_sound(asked)
        _reserve(transaction, fresh_id, asked)
        held = ClaimTaken(purpose="PAYMENT_REF", key=asked.payment_ref, holder=fresh_id, fingerprint="")
        transaction.append(claim, (held,))
        initiated = ApPaymentInitiated(payment=asked, gateway=gateway, initiated_at=transaction.stamp.at)
        transaction.append(AP_PAYMENT.stream(fresh_id), (initiated,))
        return Answer(201, ap_payment_detail(fresh_id, _state(transaction, fresh_id), permissions))

    return handle


def hold_ap_payment(billing_payment_id: str, reference: str) -> Handler:
    """Records by which reference the gateway knows a payment; answers which one is on record.

    None where the payment is settled by now, and nothing more is to be asked of the gateway.
    """

    def handle(transaction: Transaction) -> Answer:
        stream = AP_PAYMENT.stream(billing_payment_id)
        transaction.append(stream, hold(_state(transaction, billing_payment_id), reference))
        payment = _state(transaction, billing_payment_id)
        return Answer(200, payment.reference if payment.is_at_gateway else None)

    return handle


def settle_ap_payment(billing_payment_id: str) -> Handler:
    """Records that the money has moved, pays its bills, tells accounting; answers the status."""

    def handle(transaction: Transaction) -> Answer:
        stream = AP_PAYMENT.stream(billing_payment_id)
        facts = succeed(_state(transaction, billing_payment_id))
        if facts:
            transaction.append(stream, facts)
            transaction.announce(stream, "billing.ApPaymentSucceeded")
            transaction.append(stream, await_posting(_state(transaction, billing_payment_id)))
            _end_reservations(transaction, billing_payment_id, apply)
        return Answer(200, _state(transaction, billing_payment_id).status)

    return handle


def fail_ap_payment(billing_payment_id: str, code: str | None, reference: str | None = None) -> Handler:
    """Records that no money moves; what it had reserved of its bills is free again."""

    def handle(transaction: Transaction) -> Answer:
        facts = fail(_state(transaction, billing_payment_id), code, reference)
        if facts:
            transaction.append(AP_PAYMENT.stream(billing_payment_id), facts)
            _end_reservations(transaction, billing_payment_id, release)
        return Answer(200, None)

    return handle


def defer_ap_payment(billing_payment_id: str, reason: DeferralReason) -> Handler:
    """Records that the gateway has to be asked again, and when; answers what was recorded, if anything."""

    def handle(transaction: Transaction) -> Answer:
        payment = _state(transaction, billing_payment_id)
        facts = defer(payment, reason, transaction.stamp.at)
        transaction.append(AP_PAYMENT.stream(billing_payment_id), facts)
        return Answer(200, facts[0] if facts else None)

    return handle


def _reserve(transaction: Transaction, billing_payment_id: str, asked: VendorPayment) -> None:
    """Reserves every allocation. The refusal of one names it among the fields."""
    for index, allocation in enumerate(asked.allocations):
        try:
            facts = reserve(
                transaction.state(BILL, allocation.bill_id),
                billing_payment_id,
                vendor_id=asked.vendor_id,
                currency_uom_id=asked.currency_uom_id,
                amount=allocation.applied_amount,
            )
        except DomainError as refused:
            named = FieldError(f"allocations.{index}", refused.reason_code or refused.code, refused.message)
            refused.field_errors = (named,)
            raise
        transaction.append(BILL.stream(allocation.bill_id), facts)


def _end_reservations(
    transaction: Transaction, billing_payment_id: str, decide: Callable[[Bill, str], tuple[Fact, ...]]
) -> None:
    asked = _state(transaction, billing_payment_id).asked
    transaction.expect(BILL.stream(allocation.bill_id) for allocation in asked.allocations)
    for allocation in asked.allocations:
        bill = transaction.state(BILL, allocation.bill_id)
        assert bill is not None, "a part of it is reserved"
        transaction.append(BILL.stream(allocation.bill_id), decide(bill, billing_payment_id))


def _state(transaction: Transaction, billing_payment_id: str) -> ApPayment:
    payment = transaction.state(AP_PAYMENT, billing_payment_id)
    assert payment is not None, "it was initiated"
    return payment
