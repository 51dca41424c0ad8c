"""Clients that send random commands until each is answered, and compare the answer with the model's."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.commands import Commands
from tests.chaos.model import INBOUND, REPLAYED, Model, Request, Verdict
from tests.chaos.orders import PAID
from tests.support.house import BATCH_OF_EVENTS, DEADLINE_SECONDS, ONE_EVENT
from tests.support.stalls import Pulse

ABANDONED_SHARE = 0.3
"""Of new orders whose answer was lost: the client never learns what became of them."""

LONGEST_PAUSE_SECONDS = 0.1
RETRY_SECONDS = 0.05
ANSWER_SECONDS = 60.0
"""A client that gave up while its command was still on its way would meet it again later, out of order."""


class Unexpected(AssertionError):
    """An answer that the model does not allow."""


@dataclass
class Record:
    """What the clients saw, for the checks afterwards and for the report. `documents` are ids by key."""

    answers: Counter[str] = field(default_factory=Counter)
    lost_answers: int = 0
    unavailable_answers: int = 0
    documents: dict[str, str] = field(default_factory=dict)
    contested_accepted: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    pulses: list[Pulse] = field(default_factory=list)

    def last_answer_at(self) -> float | None:
        """When anybody was last answered (monotonic); None before the first answer."""
        return max((pulse.moments[-1] for pulse in self.pulses if pulse.moments), default=None)


class Client:
    """One client; `opened` are HTTP clients of the servers, of which it asks any."""

    def __init__(
        self,
        name: str,
        seed: int,
        model: Model,
        record: Record,
        opened: Sequence[httpx.AsyncClient],
    ) -> None:
        self._chance = random.Random(f"{seed}/{name}")
        self._model = model
        self._record = record
        self._opened = opened
        self._commands = Commands(name, self._chance, model)
        self._stored: dict[tuple[str, str], bytes] = {}
        self._pulse = Pulse(name)
        record.pulses.append(self._pulse)

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Sends one command after the other. Raises `Unexpected`."""
        while not stopping():
            request = self._commands.next()
            abandons = self._may_abandon(request) and self._chance.random() < ABANDONED_SHARE
            answer, lost = await self._insist(request, abandons=abandons)
            self._pulse.beat()
            if answer is None:
                self._commands.forget(request.body)
                self._model.abandoned[request.body["data"]["orderId"]] = request.body
            else:
                self._compare(request, answer, lost=lost)
            await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE_SECONDS))

    def _may_abandon(self, request: Request) -> bool:
        """Only an order that nothing is known of yet, so that nothing else hangs on it."""
        body = request.body
        if request.contested or request.key or request.path != INBOUND or isinstance(body, list):
            return False
        order_id = body["data"]["orderId"]
        return (
            body["type"] == PAID
            and body["id"] not in self._model.events
            and order_id not in self._model.orders
        )

    async def _insist(self, request: Request, *, abandons: bool) -> tuple[httpx.Response | None, bool]:
        """The first answer that is one, and whether an earlier one was lost; None where it is abandoned."""
        lost = False
        give_up_at = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        while asyncio.get_running_loop().time() < give_up_at:
            try:
                answer = await _send(self._chance.choice(self._opened), request)
                if answer.status_code != 503:
                    return answer, lost
                self._record.unavailable_answers += 1
            except httpx.TransportError:
                self._record.lost_answers += 1
            lost = True
            if abandons:
                return None, lost
            await asyncio.sleep(RETRY_SECONDS)
        raise Unexpected(f"no server answered for {DEADLINE_SECONDS} seconds")

    def _compare(self, request: Request, answer: httpx.Response, *, lost: bool) -> None:
        first, again = self._model.take(request)
        seen = _verdict(answer)
        self._record.answers[_label(seen)] += 1
        if first == REPLAYED:
            stored = self._stored[request.path, request.key or ""]
            _require(answer.content == stored, request, answer, "the stored answer, byte for byte")
            _require(answer.headers.get("Idempotent-Replayed") == "true", request, answer, "a replay")
            return
        allowed = {first, again} if lost or request.contested else {first}
        if request.contested:
            allowed.add(Verdict(200, (("ACCEPTED", None),)))
        _require(seen in allowed, request, answer, " or ".join(map(str, allowed)))
        if request.key and seen.status < 400:
            self._stored[request.path, request.key] = answer.content
        if request.path == INBOUND and seen.status == 200:
            self._keep(request, answer)

    def _keep(self, request: Request, answer: httpx.Response) -> None:
        events = request.body if isinstance(request.body, list) else [request.body]
        for event, result in zip(events, answer.json()["results"], strict=True):
            if result["outcome"] == "REJECTED":
                continue
            self._record.acknowledged[event["id"]] = event
            if request.contested and result["outcome"] == "ACCEPTED":
                self._record.contested_accepted[event["id"]] += 1
            keys = sorted(document["documentKey"] for document in result["documents"])
            expected = self._model.orders[event["data"]["orderId"]].led_to(event)
            _require(keys == expected, request, answer, f"the documents {expected}")
            for document in result["documents"]:
                known = self._record.documents.setdefault(document["documentKey"], document["documentId"])
                _require(known == document["documentId"], request, answer, f"document {known}")


async def _send(client: httpx.AsyncClient, request: Request) -> httpx.Response:
    media_type = "application/json"
    if request.path == INBOUND:
        media_type = BATCH_OF_EVENTS if isinstance(request.body, list) else ONE_EVENT
    headers = {"Content-Type": media_type}
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    return await client.post(request.path, content=json.dumps(request.body), headers=headers)


def _verdict(answer: httpx.Response) -> Verdict:
    body = answer.json()
    if answer.status_code >= 400:
        return Verdict(answer.status_code, code=body["code"])
    status = 200 if answer.status_code == 202 else answer.status_code
    results = body.get("results", ())
    return Verdict(status, tuple((r["outcome"], r["error"]["code"] if r["error"] else None) for r in results))


def _label(verdict: Verdict) -> str:
    """How an answer is counted."""
    if len(verdict.outcomes) == 1:
        return f"{verdict.status} {verdict.outcomes[0][0]}"
    return f"{verdict.status} {verdict.code or ('batch' if verdict.outcomes else 'series')}"


def _require(condition: bool, request: Request, answer: httpx.Response, expected: str) -> None:
    if not condition:
        raise Unexpected(f"{request}\nwas answered {answer.status_code} {answer.text}\nexpected {expected}")
