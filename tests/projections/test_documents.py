"""The Document Center's rows, and the text by which they are found."""

import pytest

from domain.documents.document_facts import DocumentIssueFailed, DocumentRetryAsked
from projections import source_text
from projections.documents import DOCUMENTS
from projections.projection import Row
from projections.source_text import searchable
from tests.support.account_facts import ACCOUNT_ID
from tests.support.facts import (
    CHAIN_LINK,
    CORRECTS,
    NOON,
    blocked,
    drafted,
    issued,
    numbered,
    replaced,
    stamped,
)
from tests.support.folding import History, folded, receipt_id
from tests.support.invoicing_facts import INVOICE_ID, WORK_ORDER_ID


def _row(history: History, order_id: str = "o-1") -> Row:
    return folded(DOCUMENTS, history.events)["document_v6"][(receipt_id(order_id),)]


async def test_a_numbered_draft_waits_to_be_issued_from_its_issue_time_on() -> None:
    history = History()
    await history.pay("o-1")
    row = _row(history)
    expected = {
        "document_key": "o-1:RECEIPT:platform-gb:1",
        "source_type": "ORDER",
        "source_id": "o-1",
        "source_stream": "order/o-1",
        "status": "DRAFT",
        "number": "R-2026-000001",
        "series_id": "GB:platform-gb:RECEIPT",
        "buyer_id": "buyer-17",
        "seller_id": "seller-4",
        "issued_at": NOON,
        "retry_at": NOON,
        "issued": None,
        "failure": None,
        "stream_version": 2,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["totals"] == {
        "itemsSubtotal": 6000,
        "discountTotal": 1000,
        "feeTotal": 440,
        "taxTotal": 1240,
        "grandTotal": 7680,
    }


async def test_a_voided_document_is_told_so_and_waits_for_nothing_any_more() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.link("o-1")
    await history.void("o-1")
    row = _row(history)
    assert (row["status"], row["retry_at"], row["failure"], row["stream_version"]) == (
        "VOIDED",
        None,
        None,
        5,
    )
    assert row["linked_documents"] == [CORRECTS.model_dump(mode="json", by_alias=True)]


async def test_a_failure_tells_its_reason_and_the_next_attempt() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    row = _row(history)
    assert (row["status"], row["failure"]["reason"], row["failure"]["attempt"]) == (
        "DRAFT",
        "vault_unavailable",
        1,
    )
    assert row["retry_at"] > row["issued_at"]


async def test_a_document_that_waits_for_somebody_is_not_tried_until_they_ask() -> None:
    history = History()
    await history.pay("o-1")
    rejected = DocumentIssueFailed(reason="driver_rejected", attempt=1, authority_code="307")
    await history.append_to_receipt("o-1", rejected)
    row = _row(history)
    assert (row["retry_at"], row["failure"]) == (
        None,
        {"reason": "driver_rejected", "attempt": 1, "missingProfiles": [], "authorityCode": "307"},
    )
    await history.append_to_receipt("o-1", DocumentRetryAsked(retry_at=NOON))
    row = _row(history)
    assert (row["retry_at"], row["failure"]["authorityCode"], row["stream_version"]) == (NOON, "307", 4)


async def test_a_number_ends_what_a_missing_profile_held_up() -> None:
    history = History()
    for fact in (drafted(), blocked(), numbered().model_copy(update={"chain": CHAIN_LINK})):
        await history.append_to_receipt("o-1", fact)
    row = _row(history)
    assert (row["failure"], row["retry_at"], row["chain"]["hash"]) == (None, NOON, CHAIN_LINK.hash)


async def test_a_replaced_document_names_the_one_in_its_place_and_that_one_names_it() -> None:
    history = History()
    await history.pay("o-1")
    for fact in (stamped(), issued(), replaced()):
        await history.append_to_receipt("o-1", fact)
    row = _row(history)
    assert (row["status"], row["replaced_by_document_id"]) == ("REPLACED", replaced().replaced_by_document_id)
    assert row["stamp"]["uuid"] == stamped().stamp.uuid
    await history.append_to_receipt("o-2", drafted(replaces_document_id="d-1", audience="SELLER"))
    row = _row(history, "o-2")
    assert (row["replaces_document_id"], row["audience"]) == ("d-1", "SELLER")


async def test_an_issued_document_has_its_seal_and_waits_for_nothing() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.issue("o-1")
    row = _row(history)
    assert (row["status"], row["failure"], row["retry_at"], row["stream_version"]) == (
        "ISSUED",
        None,
        None,
        4,
    )
    assert set(row["issued"]) == {"pdfName", "jsonName", "seal", "retention"}


async def test_downloads_leave_the_row_as_it_is() -> None:
    history = History()
    await history.pay("o-1")
    await history.issue("o-1")
    before = _row(history)
    await history.download("o-1")
    assert _row(history) == before


async def test_an_orders_texts_are_kept_for_searches() -> None:
    history = History()
    await history.pay("o-1")
    found = folded(DOCUMENTS, history.events)["order_text_v6"][("order/o-1",)]["search_text"].split("\n\n")
    lines = ("o-1", "Marigold Tansy-Okafor", "Enamel kettle, moss green", "KTL-07")
    assert set(map(searchable, lines)) <= set(found)
    assert "marigold@example.org" not in found


async def test_an_erased_name_is_found_no_more_and_the_rest_is() -> None:
    history = History()
    await history.pay("o-1")
    before = folded(DOCUMENTS, history.events)["order_text_v6"][("order/o-1",)]["search_text"]
    await history.erase("party:buyer-17", "CONTACT")
    assert folded(DOCUMENTS, history.events)["order_text_v6"][("order/o-1",)]["search_text"] == before
    await history.erase("party:buyer-17", "FISCAL")
    row = folded(DOCUMENTS, history.events)["order_text_v6"][("order/o-1",)]
    assert row["search_text"] == before.replace("marigold tansy-okafor\n\n", "")
    assert "Marigold" not in str(row)
    assert folded(DOCUMENTS, history.read_again())["order_text_v6"][("order/o-1",)] == row


async def _billed(*, order_id: str | None = None) -> History:
    """A history with an invoice; maybe with an order of that id before it."""
    history = History()
    if order_id is not None:
        await history.pay(order_id)
    await history.crm_tells(ACCOUNT_ID, "party-7", currencyUomId="EUR", displayName="Talleres Ñandú S.A.")
    await history.bill(ACCOUNT_ID, WORK_ORDER_ID, INVOICE_ID)
    return history


async def test_the_documents_of_an_invoice_are_found_by_its_texts() -> None:
    history = await _billed()
    rows = folded(DOCUMENTS, history.events)
    text = rows["order_text_v6"][(f"invoice/{INVOICE_ID}",)]
    found = text["search_text"].split("\n\n")
    lines = ("Talleres Ñandú S.A.", INVOICE_ID, WORK_ORDER_ID, "Brake service", "Brake pads")
    assert found == [searchable(line) for line in lines]
    assert text["marks"][1:] == ["country ES", f"seller garage-{ACCOUNT_ID[:8]}"]
    documents = {row["doc_type"]: row for row in rows["document_v6"].values()}
    assert set(documents) == {"FISCAL_INVOICE", "CREDIT_NOTE"}
    for row in documents.values():
        assert row["source_stream"] == text["source_stream"]
        assert (row["source_type"], row["source_id"]) == ("WORK_ORDER", WORK_ORDER_ID)


async def test_an_order_and_an_invoice_of_one_id_have_texts_of_their_own() -> None:
    history = await _billed(order_id=INVOICE_ID)
    texts = folded(DOCUMENTS, history.events)["order_text_v6"]
    assert "enamel kettle" in texts[(f"order/{INVOICE_ID}",)]["search_text"]
    assert "enamel kettle" not in texts[(f"invoice/{INVOICE_ID}",)]["search_text"]


async def test_whom_an_erased_invoice_was_for_is_found_no_more_and_the_rest_is() -> None:
    history, key = await _billed(), (f"invoice/{INVOICE_ID}",)
    before = folded(DOCUMENTS, history.events)["order_text_v6"][key]
    await history.erase("party:party-7", "CONTACT")
    assert folded(DOCUMENTS, history.events)["order_text_v6"][key] == before
    await history.erase("party:party-7", "FISCAL")
    row = folded(DOCUMENTS, history.events)["order_text_v6"][key]
    name = searchable("Talleres Ñandú S.A.\n")
    assert row == before | {"names": [], "search_text": before["search_text"].removeprefix(name)}
    assert folded(DOCUMENTS, history.read_again())["order_text_v6"][key] == row


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Ibáñez", "ibanez"),
        ("IBÁÑEZ", "ibanez"),
        ("Straße", "strasse"),
        ("Ζωή", "ζωη"),
        ("ﬁn ½", "fin 1⁄2"),
        ("山内", "山内"),
        ("Quin & Max\nSons", "quin & max\nsons"),
    ],
)
def test_searches_ignore_case_and_accents(written: str, searched: str) -> None:
    assert searchable(written) == searchable(searched)


