"""API processes killed under load: clients retry, and there is no gap, no double, nothing lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import httpx
import pytest

from tests.support.house import (
    DEADLINE_SECONDS,
    House,
    all_items,
    by_platform,
    eventually,
    numbers_of,
    paid,
    send,
)

pytestmark = pytest.mark.slow

CLIENTS = 32
ORDERS_PER_CLIENT = 100
ORDERS_PER_BATCH = 20


def _insist(clients: "cycle[httpx.Client]", batch: Any) -> list[dict[str, Any]]:
    """Sends a batch to one API after the other until one of them answers."""
    give_up_at = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            answer = send(next(clients), batch)
            if answer.status_code in {200, 202}:
                results: list[dict[str, Any]] = answer.json()["results"]
                return results
            assert answer.status_code == 503, answer.text
        except httpx.TransportError:
            # Killed before it answered: whether it took the events is what the repeat finds out.
            pass
        assert time.monotonic() < give_up_at, "no API answered any more"
        time.sleep(0.05)


def test_thousands_of_orders_through_two_apis_of_which_one_is_killed_again_and_again(fragile: House) -> None:
    parties = by_platform("killed-api-ltd")
    second_url = fragile.second_url()
    sent = threading.Semaphore(0)

    def client(number: int) -> list[dict[str, Any]]:
        results = []
        with (
            fragile.client("SYSTEM", sub=f"client-{number}") as one,
            fragile.client("SYSTEM", sub=f"client-{number}", url=second_url) as two,
        ):
            turns = cycle((one, two) if number % 2 else (two, one))
            for start in range(0, ORDERS_PER_CLIENT, ORDERS_PER_BATCH):
                orders = range(start, start + ORDERS_PER_BATCH)
                batch = [paid(f"ka-{number}-{order}", orderPartySnapshot=parties) for order in orders]
                results += _insist(turns, batch)
                sent.release()
        return results

    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client, number) for number in range(CLIENTS)]
        for _ in range(4):
            for _ in range(CLIENTS // 2):
                assert sent.acquire(timeout=DEADLINE_SECONDS)
            fragile.kill("api")
        results = [result for future in running for result in future.result()]
    fragile.wait_until_back()
    assert {result["outcome"] for result in results} <= {"ACCEPTED", "DUPLICATE"}
    total = CLIENTS * ORDERS_PER_CLIENT
    documents = [result["documents"][0]["documentId"] for result in results]
    assert len(results) == len(set(documents)) == total
    fragile.catch_up()
    sequences, holders = numbers_of(fragile, "killed-api-ltd")
    assert sequences == list(range(1, total + 1)), "no gap, no double, in order"
    assert sorted(holders) == sorted(documents), "each number is some order's only document's"
    with fragile.client("AUDITOR") as auditor:
        rows = all_items(auditor, "/v1/documents", issuerEntityId="killed-api-ltd")
    assert len(rows) == len({row["orderId"] for row in rows}) == total


def test_an_api_killed_while_it_waits_for_a_document_loses_nothing(fragile: House) -> None:
    event = paid("killed-202")
    with ThreadPoolExecutor(1) as pool, fragile.client("AUDITOR") as auditor:
        with fragile.without_worker():
            answer = pool.submit(fragile.post, event)
            path = "/v1/audit/streams/order/killed-202"
            eventually(lambda: auditor.get(path).status_code == 200)
            fragile.kill("api")
            with pytest.raises(httpx.TransportError):
                answer.result()

            def again() -> httpx.Response | None:
                try:
                    return fragile.post(event)
                except httpx.TransportError:
                    return None

            repeated = eventually(again)
        assert repeated.status_code == 202
        (result,) = repeated.json()["results"]
        assert result["outcome"] == "DUPLICATE"
        fragile.wait_for_issue(result["documents"][0]["documentId"])
        told = [event["type"] for event in auditor.get(path).json()["events"]]
        assert told == ["order.paid-in-escrow", "order.document-drafted"]


def test_the_supervisor_brings_every_killed_process_back(fragile: House) -> None:
    for part in ("projections", "issuer", "work", "api", "serve"):
        killed = fragile.kill(part)  # type: ignore[arg-type]

        def issued(part: str = part) -> bool:
            try:
                answer = fragile.post(paid(f"after-{part}"))
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        eventually(issued)
        eventually(lambda part=part, killed=killed: fragile.pid(part) != killed)  # type: ignore[misc]
