"""The import through a real HTTP door that cuts connections, is busy, issues late, parks and rejects."""

import gzip
import io
import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.import_retail import import_retail
from interfaces.cli.inbound_door import InboundDoor, Patience
from tests.interfaces.cli.retail_door_server import Door, served
from tests.support.retail_samples import ShopRow, csv_lines

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "retail-sample.csv"
QUICK = Patience(give_up_after_seconds=5, first_pause_seconds=0.01, longest_pause_seconds=0.05)
IMPATIENT = Patience(give_up_after_seconds=0.3, first_pause_seconds=0.01, longest_pause_seconds=0.05)

SAMPLE_REPORT = {
    "rows": 10,
    "orders": {"count": 3, "lines": 4, "amount": 7433},
    "refunds": {"count": 2, "lines": 1, "amount": 5000},
    "refused": {
        "ADJUSTMENT": {"rows": 1, "amount": 25000},
        "NEGATIVE_QUANTITY": {"rows": 1, "amount": 0},
        "NO_ORIGINAL_ORDER": {"rows": 1, "amount": 33},
        "NO_PRICE": {"rows": 1, "amount": 0},
        "REFUND_EXCEEDS_PAID": {"rows": 1, "amount": 9990},
    },
    "documents": {"issued": 5, "parked": 0},
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(
    file: Path,
    door: Door,
    patience: Patience = QUICK,
    *,
    as_json: bool = True,
    err: io.StringIO | None = None,
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one import with a new token for every attempt."""
    out, err = io.StringIO(), err or io.StringIO()
    count = itertools.count(len(door.tokens))
    with InboundDoor(door.url, lambda: f"token-{next(count)}", patience=patience) as client:
        code = import_retail(file, client, as_json=as_json, out=out, err=err)
    return code, out.getvalue(), err.getvalue()


def imported(file: Path, door: Door) -> dict[str, Any]:
    code, out, err = run(file, door)
    assert (code, err) == (0, "")
    report: dict[str, Any] = json.loads(out)
    return report


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    """Some 700 orders and 150 cancellations of a few customers."""
    dice = random.Random(3)
    rows: list[ShopRow] = []
    for number in range(850):
        cancels = number % 6 == 5
        time_of_day = f"0{1 + number // 100}-{1 + number % 28:02d} 10:{number % 60:02d}"
        for _ in range(dice.randint(1, 4)):
            rows.append(
                (
                    f"{'C' if cancels else ''}{1000 + number}",
                    dice.choice("XYZ"),
                    -dice.randint(1, 9) if cancels else dice.randint(1, 9),
                    time_of_day,
                    dice.choice(["1.25", "0.333", "8"]),
                    dice.choice(["7", "8", "9"]),
                )
            )
    file = tmp_path / "shop.csv"
    file.write_text("".join(csv_lines(rows)), encoding="utf-8", newline="")
    return file


def test_a_file_is_imported_and_reported_as_json_and_nothing_else() -> None:
    with served(Door()) as door:
        assert imported(SAMPLE, door) == SAMPLE_REPORT
        assert set(door.facts) == {
            "order/700001",
            "order/700002",
            "order/700003",
            "refund/C700006/700001",
            "refund/C700006/700002",
        }


def test_a_gzipped_file_gives_the_same_report(tmp_path: Path) -> None:
    packed = tmp_path / "sample.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + SAMPLE.read_bytes()))
    with served(Door()) as door:
        assert imported(packed, door) == SAMPLE_REPORT


def test_every_fact_arrives_exactly_once_and_after_its_cause_however_the_door_misbehaves(
    shop_file: Path,
) -> None:
    with served(Door()) as quiet, served(Door(trouble=0.5, looks_until_issued=2)) as troubled:
        expected = imported(shop_file, quiet)
        assert expected["refunds"]["count"] > 50
        assert imported(shop_file, troubled) == expected
        assert troubled.facts == quiet.facts
        assert expected["orders"]["count"] + expected["refunds"]["count"] == expected["documents"]["issued"]
        assert "WAITING" not in {outcome for _, outcome in troubled.outcomes}


def test_the_second_import_of_a_file_reports_the_same_and_adds_nothing(shop_file: Path) -> None:
    with served(Door()) as door:
        first = imported(shop_file, door)
        known = len(door.facts)
        door.outcomes.clear()
        assert imported(shop_file, door) == first
        assert len(door.facts) == known
        assert {outcome for _, outcome in door.outcomes} == {"DUPLICATE"}


@pytest.mark.parametrize("answers", [3, 9], ids=["among orders", "among refunds"])
def test_an_import_that_lost_its_door_ends_with_3_and_is_finished_by_running_it_again(
    shop_file: Path, answers: int
) -> None:
    with served(Door(answers_left=answers, looks_until_issued=1)) as door, served(Door()) as quiet:
        code, out, err = run(shop_file, door, IMPATIENT)
        assert (code, out) == (3, "")
        assert "cannot be reached" in err
        assert any(fact.startswith("refund/") for fact in door.facts) == (answers == 9)
        assert 0 < len(door.facts) < 850
        door.answers_left = None
        assert imported(shop_file, door) == imported(shop_file, quiet)


def test_an_import_without_a_service_ends_with_3() -> None:
    with served(Door()) as door:
        pass
    code, out, err = run(SAMPLE, door, IMPATIENT)
    assert (code, out) == (3, "")
    assert "ConnectError" in err


def test_what_is_issued_later_is_asked_for_again_until_it_is_and_only_that() -> None:
    late = frozenset({"order/700002", "refund/C700006/700001"})
    with served(Door(looks_until_issued=4, late=late)) as door:
        assert imported(SAMPLE, door) == SAMPLE_REPORT
        assert door.looks == {fact: 5 if fact in late else 1 for fact in door.facts}


def test_every_document_of_a_fact_is_waited_for_and_counted_once() -> None:
    kinds = {"of_payment": ("RECEIPT", "FISCAL_INVOICE"), "of_refund": ("CREDIT_NOTE",)}
    with served(Door(**kinds, looks_until_issued=2, late=frozenset({"refund/C700006/700002"}))) as door:
        expected = SAMPLE_REPORT | {"documents": {"issued": 3 * 2 + 2, "parked": 0}}
        assert imported(SAMPLE, door) == expected
        assert imported(SAMPLE, door) == expected


def test_facts_of_which_policy_wants_no_document_are_settled_without_one() -> None:
    late = frozenset({"order/700002"})
    with served(Door(of_refund=(), looks_until_issued=2, late=late)) as door:
        assert imported(SAMPLE, door)["documents"] == {"issued": 3, "parked": 0}
        assert imported(SAMPLE, door) == SAMPLE_REPORT | {"documents": {"issued": 3, "parked": 0}}


def test_parked_documents_are_counted_and_not_waited_for() -> None:
    with served(Door(parked=frozenset({"order/700003", "refund/C700006/700001"}))) as door:
        assert imported(SAMPLE, door)["documents"] == {"issued": 3, "parked": 2}


def test_a_document_that_stays_a_draft_ends_the_import_with_3() -> None:
    with served(Door(looks_until_issued=10**6)) as door:
        code, out, err = run(SAMPLE, door, IMPATIENT)
    assert (code, out) == (3, "")
    assert "5 facts have documents neither ISSUED nor parked" in err


def test_rejected_facts_are_counted_under_their_code_and_their_refunds_are_not_sent() -> None:
    other = {"orderId": "700001", "of": "another file"}
    with served(Door(facts={"order/700001": other})) as door:
        report = imported(SAMPLE, door)
        assert report["orders"] == {"count": 2, "lines": 2, "amount": 2633}
        assert report["refunds"] == {"count": 1, "lines": 1, "amount": 2500}
        # The cancelled row over both orders is refunded in part: its row counts there, its pence here.
        assert report["refused"]["EVENT_CONFLICT"] == {"rows": 2, "amount": 4800 + 2500}
        assert report["documents"] == {"issued": 3, "parked": 0}
        assert door.facts["order/700001"] == other
        assert "refund/C700006/700001" not in dict(door.outcomes)


def test_batches_hold_a_hundred_events_and_at_most_four_are_in_flight(shop_file: Path) -> None:
    with served(Door(slow_seconds=0.05)) as door:
        imported(shop_file, door)
        sizes = [len(json.loads(body)) for body in door.bodies]
    assert max(sizes) == 100
    assert sizes.count(100) >= 7
    assert door.most_in_flight == 4


def test_batches_of_long_orders_stay_below_a_megabyte(tmp_path: Path) -> None:
    rows: list[ShopRow] = [
        (str(number), f"{line:060d}", 1, "01-01 10:00", "1", "")
        for number in range(30)
        for line in range(400)
    ]
    file = tmp_path / "long.csv"
    file.write_text("".join(csv_lines(rows)), encoding="utf-8", newline="")
    with served(Door()) as door:
        assert imported(file, door)["orders"] == {"count": 30, "lines": 12_000, "amount": 1_200_000}
    assert len(door.bodies) > 2
    assert max(map(len, door.bodies)) <= 1_000_002


def test_a_busy_door_is_given_the_time_it_asks_for_and_the_same_bytes_with_a_fresh_token() -> None:
    with served(Door(retry_after_seconds=1)) as door:
        started = time.monotonic()
        assert imported(SAMPLE, door) == SAMPLE_REPORT
        assert time.monotonic() - started >= 1
    assert door.bodies[0] == door.bodies[1]
    assert door.tokens == ["Bearer token-0", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "refusal", [(401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND")]
)
def test_a_door_that_will_not_open_ends_the_import_at_once_with_2(refusal: tuple[int, str]) -> None:
    with served(Door(refusal=refusal)) as door:
        code, out, err = run(SAMPLE, door)
    assert (code, out) == (2, "")
    assert err == f"The inbound door answered {refusal[0]} {refusal[1]}.\n"
    assert len(door.bodies) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "cannot be read"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        ("plain.csv.gz", b"InvoiceNo", "cannot be read"),
        ("cut.csv.gz", gzip.compress(SAMPLE.read_bytes())[:-20], "cannot be read"),
        ("letter.csv", b"Dear Sir,\r\n", "The header lacks InvoiceNo"),
        ("bad.csv", SAMPLE.read_bytes().replace(b"-250.00", b"lots"), "Line 11: 'lots' is not"),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_2_and_nothing_is_sent(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with served(Door()) as door:
        code, out, err = run(tmp_path / name, door)
    assert (code, out) == (2, "")
    assert message in err
    assert door.bodies == []


def test_people_get_a_table_that_shows_how_rows_and_pence_tie() -> None:
    with served(Door()) as door:
        code, out, err = run(SAMPLE, door, as_json=False)
    assert (code, err) == (0, "")
    assert "rows in 10 = 4 ordered + 1 refunded + 5 refused\n" in out
    assert "pence in 47,456 = 7,433 ordered + 5,000 refunded + 35,023 refused\n" in out
    assert "every row and every penny is accounted for\n" in out
    assert "documents: 5 issued, 0 parked," in out
    assert "refused: ADJUSTMENT" in out
    assert "250.00" in out


def test_the_progress_bar_shows_on_a_terminal_but_not_beside_json() -> None:
    with served(Door()) as door:
        assert "5/5" in run(SAMPLE, door, as_json=False, err=Terminal())[2]
        assert run(SAMPLE, door, as_json=True, err=Terminal())[2] == ""
