"""Payments to vendors are made once, whatever becomes of requests, answers and processes on the way."""

import asyncio
import itertools
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import structlog

from application.gateway import GatewayFailed, GatewayRefused
from application.outbound import OUTBOUND_FACTS
from tests.support.decisions import decision, rule
from tests.support.paused import Paused
from tests.support.payable_facts import BILL_ID, OTHER_PAYMENT_ID, PAYMENT_ID, asked
from tests.support.payables_office import AWAY, LOST, Killed, PayablesOffice


@pytest.fixture
async def office() -> PayablesOffice:
    office = PayablesOffice()
    await office.approve()
    return office


@decision("BILL-DEC-013", "A payment that succeeds pays its bills and is told to accounting once")
async def test_a_payment_is_made_once_and_told_to_accounting(office: PayablesOffice) -> None:
    await office.pay()
    for _ in range(3):
        await office.work()
    assert office.bank.steps == ["look-up", "authorize", "capture"]
    (known,) = office.bank.payments.values()
    instruction = known.instruction
    assert (instruction.amount, instruction.currency_uom_id) == (10_000, "EUR")
    assert (instruction.method, instruction.key) == ("vendor:vendor-9", f"{PAYMENT_ID}:authorize")
    assert office.bank.moved == {"memory-1": 10_000}
    assert office.told() == ["initiated", "gateway-awaited", "gateway-succeeded", "gl-post-awaited"]
    assert (office.payment().status, office.payment().reference) == ("GL_POST_PENDING", "memory-1")
    assert office.bill().payments == {PAYMENT_ID: 10_000} and office.bill().reserved == {}
    assert office.announced() == ["billing.ApPaymentSucceeded"]
    assert office.due() == []


@rule("AUDIT-1")
async def test_what_follows_a_success_is_one_transaction(office: PayablesOffice) -> None:
    await office.pay()
    await office.work()
    last = office.ledger.events[-1].transaction_id
    together = [event.name for event in office.ledger.events if event.transaction_id == last]
    assert together == ["ap-payment.gateway-succeeded", "ap-payment.gl-post-awaited", "bill.payment-applied"]
    announced = office.ledger.announcements[0].position
    assert office.ledger.events[announced - 1].name == "ap-payment.gateway-succeeded"


async def test_accounting_is_told_what_was_paid_to_whom_for_what(office: PayablesOffice) -> None:
    await office.pay(asked(12_000, bill=9_000))
    await office.work()
    assert OUTBOUND_FACTS["billing.ApPaymentSucceeded"](PAYMENT_ID, office.payment()) == {
        "billingPaymentId": PAYMENT_ID,
        "paymentRef": "run-7/9",
        "vendorId": "vendor-9",
        "grossAmount": 12_000,
        "currencyUomId": "EUR",
        "allocations": [{"billId": BILL_ID, "appliedAmount": 9_000}],
        "onAccountAmount": 3_000,
        "gateway": {"name": "bank", "reference": "memory-1"},
    }


@rule("AUDIT-8")
async def test_the_worker_acts_within_the_trace_of_who_asked(office: PayablesOffice) -> None:
    await office.pay()
    await office.work()
    event = office.ledger.events[-1]
    assert (event.actor, event.role, event.operation) == ("system:worker", "SYSTEM", "ap-payments.settle")
    assert (event.tenant_id, event.correlation_id) == ("north", "trace-1")


@rule("AUDIT-5")
@decision("BILL-DEC-013", "A payment that the gateway declines frees what it had reserved")
@pytest.mark.parametrize(("at", "code"), [("authorize", "account_closed"), ("capture", "DECLINED")])
async def test_a_declined_payment_frees_its_bills(office: PayablesOffice, at: str, code: str) -> None:
    office.bank.code = "account_closed"
    if at == "authorize":
        office.bank.authorizes_as = "DECLINED"
    else:
        office.bank.captures_as = "DECLINED"
    await office.pay()
    assert office.bill().reserved == {PAYMENT_ID: 10_000}
    await office.work()
    detail = office.detail()
    assert (detail["status"], office.bank.moved) == ("GATEWAY_FAILED", {})
    assert detail["gateway"] == {"name": "bank", "reference": "memory-1", "failureCode": code}
    assert (office.bill().reserved, office.bill().payments) == ({}, {})
    assert (office.announced(), office.due()) == ([], [])
    office.bank.authorizes_as, office.bank.captures_as = "AUTHORIZED", "CAPTURED"
    await office.pay(asked(bill=10_000, payment_ref="again"), OTHER_PAYMENT_ID)
    await office.work()
    assert office.payment(OTHER_PAYMENT_ID).status == "GL_POST_PENDING"


