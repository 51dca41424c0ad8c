"""An invoice's life: every command in every status, what money makes of it, and that corrections add up."""

from typing import get_args

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.invoicing.invoice import (
    INVOICE,
    STATE_TABLE,
    Invoice,
    InvoiceCommand,
    InvoiceStatus,
    apply_payment,
    credited_totals,
    draft,
    issue,
    rebill,
    refuse_drafting_again,
    release_payment,
    require,
    reserve_payment,
    reverse_payment,
    take_answer,
    void,
    was_issued_as,
)
from domain.invoicing.invoice_facts import InvoicePosted, InvoicePostFailed, InvoiceRebilled
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.posting import PostingError
from tests.support.decisions import decision
from tests.support.given import given, state_after
from tests.support.invoicing_facts import (
    PRICE_OF_ALL,
    invoice_credited,
    invoice_drafted,
    invoice_issued,
    invoice_voided,
    paid_in_part,
    released,
    reserved,
    taken_back,
)

ISSUED = (invoice_drafted(), invoice_issued())
HISTORIES: dict[InvoiceStatus, tuple[Fact, ...]] = {
    "DRAFT": (invoice_drafted(),),
    "ISSUED": ISSUED,
    "PAID": (*ISSUED, paid_in_part(PRICE_OF_ALL)),
    "VOID": (*ISSUED, invoice_voided()),
}
REFUSALS = {
    "issue": "INVOICE_NOT_DRAFT",
    "reserve-payment": "INVOICE_NOT_PAYABLE",
    "reverse-payment": "INVOICE_NOT_PAYABLE",
    "credit": "INVOICE_NOT_CREDITABLE",
    "void": "INVOICE_NOT_VOIDABLE",
    "rebill": "INVOICE_NOT_CREDITABLE",
}
ALLOWED = {
    ("DRAFT", "issue"),
    ("DRAFT", "void"),
    ("ISSUED", "reserve-payment"),
    ("ISSUED", "reverse-payment"),
    ("ISSUED", "credit"),
    ("ISSUED", "void"),
    ("ISSUED", "rebill"),
    ("PAID", "reverse-payment"),
    ("PAID", "credit"),
    ("PAID", "rebill"),
    ("VOID", "rebill"),
}


def invoice_after(*facts: Fact) -> Invoice:
    state: Invoice = state_after(*facts)
    return state


@pytest.mark.parametrize("status", get_args(InvoiceStatus))
def test_each_status_is_what_its_history_folds_to(status: InvoiceStatus) -> None:
    assert invoice_after(*HISTORIES[status]).status == status


@pytest.mark.parametrize("command", get_args(InvoiceCommand))
@pytest.mark.parametrize("status", get_args(InvoiceStatus))
@decision("BILL-DEC-001", "Which command each status lets through is one table")
def test_a_status_lets_through_what_the_table_says_and_refuses_the_rest(
    status: InvoiceStatus, command: InvoiceCommand
) -> None:
    invoice = invoice_after(*HISTORIES[status])
    if (status, command) in ALLOWED:
        require(invoice, command)
        return
    with pytest.raises(DomainError) as refusal:
        require(invoice, command)
    assert refusal.value.code == REFUSALS[command]


def test_the_table_knows_every_command_and_nothing_more() -> None:
    assert set(STATE_TABLE) == set(get_args(InvoiceCommand))
    assert {(status, command) for command, statuses in STATE_TABLE.items() for status in statuses} == ALLOWED


def test_a_draft_is_made_once() -> None:
    given().when(draft, invoice_drafted()).then(invoice_drafted())
    given(invoice_drafted()).when(draft, invoice_drafted(region_code="ES-CN")).then()


@pytest.mark.parametrize("status", ["ISSUED", "PAID", "VOID"])
@decision("BILL-DEC-002", "A paid invoice is not drafted again either")
def test_a_final_invoice_is_not_drafted_again(status: InvoiceStatus) -> None:
    with pytest.raises(DomainError) as refusal:
        refuse_drafting_again(invoice_after(*HISTORIES[status]))
    assert (refusal.value.code, refusal.value.reason_code) == (
        "INVOICE_ALREADY_FINALIZED",
        f"INVOICE_ALREADY_{status}",
    )
    refuse_drafting_again(invoice_after(*HISTORIES["DRAFT"]))


