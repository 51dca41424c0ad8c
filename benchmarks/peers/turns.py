"""What the programs of all peers have in common; each runs in the peers' environment.

`python -m benchmarks.peers.NAME set-up` makes the books in the empty database that libpq's variables name.
With a way of issuing in the place of `set-up` it prints `ready` when its first invoices are issued, reads a
number of seconds from a line, issues for so long, and prints the turn as a line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

IssueInvoices = Callable[[], list[str]]
"""Issues one or more invoices and commits them; gives their numbers."""

SET_UP = "set-up"
READY = "ready"


@dataclass(frozen=True)
class Turn:
    """The numbers that were given and how long that took."""

    numbers: list[str]
    seconds: float


def run(set_up: Callable[[], None], ways: Mapping[str, Callable[[], IssueInvoices]]) -> None:
    """Does what the first argument of the command line names; `ways` open the books, each for one way."""
    wanted = sys.argv[1]
    if wanted == SET_UP:
        set_up()
        return
    issue = ways[wanted]()
    issue()
    print(READY, flush=True)
    told = turn(issue, float(sys.stdin.readline()))
    print(json.dumps(asdict(told)), flush=True)


def turn(issue: IssueInvoices, seconds: float) -> Turn:
    """Issues for so many seconds, at least once."""
    numbers: list[str] = []
    started = time.perf_counter()
    while not numbers or time.perf_counter() - started < seconds:
        numbers += issue()
    return Turn(numbers, time.perf_counter() - started)
