"""Fifty at once through two APIs: one purchase order a checkout, one checkout a number, one use a token."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from tests.support.checkouts import Till, an_approver
from tests.support.decisions import decision
from tests.support.house import House

AT_ONCE = 50


@pytest.fixture(scope="module")
def tills(house: House) -> Iterator[list[Till]]:
    """One person at the counters of two API processes."""
    urls = (house.url, house.second_url())
    with ExitStack() as stack:
        clients = [house.client("BILLING_MANAGER", sub="bea", url=url) for url in urls]
        yield [Till(stack.enter_context(client)) for client in clients]


def _at_once(tills: list[Till], ask: Callable[[Till, int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda number: ask(tills[number % 2], number), range(AT_ONCE)))


def _outcomes(answers: list[httpx.Response]) -> Counter[object]:
    return Counter(answer.json()["code"] if answer.is_error else answer.status_code for answer in answers)


@pytest.mark.slow
@decision("BILL-DEC-009", "Of many purchase orders at once one stands")
def test_of_fifty_purchase_orders_for_one_checkout_one_stands(tills: list[Till]) -> None:
    checkout, account = str(uuid4()), str(uuid4())
    tills[0].rules(account, poFormatRegex="PO-[0-9]+")
    answers = _at_once(tills, lambda till, number: till.capture(checkout, account, f"PO-{number}"))
    assert _outcomes(answers) == {201: 1, "PO_ALREADY_CAPTURED": AT_ONCE - 1}
    (winner,) = (answer for answer in answers if answer.is_success)
    assert tills[1].evaluate(checkout, account).json()["poCapture"] == winner.json()


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["ACCOUNT", "GLOBAL"])
@decision("BILL-DEC-009", "Of many checkouts with one number at once one has it")
def test_of_fifty_checkouts_with_one_number_one_has_it(tills: list[Till], scope: str) -> None:
    account, number = str(uuid4()), f"PO {uuid4()}"
    tills[0].rules(account, poUniquenessScope=scope)
    answers = _at_once(tills, lambda till, _: till.capture(str(uuid4()), account, number))
    assert _outcomes(answers) == {201: 1, "PO_NOT_UNIQUE": AT_ONCE - 1}


@pytest.mark.slow
@decision("BILL-DEC-009", "Of many overrides by one approval at once one is done")
def test_of_fifty_overrides_with_one_token_one_is_done(house: House, tills: list[Till]) -> None:
    account, maria = str(uuid4()), an_approver(house)
    tills[0].rules(account)
    token = tills[0].approval(maria, None)
    answers = _at_once(tills, lambda till, _: till.override(str(uuid4()), account, elevationToken=token))
    assert _outcomes(answers) == {201: 1, "ELEVATION_INVALID": AT_ONCE - 1}


@pytest.mark.slow
def test_the_same_override_fifty_times_is_recorded_once(house: House, tills: list[Till]) -> None:
    checkout, account, maria = str(uuid4()), str(uuid4()), an_approver(house)
    tills[0].rules(account)
    token = tills[0].approval(maria, checkout)
    answers = _at_once(tills, lambda till, _: till.override(checkout, account, elevationToken=token))
    assert _outcomes(answers) == {201: 1, 200: AT_ONCE - 1}
    assert len({answer.content for answer in answers}) == 1