def test_a_draft_is_issued_once_and_the_same_version_again_is_recognised() -> None:
    given(invoice_drafted()).when(issue, invoice_issued()).then(invoice_issued())
    given(*ISSUED).when(issue, invoice_issued()).then_refused("INVOICE_NOT_DRAFT")
    invoice = invoice_after(*ISSUED)
    assert was_issued_as(invoice, 1)
    assert not was_issued_as(invoice, 2)
    assert not was_issued_as(invoice, None)
    assert not was_issued_as(invoice_after(invoice_drafted()), 1)


def test_a_version_that_the_draft_never_had_is_stale() -> None:
    given(invoice_drafted()).when(issue, invoice_issued(invoice_version=2)).then_refused("STALE_ETAG")


@decision("BILL-DEC-001", "Payments make an issued invoice PAID")
def test_payments_stand_until_the_balance_is_nought_then_it_is_paid() -> None:
    given(*ISSUED, reserved(10_000)).when(apply_payment, "pay-1").then(paid_in_part(10_000))
    partly = (*ISSUED, reserved(10_000), paid_in_part(10_000))
    assert (invoice_after(*partly).status, invoice_after(*partly).balance_due) == ("ISSUED", 10_569)
    given(*partly).when(apply_payment, "pay-1").then()
    whole = (*partly, reserved(10_569, "pay-2"), paid_in_part(10_569, "pay-2"))
    assert (invoice_after(*whole).status, invoice_after(*whole).balance_due) == ("PAID", 0)


@decision("BILL-DEC-012", "Partial payments are supported")
def test_a_payment_under_way_takes_its_part_of_the_balance_from_others() -> None:
    given(*ISSUED).when(reserve_payment, "pay-1", 10_000, partial_allowed=True).then(reserved(10_000))
    under_way = (*ISSUED, reserved(10_000))
    given(*under_way).when(reserve_payment, "pay-1", 10_000, partial_allowed=True).then()
    of_the_rest = given(*under_way).when(reserve_payment, "pay-2", 10_570, partial_allowed=True)
    of_the_rest.then_refused("PAYMENT_EXCEEDS_BALANCE")
    assert invoice_after(*under_way).payable == PRICE_OF_ALL - 10_000
    assert invoice_after(*under_way).balance_due == PRICE_OF_ALL, "nothing is paid yet"


def test_a_payment_that_comes_to_nothing_leaves_the_balance_to_others() -> None:
    given(*ISSUED, reserved(10_000)).when(release_payment, "pay-1").then(released())
    given(*ISSUED, reserved(10_000), released()).when(release_payment, "pay-1").then()
    assert invoice_after(*ISSUED, reserved(10_000), released()).payable == PRICE_OF_ALL


@decision("BILL-DEC-012", "An account's policy may disable partial payments")
def test_where_partial_payments_are_disabled_a_payment_is_of_all_that_is_due() -> None:
    of_a_part = given(*ISSUED).when(reserve_payment, "pay-1", PRICE_OF_ALL - 1, partial_allowed=False)
    of_a_part.then_refused("PARTIAL_PAYMENTS_DISABLED")
    of_all = given(*ISSUED).when(reserve_payment, "pay-1", PRICE_OF_ALL, partial_allowed=False)
    of_all.then(reserved(PRICE_OF_ALL))


def test_where_nothing_is_due_nothing_is_paid() -> None:
    given(*ISSUED, invoice_credited()).when(reserve_payment, "pay-1", 1, partial_allowed=True).then_refused(
        "INVOICE_NOT_PAYABLE"
    )


def test_money_that_moved_stands_though_a_credit_came_between() -> None:
    history = (*ISSUED, reserved(PRICE_OF_ALL), invoice_credited())
    given(*history).when(apply_payment, "pay-1").then(paid_in_part(PRICE_OF_ALL))
    paid = invoice_after(*history, paid_in_part(PRICE_OF_ALL))
    assert (paid.status, paid.balance_due, paid.paid) == ("PAID", 0, PRICE_OF_ALL)


def test_a_payment_taken_back_is_due_again_and_can_be_taken_back_no_further() -> None:
    paid = (*ISSUED, paid_in_part(PRICE_OF_ALL))
    given(*paid).when(reverse_payment, "pay-1", 569).then(taken_back(569))
    reopened = invoice_after(*paid, taken_back(569))
    assert (reopened.status, reopened.balance_due) == ("ISSUED", 569)
    given(*paid, taken_back(569)).when(reverse_payment, "pay-1", PRICE_OF_ALL - 568).then_refused(
        "INVOICE_NOT_PAYABLE"
    )
    given(*paid).when(reverse_payment, "pay-2", 1).then_refused("INVOICE_NOT_PAYABLE")