def test_texts_of_any_script_are_searched_in_ascii() -> None:
    """PostgreSQL indexes only what the database's locale takes for letters."""
    assert searchable("Ibáñez 山") == "ibanez YFMHBZ"
    assert searchable("山") in searchable("山内")
    assert searchable("内") not in searchable("山")


@pytest.mark.parametrize("spelled", ["山", "%", "Q", "x", ".", "\n"])
def test_what_is_spelled_holds_nothing_that_is_not(spelled: str) -> None:
    """Neither what stands for it alone nor what is around it can be taken for other words."""
    text = searchable(f"a{spelled}b")
    assert searchable(spelled) in text
    others = "abcdefghijklmnoprstuvwyz0123456789 -"
    assert not any(one + "b" in text or "a" + one in text or one in text[1:-1] for one in others)


async def test_an_order_has_the_marks_of_its_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    await history.pay("o-1")
    await history.pay("o-2")
    drafted = {
        event.stream.id: event.position for event in history.events if event.name == "document.drafted"
    }
    monkeypatch.setattr(source_text, "ERA_POSITIONS", 2)
    rows = folded(DOCUMENTS, history.events)["order_text_v6"]
    for order_id in ("o-1", "o-2"):
        era = f"era {drafted[receipt_id(order_id)] // 2}"
        assert rows[(f"order/{order_id}",)]["marks"] == [era, "country GB", "seller seller-4"]
    [first, *_] = (event for event in history.events if event.name == "document.drafted")
    later = first._replace(position=first.position + 100)
    row = folded(DOCUMENTS, [*history.events, first, later])["order_text_v6"][("order/o-1",)]
    assert row == rows[("order/o-1",)] | {
        "marks": [*rows[("order/o-1",)]["marks"], f"era {later.position // 2}"]
    }