@pytest.mark.parametrize("step", ["authorize", "capture"])
async def test_what_the_gateway_refuses_for_good_fails(office: PayablesOffice, step: str) -> None:
    office.bank.fails_before[step] = [GatewayRefused("vendor_unknown")]
    await office.pay()
    await office.work()
    assert (office.payment().status, office.payment().failure_code) == ("GATEWAY_FAILED", "vendor_unknown")
    assert (office.bill().reserved, office.bank.moved) == ({}, {})


@pytest.mark.parametrize("step", ["look-up", "payment"])
async def test_a_question_that_is_refused_tells_nothing_of_the_payment(
    office: PayablesOffice, step: str
) -> None:
    await office.pay()
    if step == "payment":
        office.bank.fails_after["capture"] = [LOST]
        await office.work()
        office.clock.move(1)
    office.bank.fails_before[step] = [GatewayRefused("unknown")]
    await office.work()
    deferred = office.payment().deferred
    assert deferred is not None and deferred.reason == "UNCONFIRMED"
    assert office.bill().reserved == {PAYMENT_ID: 10_000}
    office.clock.move(60)
    await office.work()
    assert (office.payment().status, office.bank.moved) == ("GL_POST_PENDING", {"memory-1": 10_000})


async def test_a_capture_that_is_refused_after_it_took_effect_is_a_success(office: PayablesOffice) -> None:
    office.bank.fails_after["capture"] = [GatewayRefused("already_released")]
    await office.pay()
    await office.work()
    assert (office.payment().status, office.bank.moved) == ("GL_POST_PENDING", {"memory-1": 10_000})


@rule("IDEM-19")
@decision("BILL-DEC-013", "What nobody knows to have reached the gateway is looked up before anything else")
@pytest.mark.parametrize(
    ("step", "took_effect"),
    [("look-up", False), ("payment", False), *itertools.product(("authorize", "capture"), (True, False))],
)
@pytest.mark.parametrize("failure", [LOST, Killed()])
async def test_nothing_is_lost_and_nothing_moves_twice(
    office: PayablesOffice, step: str, took_effect: bool, failure: BaseException
) -> None:
    faults = office.bank.fails_after if took_effect else office.bank.fails_before
    faults[step] = [failure, failure]
    await office.pay()
    for _ in range(4):
        try:
            await office.work()
        except Killed:
            continue
        office.clock.move(5)
    assert office.payment().status == "GL_POST_PENDING"
    assert (office.bank.moved, len(office.bank.payments)) == ({"memory-1": 10_000}, 1)
    assert office.bill().payments == {PAYMENT_ID: 10_000}
    assert office.announced() == ["billing.ApPaymentSucceeded"]
    asked_for = office.bank.steps
    for again in (place for place, name in enumerate(asked_for) if name in {"authorize", "capture"}):
        assert asked_for[again - 1] in {"look-up", "payment", "authorize"}, "it is looked up first"


