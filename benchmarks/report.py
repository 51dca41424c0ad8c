"""One run's results as JSON, as a page in a terminal and as the table of docs/performance.md."""

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness import Bench
from benchmarks.results import PEER, Result, result_from_json

_PACKAGES = ("eventsourcing", "granian", "litestar", "psycopg", "pydantic", "reportlab")

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "performance.json"
"""The committed results."""

PAGE = RESULTS.with_suffix(".md")
"""The page that shows them."""

Machine = dict[str, str]
"""What the figures were measured on, by what it is called."""


@dataclass(frozen=True)
class Run:
    """What one run of the bench found."""

    scale: str
    machine: Machine
    results: tuple[Result, ...]

    def as_json(self) -> str:
        """The run as it is committed."""
        content = {
            "scale": self.scale,
            "machine": self.machine,
            "results": [result.as_json() for result in self.results],
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def on_top_of(self, earlier: "Run") -> "Run":
        """This run with the earlier one's results of what it did not measure, in the earlier one's order."""
        fresh = {result.name: result for result in self.results}
        kept = [fresh.pop(result.name, result) for result in earlier.results]
        return Run(self.scale, self.machine, (*kept, *fresh.values()))


def run_from_json(text: str) -> Run:
    """The reverse of `Run.as_json`."""
    stored = json.loads(text)
    return Run(
        stored["scale"], stored["machine"], tuple(result_from_json(result) for result in stored["results"])
    )


def machine(bench: Bench) -> Machine:
    """What this run is measured on."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    with bench.ledger("machine").connect() as connection:
        version = connection.info.parameter_status("server_version")
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "processor": f"{os.cpu_count()} × {model[1] if model else platform.machine()}",
        "memory": f"{int(memory[1]) // 1024**2 if memory else 0} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "flush": bench.disk.description,
        "PostgreSQL": str(version),
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def one_page(run: Run) -> str:
    """The run for a terminal."""
    lines = [f"{name + ':':14}{value}" for name, value in run.machine.items() if name not in _PACKAGES]
    lines.append(f"{'scale:':14}{run.scale}")
    for result in run.results:
        lines += ["", f"{_mark(result):8}{result.title}"]
        lines.append(
            f"{'':8}{figure(result.value, result.unit)}; {result.reference}: "
            f"{figure(result.reference_value, result.unit)}"
        )
        lines.append(f"{'':8}ratio {ratio(result)}; wanted: {wanted(result)}")
        if result.note:
            lines.append(f"{'':8}{result.note}")
    return "\n".join(lines)


def markdown_table(results: Iterable[Result]) -> str:
    """A table of docs/performance.md."""
    rows = ["| | figure | reference | ratio (spread) | wanted |", "| --- | ---: | --- | ---: | --- |"]
    for result in results:
        note = f"<br>{result.note}" if result.note else ""
        reference = f"{result.reference}: {figure(result.reference_value, result.unit)}"
        rows.append(
            f"| {result.title}{note} | {figure(result.value, result.unit)} | {reference} | {ratio(result)} | "
            f"{wanted(result)} |"
        )
    return "\n".join(rows)


def markdown_machine(run: Run) -> str:
    """What the figures of docs/performance.md were measured on."""
    rows = ["| | |", "| --- | --- |"]
    rows += [f"| {name} | {value} |" for name, value in {**run.machine, "scale": run.scale}.items()]
    return "\n".join(rows)


def write_page(run: Run) -> None:
    """Rewrites the generated parts of docs/performance.md."""
    PAGE.write_text(page_of(run, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page_of(run: Run, text: str) -> str:
    """The page's text with a run's tables between its markers. Raises ValueError without them."""
    peers = [result for result in run.results if result.name.startswith(PEER)]
    figures = [result for result in run.results if not result.name.startswith(PEER)]
    for name, content in (
        ("figures", markdown_table(figures)),
        ("peers", markdown_table(peers)),
        ("machine", markdown_machine(run)),
    ):
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"there is no section {name} to write")
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


def figure(value: float, unit: str) -> str:
    """A figure with its unit, in as many digits as mean something."""
    written = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{written} {unit}"


def ratio(result: Result) -> str:
    """The median ratio and the lowest and highest of the rounds."""
    low, high = min(result.ratios), max(result.ratios)
    spread = "" if len(result.ratios) == 1 else f" ({low:.3g}–{high:.3g})"
    return f"{result.ratio:.3g}{spread}"


def wanted(result: Result) -> str:
    """The targets and whether one is met."""
    if not result.targets:
        return "–"
    bounds = " or ".join(_bounds(result))
    return f"{bounds}: {'met' if result.met else 'missed'}"


def _bounds(result: Result) -> Iterable[str]:
    for target in result.targets:
        yield ("ratio " if target.of == "ratio" else "") + target.in_words(result.unit)


def _mark(result: Result) -> str:
    return {True: "met", False: "MISSED", None: "–"}[result.met]
