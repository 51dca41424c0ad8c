"""Whoever dies half-way through stamping, the document gets one stamp, one number and one seal."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import counts, faults
from tests.support.stamping_house import StampingHouse, a_stamping_house, killed

pytestmark = pytest.mark.slow

POINTS = (
    ("stamp", "before"),
    ("stamp", "after"),
    ("put", "before"),
    ("sign", "before"),  # The file has its name in the vault, its retention is not logged yet.
    ("put", "after"),
    ("commit", "before"),
    ("commit", "after"),
)


@pytest.fixture(scope="module")
def stamping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StampingHouse]:
    folder: Path = tmp_path_factory.mktemp("killed-stamping")
    with a_stamping_house(folder) as stamping:
        yield stamping


def test_a_document_whose_stamper_died_at_any_step_is_finished_by_another(stamping: StampingHouse) -> None:
    house = stamping.house
    stopped = house.signal("issuer", signal.SIGSTOP)
    try:
        ids = stamping.draft(*("-".join(point) for point in POINTS))
        for document_id, point in zip(ids, POINTS, strict=True):
            arguments = ["-m", "tests.support.dying_stamper", document_id, *point]
            assert killed(house.spawn(arguments, house.port)), point
        recorded = [bool(stamping.events(each, "document.stamped")) for each in ids]
        assert recorded == [point == ("commit", "after") for point in POINTS]
        given = counts(stamping.authority.url)["stamps"]
        assert given == len(POINTS) - 1, "all but the one that was not asked for"
    finally:
        os.kill(stopped, signal.SIGCONT)
    for document_id, point in zip(ids, POINTS, strict=True):
        detail = house.wait_for_issue(document_id)
        assert len(stamping.events(document_id, "document.stamped")) == 1, point
        assert len(stamping.events(document_id, "document.issued")) == 1, point
        with house.client("AUDITOR") as auditor:
            verification = auditor.get(f"/v1/documents/{document_id}/verify").json()
        assert verification["valid"] is True, (point, verification)
        objects = (house.data_dir / "vault" / "objects").rglob(f"documents~{document_id}~*")
        assert len(list(objects)) == 3
        assert detail["fiscal"]["uuid"]
    assert counts(stamping.authority.url)["stamps"] == len(POINTS)


def test_whichever_side_is_killed_again_and_again_each_document_gets_one_stamp(
    stamping: StampingHouse,
) -> None:
    before = counts(stamping.authority.url)["stamps"]
    faults(stamping.authority.url, {"kind": "LOST", "oneIn": 3}, {"kind": "SLOW", "seconds": 0.2})
    ids: list[str] = []
    for turn in range(3):
        ids += stamping.draft(*(f"killed-{turn}-{number}" for number in range(10)))
        stamping.authority.kill()
        stamping.authority.start()
        stamping.house.kill("issuer")
    for document_id in ids:
        assert stamping.house.wait_for_issue(document_id)["fiscal"]["uuid"]
        assert len(stamping.events(document_id, "document.stamped")) == 1
        assert len(stamping.events(document_id, "document.issued")) == 1
    assert counts(stamping.authority.url)["stamps"] == before + len(ids)
