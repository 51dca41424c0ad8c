"""How fast receipts are drawn with nothing around it: the yardstick beside the end-to-end import.

    python -m benchmarks.bare_rendering --processes 2 --repeat 10 tests/golden/documents

Takes canonical JSON files, or folders of them, and prints documents a second.
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path

from infrastructure.rendering import typefaces
from infrastructure.rendering.pdf import render_pdf


def main() -> None:
    """Draws every document `--repeat` times on `--processes` processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="canonical JSON files, or folders of them")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    documents = [path.read_bytes() for path in files_of(arguments.paths)] * arguments.repeat
    elapsed_seconds = rendered(documents, arguments.processes)
    print(
        f"{len(documents)} documents, {arguments.processes} processes: "
        f"{len(documents) / elapsed_seconds:.0f} documents/s"
    )


def rendered(documents: list[bytes], processes: int) -> float:
    """Draws the documents on so many warm processes; the seconds it took."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=typefaces.warm_up) as pool:
        pool.map(render_pdf, documents[:processes], chunksize=1)
        started = time.perf_counter()
        pool.map(_rendered_size, documents, chunksize=max(1, len(documents) // 200))
        return time.perf_counter() - started


def files_of(paths: list[Path]) -> Iterator[Path]:
    """The files among the paths and the canonical JSON files in the folders among them, in name order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.json") if file.name != "hashes.json")
        else:
            yield path


def _rendered_size(content_json: bytes) -> int:
    return len(render_pdf(content_json))


if __name__ == "__main__":
    main()
