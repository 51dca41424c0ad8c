"""A format is looked at between two looks at the ledger, and again where another one stands by then."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Response

from domain.kernel.errors import DomainError
from infrastructure.patterns import Re2Patterns
from interfaces.http.commands import checkout
from tests.support.account_facts import ACCOUNT_ID
from tests.support.approvals import ANA
from tests.support.counter import Counter
from tests.support.facts import FINGERPRINT


class Meddling(Re2Patterns):
    """Somebody changes the rules while a format is looked at."""

    def __init__(self, change: Callable[[int], None]) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._change = change

    def matches(self, pattern: str, text: str) -> bool:
        """Looks, and changes the rules."""
        self.asked.append(pattern)
        self._change(len(self.asked))
        return super().matches(pattern, text)


async def _captured(counter: Counter, patterns: Re2Patterns) -> Response[Any]:
    system = SimpleNamespace(ledger=counter.ledger, patterns=patterns, fingerprint=FINGERPRINT)

    async def body() -> bytes:
        return json.dumps({"accountId": ACCOUNT_ID, "poNumber": "PO-4711"}).encode()

    request = SimpleNamespace(
        scope={"state": {"caller": ANA}},
        app=SimpleNamespace(state={"system": system}),
        headers={"content-type": "application/json"},
        body=body,
    )
    answer: Response[Any] = await checkout.capture_po.fn(request, "checkout-1")
    return answer


def _setting(counter: Counter, formats: Callable[[int], str | None]) -> Callable[[int], None]:
    """Sets another format at each look, where there is one for it."""

    def change(look: int) -> None:
        pattern = formats(look)
        if pattern is not None:
            asyncio.run(counter.put_rules(ACCOUNT_ID, poFormatRegex=pattern))

    return change


async def test_a_number_is_held_against_the_format_that_stands_when_it_is_recorded() -> None:
    counter = Counter()
    await counter.put_rules(ACCOUNT_ID, poFormatRegex="PO-.*")
    patterns = Meddling(_setting(counter, {1: "[0-9]+"}.get))
    with pytest.raises(DomainError, match="PO_FORMAT_INVALID"):
        await _captured(counter, patterns)
    assert patterns.asked == ["PO-.*", "[0-9]+"]


async def test_a_number_that_fits_only_the_newer_format_is_captured() -> None:
    counter = Counter()
    await counter.put_rules(ACCOUNT_ID, poFormatRegex="[0-9]+")
    patterns = Meddling(_setting(counter, {1: "PO-.*"}.get))
    answer = await _captured(counter, patterns)
    assert (answer.status_code, answer.content["policyVersion"]) == (201, "billing-rules/account@2")
    assert patterns.asked == ["[0-9]+", "PO-.*"]


async def test_other_changes_of_the_rules_ask_for_no_second_look() -> None:
    counter = Counter()
    await counter.put_rules(ACCOUNT_ID, poFormatRegex="PO-.*")

    def change(_: int) -> None:
        asyncio.run(counter.put_rules(ACCOUNT_ID, paymentTermsCode="NET60"))

    patterns = Meddling(change)
    answer = await _captured(counter, patterns)
    assert (answer.status_code, answer.content["policyVersion"]) == (201, "billing-rules/account@2")
    assert patterns.asked == ["PO-.*"]


async def test_without_a_format_nothing_is_looked_at() -> None:
    counter = Counter()
    patterns = Meddling(lambda _: None)
    assert (await _captured(counter, patterns)).status_code == 201
    assert patterns.asked == []


async def test_who_never_stops_changing_the_rules_is_not_waited_for() -> None:
    counter = Counter()
    await counter.put_rules(ACCOUNT_ID, poFormatRegex="PO-.*")
    patterns = Meddling(_setting(counter, lambda look: f"PO-.*{'x?' * look}"))
    with pytest.raises(DomainError, match="SERVICE_UNAVAILABLE"):
        await _captured(counter, patterns)
    assert len(patterns.asked) == 5
