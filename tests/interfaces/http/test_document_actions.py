"""What answers say that a caller may do with a document now: by its state, its country and the caller."""

from datetime import timedelta

import pytest

from application.roles import ROLE_PERMISSIONS
from domain.documents.document_facts import ContentRef, DocumentLinked, LinkedDocument
from domain.kernel.facts import Fact
from interfaces.http.answers.document_actions import Viewer, allowed_actions
from projections.documents import DOCUMENTS
from tests.support.facts import NOON, blocked, drafted, issue_failed, issued, numbered, replaced, voided
from tests.support.folding import History, folded, receipt_id

INVOICE = drafted(doc_type="FISCAL_INVOICE")
SIMULATED = drafted(doc_type="FISCAL_INVOICE", country_code="XS", driver="SIMULATED")
OF_WORK_ORDER = drafted(
    doc_type="FISCAL_INVOICE", content_ref=ContentRef(stream_type="invoice", stream_id="i-1")
)
CREDITED = DocumentLinked(
    linked_document=LinkedDocument(document_id="note-1", doc_type="CREDIT_NOTE", relation="CORRECTED_BY")
)
SHOWN = ["DOWNLOAD", "VERIFY"]


async def _actions(*facts: Fact, role: str = "FINANCE_ADMIN", days_later: int = 0) -> list[str]:
    history = History()
    for fact in facts:
        await history.append_to_receipt("o-1", fact)
    row = folded(DOCUMENTS, history.events)["document_v6"][(receipt_id("o-1"),)]
    return allowed_actions(row, Viewer(ROLE_PERMISSIONS[role], NOON + timedelta(days=days_later)))


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("AUDITOR", SHOWN),
        ("BUYER", SHOWN),
        ("SUPPORT", [*SHOWN, "RESEND"]),
        ("FINANCE_ADMIN", [*SHOWN, "VOID", "REPLACE", "CREDIT_NOTE"]),
        ("SUPER_ADMIN", [*SHOWN, "RESEND", "VOID", "REPLACE", "CREDIT_NOTE"]),
    ],
)
async def test_each_role_is_offered_what_it_is_permitted(role: str, expected: list[str]) -> None:
    assert await _actions(INVOICE, numbered(), issued(), role=role) == expected


async def test_only_an_invoice_is_credited() -> None:
    assert await _actions(drafted(), numbered(), issued()) == [*SHOWN, "VOID", "REPLACE"]


async def test_the_countrys_law_takes_offers_away() -> None:
    facts = (SIMULATED, numbered(), issued())
    assert await _actions(*facts) == [*SHOWN, "VOID", "CREDIT_NOTE"]
    assert await _actions(*facts, days_later=1) == [*SHOWN, "CREDIT_NOTE"], "it is voided on its issue day"


async def test_what_is_partly_taken_back_is_not_voided() -> None:
    assert await _actions(INVOICE, numbered(), issued(), CREDITED) == [*SHOWN, "REPLACE"]


async def test_a_work_orders_invoice_follows_its_document_for_who_may_void_invoices() -> None:
    facts = (OF_WORK_ORDER, numbered(), issued())
    assert await _actions(*facts) == [*SHOWN, "VOID", "CREDIT_NOTE"]
    assert await _actions(*facts, CREDITED) == [*SHOWN, "CREDIT_NOTE"]
    permissions = ROLE_PERMISSIONS["FINANCE_ADMIN"] - {"billing:invoice:void"}
    history = History()
    for fact in facts:
        await history.append_to_receipt("o-1", fact)
    row = folded(DOCUMENTS, history.events)["document_v6"][(receipt_id("o-1"),)]
    assert allowed_actions(row, Viewer(permissions, NOON)) == SHOWN


async def test_what_waits_may_be_tried_again_or_voided() -> None:
    assert await _actions(INVOICE) == ["VOID"]
    assert await _actions(INVOICE, blocked()) == ["ISSUE", "VOID"]
    assert await _actions(INVOICE, numbered(), issue_failed()) == ["ISSUE", "VOID"]
    assert await _actions(INVOICE, numbered(), issue_failed(), role="AUDITOR") == []


async def test_what_is_replaced_or_void_is_only_shown() -> None:
    assert await _actions(INVOICE, numbered(), issued(), replaced()) == SHOWN
    assert await _actions(INVOICE, numbered(), issued(), voided()) == SHOWN
    assert await _actions(INVOICE, numbered(), voided()) == []
