"""What must hold of ledger, documents and read models after any chaos; each check tells findings."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx

from tests.chaos.clients import Record
from tests.chaos.model import Model
from tests.chaos.orders import DRAFTED, receipt_key
from tests.support.house import House, all_items, eventually, send
from tests.support.process_tree import command_of, processes_of

VERIFIED_DOCUMENTS = 20
SETTLED_SECONDS = 180.0
PATIENT_REQUESTS = 30
"""More than the connections that a server keeps; each may have to learn that PostgreSQL was restarted."""

OF_A_DOCUMENT = (DRAFTED, "document.drafted", "document.numbered", "number-series.number-assigned")

_GAPS = {
    "a position is missing": "SELECT count(*) <> coalesce(max(position), 0) FROM ledger.event",
    "the head is elsewhere": """
        SELECT (SELECT position FROM ledger.event_head)
            <> (SELECT coalesce(max(position), 0) FROM ledger.event)""",
    "a stream has a hole": """
        SELECT count(*) > 0 FROM (SELECT FROM ledger.event GROUP BY stream_type, stream_id
            HAVING count(*) <> max(version) OR min(version) <> 1) AS holes""",
    "a stream's versions are not in position order": """
        SELECT coalesce(bool_or(version <> expected), false) FROM (SELECT version,
            row_number() OVER (PARTITION BY stream_type, stream_id ORDER BY position) AS expected
            FROM ledger.event) AS streams""",
    "a transaction is interleaved with another": """
        SELECT count(*) > 0 FROM (SELECT FROM ledger.event GROUP BY transaction_id
            HAVING max(position) - min(position) + 1 <> count(*)) AS torn""",
    "a transaction has two times": """
        SELECT count(*) > 0 FROM (SELECT FROM ledger.event GROUP BY transaction_id
            HAVING min(recorded_at) <> max(recorded_at)) AS moments""",
    "time runs backwards": """
        SELECT coalesce(bool_or(recorded_at < before), false) FROM (SELECT recorded_at,
            lag(recorded_at) OVER (ORDER BY position) AS before FROM ledger.event) AS moments""",
}


def settle(house: House) -> None:
    """Waits until every document is issued and every read model shows the whole ledger."""
    waiting = """
        SELECT count(*) FILTER (WHERE name = 'document.numbered')
            - count(*) FILTER (WHERE name = 'document.issued') FROM ledger.event"""
    with house.database() as connection:
        eventually(lambda: connection.execute(waiting).fetchone() == (0,), seconds=SETTLED_SECONDS)
    house.catch_up()


def findings(house: House, model: Model, record: Record, seed: int) -> Iterator[str]:
    """Everything that is not as it must be."""
    keys = [key for order in model.orders.values() for key in order.documents.values()]
    taken = dict.fromkeys(model.abandoned, False)
    streams = _streams(house)
    for order_id in taken:
        names = streams.get(("order", order_id), [])
        taken[order_id] = names == ["order.paid-in-escrow", DRAFTED]
        if names and not taken[order_id]:
            yield f"{order_id} was abandoned and is half there: {names}"
    keys += [receipt_key(model.abandoned[name]["data"]) for name, is_there in taken.items() if is_there]
    yield from positions(house)
    yield from _orders(streams, model)
    yield from _transactions(house)
    yield from _inbound(house, model)
    yield from _documents(house, model, record, keys, seed)
    yield from _repeats(house, model, record)
    yield from commands_agree(house)


class _PatientTransport(httpx.HTTPTransport):
    """Asks again while the service says that it cannot answer now, as it tells clients to."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer other than 503, or the last one."""
        for _ in range(PATIENT_REQUESTS):
            answer = super().handle_request(request)
            if answer.status_code != 503:
                break
            answer.read()
        return answer


def patient_client(house: House, role: str) -> httpx.Client:
    """A client that asks again while the service says that it cannot answer now."""
    headers = {"Authorization": f"Bearer {house.token(role, sub='checks')}"}
    return httpx.Client(base_url=house.url, headers=headers, timeout=60, transport=_PatientTransport())


def left_over(house: House) -> list[str]:
    """Processes of a house that has been stopped."""
    return [f"{pid} {command_of(pid)}" for pid in processes_of(house.data_dir)]


def positions(house: House) -> Iterator[str]:
    """The ledger has no gap, and its streams and transactions are whole."""
    with house.database() as connection:
        for finding, query in _GAPS.items():
            if connection.execute(query).fetchone() != (False,):
                yield finding


def _streams(house: House) -> dict[tuple[str, str], list[str]]:
    """The event names of each stream, in order."""
    streams: dict[tuple[str, str], list[str]] = defaultdict(list)
    with house.database() as connection:
        query = "SELECT stream_type, stream_id, name FROM ledger.event ORDER BY position"
        for stream_type, stream_id, name in connection.execute(query):
            streams[stream_type, stream_id].append(name)
    return streams


