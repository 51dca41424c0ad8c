"""Issued documents are brought to their readers: never twice, never to an erased one, again on failure."""

from datetime import timedelta
from typing import Any

import pytest
import structlog

from application.ledger import LedgerUnavailable
from application.mailing import NotSent, Unconfirmed
from domain.accounts.fiscal_profile import FISCAL_PROFILE, FiscalProfileConfigured, ProfileContent
from domain.documents.access import DOCUMENT_ACCESS
from domain.documents.delivery import MOST_ATTEMPTS, DeliveryFailed, DeliveryStarted, first_delivery_id
from domain.documents.document_facts import DocumentVoided
from domain.documents.order_snapshot import OrderData
from tests.support.decisions import rule
from tests.support.delivery_facts import a_resend
from tests.support.facts import DOCUMENT_ID, NOON, issued
from tests.support.fiscal_profile_facts import an_owner
from tests.support.mailroom import DOCUMENT_STREAM, Mailroom
from tests.support.snapshots import order_data

MONTH = DOCUMENT_ACCESS.stream(f"{DOCUMENT_ID}/2026-03")
AWAY = NotSent("mail_unreachable", again=True)
BUYER, SELLER = "party:buyer-17", "party:seller-4"


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def mailroom() -> Mailroom:
    return Mailroom()


