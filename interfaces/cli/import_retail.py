"""`billing import retail`: sends a shop's file through the inbound HTTP door and reports what became of it.

The file is read and mapped before anything is sent. Orders are answered before refunds go out, so causes
come before effects; what is not yet ISSUED or parked is sent again until it is. A stopped import goes on by
running it again: what is already there answers as a duplicate.
"""

import gzip
import json
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from application.imports.retail import map_retail
from application.imports.retail_facts import cloud_event, event_id
from application.imports.retail_refunds import Order, Refund
from application.imports.retail_report import Report, check_ties, make_report
from application.imports.retail_rows import RetailFileError
from interfaces.cli.inbound_door import (
    AnsweredDocument,
    AnsweredFact,
    DoorAnswer,
    DoorRefusedError,
    DoorUnreachableError,
    InboundDoor,
)

EXIT_FINE, EXIT_CHECK_FAILED, EXIT_WRONG_USAGE, EXIT_UNREACHABLE = 0, 1, 2, 3

MAX_BATCH_EVENTS = 100
MAX_BATCH_BYTES = 1_000_000
BATCHES_IN_FLIGHT = 4


class Progress(Protocol):
    """Whoever shows how far an import is."""

    def show(self, settled: int, total: int, documents: int) -> None:
        """So many of all facts are settled, with so many documents."""


