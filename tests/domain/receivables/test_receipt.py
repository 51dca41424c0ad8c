"""Receipts: once by each way, then copies as policy lets (BILL-DEC-011)."""

from datetime import timedelta
from typing import Any

import pytest

from domain.accounts.policies import ReprintTerms
from domain.documents.delivery import first_delivery_id
from domain.receivables.payment_facts import ReceiptChannel
from domain.receivables.receipt import (
    DELIVERABLE,
    allowed_actions,
    new_delivery_id,
    print_original,
    reprints_left,
    require_deliverable,
    require_reprintable,
    void,
)
from domain.receivables.receipt_facts import ReceiptDeliveryFailed, ReceiptFact
from tests.support.account_facts import NOON
from tests.support.decisions import decision
from tests.support.given import given, state_after
from tests.support.receipt_facts import (
    DELIVERY_ID,
    RECEIPT_DOCUMENT_ID,
    adjusted,
    bounced,
    erased,
    lost,
    not_sent,
    printed,
    receipt_generated,
    reprinted,
    requested,
    sending,
    sent,
    voided,
)

FREE = ReprintTerms(requires_reason_code=False)
ALL = frozenset({"billing:receipt:deliver", "billing:receipt:reprint"})
SECOND = "7a3e8c40-0000-7000-8000-0000000000d2"
MADE = receipt_generated()

STORIES: dict[str, tuple[tuple[ReceiptFact, ...], str | None]] = {
    "nobody has asked": ((), None),
    "an e-mail waits": ((requested(),), "PENDING"),
    "an e-mail is being sent": ((requested(), sending()), "PENDING"),
    "an e-mail is tried again": ((requested(), sending(), not_sent(again=True)), "PENDING"),
    "an e-mail was taken": ((requested(), sending(), sent()), "SENT"),
    "an e-mail was refused": ((requested(), sending(), not_sent()), "FAILED"),
    "nobody knows of an e-mail": ((requested(), sending(), lost()), "FAILED"),
    "an e-mail came back": ((requested(), sending(), sent(), bounced()), "BOUNCED"),
    "an e-mail is sent once more": ((requested(), sending(), not_sent(), requested(SECOND)), "PENDING"),
    "it was printed": ((printed(),), "SENT"),
    "a copy was printed": ((reprinted(),), "SENT"),
}


@decision("BILL-DEC-011", "a delivery is PENDING, SENT, FAILED or BOUNCED; null before any")
@pytest.mark.parametrize("story", STORIES)
def test_how_it_stands_is_that_of_what_was_asked_for_last(story: str) -> None:
    facts, status = STORIES[story]
    assert state_after(MADE, *facts).delivery_status == status


def test_what_a_till_is_to_print_waits_for_it() -> None:
    assert state_after(receipt_generated(to_be_printed=True)).delivery_status == "PENDING"


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("channel", DELIVERABLE)
def test_the_original_goes_out_as_the_table_says(story: str, channel: ReceiptChannel) -> None:
    facts, _ = STORIES[story]
    receipt = state_after(MADE, *facts)
    decision = given(MADE, *facts).when(require_deliverable, channel)
    if receipt.status_by(channel) in DELIVERABLE[channel]:
        require_deliverable(receipt, channel)
    else:
        refused = decision.then_refused("REPRINT_NOT_ALLOWED")
        assert refused.reason_code in {"ALREADY_PRINTED", "ALREADY_SENT", "DELIVERY_PENDING"}


def test_it_is_printed_once() -> None:
    given(MADE).when(print_original, printed()).then(printed())
    refused = given(MADE, printed()).when(print_original, printed()).then_refused("REPRINT_NOT_ALLOWED")
    assert refused.reason_code == "ALREADY_PRINTED"


def test_an_email_on_its_way_does_not_keep_a_till_from_printing() -> None:
    given(MADE, requested(), sending()).when(print_original, printed()).then(printed())


def test_the_first_email_is_found_by_the_seal_of_its_document() -> None:
    assert new_delivery_id(state_after(MADE), SECOND) == first_delivery_id(RECEIPT_DOCUMENT_ID)
    assert new_delivery_id(state_after(MADE, requested()), SECOND) == SECOND


