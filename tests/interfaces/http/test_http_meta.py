"""Discovery over HTTP: closed lists with ETags that clients keep (BILL-DEC-007)."""

from typing import Any

import pytest

from tests.support.decisions import decision
from tests.support.house import House
from tests.support.problems import fields_of, problem

LISTS = {
    "payment-terms": {"DUE_ON_RECEIPT", "NET7", "NET30", "NET60", "EOM"},
    "invoice-delivery-methods": {"EMAIL", "PORTAL", "MAIL"},
    "invoice-grouping-strategies": {"PER_WORKORDER", "PER_VEHICLE", "SINGLE_INVOICE"},
    "po-policies": {"NONE", "ACCOUNT", "GLOBAL"},
    "reason-codes": {"CUSTOMER_URGENT", "PO_PENDING", "OTHER", "ERROR", "DUPLICATE", "CUSTOMER_REQUEST"},
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("mount", ["/v1/billing", "/billing"])
@decision("BILL-DEC-007", "Clients may keep the lists by their ETag")
def test_any_caller_reads_a_list_and_may_keep_it(house: House, mount: str, name: str) -> None:
    path = f"{mount}/meta/{name}"
    with house.client("AP_CLERK") as anybody:
        answer = anybody.get(path)
        assert answer.status_code == 200
        items: list[dict[str, Any]] = answer.json()["items"]
        assert {item["code"] for item in items} >= LISTS[name]
        assert all(item["label"] for item in items)
        assert answer.headers["cache-control"] == "private, max-age=3600"
        again = anybody.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
        assert again.headers["cache-control"] == answer.headers["cache-control"]
        assert anybody.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


@decision("BILL-DEC-007", "Reasons are listed by category")
def test_reasons_are_listed_by_category(house: House) -> None:
    with house.client("AUDITOR") as anybody:
        for category in ("PO_OVERRIDE", "REPRINT", "VOID", "CREDIT", "REFUND"):
            items = anybody.get("/v1/billing/meta/reason-codes", params={"category": category}).json()[
                "items"
            ]
            assert items and {item["category"] for item in items} == {category}
        answer = anybody.get("/v1/billing/meta/reason-codes", params={"category": "BOREDOM"})
    assert fields_of(problem(answer, 400, "VALIDATION_FAILED")) == {"category"}


def test_lists_are_for_callers_with_a_token(house: House) -> None:
    with house.client() as nobody:
        problem(nobody.get("/v1/billing/meta/payment-terms"), 401, "UNAUTHENTICATED")
