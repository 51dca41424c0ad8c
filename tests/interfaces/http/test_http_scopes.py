"""Who may know of which document: owners their own, countries theirs, auditors all, drafts only auditors."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.support.house import House, all_items, by_platform, paid
from tests.support.problems import problem
from tests.support.receipt_desk import ReceiptDesk

pytestmark = pytest.mark.slow

MINE, OTHERS, FOREIGN = "scope-mine", "scope-others", "scope-foreign"


@dataclass(frozen=True)
class Orders:
    """Three issued receipts by order id: two in GB with owners of their own, one in MX."""

    documents: dict[str, str]


@pytest.fixture(scope="module")
def orders(house: House) -> Orders:
    parties = {
        MINE: ("GB", "scope-buyer-1", "scope-seller-1"),
        OTHERS: ("GB", "scope-buyer-2", "scope-seller-2"),
        FOREIGN: ("MX", "scope-buyer-1", "scope-seller-2"),
    }
    documents = {}
    for order_id, (country, buyer, seller) in parties.items():
        snapshot = by_platform("scope-platform", buyer, seller)
        event = paid(order_id, countryCode=country, orderPartySnapshot=snapshot)
        documents[order_id] = house.issued(event)["documentId"]
    house.catch_up()
    return Orders(documents)


SEES: dict[str, tuple[tuple[str, ...], dict[str, Any], set[str]]] = {
    "a buyer sees own documents": (("BUYER",), {"buyer_id": "scope-buyer-1"}, {MINE, FOREIGN}),
    "a buyer's country narrows": (
        ("BUYER",),
        {"buyer_id": "scope-buyer-1", "countries": ["MX"]},
        {FOREIGN},
    ),
    "a buyer without an id sees nothing": (("BUYER",), {}, set()),
    "a seller's id is of no use to a buyer": (("BUYER",), {"seller_id": "scope-seller-1"}, set()),
    "a seller sees own sales": (("SELLER",), {"seller_id": "scope-seller-2"}, {OTHERS, FOREIGN}),
    "a seller without an id sees nothing": (("SELLER",), {}, set()),
    "a buyer's id is of no use to a seller": (("SELLER",), {"buyer_id": "scope-buyer-1"}, set()),
    "who buys and sells sees both": (
        ("BUYER", "SELLER"),
        {"buyer_id": "scope-buyer-2", "seller_id": "scope-seller-1"},
        {MINE, OTHERS},
    ),
    "a country's lead sees the country": (("COUNTRY_OPS_LEAD",), {"countries": ["MX"]}, {FOREIGN}),
    "a country's lead without countries sees nothing": (("COUNTRY_OPS_LEAD",), {}, set()),
    "a country's lead with an empty list sees nothing": (("COUNTRY_OPS_LEAD",), {"countries": []}, set()),
    "support sees its countries": (("SUPPORT",), {"countries": ["GB", "MX"]}, {MINE, OTHERS, FOREIGN}),
    "support without countries sees nothing": (("SUPPORT",), {}, set()),
    "support of another country sees nothing": (("SUPPORT",), {"countries": ["DE"]}, set()),
    "an auditor sees all": (("AUDITOR",), {}, {MINE, OTHERS, FOREIGN}),
    "finance sees all": (("FINANCE_ADMIN",), {}, {MINE, OTHERS, FOREIGN}),
    "finance of a country sees the country": (("FINANCE_ADMIN",), {"countries": ["GB"]}, {MINE, OTHERS}),
    "finance for a buyer sees the buyer's": (
        ("FINANCE_ADMIN",),
        {"buyer_id": "scope-buyer-2"},
        {OTHERS},
    ),
    "the super admin sees all": (("SUPER_ADMIN",), {}, {MINE, OTHERS, FOREIGN}),
    "a permission of the token does as well": (
        (),
        {"permissions": ["docs.read.seller"], "seller_id": "scope-seller-1"},
        {MINE},
    ),
}


@pytest.mark.parametrize("name", SEES)
def test_each_caller_knows_of_its_documents_only_wherever_it_looks(
    house: House, orders: Orders, name: str
) -> None:
    roles, claims, expected = SEES[name]
    with house.client(*roles, **claims) as caller:
        listed = all_items(caller, "/v1/documents", issuerEntityId="scope-platform")
        assert {row["orderId"] for row in listed} == expected
        for order_id, document_id in orders.documents.items():
            by_key = {"documentKey": f"{order_id}:RECEIPT:scope-platform:1"}
            looks = (
                caller.get(f"/v1/documents/{document_id}"),
                caller.get("/v1/documents/by-key", params=by_key),
                caller.get(f"/v1/documents/{document_id}/events"),
                caller.get(f"/v1/documents/{document_id}", params={"asOfPosition": 2**40}),
                caller.post(f"/v1/documents/{document_id}/download-token", json={}),
            )
            for look in looks:
                if order_id in expected:
                    assert look.is_success, look.text
                else:
                    problem(look, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("roles", "claims"),
    [(("BUYER",), {"buyer_id": "scope-buyer-2"}), (("SUPPORT",), {"countries": ["MX"]}), (("SELLER",), {})],
    ids=str,
)
def test_what_is_hidden_answers_just_like_what_does_not_exist(
    house: House, orders: Orders, roles: tuple[str, ...], claims: dict[str, Any]
) -> None:
    with house.client(*roles, **claims) as caller:
        hidden = caller.get(f"/v1/documents/{orders.documents[MINE]}/verify")
        missing = caller.get("/v1/documents/11111111-1111-5111-8111-111111111111/verify")
    bodies = [problem(answer, 404, "NOT_FOUND") for answer in (hidden, missing)]
    for body in bodies:
        body.pop("correlationId")
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("whose", "path"),
    [
        ("invoice", "/invoices/{}"),
        ("invoice", "/invoices/{}/artifacts"),
        ("invoice", "/receipts/by-invoice/{}"),
        ("payment", "/payments/{}"),
        ("receipt", "/receipts/{}"),
    ],
)
def test_what_is_of_another_account_answers_just_like_what_does_not_exist(
    house: House, whose: str, path: str
) -> None:
    with ReceiptDesk(house) as desk:
        payment = desk.paid()
        shown = desk.receipt(payment["receiptId"])
    ids = {"payment": payment["billingPaymentId"], **{of: shown[f"{of}Id"] for of in ("invoice", "receipt")}}
    house.catch_up()
    with house.client("BILLING_MANAGER", account_ids=[str(uuid4())]) as stranger:
        hidden, missing = (stranger.get(f"/v1/billing{path.format(of)}") for of in (ids[whose], uuid4()))
    bodies = [problem(answer, 404, "NOT_FOUND") for answer in (hidden, missing)]
    for body in bodies:
        body.pop("correlationId")
    assert bodies[0] == bodies[1]


def test_a_filter_never_widens_what_a_caller_sees(house: House, orders: Orders) -> None:
    with house.client("BUYER", buyer_id="scope-buyer-1") as buyer:
        for wish in ({"buyerId": "scope-buyer-2"}, {"orderId": OTHERS}, {"q": OTHERS}):
            assert all_items(buyer, "/v1/documents", **wish) == []


def test_a_document_before_it_is_issued_is_known_to_auditors_alone(house: House) -> None:
    parties = by_platform("scope-drafts", "draft-buyer", "draft-seller")
    with house.without_worker():
        answer = house.post(paid("scope-draft", orderPartySnapshot=parties))
    (document,) = answer.json()["results"][0]["documents"]
    position = int(answer.headers["x-ledger-position"])
    issued = house.wait_for_issue(document["documentId"])
    moment = {"asOfPosition": position}
    path = f"/v1/documents/{document['documentId']}"
    with house.client("AUDITOR") as auditor:
        draft = auditor.get(path, params=moment).json()
    assert (draft["status"], draft["pdfUrl"], draft["seal"]) == ("DRAFT", None, None)
    assert (draft["number"], draft["issuedAt"]) == (issued["number"], issued["issuedAt"])
    for roles, claims in (
        (("BUYER",), {"buyer_id": "draft-buyer"}),
        (("SELLER",), {"seller_id": "draft-seller"}),
        (("SUPPORT",), {"countries": ["GB"]}),
    ):
        with house.client(*roles, **claims) as caller:
            assert caller.get(path).status_code == 200
            problem(caller.get(path, params=moment), 404, "NOT_FOUND")


def test_series_are_narrowed_to_the_callers_countries(house: House, orders: Orders) -> None:
    gb, mx = "GB:scope-platform:RECEIPT", "MX:scope-platform:RECEIPT"
    with house.client("FINANCE_ADMIN", countries=["MX"]) as finance:
        listed = {row["seriesId"] for row in all_items(finance, "/v1/number-series")}
        assert mx in listed and not any(series.startswith("GB:") for series in listed)
        assert finance.get(f"/v1/number-series/{mx}").status_code == 200
        problem(finance.get(f"/v1/number-series/{gb}"), 404, "NOT_FOUND")
        problem(finance.get(f"/v1/number-series/{gb}/numbers"), 404, "NOT_FOUND")
        body = {"countryCode": "GB", "issuerEntityId": "scope-new", "docType": "RECEIPT"}
        problem(finance.post("/v1/number-series", json=body), 403, "PERMISSION_DENIED")
    with house.client("COUNTRY_OPS_LEAD", permissions=["billing:series:manage"]) as lead:
        assert all_items(lead, "/v1/number-series") == []


@pytest.mark.parametrize("path", ["/v1/audit/events", "/v1/audit/streams/order/x"])
@pytest.mark.parametrize(
    "claims", [{"countries": ["GB"]}, {"buyer_id": "b"}, {"seller_id": "s"}, {"account_ids": ["a"]}], ids=str
)
def test_the_whole_ledger_is_not_for_a_narrowed_token(
    house: House, path: str, claims: dict[str, Any]
) -> None:
    with house.client("AUDITOR", **claims) as caller:
        problem(caller.get(path), 403, "PERMISSION_DENIED")