async def test_an_issued_document_goes_out_once_with_a_link_for_its_reader(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    for _ in range(3):
        await mailroom.work()
    (mail,) = mailroom.mailer.mails
    assert mailroom.told() == ["delivery-started", "delivered"]
    assert mail.delivery_id == first_delivery_id(DOCUMENT_ID)
    assert (mail.address, mail.subject_id) == ("marigold@example.org", BUYER)
    assert mail.title == "Your receipt is ready: R-2026-000001"
    for part in (mail.text, mail.html):
        assert "https://billing.example/v1/documents/download?token=token-1" in part
        assert "March 21, 2026" in part
    (claims,) = mailroom.tokens.claims
    assert (claims.document_id, claims.file_format) == (DOCUMENT_ID, "PDF")
    assert (claims.caller, claims.role, claims.tenant) == (BUYER, "BUYER", "north")
    assert claims.expires_at == mailroom.clock.now() + timedelta(days=7)


@rule("PII-15")
async def test_what_is_recorded_and_logged_tells_no_address(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [AWAY, Unconfirmed()]
    with structlog.testing.capture_logs() as logs:
        await mailroom.work()
        mailroom.clock.move(30)
        await mailroom.work()
    assert len(logs) == 2
    assert "marigold" not in f"{logs} {mailroom.facts()} {mailroom.mailer.mails[0]!r}"


@rule("AUDIT-8")
async def test_the_worker_acts_within_the_trace_of_the_draft(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    await mailroom.work()
    event = mailroom.ledger.events[-1]
    assert (event.stream, event.actor, event.role) == (MONTH, "system:worker", "SYSTEM")
    assert (event.operation, event.tenant_id, event.correlation_id) == (
        "documents.deliver",
        "north",
        "trace-1",
    )


async def test_nothing_goes_out_before_it_is_issued_or_where_it_is_there_to_be_fetched(
    mailroom: Mailroom,
) -> None:
    await mailroom.have_issued("PORTAL")
    assert mailroom.due() == []


async def test_what_certainly_failed_is_tried_again_later(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [AWAY]
    await mailroom.work()
    failed = mailroom.facts()[-1]
    assert isinstance(failed, DeliveryFailed) and failed.retry_at == mailroom.clock.now() + timedelta(
        seconds=30
    )
    await mailroom.work()
    assert len(mailroom.mailer.mails) == 1
    mailroom.clock.move(30)
    await mailroom.work()
    assert mailroom.told() == ["delivery-started", "delivery-failed", "delivery-started", "delivered"]
    first, second = mailroom.mailer.mails
    assert first.delivery_id == second.delivery_id


async def test_it_is_given_up_in_the_end(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [AWAY] * 20
    for _ in range(20):
        await mailroom.work()
        mailroom.clock.move(6 * 3600)
    assert len(mailroom.mailer.mails) == MOST_ATTEMPTS
    last = mailroom.facts()[-1]
    assert isinstance(last, DeliveryFailed) and (last.attempt, last.retry_at) == (MOST_ATTEMPTS, None)
    assert mailroom.due() == []


async def test_what_was_refused_for_good_is_not_tried_again(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [NotSent("mail_refused", again=False, reply_code=550)]
    await mailroom.work()
    failed = mailroom.facts()[-1]
    assert isinstance(failed, DeliveryFailed)
    assert (failed.reason, failed.reply_code, failed.retry_at) == ("mail_refused", 550, None)
    assert mailroom.due() == []


@rule("AUDIT-5")
@rule("IDEM-25")
async def test_what_nobody_knows_of_is_not_sent_again(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [Unconfirmed()]
    for _ in range(3):
        await mailroom.work()
        mailroom.clock.move(24 * 3600)
    assert len(mailroom.mailer.mails) == 1
    assert mailroom.told() == ["delivery-started", "delivery-unconfirmed"]


@rule("AUDIT-4")
async def test_a_process_that_dies_while_sending_leaves_what_nobody_knows_of(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.failures = [Killed()]
    with pytest.raises(Killed):
        await mailroom.work()
    assert mailroom.told() == ["delivery-started"]
    for _ in range(2):
        await mailroom.work()
    assert len(mailroom.mailer.mails) == 1
    assert mailroom.told() == ["delivery-started", "delivery-unconfirmed"]


async def test_a_folder_goes_on_where_a_process_died(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.mailer.repeatable = True
    mailroom.mailer.failures = [Killed()]
    with pytest.raises(Killed):
        await mailroom.work()
    for _ in range(2):
        await mailroom.work()
    assert mailroom.told() == ["delivery-started", "delivered"]
    assert len({mail.delivery_id for mail in mailroom.mailer.mails}) == 1


async def test_a_database_that_is_away_for_a_moment_leaves_nothing_unconfirmed(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.delivering.RECORD_AGAIN_SECONDS", (0, 0))
    await mailroom.have_issued()
    record = mailroom.ledger.commits + 2
    mailroom.ledger.failures = {record: LedgerUnavailable(), record + 1: LedgerUnavailable()}
    await mailroom.work()
    assert mailroom.told() == ["delivery-started", "delivered"]


async def test_a_document_that_was_voided_meanwhile_goes_nowhere(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    await mailroom.append(DOCUMENT_STREAM, DocumentVoided(reason_code="ERROR"))
    await mailroom.work()
    assert mailroom.mailer.mails == []
    failed = mailroom.facts()[-1]
    assert isinstance(failed, DeliveryFailed) and (failed.reason, failed.retry_at) == ("withdrawn", None)
    assert mailroom.due() == []


async def test_what_is_asked_for_again_goes_out_as_a_delivery_of_its_own(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    await mailroom.work()
    await mailroom.append(MONTH, a_resend(), a_resend("IN_APP", delivery_id="another"))
    await mailroom.work()
    assert [mail.delivery_id for mail in mailroom.mailer.mails] == [
        first_delivery_id(DOCUMENT_ID),
        a_resend().delivery_id,
    ]


async def test_a_sellers_document_goes_to_the_seller(mailroom: Mailroom) -> None:
    order = order_data()
    order["orderPartySnapshot"]["seller"]["email"] = "tienda@example.org"
    mailroom.order = OrderData.model_validate(order)
    await mailroom.have_issued(audience="SELLER", doc_type="SELLER_STATEMENT", language="es")
    await mailroom.work()
    (mail,) = mailroom.mailer.mails
    assert (mail.address, mail.subject_id) == ("tienda@example.org", SELLER)
    assert mail.title == "Tu liquidación de venta está lista: R-2026-000001"
    assert mailroom.tokens.claims[0].role == "SELLER"


async def test_a_reader_without_an_address_is_sent_nothing(mailroom: Mailroom) -> None:
    order = order_data()
    order["orderPartySnapshot"]["buyer"].pop("email")
    mailroom.order = OrderData.model_validate(order)
    await mailroom.have_issued()
    await mailroom.work()
    (failed,) = mailroom.facts()
    assert isinstance(failed, DeliveryFailed) and (failed.reason, failed.retry_at) == (
        "address_missing",
        None,
    )


async def test_a_profile_says_where_its_owner_wants_documents(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    owner = an_owner("BUYER", "buyer-17").model_copy(update={"country_code": "GB"})
    content = ProfileContent(owner=owner, preferences={"receptorEmail": "invoices@example.org"})
    configured = FiscalProfileConfigured(content=content, configured_by="mari", configured_at=NOON)
    await mailroom.append(FISCAL_PROFILE.stream(owner.profile_id), configured)
    await mailroom.work()
    (mail,) = mailroom.mailer.mails
    assert mail.address == "invoices@example.org"


async def test_an_erased_reader_is_sent_nothing(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    mailroom.erase(BUYER)
    await mailroom.work()
    assert mailroom.mailer.mails == []
    (failed,) = mailroom.facts()
    assert isinstance(failed, DeliveryFailed) and (failed.reason, failed.retry_at) == ("erased", None)
    assert mailroom.due() == []


async def test_a_reader_who_is_erased_while_the_mail_is_written_has_it_removed(mailroom: Mailroom) -> None:
    await mailroom.have_issued()
    send = mailroom.mailer.send

    async def send_slowly(mail: Any) -> None:
        await send(mail)
        mailroom.erase(BUYER)

    mailroom.mailer.send = send_slowly  # type: ignore[method-assign]
    await mailroom.work()
    assert mailroom.papers.forgotten == [BUYER]


async def test_a_letter_is_the_sealed_file_by_number_and_document(mailroom: Mailroom) -> None:
    await mailroom.have_issued("MAIL")
    for _ in range(2):
        await mailroom.work()
    (letter,) = mailroom.papers.letters
    assert letter.file_name == f"R-2026-000001-{DOCUMENT_ID}.pdf"
    assert (letter.content, letter.subject_id) == (b"%PDF-1", BUYER)
    assert mailroom.told() == ["delivery-started", "delivered"]
    assert issued().pdf_name not in letter.file_name
    started = mailroom.facts()[0]
    assert isinstance(started, DeliveryStarted) and started.channel == "MAIL"
