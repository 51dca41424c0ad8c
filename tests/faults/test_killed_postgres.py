"""PostgreSQL killed under load and started again: what was acknowledged is there, nothing is there twice."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.house import House, all_items, by_platform, eventually, numbers_of, paid, send
from tests.support.problems import problem

pytestmark = pytest.mark.slow

CLIENTS = 8
KILLS = 2


def test_every_acknowledged_order_survives_and_none_is_there_twice(fragile: House) -> None:
    parties = by_platform("killed-postgres-ltd")
    acknowledged: set[str] = set()
    attempted: set[str] = set()
    stop = threading.Event()

    def client(number: int) -> None:
        with fragile.client("SYSTEM") as system:
            order = 0
            while not stop.is_set():
                order += 1
                order_id = f"kp-{number}-{order}"
                attempted.add(order_id)
                try:
                    answer = send(system, paid(order_id, orderPartySnapshot=parties))
                except httpx.TransportError:
                    continue
                if answer.is_success:
                    acknowledged.add(order_id)
                else:
                    problem(answer, 503, "SERVICE_UNAVAILABLE")

    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client, number) for number in range(CLIENTS)]
        try:
            for _ in range(KILLS):
                enough = len(acknowledged) + 20
                eventually(lambda enough=enough: len(acknowledged) >= enough)  # type: ignore[misc]
                fragile.kill("postmaster")
            enough = len(acknowledged) + 20
            eventually(lambda: len(acknowledged) >= enough)
        finally:
            stop.set()
        for future in running:
            future.result()
    again = [paid(order_id, orderPartySnapshot=parties) for order_id in sorted(acknowledged)]
    outcomes = {result["outcome"] for result in fragile.post(again).json()["results"]}
    assert outcomes == {"DUPLICATE"}, "whatever was acknowledged is known"
    fragile.catch_up()
    with fragile.client("AUDITOR") as auditor:
        parameters = {"type": "order.paid-in-escrow"}
        events = all_items(auditor, "/v1/audit/events", **parameters)
        rows = all_items(auditor, "/v1/documents", issuerEntityId="killed-postgres-ltd")
    orders = [event["streamId"] for event in events if event["streamId"].startswith("kp-")]
    assert len(orders) == len(set(orders))
    assert acknowledged <= set(orders) <= attempted
    assert len(rows) == len(orders)
    sequences, holders = numbers_of(fragile, "killed-postgres-ltd")
    assert sequences == list(range(1, len(orders) + 1))
    for document_id in holders:
        fragile.wait_for_issue(document_id)


def test_without_postgres_the_house_lives_and_is_not_ready_until_it_is_back(fragile: House) -> None:
    with fragile.client("SUPER_ADMIN") as admin:
        eventually(lambda: admin.get("/health/ready").status_code == 200)
        supervisor = fragile.main_pid()
        os.kill(supervisor, signal.SIGSTOP)
        try:
            fragile.kill("postmaster")
            ready = eventually(
                lambda: answer if (answer := admin.get("/health/ready")).status_code == 503 else None
            )
            assert ready.json()["checks"]["database"] != "ok" and int(ready.headers["retry-after"]) > 0
            assert admin.get("/health/live").status_code == 200
            assert admin.get("/metrics").status_code == 200
            for path in ("/v1/documents", "/v1/audit/events"):
                problem(admin.get(path), 503, "SERVICE_UNAVAILABLE")
            problem(send(admin, paid("no-postgres")), 503, "SERVICE_UNAVAILABLE")
        finally:
            os.kill(supervisor, signal.SIGCONT)
        eventually(lambda: admin.get("/health/ready").status_code == 200)
        fragile.issued(paid("no-postgres"))


def test_projections_far_behind_make_the_house_not_ready(fragile: House) -> None:
    fragile.catch_up()
    move = "UPDATE readmodel.tracking SET position = position - %s WHERE projection = 'tasks'"
    with fragile.client() as anybody, fragile.database() as connection, fragile.without_worker():
        connection.execute(move, (5_001,))
        try:
            answer = anybody.get("/health/ready")
            assert answer.status_code == 503
            assert "behind" in answer.json()["checks"]["projection:tasks"]
            assert anybody.get("/health/live").status_code == 200
        finally:
            connection.execute(move, (-5_001,))
        assert anybody.get("/health/ready").status_code == 200