def test_a_payment_that_was_taken_back_whole_does_not_stand_again_by_a_repeat() -> None:
    history = (*ISSUED, paid_in_part(500), taken_back(500))
    given(*history).when(apply_payment, "pay-1").then()
    assert invoice_after(*history).balance_due == PRICE_OF_ALL


@pytest.mark.parametrize("standing", [paid_in_part(1), invoice_credited(), reserved(1)])
def test_with_a_payment_or_a_credit_it_is_not_voided(standing: Fact) -> None:
    given(*ISSUED, standing).when(void, invoice_voided()).then_refused("INVOICE_NOT_VOIDABLE")


def test_it_is_voided_once_and_nothing_of_it_is_due_any_more() -> None:
    given(*ISSUED).when(void, invoice_voided()).then(invoice_voided())
    given(*ISSUED, paid_in_part(5), taken_back(5)).when(void, invoice_voided()).then(invoice_voided())
    given(*ISSUED, invoice_voided()).when(void, invoice_voided()).then()
    assert invoice_after(*ISSUED, invoice_voided()).balance_due == 0


def test_a_credit_of_everything_leaves_nothing_due_and_nothing_to_credit() -> None:
    credited = invoice_after(*ISSUED, invoice_credited())
    assert (credited.status, credited.balance_due, credited.credited) == ("ISSUED", 0, PRICE_OF_ALL)
    with pytest.raises(DomainError) as refusal:
        credited_totals(credited, None)
    assert refusal.value.code == "CREDIT_EXCEEDS_INVOICE"


def test_a_payment_beside_a_credit_settles_the_rest() -> None:
    invoice = invoice_after(*ISSUED)
    totals = credited_totals(invoice, {"2": None})
    partial = invoice_credited().model_copy(update={"totals": totals})
    left = PRICE_OF_ALL - totals.grand_total
    assert invoice_after(*ISSUED, partial).balance_due == left
    assert invoice_after(*ISSUED, partial, paid_in_part(left)).status == "PAID"


@for_any(
    hours=st.lists(st.decimals("0.01", "1.99", places=2), min_size=0, max_size=6),
)
def test_whatever_is_credited_first_the_last_credit_takes_the_exact_rest(hours: list[object]) -> None:
    history: list[Fact] = [*ISSUED]
    for number, quantity in enumerate(hours):
        invoice = invoice_after(*history)
        try:
            totals = credited_totals(invoice, {"1": str(quantity)})
        except DomainError as refusal:
            assert refusal.code == "CREDIT_EXCEEDS_INVOICE"
            continue
        history.append(
            invoice_credited(invoice, credit_id=f"c-{number}").model_copy(update={"totals": totals})
        )
    history.append(invoice_credited(invoice_after(*history), credit_id="last"))
    assert invoice_after(*history).credited == PRICE_OF_ALL


def test_what_each_payment_left_due_stays_known() -> None:
    first, last = paid_in_part(1_000), paid_in_part(PRICE_OF_ALL - 1_000, "pay-2")
    invoice: Invoice = state_after(*ISSUED, first, last)
    assert list(invoice.remaining.values()) == [PRICE_OF_ALL - 1_000, 0]


@decision("BILL-DEC-014", "Accounting's answers come repeated and in any order: a booking wins")
def test_accountings_answers_may_repeat_and_come_in_any_order() -> None:
    closed, other = (
        InvoicePostFailed(posting_error=PostingError(code=code)) for code in ("PERIOD_CLOSED", "NO_ACCOUNT")
    )
    booked = InvoicePosted(journal_entry_id="je-1")
    given(*ISSUED).when(take_answer, closed).then(closed)
    given(*ISSUED, closed).when(take_answer, closed).then()
    given(*ISSUED, closed).when(take_answer, other).then(other)
    given(*ISSUED, closed).when(take_answer, booked).then(booked)
    given(*ISSUED, booked).when(take_answer, booked).then()
    given(*ISSUED, closed, booked).when(take_answer, closed).then()
    for news in (paid_in_part(1_000), invoice_credited(), invoice_voided()):
        given(*ISSUED, booked, news).when(take_answer, closed).then(closed)


def test_one_invoice_takes_the_place_of_another() -> None:
    rebilled = InvoiceRebilled(invoice_id="next")
    given(*ISSUED).when(rebill, "next").then_refused("REBILL_INCOMPLETE")
    taken_back = (*ISSUED, invoice_credited(invoice_after(*ISSUED)))
    given(*taken_back).when(rebill, "next").then(rebilled)
    given(*taken_back, rebilled).when(rebill, "third").then_refused("INVOICE_NOT_CREDITABLE")


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        INVOICE.evolve(state_after(invoice_drafted()), Fact())
