"""The index of subjects' data: under which keys a stream's events are sealed, until when they are kept."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domain.receivables.receipt import RECEIPT
from projections.projection import Row
from projections.subject_streams import SUBJECT_STREAMS
from tests.support.account_facts import ACCOUNT_ID, PARTY_ID
from tests.support.folding import History, folded
from tests.support.golden import EVENTS
from tests.support.invoicing_facts import INVOICE_ID, WORK_ORDER_ID
from tests.support.receipt_facts import RECEIPT_ID, adjusted, receipt_generated

TABLE = "subject_stream_v4"


@pytest.fixture
async def history() -> History:
    history = History()
    await history.pay("o-1", countryCode="IE")
    await history.issue("o-1")
    await history.download("o-1", "192.0.2.7")
    return history


def rows_of(history: History, stream_type: str) -> list[Row]:
    """The rows of streams of one type."""
    return [
        row
        for (kind, _), row in folded(SUBJECT_STREAMS, history.events)[TABLE].items()
        if kind == stream_type
    ]


async def test_a_stream_is_found_by_every_key_that_sealed_something_in_it(history: History) -> None:
    (row,) = rows_of(history, "order")
    sealed = {part for event in history.events if event.stream.type == "order" for part in event.sealed_for}
    assert {part.subject for part in sealed} == {"party:buyer-17", "party:seller-4", "party:platform-gb"}
    assert row["key_ids"] == sorted(str(part.key_id) for part in sealed)
    assert all(UUID(key_id) for key_id in row["key_ids"])


async def test_the_law_wants_an_order_and_no_download(history: History) -> None:
    (order,), (access,) = rows_of(history, "order"), rows_of(history, "document-access")
    assert order["retain_until"] == date(2036, 12, 31)
    assert access["retain_until"] is None


async def test_the_law_wants_an_order_as_long_as_its_youngest_document(history: History) -> None:
    await history.refund("o-1", "r-1", 500)
    *_, adjustment = (event for event in history.events if event.name == "order.document-drafted")
    assert json.loads(adjustment.state)["docType"] == "ADJUSTMENT_STATEMENT"
    late = adjustment._replace(recorded_at=datetime(2029, 12, 31, 12, tzinfo=UTC))
    for events in ([*history.events, late], [*history.events, late, adjustment]):
        row = folded(SUBJECT_STREAMS, events)[TABLE]["order", "o-1"]
        assert row["retain_until"] == date(2039, 12, 31)
        assert row["key_ids"] == rows_of(history, "order")[0]["key_ids"]


async def test_a_download_in_which_nothing_is_sealed_is_in_nobodys_index(history: History) -> None:
    await history.download("o-2")
    assert len(rows_of(history, "document-access")) == 1


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.glob("order.paid-in-escrow.*")))
def test_every_form_of_a_paid_order_ever_stored_names_its_country_where_the_index_looks(name: str) -> None:
    assert json.loads((EVENTS / name).read_bytes())["order"]["countryCode"] == "GB"


async def test_an_account_is_found_by_its_partys_keys(history: History) -> None:
    await history.crm_tells(ACCOUNT_ID, PARTY_ID)
    (row,) = rows_of(history, "account")
    (event,) = (event for event in history.events if event.name == "account.updated")
    assert {part.subject for part in event.sealed_for} == {f"party:{PARTY_ID}"}
    assert row["key_ids"] == sorted(str(part.key_id) for part in event.sealed_for)
    assert (row["stream_id"], row["retain_until"]) == (ACCOUNT_ID, None)


async def test_a_fiscal_profile_is_found_by_its_owners_keys_and_no_law_wants_it_by_itself(
    history: History,
) -> None:
    await history.set_profile("SELLER", "seller-99")
    (row,) = rows_of(history, "fiscal-profile")
    event = history.events[-1]
    assert {(part.subject, part.retention_class) for part in event.sealed_for} == {
        ("party:seller-99", "FISCAL"),
        ("party:seller-99", "CONTACT"),
    }
    assert row["key_ids"] == sorted(str(part.key_id) for part in event.sealed_for)
    assert (row["stream_id"], row["retain_until"]) == ("SELLER:seller-99:MX", None)


async def test_an_invoice_is_found_by_its_customers_keys_as_long_as_the_law_wants_it(
    history: History,
) -> None:
    await history.crm_tells(ACCOUNT_ID, PARTY_ID, currencyUomId="EUR")
    await history.bill(ACCOUNT_ID, WORK_ORDER_ID, INVOICE_ID)
    (row,) = rows_of(history, "invoice")
    (event,) = (event for event in history.events if event.name == "invoice.issued")
    assert {part.subject for part in event.sealed_for} == {f"party:{PARTY_ID}"}
    assert row["key_ids"] == sorted(str(part.key_id) for part in event.sealed_for)
    assert (row["stream_id"], row["retain_until"]) == (INVOICE_ID, date(2036, 12, 31))


async def test_the_law_wants_whom_an_invoice_was_for_as_long_as_its_last_credit_note(
    history: History,
) -> None:
    await history.crm_tells(ACCOUNT_ID, PARTY_ID, currencyUomId="EUR")
    await history.bill(ACCOUNT_ID, WORK_ORDER_ID, INVOICE_ID)
    credited = next(event for event in history.events if event.name == "invoice.credited")
    # In Madrid it is the next year already.
    late = credited._replace(recorded_at=datetime(2027, 12, 31, 23, 30, tzinfo=UTC))
    for events in ([*history.events, late], [*history.events, late, credited]):
        row = folded(SUBJECT_STREAMS, events)[TABLE]["invoice", INVOICE_ID]
        assert row["retain_until"] == date(2038, 12, 31)


async def test_the_law_wants_a_receipt_as_long_as_its_youngest_adjustment() -> None:
    history = History()
    await history.append(RECEIPT.stream(RECEIPT_ID), receipt_generated())
    await history.append(RECEIPT.stream(RECEIPT_ID), adjusted())
    (row,) = rows_of(history, "receipt")
    assert (row["country_code"], len(row["key_ids"])) == ("ES", 1)
    first = row["retain_until"]
    late = history.events[-1]._replace(recorded_at=datetime(2029, 12, 31, 12, tzinfo=UTC))
    after = folded(SUBJECT_STREAMS, [history.events[0], late])[TABLE]["receipt", RECEIPT_ID]
    assert after["retain_until"] > first
