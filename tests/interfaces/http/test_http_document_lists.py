"""The Document Center's list: every filter, the search, and pages that stay stable while documents arrive."""

import threading
from typing import Any

import pytest

from tests.support.house import House, all_items, by_platform, pages, paid, send

ISSUER = "list-platform"


def _event(order_id: str, **changes: Any) -> dict[str, Any]:
    parties = by_platform(ISSUER, f"buyer-of-{order_id}", f"seller-of-{order_id}")
    return paid(order_id, **{"orderPartySnapshot": parties, **changes})


@pytest.fixture(scope="module")
def documents(house: House) -> dict[str, dict[str, Any]]:
    """Three receipts by order id, each unlike the others."""
    spanish = _event("list/ñ-2", countryCode="ES")
    spanish["data"]["orderPartySnapshot"]["buyer"]["legalName"] = "Íñigo Ibáñez"
    line = _event("list-3")
    line["data"]["orderFinancialSnapshot"]["lines"][0]["description"] = "50% off_ a \\'kettle\\'"
    events = [_event("list-1"), spanish, line]
    return {event["data"]["orderId"]: house.issued(event) for event in events}


def test_documents_come_newest_first(house: House, documents: dict[str, Any]) -> None:
    with house.client("AUDITOR") as auditor:
        rows = all_items(auditor, "/v1/documents", issuerEntityId=ISSUER)
    assert [row["orderId"] for row in rows if row["orderId"] in documents] == [*reversed(documents)]


def test_an_item_is_the_detail_without_seal_fiscal_data_and_links(
    house: House, documents: dict[str, dict[str, Any]]
) -> None:
    with house.client("AUDITOR") as auditor:
        (row,) = all_items(auditor, "/v1/documents", orderId="list-1")
    detail = dict(documents["list-1"])
    for name in ("seal", "fiscal", "links"):
        assert detail.pop(name)
    assert row == detail


def test_each_filter_narrows(house: House, documents: dict[str, dict[str, Any]]) -> None:
    one = documents["list-1"]
    # It may be the next day already where another issuer is.
    of_that_day = {name for name, each in documents.items() if each["issueDate"] == one["issueDate"]}
    filters: list[tuple[dict[str, Any], set[str]]] = [
        ({"orderId": "list-1"}, {"list-1"}),
        ({"orderId": "list/ñ-2"}, {"list/ñ-2"}),
        ({"docType": "RECEIPT"}, set(documents)),
        ({"docType": "CREDIT_NOTE"}, set()),
        ({"status": "ISSUED"}, set(documents)),
        ({"status": "DRAFT"}, set()),
        ({"status": "VOIDED"}, set()),
        ({"countryCode": "ES"}, {"list/ñ-2"}),
        ({"countryCode": "ZZ"}, set()),
        ({"buyerId": "buyer-of-list-3"}, {"list-3"}),
        ({"sellerId": "seller-of-list-1"}, {"list-1"}),
        ({"sellerId": "buyer-of-list-1"}, set()),
        ({"issuedFrom": one["issuedAt"], "issuedTo": one["issuedAt"]}, {"list-1"}),
        ({"issuedFrom": one["issuedAt"]}, set(documents)),
        ({"issuedTo": one["issuedAt"]}, {"list-1"}),
        ({"issuedTo": "2020-01-01T00:00:00Z"}, set()),
        ({"issuedFrom": one["issueDate"], "issuedTo": one["issueDate"]}, of_that_day),
        ({"issuedTo": "2020-01-01"}, set()),
        ({"issuedFrom": "2999-01-01"}, set()),
        ({"countryCode": "ES", "buyerId": "buyer-of-list-3"}, set()),
    ]
    with house.client("AUDITOR") as auditor:
        for wish, expected in filters:
            rows = all_items(auditor, "/v1/documents", issuerEntityId=ISSUER, **wish)
            assert {row["orderId"] for row in rows} & set(documents) == expected, wish


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("list-1", {"list-1"}),
        ("LIST/Ñ", {"list/ñ-2"}),
        ("inigo ibanez", {"list/ñ-2"}),
        ("ÍÑIGO", {"list/ñ-2"}),
        ("Íñigo", {"list/ñ-2"}),
        ("0% off_ a", {"list-3"}),
        ("f_ a \\'k", {"list-3"}),
        ("Copperline Kitchenware", {"list-1", "list/ñ-2", "list-3"}),
        ("moss green", {"list-1", "list/ñ-2"}),
        ("gift wrapp", {"list-1", "list/ñ-2", "list-3"}),
        ("no such thing anywhere", set()),
        ("%", {"list-3"}),
        ("_", {"list-3"}),
    ],
)
def test_the_search_finds_numbers_orders_names_and_line_texts(
    house: House, documents: dict[str, Any], q: str, expected: set[str]
) -> None:
    with house.client("AUDITOR") as auditor:
        rows = all_items(auditor, "/v1/documents", issuerEntityId=ISSUER, q=q)
    assert {row["orderId"] for row in rows} & set(documents) == expected


def test_the_search_finds_a_number(house: House, documents: dict[str, dict[str, Any]]) -> None:
    number = documents["list-3"]["number"]
    with house.client("AUDITOR") as auditor:
        for q in (number, number.lower(), number[2:]):
            rows = all_items(auditor, "/v1/documents", issuerEntityId=ISSUER, q=q, countryCode="GB")
            assert "list-3" in {row["orderId"] for row in rows}


def test_a_document_is_found_by_its_key(house: House, documents: dict[str, dict[str, Any]]) -> None:
    with house.client("AUDITOR") as auditor:
        for detail in documents.values():
            found = auditor.get("/v1/documents/by-key", params={"documentKey": detail["documentKey"]})
            assert found.json() == detail
            assert found.headers["etag"] and int(found.headers["x-ledger-position"])
    assert documents["list/ñ-2"]["documentKey"] == f"list%2F%C3%B1-2:RECEIPT:{ISSUER}:1"


def test_pages_stay_stable_while_documents_arrive(house: House) -> None:
    parties = by_platform("paging-platform")
    there = [paid(f"page-{number:03}", orderPartySnapshot=parties) for number in range(60)]
    for result in house.post(there).json()["results"]:
        house.wait_for_issue(result["documents"][0]["documentId"])
    house.catch_up()
    stop = threading.Event()

    def keep_sending() -> None:
        with house.client("SYSTEM") as system:
            number = 0
            while not stop.is_set():
                number += 1
                send(system, paid(f"page-late-{number:03}", orderPartySnapshot=parties))

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        with house.client("AUDITOR") as auditor:
            seen = [
                row["orderId"]
                for page in pages(auditor, "/v1/documents", issuerEntityId="paging-platform", limit=7)
                for row in page
            ]
    finally:
        stop.set()
        sender.join()
    assert len(seen) == len(set(seen)), "none twice"
    early = [order_id for order_id in seen if not order_id.startswith("page-late-")]
    assert early == [f"page-{number:03}" for number in reversed(range(60))], "none missing, in order"
    positions = [order_id for order_id in seen if order_id.startswith("page-late-")]
    assert seen[: len(positions)] == positions, "what came later stands only before"


def test_pages_of_the_audit_trail_hold_every_position_once(house: House, documents: dict[str, Any]) -> None:
    with house.client("AUDITOR") as auditor:
        up = [row["position"] for page in pages(auditor, "/v1/audit/events", limit=200) for row in page]
        down = next(pages(auditor, "/v1/audit/events", limit=50, order="desc"))
    assert up == list(range(1, len(up) + 1))
    positions = [row["position"] for row in down]
    assert positions == sorted(positions, reverse=True) and positions[0] >= up[-1]
