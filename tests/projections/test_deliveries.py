"""The deliverer's work list: what has to go out, by which way, and when."""

from typing import Any

from domain.documents.access import DOCUMENT_ACCESS
from domain.documents.delivery import (
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    first_delivery_id,
)
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DeliveryMethod
from domain.kernel.facts import Fact
from domain.receivables.receipt import RECEIPT
from projections.deliveries import DELIVERIES
from tests.support.delivery_facts import DELIVERY, a_resend, attempted
from tests.support.facts import DOCUMENT_ID, NOON, drafted, issued, numbered, voided
from tests.support.folding import History, folded
from tests.support.receipt_facts import (
    RECEIPT_DOCUMENT_ID,
    RECEIPT_ID,
    bounced,
    requested,
    sending,
    sent,
)

MONTH = DOCUMENT_ACCESS.stream(f"{DOCUMENT_ID}/2026-03")


async def _rows(method: DeliveryMethod, *facts: Fact) -> dict[str, dict[str, Any]]:
    history = History()
    await history.append_to_receipt("o-1", drafted(delivery_method=method))
    for fact in facts:
        await history.append_to_receipt("o-1", fact)
    return {key[0]: row for key, row in folded(DELIVERIES, history.events)["delivery_v2"].items()}


async def test_a_document_goes_out_by_its_method_once_it_is_issued() -> None:
    for method in ("EMAIL", "MAIL"):
        (row,) = (await _rows(method, numbered())).values()  # type: ignore[arg-type]
        assert (row["channel"], row["status"], row["due_at"]) == (method, "DRAFTED", None)
        (row,) = (await _rows(method, numbered(), issued())).values()  # type: ignore[arg-type]
        assert (row["delivery_id"], row["status"]) == (first_delivery_id(DOCUMENT_ID), "WAITING")
        assert (row["stream_type"], row["stream_id"], row["document_id"]) == (*MONTH, DOCUMENT_ID)
        assert row["due_at"] is not None


async def test_what_is_there_to_be_fetched_or_was_never_issued_goes_nowhere() -> None:
    assert await _rows("PORTAL", numbered(), issued()) == {}
    assert await _rows("EMAIL", numbered(), voided()) == {}


async def test_it_is_due_until_it_is_settled() -> None:
    history = History()
    await history.append(MONTH, a_resend())

    def due() -> Any:
        return folded(DELIVERIES, history.events)["delivery_v2"][(DELIVERY.delivery_id,)]["due_at"]

    assert due() is not None
    await history.append(MONTH, attempted(DeliveryStarted))
    assert due() is not None, "who began it may have died"
    await history.append(MONTH, attempted(DeliveryFailed, reason="mail_unreachable", retry_at=NOON))
    assert due() == NOON
    for settled in (DocumentDelivered, DeliveryUnconfirmed):
        await history.append(MONTH, attempted(settled, 2))
        assert due() is None


async def test_what_is_told_in_the_app_is_nothing_to_send() -> None:
    history = History()
    await history.append(MONTH, a_resend("IN_APP"))
    assert folded(DELIVERIES, history.events)["delivery_v2"] == {}


async def test_a_receipt_waits_for_the_seal_of_its_document_and_is_withdrawn_with_it() -> None:
    stream, document = RECEIPT.stream(RECEIPT_ID), DOCUMENT.stream(RECEIPT_DOCUMENT_ID)
    early = requested(first_delivery_id(RECEIPT_DOCUMENT_ID)).model_copy(update={"waits_for_seal": True})

    async def row(*facts: Fact) -> dict[str, Any]:
        history = History()
        await history.append(document, drafted(delivery_method="PORTAL"))
        await history.append(stream, early)
        for fact in facts:
            await history.append(document, fact)
        (only,) = folded(DELIVERIES, history.events)["delivery_v2"].values()
        return only

    assert (await row())["due_at"] is None
    sealed = await row(numbered(), issued())
    assert (sealed["stream_type"], sealed["stream_id"], sealed["status"]) == (*stream, "WAITING")
    assert sealed["due_at"] is not None


async def test_a_receipt_of_a_sealed_document_is_due_until_it_is_sent() -> None:
    history, stream = History(), RECEIPT.stream(RECEIPT_ID)
    for fact, is_due in ((requested(), True), (sending(), True), (sent(), False), (bounced(), False)):
        await history.append(stream, fact)
        (row,) = folded(DELIVERIES, history.events)["delivery_v2"].values()
        assert (row["due_at"] is not None) == is_due
    assert row["status"] == "BOUNCED"
