"""Whatever writes to the log at once, each line of it is one JSON object."""

import json
import subprocess
import sys
from pathlib import Path

WRITERS, THREADS, LINES = 3, 4, 300

_WRITE = f"""
import logging, threading, structlog
from infrastructure.telemetry import configure_logging

configure_logging("INFO", "json")
ours, library = structlog.get_logger(), logging.getLogger("library")

def write():
    for number in range({LINES}):
        ours.info("ours", number=number)
        library.warning("of a library")

threads = [threading.Thread(target=write) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_lines_of_threads_and_processes_do_not_run_into_each_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as log:
        writers = [subprocess.Popen([sys.executable, "-c", _WRITE], stderr=log) for _ in range(WRITERS)]
        assert [writer.wait(timeout=60) for writer in writers] == [0] * WRITERS
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events.count("ours") == events.count("of a library") == WRITERS * THREADS * LINES
