"""An issuer killed between any two steps leaves a document that another finishes: same number, one seal."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.house import House, by_platform, eventually, paid

pytestmark = pytest.mark.slow

POINTS = (
    ("render", "before", 1),
    ("render", "after", 1),
    ("put", "before", 1),
    ("sign", "before", 1),  # The JSON has its name in the vault, its retention is not logged yet.
    ("sign", "before", 2),  # The JSON is finished, the PDF has its name, its retention is not logged yet.
    ("sign", "after", 2),  # The PDF's retention is signed and not written yet.
    ("put", "after", 1),
    ("sign", "before", 3),
    ("sign", "after", 3),
    ("commit", "before", 1),
    ("commit", "after", 1),
)
PLATFORM = "killed-issuer-ltd"


def _order(point: tuple[str, str, int]) -> str:
    return "-".join(map(str, ("killed", *point)))


def _events(house: House, order_id: str) -> list[dict[str, Any]]:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get("/v1/audit/events", params={"orderId": order_id, "limit": 200})
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _number(events: list[dict[str, Any]]) -> str:
    (numbered,) = [event for event in events if event["type"] == "document.numbered"]
    return str(numbered["data"]["number"])


def test_a_document_whose_issuer_died_at_any_step_is_finished_by_another(house: House) -> None:
    stopped = house.signal("issuer", signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            parties = by_platform(PLATFORM)
            batch = [paid(_order(point), orderPartySnapshot=parties) for point in POINTS]
            answer = pool.submit(house.post, batch)
            documents = {point: _drafted(house, _order(point)) for point in POINTS}
            numbers = {point: _number(_events(house, _order(point))) for point in POINTS}

            def die(point: tuple[str, str, int]) -> int:
                arguments = ["-m", "tests.support.dying_issuer", documents[point], *map(str, point)]
                return house.spawn(arguments, house.port).wait(120)

            assert answer.result().status_code == 202
            codes = [die(point) for point in POINTS]
        assert codes == [-signal.SIGKILL] * len(POINTS)
        issued = {point for point in POINTS if _types(house, point).count("document.issued")}
        assert issued == {("commit", "after", 1)}, "only the last of them had got through"
    finally:
        os.kill(stopped, signal.SIGCONT)
    for point in POINTS:
        detail = house.wait_for_issue(documents[point])
        assert detail["number"] == numbers[point]
        assert _types(house, point).count("document.issued") == 1
        assert _types(house, point).count("document.numbered") == 1
        with house.client("AUDITOR") as auditor:
            verification = auditor.get(f"/v1/documents/{documents[point]}/verify").json()
        assert verification["valid"] is True, (point, verification)
        objects = (house.data_dir / "vault" / "objects").rglob(f"documents~{documents[point]}~*")
        assert len(list(objects)) == 2
    assert len(set(numbers.values())) == len(POINTS)


def _types(house: House, point: tuple[str, str, int]) -> list[str]:
    return [event["type"] for event in _events(house, _order(point))]


def _drafted(house: House, order_id: str) -> str:
    with house.client("AUDITOR") as auditor:

        def look() -> str | None:
            items = auditor.get("/v1/documents", params={"orderId": order_id}).json()["items"]
            return items[0]["documentId"] if items else None

        return str(eventually(look))