@decision("BILL-DEC-011", "policy says how often, how long, and with whose approval")
def test_policy_says_what_is_left_of_reprints() -> None:
    terms = ReprintTerms(max_reprints=2, window_hours=3, requires_elevation=True)
    left = reprints_left(state_after(MADE, reprinted(1)), terms)
    assert (left.remaining_reprints, left.window_ends_at) == (1, NOON + timedelta(hours=3))
    assert (left.requires_reason_code, left.requires_elevation) == (True, True)


@pytest.mark.parametrize(
    ("facts", "hours", "reason"),
    [
        ((reprinted(1), reprinted(2), reprinted(3)), 0, "REPRINTS_EXHAUSTED"),
        ((), 73, "WINDOW_CLOSED"),
        ((voided(),), 0, "RECEIPT_VOIDED"),
    ],
)
def test_a_copy_is_refused_with_why(facts: tuple[Any, ...], hours: int, reason: str) -> None:
    at = NOON + timedelta(hours=hours)
    decision = given(MADE, *facts).when(require_reprintable, FREE, "PRINT", None, at)
    assert decision.then_refused("REPRINT_NOT_ALLOWED").reason_code == reason


def test_a_copy_is_made_to_the_last_moment_of_its_window() -> None:
    require_reprintable(state_after(MADE), FREE, "PRINT", None, NOON + timedelta(hours=72))


def test_policy_may_ask_why_a_copy_is_made() -> None:
    made = given(MADE)
    made.when(require_reprintable, ReprintTerms(), "PRINT", None, NOON).then_refused("REASON_CODE_REQUIRED")
    require_reprintable(state_after(MADE), ReprintTerms(), "PRINT", "LOST", NOON)


def test_no_copy_is_sent_while_an_email_is_on_its_way() -> None:
    decision = given(MADE, requested()).when(require_reprintable, FREE, "EMAIL", None, NOON)
    assert decision.then_refused("REPRINT_NOT_ALLOWED").reason_code == "DELIVERY_PENDING"


@pytest.mark.parametrize(
    ("facts", "actions"),
    [
        ((), ["DELIVER", "REPRINT"]),
        ((printed(),), ["DELIVER", "REPRINT"]),
        ((printed(), requested(), sending(), sent()), ["REPRINT"]),
        ((printed(), requested(), sending(), not_sent()), ["RETRY_DELIVERY", "REPRINT"]),
        ((requested(), sending(), sent(), bounced()), ["DELIVER", "RETRY_DELIVERY", "REPRINT"]),
        ((reprinted(1), reprinted(2), reprinted(3)), ["DELIVER"]),
        ((voided(),), []),
    ],
)
def test_what_may_be_done_now(facts: tuple[Any, ...], actions: list[str]) -> None:
    assert allowed_actions(state_after(MADE, *facts), FREE, NOON, ALL) == actions


def test_who_may_not_is_offered_nothing() -> None:
    receipt = state_after(MADE, requested(), sending(), not_sent())
    assert allowed_actions(receipt, FREE, NOON, frozenset()) == []
    assert allowed_actions(receipt, FREE, NOON, frozenset({"billing:receipt:reprint"})) == ["REPRINT"]


def test_a_receipt_nobody_wanted_may_be_handed_over_later() -> None:
    receipt = state_after(receipt_generated(delivery_suppressed=True))
    assert allowed_actions(receipt, FREE, NOON, ALL) == ["DELIVER", "REPRINT"]


def test_a_void_withdraws_what_has_not_gone_out() -> None:
    withdrawn = ReceiptDeliveryFailed(
        document_id=RECEIPT_DOCUMENT_ID,
        delivery_id=DELIVERY_ID,
        channel="EMAIL",
        attempt=0,
        reason="withdrawn",
    )
    given(MADE, requested()).when(void, voided()).then(voided(), withdrawn)
    given(MADE, requested(), sending()).when(void, voided()).then(voided())
    given(MADE, requested(), sending(), sent()).when(void, voided()).then(voided())
    given(MADE, voided()).when(void, voided()).then()


def test_whom_it_was_for_can_be_erased() -> None:
    receipt = state_after(MADE, adjusted(), erased())
    assert receipt.generated.paid_by.name == "[erased]"
    assert receipt.generated.amount == MADE.amount
