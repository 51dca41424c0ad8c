"""Handing receipts over and reprinting them; what comes back by e-mail (BILL-DEC-011)."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.handlers.receipt_deliveries import CopyRequest, Handover, deliver_receipt, reprint_receipt
from application.ledger import Answer, Transaction
from domain.accounts.policies import DEFAULT, POLICY, PolicyConfigured, ReprintTerms, policy_id
from domain.documents.delivery import first_delivery_id
from domain.documents.document import DOCUMENT
from domain.kernel.claim import ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.receivables.receipt import RECEIPT
from tests.support.account_facts import NOON
from tests.support.decisions import decision
from tests.support.desks import READING
from tests.support.facts import issued
from tests.support.receipt_facts import RECEIPT_DOCUMENT_ID, RECEIPT_ID, lost, sending, sent
from tests.support.till import Till

NO_REASON = CopyRequest(None, None, None)
LOST = CopyRequest("LOST", None, None)
FIRST = first_delivery_id(RECEIPT_DOCUMENT_ID)


def handover(channel: Any = "PRINT", **changes: Any) -> Handover:
    """Ana asks for the receipt."""
    asked = Handover(RECEIPT_ID, channel, "ana", "ana", None, str(uuid4()))
    return replace(asked, **changes)


async def paid(**wishes: Any) -> Till:
    """An invoice was paid."""
    till = await Till().open()
    await till.pay(**wishes)
    return till


async def append(till: Till, stream: Any, *facts: Any) -> None:
    """These facts happen."""

    def handle(transaction: Transaction) -> Answer:
        transaction.append(stream, facts)
        return Answer(200, None)

    await till.do(handle)


async def refused(till: Till, handler: Any) -> DomainError:
    """The refusal, which leaves nothing behind."""
    before = till.names()
    with pytest.raises(DomainError) as refusal:
        await till.do(handler)
    assert till.names() == before
    return refusal.value


async def test_a_till_prints_the_original_once() -> None:
    till = await paid(deliver="PRINT")
    answer = (await till.do(deliver_receipt(handover()))).body
    assert (answer["channel"], answer["copyNumber"], answer["deliveryStatus"]) == ("PRINT", 0, "SENT")
    assert (await refused(till, deliver_receipt(handover()))).reason_code == "ALREADY_PRINTED"


async def test_an_email_waits_for_the_seal_of_the_document() -> None:
    till = await paid()
    answer = (await till.do(deliver_receipt(handover("EMAIL")))).body
    assert (answer["deliveryId"], answer["deliveryStatus"]) == (FIRST, "PENDING")
    (requested,) = [e.fact for e in till.ledger.events if e.name == "receipt.delivery-requested"]
    assert requested.waits_for_seal  # type: ignore[attr-defined]
    assert (await refused(till, deliver_receipt(handover("EMAIL")))).reason_code == "DELIVERY_PENDING"


async def test_without_an_address_nothing_is_sent() -> None:
    till = await Till().open(email=None)
    await till.pay()
    assert (await refused(till, deliver_receipt(handover("EMAIL")))).code == "RECIPIENT_MISSING"


async def test_who_is_bound_to_another_account_knows_of_no_receipt() -> None:
    till = await paid()
    asked = handover(granted=frozenset({str(uuid4())}))
    assert (await refused(till, deliver_receipt(asked))).code == "NOT_FOUND"
    assert (await refused(till, reprint_receipt(asked, LOST))).code == "NOT_FOUND"
    assert (await refused(till, deliver_receipt(handover(receipt_id="unknown")))).code == "NOT_FOUND"


@decision("BILL-DEC-011", "every copy is counted, with why and by whom")
async def test_copies_are_numbered_and_run_out() -> None:
    till = await paid()
    for copy_number in (1, 2, 3):
        answer = (await till.do(reprint_receipt(handover(), LOST))).body
        assert answer["copyNumber"] == copy_number
    assert (await refused(till, reprint_receipt(handover(), LOST))).reason_code == "REPRINTS_EXHAUSTED"


async def test_policy_asks_for_a_reason_and_closes_its_window() -> None:
    till = await paid()
    assert (await refused(till, reprint_receipt(handover(), NO_REASON))).code == "REASON_CODE_REQUIRED"
    till.clock.move(73 * 3600)
    assert (await refused(till, reprint_receipt(handover(), LOST))).reason_code == "WINDOW_CLOSED"


async def test_policy_may_want_somebodys_approval() -> None:
    till = await paid()
    terms = ReprintTerms(requires_elevation=True)
    configured = PolicyConfigured(terms=terms, configured_by="ana", configured_at=NOON)
    await append(till, POLICY.stream(policy_id("reprint", DEFAULT)), configured)
    refusal = await refused(till, reprint_receipt(handover(), LOST))
    assert (refusal.code, refusal.reason_code) == ("ELEVATION_INVALID", "MISSING")


async def test_a_copy_is_sent_once_the_document_is_sealed() -> None:
    till = await paid()
    assert (await refused(till, reprint_receipt(handover("EMAIL"), LOST))).code == "DOCUMENT_NOT_ISSUED"
    await append(till, DOCUMENT.stream(RECEIPT_DOCUMENT_ID), issued())
    answer = (await till.do(reprint_receipt(handover("EMAIL"), LOST))).body
    assert (answer["copyNumber"], answer["deliveryStatus"]) == (1, "PENDING")
    assert till.receipt().emails[answer["deliveryId"]].copy_number == 1


async def test_what_nobody_knows_of_is_sent_again_as_what_it_was() -> None:
    till = await paid()
    await append(till, DOCUMENT.stream(RECEIPT_DOCUMENT_ID), issued())
    first = (await till.do(reprint_receipt(handover("EMAIL"), LOST))).body["deliveryId"]
    await append(till, RECEIPT.stream(RECEIPT_ID), sending(first), lost(first))
    again = (await till.do(deliver_receipt(handover("EMAIL")))).body
    assert again["deliveryId"] != first
    assert again["copyNumber"] == 1


async def test_a_voided_payments_receipt_goes_nowhere() -> None:
    till = await paid()
    await till.void()
    for channel in ("PRINT", "EMAIL"):
        assert (await refused(till, deliver_receipt(handover(channel)))).reason_code == "RECEIPT_VOIDED"
        assert (await refused(till, reprint_receipt(handover(channel), LOST))).reason_code == "RECEIPT_VOIDED"


async def bounce(till: Till, delivery_id: str, event_id: str = "b-1") -> Outcome:
    """The notification service tells of an e-mail that came back."""
    data = {"deliveryId": delivery_id, "reason": "550 facturas@nandu.example: mailbox full"}
    event = CloudEvent(
        specversion="1.0", id=event_id, source="urn:n", type="notifications.EMAIL_BOUNCED", data=data
    )
    fact = read_fact(event, READING)
    outcome: Outcome = (await till.do(receive_fact(fact))).body
    return outcome


async def _sent(till: Till) -> None:
    await till.do(deliver_receipt(handover("EMAIL")))
    await append(till, RECEIPT.stream(RECEIPT_ID), sending(FIRST), sent(FIRST))
    taken = ClaimTaken(purpose="DELIVERY", key=FIRST, holder=f"receipt/{RECEIPT_ID}", fingerprint="")
    await append(till, claim_stream("DELIVERY", FIRST), taken)


@decision("BILL-DEC-011", "an e-mail that came back is BOUNCED and may be sent again")
async def test_an_email_that_came_back_is_known_and_sent_again() -> None:
    till = await paid()
    await _sent(till)
    assert (await bounce(till, FIRST)).outcome == "ACCEPTED"
    assert till.receipt().delivery_status == "BOUNCED"
    assert till.receipt().emails[FIRST].delivery.reason == "550 [address] mailbox full"
    assert (await bounce(till, FIRST, "b-2")).outcome == "DUPLICATE"
    assert (await till.do(deliver_receipt(handover("EMAIL")))).body["deliveryStatus"] == "PENDING"


async def test_a_delivery_that_never_left_the_house_did_not_come_back() -> None:
    till = await paid()
    outcome = await bounce(till, str(uuid4()))
    assert outcome.outcome == "REJECTED"
    assert outcome.error is not None and outcome.error.code == "NOT_FOUND"