class RichProgress:
    """A progress bar on the given stream; silent where it is not wanted."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[documents]} documents"),
            TimeElapsedColumn(),
            console=Console(file=stream),
            transient=True,
            disable=not shown,
        )
        self._task = self._bar.add_task("Importing", total=None, documents=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, settled: int, total: int, documents: int) -> None:
        """Draw the bar."""
        self._bar.update(self._task, completed=settled, total=total, documents=documents)


class _Batch(NamedTuple):
    facts: Sequence[Order | Refund]
    body: bytes


@dataclass(slots=True)
class _Delivery:
    """All facts of a file on their way: what is rejected, which documents there are, what is still open."""

    door: InboundDoor
    progress: Progress
    total: int
    rejected: dict[str, str] = field(default_factory=dict)
    documents: dict[str, AnsweredDocument] = field(default_factory=dict)
    open: dict[str, Order | Refund] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    def send_all(self, facts: Iterable[Order | Refund]) -> None:
        """Send facts, a few batches at a time, and return when each has been answered."""
        pending: dict[Future[DoorAnswer], _Batch] = {}
        with ThreadPoolExecutor(BATCHES_IN_FLIGHT) as pool:
            try:
                for batch in _batches(facts):
                    if len(pending) == BATCHES_IN_FLIGHT:
                        self._record_answered(pending)
                    pending[pool.submit(self.door.send, batch.body)] = batch
                while pending:
                    self._record_answered(pending)
            except BaseException:
                # Leaving the pool waits for its threads, which must not go on trying for a minute.
                self.door.stop()
                raise

    def hold_back_orphans(self, refunds: Iterable[Refund]) -> list[Refund]:
        """The refunds worth sending: one whose order was rejected would wait for it for ever."""
        kept = []
        for refund in refunds:
            code = self.rejected.get(event_id(refund.order))
            if code is None:
                kept.append(refund)
            else:
                self.rejected[event_id(refund)] = code
                self.settled.add(event_id(refund))
        return kept

    def settle(self) -> None:
        """Send again what is still open until nothing is; `DoorUnreachableError` when nothing moves."""
        patience = self.door.patience
        moved_at, pause_seconds = time.monotonic(), patience.first_pause_seconds
        while self.open:
            self.door.pause(pause_seconds)
            before = self._settled_counts()
            self.send_all(list(self.open.values()))
            if self._settled_counts() != before:
                moved_at, pause_seconds = time.monotonic(), patience.first_pause_seconds
            elif time.monotonic() - moved_at > patience.give_up_after_seconds:
                raise DoorUnreachableError(
                    f"{len(self.open)} facts have documents neither ISSUED nor parked."
                )
            else:
                pause_seconds = min(pause_seconds * 2, patience.longest_pause_seconds)

    def parked_count(self) -> int:
        """Documents that were put aside with a task."""
        return sum(not document.issued for document in self.documents.values())

    def _settled_counts(self) -> tuple[int, int]:
        return len(self.settled), sum(document.settled for document in self.documents.values())

    def _record_answered(self, pending: dict[Future[DoorAnswer], _Batch]) -> None:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            self._record(pending.pop(future), future.result())
        self.progress.show(len(self.settled), self.total, len(self.documents))

    def _record(self, batch: _Batch, answer: DoorAnswer) -> None:
        answered = {result.id: result for result in answer.results}
        for fact in batch.facts:
            fact_id = event_id(fact)
            result = answered.get(fact_id)
            if result is None:
                raise DoorRefusedError(f"The inbound door said nothing of the event {fact_id}.")
            self.documents.update({document.document_id: document for document in result.documents})
            if result.outcome == "REJECTED":
                self.rejected[fact_id] = result.error.code if result.error else "REJECTED"
            if result.outcome == "REJECTED" or _is_settled(result, complete=answer.complete):
                self.settled.add(fact_id)
                self.open.pop(fact_id, None)
            else:
                self.open[fact_id] = fact


def run_import(file: Path, door: InboundDoor, *, progress: Progress) -> Report:
    """Import a file and return its report once its documents are ISSUED or parked.

    Raises `RetailFileError` (nothing was sent), `DoorRefusedError` or `DoorUnreachableError`.
    """
    with open_text(file) as lines:
        mapped = map_retail(lines)
    delivery = _Delivery(door, progress, len(mapped.orders) + len(mapped.refunds))
    delivery.send_all(mapped.orders)
    delivery.send_all(delivery.hold_back_orphans(mapped.refunds))
    delivery.settle()
    parked = delivery.parked_count()
    return make_report(
        mapped,
        delivery.rejected,
        documents_issued=len(delivery.documents) - parked,
        documents_parked=parked,
    )


def import_retail(file: Path, door: InboundDoor, *, as_json: bool, out: TextIO, err: TextIO) -> int:
    """The whole command: imports, prints the report on `out` and troubles on `err`, returns the exit code."""
    started_at = time.monotonic()
    try:
        with RichProgress(err, shown=not as_json and err.isatty()) as progress:
            report = run_import(file, door, progress=progress)
    except (RetailFileError, DoorRefusedError) as error:
        err.write(f"{error}\n")
        return EXIT_WRONG_USAGE
    except DoorUnreachableError as error:
        err.write(f"{error}\n")
        return EXIT_UNREACHABLE
    findings = check_ties(report)
    if as_json:
        out.write(json.dumps(report.to_json(), indent=2) + "\n")
    else:
        print_report(report, time.monotonic() - started_at, out)
    for finding in findings:
        (err if as_json else out).write(f"{finding}\n")
    return EXIT_CHECK_FAILED if findings else EXIT_FINE


@contextmanager
def open_text(file: Path) -> Iterator[TextIO]:
    """A CSV file, gzipped if its name ends in `.gz`, as UTF-8 text. Raises `RetailFileError`."""
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as packed:
                yield packed
        else:
            with file.open(encoding="utf-8-sig", newline="") as plain:
                yield plain
    except (OSError, EOFError, zlib.error) as error:
        raise RetailFileError(f"{file} cannot be read: {error}.") from error


def print_report(report: Report, elapsed_seconds: float, out: TextIO) -> None:
    """The report for people: a table, how it ties, and the speed."""
    table = Table(title="Retail import")
    table.add_column("")
    for heading in ("count", "rows", "GBP"):
        table.add_column(heading, justify="right")
    for name, taken in (("orders", report.orders), ("refunds", report.refunds)):
        table.add_row(name, f"{taken.count:,}", f"{taken.lines:,}", _pounds(taken.amount_minor))
    table.add_section()
    for reason, refused in sorted(report.refused.items()):
        table.add_row(f"refused: {reason}", "", f"{refused.rows:,}", _pounds(refused.amount_minor))
    console = Console(file=out, highlight=False)
    console.print(table)
    refused_rows = sum(refused.rows for refused in report.refused.values())
    refused_minor = sum(refused.amount_minor for refused in report.refused.values())
    console.print(
        f"rows in {report.rows:,} = {report.orders.lines:,} ordered + {report.refunds.lines:,} refunded"
        f" + {refused_rows:,} refused",
        f"pence in {report.row_amount_minor:,} = {report.orders.amount_minor:,} ordered"
        f" + {report.refunds.amount_minor:,} refunded + {refused_minor:,} refused",
        "every row and every penny is accounted for" if not check_ties(report) else "THIS DOES NOT TIE",
        f"documents: {report.documents_issued:,} issued, {report.documents_parked:,} parked,"
        f" {(report.documents_issued + report.documents_parked) / max(elapsed_seconds, 0.001):,.0f} a second",
        sep="\n",
        soft_wrap=True,
    )


def _pounds(amount_minor: int) -> str:
    return f"{amount_minor // 100:,}.{amount_minor % 100:02d}"


def _batches(facts: Iterable[Order | Refund]) -> Iterator[_Batch]:
    chosen: list[Order | Refund] = []
    parts: list[bytes] = []
    size = 0
    for fact in facts:
        part = json.dumps(cloud_event(fact), ensure_ascii=False, separators=(",", ":")).encode()
        if chosen and (len(chosen) == MAX_BATCH_EVENTS or size + len(part) > MAX_BATCH_BYTES):
            yield _Batch(chosen, b"[" + b",".join(parts) + b"]")
            chosen, parts, size = [], [], 0
        chosen.append(fact)
        parts.append(part)
        size += len(part) + 1
    if chosen:
        yield _Batch(chosen, b"[" + b",".join(parts) + b"]")


def _is_settled(result: AnsweredFact, *, complete: bool) -> bool:
    # While issuing goes on in the background, a fact without documents may still get its first one.
    return (
        result.outcome != "WAITING"
        and (complete or bool(result.documents))
        and all(document.settled for document in result.documents)
    )
