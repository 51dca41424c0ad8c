"""Runs the measurements and writes what they found: `python -m benchmarks [NAME…] [--scale full]`."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import SCALES, Bench, bench
from benchmarks.measurements import (
    commands,
    document_center,
    documents,
    folding,
    growth,
    http_commands,
    loading,
    peers,
    projections,
    queries,
)
from benchmarks.peers import environment
from benchmarks.report import RESULTS, Run, machine, one_page, run_from_json, write_page
from benchmarks.results import Result
from infrastructure.collector import calm_collector

PEERS = "peers"

MEASUREMENTS: dict[str, Callable[[Bench], list[Result]]] = {
    "commands": commands.measure_commands,
    "three-events": commands.measure_three_events,
    "numbers": commands.measure_numbers,
    "paid-orders": commands.measure_paid_orders,
    "http": http_commands.measure_http_commands,
    "projections": projections.measure_projections,
    "folding": folding.measure_folding,
    "loading": loading.measure_loading,
    "point-queries": queries.measure_point_queries,
    "read-your-writes": queries.measure_read_your_writes,
    "documents": documents.measure_documents,
    "document-center": document_center.measure_document_center,
    "growth": growth.measure_growth,
}
"""What needs nothing but this project's own packages."""

BY_NAME = {**MEASUREMENTS, PEERS: peers.measure_peers}
"""What can be named: the peers too, which not everybody has installed (drafted and issued invoices)."""


def main() -> None:
    """Runs what is named, or everything; prints a page and, with `--write`, updates the committed results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BY_NAME))
    parser.add_argument("--scale", choices=sorted(SCALES), default="quick")
    parser.add_argument("--json", type=Path, help="a file for the results of this run")
    parser.add_argument("--write", action="store_true", help="update docs/performance.json and its page")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - BY_NAME.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if PEERS in arguments.names and not environment.is_installed():
        parser.error("the peers are not installed; make bench-peers does that first")
    # What runs in this process runs as in a process of the service.
    calm_collector()
    results: list[Result] = []
    with bench(SCALES[arguments.scale]) as running:
        described = machine(running)
        for name in arguments.names or _everything():
            started = time.perf_counter()
            results += BY_NAME[name](running)
            run = Run(arguments.scale, described, tuple(results))
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
            if arguments.json:
                arguments.json.write_text(run.as_json(), encoding="utf-8")
            if arguments.write:
                update(run)
    print(one_page(run))


def _everything() -> list[str]:
    """What is measured unless something is named: the peers where somebody installed them."""
    if environment.is_installed():
        return list(BY_NAME)
    print("peers: left out, make bench-peers installs them", file=sys.stderr)
    return list(MEASUREMENTS)


def update(run: Run) -> None:
    """Puts a run's results in the place of the committed ones, and renders the page anew."""
    if RESULTS.exists():
        run = run.on_top_of(run_from_json(RESULTS.read_text(encoding="utf-8")))
    RESULTS.write_text(run.as_json(), encoding="utf-8")
    write_page(run)


if __name__ == "__main__":
    main()
