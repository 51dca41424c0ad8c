"""Many payments of one bill and many repeats of one payment at once, through two APIs of one ledger."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.decisions import decision
from tests.support.garage import Garage
from tests.support.house import House
from tests.support.problems import problem
from tests.support.vendor_desk import CLERK, VendorDesk

pytestmark = pytest.mark.slow

PAYMENTS = 60
REPEATS = 50
AT_ONCE = 12


@pytest.fixture(scope="module")
def urls(house: House) -> tuple[str, str]:
    """Two APIs of one ledger."""
    return house.url, house.second_url()


def at_once(house: House, urls: tuple[str, str], orders: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    """The answers to these payments, sent all at once through either API in turn."""

    def send(number: int) -> httpx.Response:
        with house.client(CLERK, url=urls[number % 2]) as client:
            return client.post("/v1/billing/ap/payments", json=orders[number])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(len(orders))))


@decision("BILL-DEC-013", "Payments at once are never allocated more of a bill than is open")
def test_a_bill_is_never_allocated_twice(house: House, urls: tuple[str, str]) -> None:
    with Garage(house) as garage:
        desk = VendorDesk(garage)
        bill, other = desk.approved(10_000), desk.approved(100_000)
        orders = [desk.order(1_500, (other, 500), (bill, 1_000)) for _ in range(PAYMENTS)]
        answers = at_once(house, urls, orders)
        assert Counter(answer.status_code for answer in answers) == {201: 10, 422: PAYMENTS - 10}
        for answer in answers:
            if answer.status_code == 422:
                code = answer.json()["code"]
                assert code in {"ALLOCATION_EXCEEDS_OPEN_AMOUNT", "BILL_NOT_PAYABLE"}
        for answer in answers:
            if answer.status_code == 201:
                assert desk.settled(answer.json())["status"] == "GL_POST_PENDING"
        assert desk.stands(bill) == ("PAID", 0, 0, 10_000)
        assert desk.stands(other) == ("OPEN", 95_000, 0, 5_000), "what was refused reserved nothing"


@decision("BILL-DEC-013", "Of many repeats of a paymentRef at once one is a payment")
def test_one_reference_is_one_payment(house: House, urls: tuple[str, str]) -> None:
    with Garage(house) as garage:
        desk = VendorDesk(garage)
        bill = desk.approved(10_000)
        order = desk.order(4_000, (bill, 4_000))
        other = {**order, "grossAmount": 4_001}
        answers = at_once(house, urls, [order, other] * (REPEATS // 2))
        taken = [answer for answer in answers if answer.is_success]
        assert Counter(answer.status_code for answer in taken)[201] == 1
        assert len({answer.json()["billingPaymentId"] for answer in taken}) == 1
        for answer in answers:
            if answer not in taken:
                problem(answer, 409, "PAYMENT_REF_CONFLICT")
        desk.settled(taken[0].json())
        assert desk.stands(bill) == ("OPEN", 6_000, 0, 4_000)
