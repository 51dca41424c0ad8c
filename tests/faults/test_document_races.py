"""One document asked for, voided, replaced and credited many times at once: each takes effect once."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.support.house import House, all_items, by_platform
from tests.support.shop import Shop

pytestmark = pytest.mark.slow

TIMES = 40
AT_ONCE = 10


@pytest.fixture(scope="module")
def urls(house: House) -> tuple[str, str]:
    """Two APIs of one ledger."""
    return house.url, house.second_url()


@pytest.fixture(scope="module")
def shop(house: House) -> Iterator[Shop]:
    """The back office of a shop in the house."""
    with Shop(house) as shop:
        yield shop


def at_once(
    shop: Shop, urls: tuple[str, str], ask: Callable[[httpx.Client, int], httpx.Response]
) -> list[httpx.Response]:
    """The answers to requests that are sent through either API in turn."""

    def send(number: int) -> httpx.Response:
        with shop.house.client("FINANCE_ADMIN", url=urls[number % 2]) as client:
            return ask(client, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(TIMES)))


def test_of_many_demands_of_one_invoice_one_is_new(shop: Shop, urls: tuple[str, str]) -> None:
    platform = f"platform-{uuid4()}"
    order = shop.paid(orderPartySnapshot=by_platform(platform))
    body = {"orderId": order["orderId"], "docType": "FISCAL_INVOICE"}
    answers = at_once(shop, urls, lambda client, _: client.post("/v1/documents/issue", json=body))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: TIMES - 1}
    assert len({answer.json()["documentId"] for answer in answers}) == 1
    assert shop.kinds(order) == ["RECEIPT", "FISCAL_INVOICE"]
    numbers = all_items(shop.client("AUDITOR"), f"/v1/number-series/GB:{platform}:FISCAL_INVOICE/numbers")
    assert len(numbers) == 1


@pytest.mark.parametrize(("what", "made"), [("replace", 1), ("credit-note", 1), ("void", 0)])
def test_of_many_corrections_of_one_kind_one_takes_effect(
    shop: Shop, urls: tuple[str, str], what: str, made: int
) -> None:
    order = shop.paid()
    document_id = shop.invoice(order)["documentId"]
    body = {"reasonCode": "ERROR", "elevationToken": shop.approval(document_id)}
    path = f"/v1/documents/{document_id}/{what}"
    answers = at_once(shop, urls, lambda client, _: client.post(path, json=body))
    assert Counter(answer.status_code for answer in answers) == Counter(
        {201: made, 200: TIMES - made} if made else {200: TIMES}
    )
    assert len({answer.json()["documentId"] for answer in answers}) == 1
    assert len(shop.documents(order)) == 2 + made


def test_void_replace_and_credit_at_once_leave_one_of_them(shop: Shop, urls: tuple[str, str]) -> None:
    platform = f"platform-{uuid4()}"
    order = shop.paid(orderPartySnapshot=by_platform(platform))
    document_id = shop.invoice(order)["documentId"]
    kinds = ("void", "replace", "credit-note")
    tokens = [shop.approval(document_id) for _ in kinds]

    def correct(client: httpx.Client, number: int) -> httpx.Response:
        body = {"reasonCode": "ERROR", "elevationToken": tokens[number % 3]}
        return client.post(f"/v1/documents/{document_id}/{kinds[number % 3]}", json=body)

    answers = at_once(shop, urls, correct)
    assert {answer.status_code for answer in answers} <= {200, 201, 403, 409, 422}, [a.text for a in answers]
    shop.house.catch_up()
    shown = shop.detail(document_id)
    relations = {each["relation"] for each in shown["linkedDocuments"]}
    assert (shown["status"], relations) in (
        ("VOIDED", set()),
        ("REPLACED", {"REPLACED_BY"}),
        ("REPLACED", {"CORRECTED_BY", "REPLACED_BY"}),
        ("ISSUED", {"CORRECTED_BY"}),
    )
    for series in ("FISCAL_INVOICE", "CREDIT_NOTE"):
        answer = shop.client("AUDITOR").get(f"/v1/number-series/GB:{platform}:{series}/numbers")
        assert answer.status_code == 404 or answer.json()["gaps"] == []


def test_refunds_that_race_with_the_invoice_are_all_credited(shop: Shop, urls: tuple[str, str]) -> None:
    order = shop.paid()
    body = {"orderId": order["orderId"], "docType": "FISCAL_INVOICE"}

    def act(client: httpx.Client, number: int) -> httpx.Response:
        if number % 4 == 0:
            return client.post("/v1/documents/issue", json=body)
        shop.refunded(order, f"r-{number}", 100)
        return httpx.Response(200)

    answers = at_once(shop, urls, act)
    assert {answer.status_code for answer in answers} == {200, 201}
    documents = shop.documents(order)
    credited = [each for each in documents if each["docType"] == "CREDIT_NOTE"]
    assert len(credited) == TIMES - TIMES // 4
    assert sum(each["totals"]["grandTotal"] for each in credited) == 100 * len(credited)