async def test_a_process_that_dies_before_it_could_record_is_gone_on_for(office: PayablesOffice) -> None:
    """Between every two steps: the ledger's next commit never happens."""
    commit = office.ledger.commit
    for dies_at in range(2):
        left = dies_at

        async def dying(command: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return await commit(command)

        payment_id = (PAYMENT_ID, OTHER_PAYMENT_ID)[dies_at]
        await office.pay(asked(1_000, f"r-{dies_at}", bill=1_000), payment_id)
        office.ledger.commit = dying  # type: ignore[method-assign]
        with pytest.raises(Killed):
            await office.work()
        office.ledger.commit = commit  # type: ignore[method-assign]
        await office.work()
        assert office.payment(payment_id).status == "GL_POST_PENDING"
    assert office.bank.moved == {"memory-1": 1_000, "memory-2": 1_000}


@rule("AUDIT-4")
async def test_nothing_moves_before_the_reference_is_on_record(office: PayablesOffice) -> None:
    capture = office.bank.capture
    recorded: list[list[str]] = []

    async def watched(reference: str, key: str) -> Any:
        recorded.append(office.told())
        return await capture(reference, key)

    office.bank.capture = watched  # type: ignore[method-assign]
    await office.pay()
    await office.work()
    assert recorded == [["initiated", "gateway-awaited"]]


async def test_a_bank_that_is_away_is_asked_again_until_it_is_back(office: PayablesOffice) -> None:
    office.bank.fails_before["look-up"] = [AWAY] * 6
    await office.pay()
    await office.work()
    await office.work()
    assert office.bank.steps == ["look-up"], "not before its time"
    for seconds in (1, 4):
        office.clock.move(seconds)
        await office.work()
    assert office.tasks() == []
    office.clock.move(16)
    await office.work()
    (task,) = office.tasks()
    assert (task["type"], task["target_id"], task["cause"]) == (
        "AP_PAYMENT_DELAYED",
        PAYMENT_ID,
        "gateway_unavailable",
    )
    assert (task["attempts"], task["next_retry_at"] - office.clock.now()) == (4, timedelta(minutes=1))
    for seconds in (60, 60, 60):
        assert office.payment().status == "INITIATED"
        office.clock.move(seconds)
        await office.work()
    assert (office.payment().status, office.tasks()) == ("GL_POST_PENDING", [])


async def test_a_pending_payment_is_asked_about_again_and_at_once_on_notice(office: PayablesOffice) -> None:
    office.bank.captures_as = "PENDING"
    await office.pay()
    for seconds in (1, 4, 16):
        await office.work()
        office.clock.move(seconds)
    assert (office.payment().status, office.tasks()) == ("GATEWAY_PENDING", [])
    await office.work()
    assert office.due() == []
    office.bank.decide("memory-1", "CAPTURED")
    await office.payer.settle(PAYMENT_ID)
    assert office.payment().status == "GL_POST_PENDING"
    assert office.bank.steps.count("capture") == 1


async def test_a_pending_authorisation_is_captured_when_it_comes(office: PayablesOffice) -> None:
    office.bank.authorizes_as = "PENDING"
    await office.pay()
    await office.work()
    assert (office.payment().status, office.payment().reference) == ("GATEWAY_PENDING", "memory-1")
    office.bank.decide("memory-1", "AUTHORIZED")
    office.clock.move(1)
    await office.work()
    assert (office.payment().status, office.bank.moved) == ("GL_POST_PENDING", {"memory-1": 10_000})


async def test_who_settles_what_is_settled_or_unknown_does_nothing(office: PayablesOffice) -> None:
    await office.payer.settle(PAYMENT_ID)
    await office.pay()
    await office.work()
    before = (len(office.ledger.events), len(office.bank.steps))
    await office.payer.settle(PAYMENT_ID)
    assert (len(office.ledger.events), len(office.bank.steps)) == before


async def test_two_that_go_on_at_once_do_nothing_twice(office: PayablesOffice) -> None:
    """The second takes the payment up between every two steps of the first."""
    for step in ("look_up", "authorize", "capture"):
        office = PayablesOffice()
        await office.approve()
        await office.pay()
        original = getattr(office.bank, step)

        async def interrupted(*arguments: Any, bank: Any, step: str, act: Any, payer: Any) -> Any:
            setattr(bank, step, act)
            answer = await act(*arguments)
            await payer.settle(PAYMENT_ID)
            return answer

        between = partial(interrupted, bank=office.bank, step=step, act=original, payer=office.payer)
        setattr(office.bank, step, between)
        await office.work()
        assert office.told() == ["initiated", "gateway-awaited", "gateway-succeeded", "gl-post-awaited"]
        assert office.bank.moved == {"memory-1": 10_000}
        assert office.announced() == ["billing.ApPaymentSucceeded"]


async def test_a_payment_at_a_gateway_that_is_gone_waits_for_it(office: PayablesOffice) -> None:
    await office.pay()
    office.bank.is_renamed("another")
    await office.work()
    deferred = office.payment().deferred
    assert deferred is not None and deferred.reason == "UNAVAILABLE"
    assert office.bank.steps == []


@rule("PII-6")
async def test_logs_name_the_payment_and_nobody(office: PayablesOffice) -> None:
    office.bank.fails_before["authorize"] = [AWAY]
    with structlog.testing.capture_logs() as logs:
        await office.pay()
        await office.work()
        office.clock.move(1)
        await office.work()
    assert [line["event"] for line in logs] == ["ap-payment-deferred", "ap-payment-succeeded"]
    assert {(line["billingPaymentId"], line["paymentRef"]) for line in logs} == {(PAYMENT_ID, "run-7/9")}
    assert "vendor-9" not in str(logs)


@rule("PII-18")
@rule("PII-6")
async def test_a_reference_that_may_be_a_person_is_in_no_log(office: PayablesOffice) -> None:
    office.bank.authorizes_as = "DECLINED"
    with structlog.testing.capture_logs() as logs:
        await office.pay(asked(payment_ref="Wren Finch 7", bill=10_000))
        await office.work()
    (line,) = logs
    assert line["event"] == "ap-payment-failed" and "Finch" not in str(line)


@decision("BILL-DEC-013", "What accounting answers too early is kept; for a payment that fails it is a task")
async def test_an_answer_that_comes_too_early_is_kept_or_parked(office: PayablesOffice) -> None:
    await office.pay()
    assert (await office.answer()).outcome == "WAITING"
    assert (await office.answer()).outcome == "DUPLICATE"
    await office.work()
    assert (office.payment().status, office.payment().journal_entry_id) == ("GL_POSTED", "je-17")

    await office.approve("0195a1b0-0000-7000-8000-0000000000b2")
    office.bank.authorizes_as = "DECLINED"
    await office.pay(asked(10_000, "r-2", other=10_000), OTHER_PAYMENT_ID)
    assert (await office.answer(payment_id=OTHER_PAYMENT_ID)).outcome == "WAITING"
    await office.work()
    (task,) = office.tasks()
    assert (task["type"], task["target_id"]) == ("GL_ANSWER_PARKED", OTHER_PAYMENT_ID)
    refused = await office.answer(payment_id=OTHER_PAYMENT_ID)
    assert refused.error is not None and refused.error.code == "PAYMENT_NOT_POSTABLE"


@rule("IDEM-19")
async def test_what_the_bank_refuses_to_release_is_let_go_before_its_bills_are_free(
    office: PayablesOffice,
) -> None:
    await office.pay()
    stopped = Paused(office.bank, "capture")
    worker = asyncio.create_task(office.payer.settle(PAYMENT_ID))
    await stopped.reached.wait()
    office.bank.fails_before["capture"] = [GatewayRefused("balance_too_low")]
    await office.payer.settle(PAYMENT_ID)
    assert (office.payment().status, office.payment().failure_code) == ("GATEWAY_FAILED", "balance_too_low")
    await office.pay(asked(10_000, "again", bill=10_000), OTHER_PAYMENT_ID)
    await office.payer.settle(OTHER_PAYMENT_ID)
    stopped.goes_on.set()
    await worker
    assert sum(office.bank.moved.values()) == 10_000
    assert office.bill().payments == {OTHER_PAYMENT_ID: 10_000}


@rule("IDEM-19")
async def test_who_goes_on_after_a_payment_has_failed_asks_the_bank_for_nothing(
    office: PayablesOffice,
) -> None:
    await office.pay()
    stopped = Paused(office.bank, "authorize", answered=True)
    worker = asyncio.create_task(office.payer.settle(PAYMENT_ID))
    await stopped.reached.wait()
    office.bank.fails_before["capture"] = [GatewayRefused("balance_too_low")]
    await office.payer.settle(PAYMENT_ID)
    asked_before = list(office.bank.steps)
    stopped.goes_on.set()
    await worker
    assert (office.bank.moved, office.bank.steps) == ({}, asked_before)
    assert office.payment().status == "GATEWAY_FAILED"


@pytest.mark.parametrize("failure", [LOST, AWAY, GatewayRefused("unknown")])
async def test_a_payment_whose_transfer_may_still_be_released_has_not_failed(
    office: PayablesOffice, failure: GatewayFailed
) -> None:
    await office.pay()
    office.bank.fails_before["capture"] = [GatewayRefused("balance_too_low")]
    office.bank.fails_before["void"] = [failure]
    await office.work()
    assert (office.payment().status, office.bill().reserved) == ("GATEWAY_PENDING", {PAYMENT_ID: 10_000})
    office.clock.move(1)
    await office.work()
    assert (office.payment().status, sum(office.bank.moved.values())) == ("GL_POST_PENDING", 10_000)


async def test_a_release_that_was_only_late_is_a_success(office: PayablesOffice) -> None:
    await office.pay()
    office.bank.fails_before["capture"] = [GatewayRefused("balance_too_low")]
    letting_go = Paused(office.bank, "void")
    worker = asyncio.create_task(office.work())
    await letting_go.reached.wait()
    await office.bank.capture("memory-1", "late")
    letting_go.goes_on.set()
    await worker
    assert (office.payment().status, office.bill().payments) == ("GL_POST_PENDING", {PAYMENT_ID: 10_000})


async def test_money_that_moves_of_a_payment_that_failed_is_cried_out(office: PayablesOffice) -> None:
    await office.pay()
    office.bank.fails_before["capture"] = [LOST]
    await office.work()
    telling = Paused(office.bank, "payment", answered=True)
    office.bank.captures_as = "DECLINED"
    office.bank.payments["memory-1"].status = "CAPTURED"
    worker = asyncio.create_task(office.payer.settle(PAYMENT_ID))
    await telling.reached.wait()
    office.bank.payments["memory-1"].status = "DECLINED"
    await office.payer.settle(PAYMENT_ID)
    assert office.payment().status == "GATEWAY_FAILED"
    with structlog.testing.capture_logs() as lines:
        telling.goes_on.set()
        await worker
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("ap-payment-moved-though-failed", "error")
    ]
