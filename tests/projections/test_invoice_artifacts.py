"""Which invoices refer to an artifact, as drafts name them."""

from projections.invoice_artifacts import INVOICE_ARTIFACTS
from tests.support.artifact_desk import Desk
from tests.support.artifact_facts import an_artifact, by_value
from tests.support.folding import folded


async def test_a_draft_has_a_row_for_each_artifact_that_it_refers_to() -> None:
    desk = Desk()
    first = await desk.invoice(by_value("shared"), an_artifact("own"))
    second = await desk.invoice(an_artifact("shared"))
    rows = folded(INVOICE_ARTIFACTS, desk.ledger.events)["invoice_artifact_v1"]
    assert set(rows) == {("shared", first), ("own", first), ("shared", second)}
    drafts = {event.stream.id: event for event in desk.ledger.events if event.name == "invoice.drafted"}
    for (artifact_ref_id, invoice_id), row in rows.items():
        assert (row["artifact_ref_id"], row["invoice_id"]) == (artifact_ref_id, invoice_id)
        assert row["drafted_position"] == drafts[invoice_id].position
        assert row["customer_account_id"] == drafts[invoice_id].data["customerAccountId"]
