"""In-app notifications: one when a document is issued, another each time it is sent again in the app."""

from typing import Any, get_args

import pytest

from application.ledger import Answer, Transaction
from domain.documents.access import DOCUMENT_ACCESS
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import Language
from domain.documents.notices import NOTICE_TYPES, words_of
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId
from projections.notifications import NOTIFICATIONS
from tests.support.decisions import decision
from tests.support.delivery_facts import DELIVERY, a_resend
from tests.support.facts import DOCUMENT_ID, drafted, issued, numbered
from tests.support.folding import History, folded
from tests.support.invoicing_facts import PARTY_ID
from tests.support.receipt_facts import RECEIPT_DOCUMENT_ID
from tests.support.till import Till

MONTH = DOCUMENT_ACCESS.stream(f"{DOCUMENT_ID}/2026-03")


def _rows(history: History) -> list[dict[str, Any]]:
    return list(folded(NOTIFICATIONS, history.events)["notification_v2"].values())


async def test_a_notification_has_its_number_and_owner_and_is_there_once_the_document_is_issued() -> None:
    history = History()
    for fact in (drafted(audience="SELLER", language="de"), numbered()):
        await history.append_to_receipt("o-1", fact)
    (row,) = _rows(history)
    assert (row["created_at"], row["position"]) == (None, None)
    await history.append_to_receipt("o-1", issued())
    (row,) = _rows(history)
    assert (row["owner_type"], row["owner_id"]) == ("SELLER", "seller-4")
    assert (row["number"], row["language"], row["document_id"]) == ("R-2026-000001", "de", DOCUMENT_ID)
    assert row["position"] == history.events[-1].position


@pytest.mark.parametrize("changes", [{"audience": "FINANCE"}, {"doc_type": "LEDGER_EVIDENCE_PACK"}], ids=str)
async def test_nobody_is_notified_of_what_is_for_finance(changes: dict[str, Any]) -> None:
    history = History()
    for fact in (drafted(**changes), numbered(), issued()):
        await history.append_to_receipt("o-1", fact)
    assert _rows(history) == []


async def test_a_resend_in_the_app_is_a_notification_and_one_by_e_mail_is_none() -> None:
    history = History()
    await history.append(MONTH, a_resend("IN_APP"))
    await history.append(MONTH, a_resend("EMAIL", delivery_id="another"))
    (row,) = _rows(history)
    assert (row["notification_id"], row["doc_type"]) == (DELIVERY.delivery_id, "RECEIPT")


async def _shown(till: Till, *facts: tuple[StreamId, Fact]) -> list[dict[str, Any]]:
    """What readers see once the receipt's document is issued, and what else happened."""

    def handle(transaction: Transaction) -> Answer:
        for stream, fact in ((DOCUMENT.stream(RECEIPT_DOCUMENT_ID), issued()), *facts):
            transaction.append(stream, (fact,))
        return Answer(200, None)

    await till.do(handle)
    rows = folded(NOTIFICATIONS, till.ledger.events)["notification_v2"].values()
    return [row for row in rows if row["position"] is not None]


async def test_a_payments_receipt_is_a_notification_of_who_is_billed() -> None:
    till = await Till().open()
    await till.pay()
    (row,) = await _shown(till)
    assert (row["document_id"], row["doc_type"], row["owner_type"], row["owner_id"]) == (
        *(RECEIPT_DOCUMENT_ID, "RECEIPT"),
        *("BUYER", PARTY_ID),
    )


@decision("BILL-DEC-011", "Nobody is told of a receipt that nobody wanted, until somebody sends it")
async def test_a_receipt_that_nobody_wanted_is_told_of_only_once_it_is_sent() -> None:
    till = await Till().open()
    await till.pay(no_receipt=True)
    assert await _shown(till) == []
    till = await Till().open()
    await till.pay(no_receipt=True)
    resent = a_resend("IN_APP", document_id=RECEIPT_DOCUMENT_ID)
    (row,) = await _shown(till, (DOCUMENT_ACCESS.stream(f"{RECEIPT_DOCUMENT_ID}/2026-03"), resent))
    assert (row["notification_id"], row["doc_type"]) == (DELIVERY.delivery_id, "RECEIPT")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("doc_type", NOTICE_TYPES)
def test_every_notice_has_its_words_in_every_language(doc_type: Any, language: Any) -> None:
    words = words_of(doc_type, "X-1", language)
    assert words.title and "X-1" in words.body and words.body.endswith(".")
    others = [words_of(doc_type, "X-1", other) for other in get_args(Language) if other != language]
    assert words not in others