def _orders(streams: dict[tuple[str, str], list[str]], model: Model) -> Iterator[str]:
    """Each order's stream holds what the model says, in that order, and nothing is there that nobody sent."""
    for order_id, order in model.orders.items():
        if (found := streams.get(("order", order_id), [])) != order.names:
            yield f"{order_id} holds {found} instead of {order.names}"
    for stream_type, stream_id in streams:
        if stream_type == "order" and stream_id not in model.orders and stream_id not in model.abandoned:
            yield f"{stream_id} is an order that was never acknowledged"
    opened = {stream_id for stream_type, stream_id in streams if stream_type == "number-series"}
    for series_id in model.series:
        if series_id not in opened:
            yield f"{series_id} is not open"


def _transactions(house: House) -> Iterator[str]:
    """What an order is told is there together with its documents and their numbers."""
    query = """
        SELECT array_agg(name ORDER BY position) FROM ledger.event GROUP BY transaction_id
        HAVING bool_or(name = 'inbound.received')
    """
    with house.database() as connection:
        for (together,) in connection.execute(query):
            names: Counter[str] = Counter(together)
            if names["inbound.received"] != 1 or len({names[name] for name in OF_A_DOCUMENT}) != 1:
                yield f"a transaction holds {together}"
            if names["order.paid-in-escrow"] and not names[DRAFTED]:
                yield f"a payment led to no document: {together}"


def _inbound(house: House, model: Model) -> Iterator[str]:
    """Every event was taken or refused just as often as the model says, to that effect."""
    logs: dict[str, list[str]] = defaultdict(list)
    with patient_client(house, "AUDITOR") as auditor:
        events = [
            event
            for name in ("inbound.received", "inbound.refused")
            for event in all_items(auditor, "/v1/audit/events", type=name)
        ]
    for event in sorted(events, key=lambda event: int(event["position"])):
        data = event["data"]
        logs[data["eventId"]].append(data.get("effect") or data["code"])
    abandoned = {event["id"] for event in model.abandoned.values()}
    for event_id in logs.keys() | model.events.keys():
        expected = model.events[event_id].log if event_id in model.events else []
        if event_id not in abandoned and logs[event_id] != expected:
            yield f"{event_id} was recorded as {logs[event_id]} instead of {expected}"


def _documents(house: House, model: Model, record: Record, keys: list[str], seed: int) -> Iterator[str]:
    """Those that the model knows of, all issued, numbered without a gap, those looked at valid."""
    with patient_client(house, "AUDITOR") as auditor:
        rows = all_items(auditor, "/v1/documents")
        holders: list[str] = []
        for series_id in sorted({row["seriesId"] for row in rows}):
            numbers = auditor.get(f"/v1/number-series/{series_id}/numbers", params={"limit": 1}).json()
            if numbers["gaps"]:
                yield f"{series_id} has gaps {numbers['gaps']}"
            held = all_items(auditor, f"/v1/number-series/{series_id}/numbers")
            if [row["sequence"] for row in held] != list(range(1, len(held) + 1)):
                yield f"{series_id} does not count from 1"
            holders += [row["documentId"] for row in held]
            opened = model.series.get(series_id)
            if opened and not all(str(row["number"]).startswith(opened["prefix"]) for row in held):
                yield f"{series_id} is not written as {opened}"
        for row in random.Random(f"{seed}/verify").sample(rows, min(VERIFIED_DOCUMENTS, len(rows))):
            verification = auditor.get(f"/v1/documents/{row['documentId']}/verify").json()
            if not verification["valid"]:
                yield f"{row['documentId']} is not valid: {verification['checks']}"
    shown = {row["documentKey"]: row["documentId"] for row in rows}
    if sorted(shown) != sorted(keys):
        yield f"{sorted(shown.keys() ^ set(keys))} are documents on one side alone"
    if sorted(holders) != sorted(row["documentId"] for row in rows):
        yield "numbers and documents are not one to one"
    unissued = [row["documentId"] for row in rows if row["status"] != "ISSUED"]
    if unissued:
        yield f"{unissued} were never issued"
    for key, document_id in record.documents.items():
        if shown.get(key) != document_id:
            yield f"{key} was answered as document {document_id} and is {shown.get(key)}"


def _repeats(house: House, model: Model, record: Record) -> Iterator[str]:
    """Whatever was acknowledged is known when it comes again."""
    with patient_client(house, "SYSTEM") as client:
        events = list(record.acknowledged.values())
        for start in range(0, len(events), 500):
            answer = send(client, events[start : start + 500])
            for event, result in zip(events[start : start + 500], answer.json()["results"], strict=True):
                documents = sorted(document["documentKey"] for document in result["documents"])
                known = model.orders[event["data"]["orderId"]].led_to(event)
                if result["outcome"] != "DUPLICATE" or documents != known:
                    yield f"{event['id']} was acknowledged, and its repeat is {result}"
    for event_id, times in record.contested_accepted.items():
        if times > 1:
            yield f"{event_id} was accepted {times} times"


def commands_agree(house: House) -> Iterator[str]:
    """The ledger proves itself, and every read model is what a fresh fold makes of it."""
    for arguments in (("verify", "ledger"), ("replay", "--all", "--diff"), ("rebuild", "--diff")):
        process = house.spawn(["-m", "interfaces.cli.main", *arguments, "--json"], house.port, piped=True)
        output, _ = process.communicate(timeout=600)
        if process.returncode != 0:
            yield f"billing {' '.join(arguments)} ended with {process.returncode}: {_shortened(output)}"


def _shortened(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output.decode(errors="replace")[-500:]
