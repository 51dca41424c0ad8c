"""Receipts go out by the machinery of all deliveries, and bring their sealed PDF along (BILL-DEC-011)."""

from typing import Any

import pytest

from application.mailing import NotSent, Unconfirmed
from domain.accounts.account import ACCOUNT, AccountUpdated
from domain.documents.delivery import MOST_ATTEMPTS, first_delivery_id
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import ContentRef, DocumentVoided
from domain.kernel.claim import CLAIM, claim_stream
from domain.kernel.facts import Fact
from domain.receivables.receipt import RECEIPT, Receipt
from domain.streams import REGISTRY
from tests.support.account_facts import account_data
from tests.support.facts import drafted, issued, numbered
from tests.support.invoicing_facts import ACCOUNT_ID, PARTY_ID
from tests.support.mailroom import Mailroom
from tests.support.receipt_facts import (
    DELIVERY_ID,
    RECEIPT_DOCUMENT_ID,
    RECEIPT_ID,
    receipt_generated,
    requested,
)

FIRST = first_delivery_id(RECEIPT_DOCUMENT_ID)
STREAM = RECEIPT.stream(RECEIPT_ID)
DOCUMENT_OF_IT = DOCUMENT.stream(RECEIPT_DOCUMENT_ID)


def an_account(email: str | None) -> AccountUpdated:
    """CRM tells of the account that paid."""
    contact = {"email": email} if email else None
    data = account_data(ACCOUNT_ID, PARTY_ID, billingContact=contact)
    return AccountUpdated.model_validate({"account": data})


async def paid(email: str | None = "facturas@nandu.example") -> Mailroom:
    """A payment has a receipt, whose document is numbered and not sealed yet."""
    mailroom = Mailroom()
    reference = ContentRef(stream_type="receipt", stream_id=RECEIPT_ID)
    draft = drafted(content_ref=reference, buyer_id=PARTY_ID, delivery_method="PORTAL", language="es")
    await mailroom.append(ACCOUNT.stream(ACCOUNT_ID), an_account(email))
    await mailroom.append(STREAM, receipt_generated())
    await mailroom.append(DOCUMENT_OF_IT, draft, numbered())
    return mailroom


def asked_early() -> Fact:
    """Somebody wants it sent before its document is sealed."""
    return requested(FIRST).model_copy(update={"waits_for_seal": True})


def receipt(mailroom: Mailroom) -> Receipt:
    """How the receipt stands."""
    facts = [event.fact for event in mailroom.ledger.events if event.stream == STREAM]
    state: Receipt = REGISTRY.fold(STREAM, facts)
    return state


async def test_it_waits_for_its_seal_and_brings_the_sealed_file() -> None:
    mailroom = await paid()
    await mailroom.append(STREAM, asked_early())
    await mailroom.work()
    assert mailroom.mailer.mails == []
    await mailroom.append(DOCUMENT_OF_IT, issued())
    for _ in range(2):
        await mailroom.work()
    (mail,) = mailroom.mailer.mails
    assert (mail.delivery_id, mail.address) == (FIRST, "facturas@nandu.example")
    assert mail.subject_id == f"party:{PARTY_ID}"
    assert mail.attachment is not None
    assert (mail.attachment.file_name, mail.attachment.content) == ("R-2026-000001.pdf", b"%PDF-1")
    assert "token" not in mail.text + mail.html, "nothing but the file leads to it"
    assert mailroom.tokens.claims == []
    assert receipt(mailroom).delivery_status == "SENT"
    assert [event.name for event in mailroom.ledger.events][-3:] == [
        "receipt.delivery-started",
        "claim.taken",
        "receipt.delivery-sent",
    ]


async def sealed(copy_number: int = 0, email: str | None = "facturas@nandu.example") -> Mailroom:
    """It is sealed, and somebody wants it sent."""
    mailroom = await paid(email)
    await mailroom.append(DOCUMENT_OF_IT, issued())
    await mailroom.append(STREAM, requested(DELIVERY_ID, copy_number))
    return mailroom


async def test_a_copy_says_so_in_its_subject_and_has_the_same_bytes() -> None:
    mailroom = await sealed(2)
    await mailroom.work()
    (mail,) = mailroom.mailer.mails
    assert mail.title.endswith("(copia 2)")
    assert mail.attachment is not None and mail.attachment.content == b"%PDF-1"


async def test_it_goes_where_crm_says_now() -> None:
    mailroom = await sealed()
    await mailroom.append(ACCOUNT.stream(ACCOUNT_ID), an_account("nuevo@nandu.example"))
    await mailroom.work()
    assert [mail.address for mail in mailroom.mailer.mails] == ["nuevo@nandu.example"]


async def test_without_an_address_it_has_failed() -> None:
    mailroom = await sealed(email=None)
    await mailroom.work()
    assert receipt(mailroom).delivery_status == "FAILED"
    assert receipt(mailroom).emails[DELIVERY_ID].delivery.reason == "address_missing"


async def test_an_erased_payer_is_sent_nothing() -> None:
    mailroom = await sealed()
    mailroom.erase(f"party:{PARTY_ID}")
    await mailroom.work()
    assert mailroom.mailer.mails == []
    assert receipt(mailroom).emails[DELIVERY_ID].delivery.reason == "erased"


async def test_it_is_tried_again_and_given_up_in_the_end() -> None:
    mailroom = await sealed()
    mailroom.mailer.failures = [NotSent("mail_unreachable", again=True)] * 20
    await mailroom.work()
    assert receipt(mailroom).delivery_status == "PENDING"
    for _ in range(20):
        mailroom.clock.move(6 * 3600)
        await mailroom.work()
    assert len(mailroom.mailer.mails) == MOST_ATTEMPTS
    assert receipt(mailroom).delivery_status == "FAILED"


async def test_what_nobody_knows_of_is_left_to_a_person() -> None:
    mailroom = await sealed()
    mailroom.mailer.failures = [Unconfirmed()]
    for _ in range(3):
        await mailroom.work()
        mailroom.clock.move(24 * 3600)
    assert len(mailroom.mailer.mails) == 1
    assert receipt(mailroom).delivery_status == "FAILED"


async def test_a_voided_one_goes_nowhere() -> None:
    mailroom = await sealed()
    await mailroom.append(DOCUMENT_OF_IT, DocumentVoided(reason_code="ERROR"))
    await mailroom.work()
    assert mailroom.mailer.mails == []
    assert receipt(mailroom).emails[DELIVERY_ID].delivery.reason == "withdrawn"


@pytest.mark.parametrize("attempts", [1, 3])
async def test_what_comes_back_is_found_by_its_delivery(attempts: int) -> None:
    mailroom = await sealed()
    mailroom.mailer.failures = [NotSent("mail_unreachable", again=True)] * (attempts - 1)
    for _ in range(attempts):
        await mailroom.work()
        mailroom.clock.move(6 * 3600)
    stream = claim_stream("DELIVERY", DELIVERY_ID)
    claims: list[Any] = [event.fact for event in mailroom.ledger.events if event.stream == stream]
    assert [claim.holder for claim in claims] == [f"{STREAM.type}/{STREAM.id}"]
    assert stream.type == CLAIM.name
