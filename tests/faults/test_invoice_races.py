"""One work order drafted, one draft issued, many times at once through two APIs: one winner each."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.decisions import decision, rule
from tests.support.garage import AUDITOR, MANAGER, Garage
from tests.support.house import House, all_items
from tests.support.problems import problem

pytestmark = pytest.mark.slow

DRAFTS = 60
ISSUES = 50
AT_ONCE = 10


@pytest.fixture(scope="module")
def urls(house: House) -> tuple[str, str]:
    """Two APIs of one ledger."""
    return house.url, house.second_url()


def at_once(
    house: House, urls: tuple[str, str], times: int, ask: Callable[[httpx.Client], httpx.Response]
) -> list[httpx.Response]:
    """The answers to one request that is sent so often, through either API in turn."""

    def send(number: int) -> httpx.Response:
        with house.client(MANAGER, url=urls[number % 2]) as client:
            return ask(client)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(times)))


@decision("BILL-DEC-002", "Of many drafts of a work order at once one is new")
def test_of_sixty_drafts_of_a_work_order_one_is_new(house: House, urls: tuple[str, str]) -> None:
    with Garage(house) as garage:
        body = {"workOrderId": garage.work_order()["workOrderId"]}
        path = "/v1/billing/invoices/draft"
        answers = at_once(house, urls, DRAFTS, lambda client: client.post(path, json=body))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: DRAFTS - 1}
        assert len({answer.content for answer in answers}) == 1
        garage.head()
        (listed,) = all_items(garage.client(AUDITOR), "/v1/billing/invoices", **body)
        assert listed["invoiceId"] == answers[0].json()["invoiceId"]


@rule("IDEM-13")
@decision("BILL-DEC-001", "Of many issues at once one takes effect, and all get its answer")
def test_fifty_issues_of_a_version_give_one_number_and_one_answer(
    house: House, urls: tuple[str, str]
) -> None:
    with Garage(house) as garage:
        draft = garage.drafted()
        path, body = f"/v1/billing/invoices/{draft['invoiceId']}/issue", {"invoiceVersion": 1}
        answers = at_once(house, urls, ISSUES, lambda client: client.post(path, json=body))
        assert {answer.status_code for answer in answers} == {200}
        (content,) = {answer.content for answer in answers}
        assert at_once(house, urls, 1, lambda client: client.post(path, json=body))[0].content == content
        issued_once(garage, answers[0])


def test_of_fifty_issues_that_name_no_version_one_wins(house: House, urls: tuple[str, str]) -> None:
    with Garage(house) as garage:
        draft = garage.drafted()
        path = f"/v1/billing/invoices/{draft['invoiceId']}/issue"
        answers = at_once(house, urls, ISSUES, lambda client: client.post(path, json={}))
        (winner,) = (answer for answer in answers if answer.status_code == 200)
        for answer in answers:
            if answer is not winner:
                problem(answer, 409, "INVOICE_NOT_DRAFT")
        issued_once(garage, winner)


def issued_once(garage: Garage, answer: httpx.Response) -> None:
    """The invoice holds the only number of its issuer, and was announced once."""
    issued = answer.json()
    garage.document(issued["documents"][0]["documentId"])
    garage.head()
    series = f"/v1/number-series/ES:{issued['issuerEntityId']}:FISCAL_INVOICE/numbers"
    (number,) = all_items(garage.client(AUDITOR), series)
    assert (number["number"], number["invoiceId"]) == (issued["invoiceNumber"], issued["invoiceId"])
    assert garage.announced("invoice", issued["invoiceId"]) == ["billing.InvoiceIssued"]
