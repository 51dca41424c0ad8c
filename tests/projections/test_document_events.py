"""A document's audit timeline."""

from domain.documents.document_facts import DocumentRetryAsked
from domain.kernel.facts import rfc3339
from projections.document_events import DOCUMENT_EVENTS
from tests.support.facts import NOON, issued, replaced, stamped
from tests.support.folding import History, folded, receipt_id


async def test_the_timeline_tells_what_was_done_in_order_by_whom() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.issue("o-1")
    await history.download("o-1", "192.0.2.7")
    rows = list(folded(DOCUMENT_EVENTS, history.events)["document_event_v5"].values())
    assert [row["event_type"] for row in rows] == ["ISSUE_FAILED", "ISSUED", "DOWNLOADED"]
    assert {row["document_id"] for row in rows} == {receipt_id("o-1")}
    assert {(row["actor_id"], row["actor_role"]) for row in rows} == {("ana", "SYSTEM")}
    assert "192.0.2.7" not in str(rows), "from where it was stays in the ledger"
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    seal = issued().seal
    assert rows[0]["metadata"]["reason"] == "vault_unavailable"
    assert rows[1]["metadata"] == {"sha256Pdf": seal.sha256_pdf, "sha256Json": seal.sha256_json}
    assert rows[2]["metadata"] == {"format": "PDF"}


async def test_it_tells_what_an_authority_gave_who_asked_again_and_what_stands_in_its_place() -> None:
    history = History()
    await history.pay("o-1")
    for fact in (stamped(), DocumentRetryAsked(retry_at=NOON), issued(), replaced()):
        await history.append_to_receipt("o-1", fact)
    rows = list(folded(DOCUMENT_EVENTS, history.events)["document_event_v5"].values())
    assert [(row["event_type"], row["metadata"]) for row in rows if row["event_type"] != "ISSUED"] == [
        ("STAMPED", {"authority": "SIMULATED", "uuid": stamped().stamp.uuid}),
        ("RETRY_ASKED", {"retryAt": rfc3339(NOON)}),
        (
            "REPLACED",
            {"reasonCode": "ERROR", "replacedByDocumentId": replaced().replaced_by_document_id},
        ),
    ]


async def test_drafts_and_numbers_are_no_part_of_it() -> None:
    history = History()
    await history.pay("o-1")
    assert folded(DOCUMENT_EVENTS, history.events)["document_event_v5"] == {}
