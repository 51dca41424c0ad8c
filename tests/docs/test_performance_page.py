"""The page of figures shows what was measured, and what measures them works."""

import contextlib
import multiprocessing
import operator
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.references.bare_reportlab import draw_receipt
from benchmarks.report import PAGE, RESULTS, Run, one_page, page_of, run_from_json
from benchmarks.results import PEER, Result, Target, side_by_side
from infrastructure.rendering.pdf import render_pdf
from tests.support.golden_documents import golden_receipts
from tests.support.source_tree import PROJECT


def test_the_page_shows_the_committed_results() -> None:
    run = run_from_json(RESULTS.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    assert page_of(run, text) == text, "run: make bench"
    assert all(result.title in text for result in run.results)


def test_peers_have_a_table_of_their_own() -> None:
    run = Run("quick", {}, (_result("a", 1.0), _result(f"{PEER}b", 1.0)))
    markers = "".join(
        f"<!-- generated: {name} --><!-- end: {name} -->" for name in ("figures", "peers", "machine")
    )
    figures, peers, _ = page_of(run, markers).split("<!-- end: ")[:3]
    assert "| A |" in figures and "| PEER-B |" not in figures
    assert "| PEER-B |" in peers and "| A |" not in peers


def test_results_survive_being_written_and_read() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert run_from_json(text).as_json() == text


def test_a_later_run_replaces_what_it_measured_and_keeps_the_rest() -> None:
    earlier = Run("quick", {"Python": "3.11"}, (_result("a", 1.0), _result("b", 1.0)))
    later = Run("full", {"Python": "3.12"}, (_result("c", 2.0), _result("b", 2.0)))
    merged = later.on_top_of(earlier)
    assert [(result.name, result.value) for result in merged.results] == [("a", 1.0), ("b", 2.0), ("c", 2.0)]
    assert merged.machine == later.machine


@pytest.mark.parametrize(
    ("targets", "met"),
    [
        ((), None),
        ((Target("ratio", "≥", 0.5),), True),
        ((Target("ratio", "≥", 0.6),), False),
        ((Target("ratio", "≥", 0.6), Target("value", "≥", 100)), True),
        ((Target("value", "<", 100),), False),
    ],
)
def test_one_of_the_targets_suffices(targets: tuple[Target, ...], met: bool | None) -> None:
    assert _result("a", 100.0, targets).met is met


def test_rounds_take_turns_and_the_ratio_is_the_median_of_theirs() -> None:
    order: list[str] = []
    figures = {"subject": iter((10.0, 30.0, 20.0)), "reference": iter((10.0, 10.0, 10.0))}

    def turn(who: str) -> float:
        order.append(who)
        return next(figures[who])

    rounds = side_by_side(lambda: turn("subject"), lambda: turn("reference"), 3)
    assert order == ["reference", "subject", "subject", "reference", "reference", "subject"]
    result = rounds.result("a", "A", "a second", "B")
    assert (result.value, result.reference_value, result.ratio) == (20.0, 10.0, 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", golden_receipts())
def test_plain_reportlab_draws_the_same_pages(name: str) -> None:
    content = golden_receipts()[name]
    with multiprocessing.get_context("spawn").Pool(1) as process:
        plain = _pages(process.apply(draw_receipt, (content,)))
    ours = _pages(render_pdf(content))
    assert [text for text, _ in plain] == [text for text, _ in ours]
    for (_, pixels), (_, other_pixels) in zip(ours, plain, strict=True):
        different = sum(map(operator.ne, pixels, other_pixels))
        assert different < len(pixels) / 50, "coordinates are rounded differently, and nothing else differs"


@pytest.mark.slow
def test_every_measurement_runs(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--scale", "smoke", "--json", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    run = run_from_json(file.read_text(encoding="utf-8"))
    assert len(run.results) >= len(MEASUREMENTS)
    assert all(result.value > 0 and result.reference_value > 0 for result in run.results)
    assert done.stdout.strip() == one_page(run).strip()


def _pages(pdf: bytes) -> list[tuple[str, bytes]]:
    """The text and the pixels of each page."""
    with contextlib.closing(pypdfium2.PdfDocument(pdf)) as document:
        pages = []
        for page in document:
            with contextlib.closing(page.get_textpage()) as text:
                pages.append((text.get_text_range(), bytes(page.render().buffer)))
            page.close()
    return pages


def _result(name: str, value: float, targets: tuple[Target, ...] = ()) -> Result:
    return Result(name, name.upper(), "a second", value, "reference", 200.0, (0.4, 0.5, 0.9), targets)
