"""Documents from a shop's file to sealed receipts, against plain reportlab drawing the same PDFs."""

import asyncio
import csv
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from application.content import load_document
from application.files import DocumentFiles
from benchmarks.harness import PATIENCE_SECONDS, Bench, Ledger, running, system_of, wait_until_live
from benchmarks.references import bare_reportlab
from benchmarks.results import Result, Rounds, Target
from infrastructure.rendering import typefaces
from infrastructure.rendering.pdf import render_pdf
from projections.documents import DOCUMENT_TABLE
from tests.support.house import free_port

_WORDS = (
    *("enamel", "kettle", "moss", "green", "beeswax", "candle", "oak", "tray", "tin", "mug", "linen"),
    *("apron", "felt", "slippers", "glass", "jar"),
)
_COLUMNS = (
    *("InvoiceNo", "StockCode", "Description", "Quantity"),
    *("InvoiceDate", "UnitPrice", "CustomerID", "Country"),
)


def measure_documents(bench: Bench) -> list[Result]:
    """Each round imports the file into a house of its own and draws what was sealed there twice more."""
    file = bench.folder / "shop.csv"
    write_shop_file(file, bench.scale.invoices)
    end_to_end, bare, own = [], [], []
    for number in range(min(3, bench.scale.rounds)):
        ledger = bench.ledger(f"documents_{number}")
        end_to_end.append(bench.scale.invoices / imported_seconds(ledger, file))
        contents = sealed_contents(ledger)
        assert len(contents) == bench.scale.invoices, "every document is sealed"
        bare.append(bare_reportlab.drawn_per_second(contents, cores()))
        own.append(rendered_per_second(contents, cores()))
        bench.drop(f"documents_{number}")
    title = f"receipts from a shop's file to sealed PDFs, {cores()} issuing processes"
    return [
        Rounds(tuple(end_to_end), tuple(bare)).result(
            "documents",
            title,
            "documents/s",
            f"plain reportlab, {cores()} processes",
            targets=(Target("ratio", "≥", 0.6),),
        ),
        Rounds(tuple(end_to_end), tuple(own)).result(
            "documents-and-own-drawing",
            "the same",
            "documents/s",
            f"our own drawing alone, {cores()} processes",
        ),
        Rounds(tuple(own), tuple(bare)).result(
            "drawing",
            f"our own drawing alone, {cores()} processes",
            "documents/s",
            f"plain reportlab, {cores()} processes",
        ),
    ]


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


def write_shop_file(path: Path, invoices: int, *, first: int = 500_000) -> None:
    """A shop's export, the same at every run: eighteen lines an invoice on average, some far longer.

    Its invoices are numbered from `first` on.
    """
    chance = random.Random(20)
    at = datetime(2026, 1, 5, 9, 0)  # noqa: DTZ001 - the shop writes wall-clock time
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number in range(invoices):
            at += timedelta(minutes=chance.randint(1, 9))
            for _ in range(min(250, 1 + round(chance.expovariate(1 / 17)))):
                code = chance.randint(10_000, 89_999)
                words = " ".join(chance.choices(_WORDS, k=chance.randint(2, 6))).upper()
                price = f"{chance.randint(20, 2_500) / 100:.2f}"
                customer = f"{12_000 + number % 400}.0"
                quantity = chance.randint(1, 36)
                row = (first + number, code, words, quantity, at, price, customer, "United Kingdom")
                writer.writerow(row)


def imported_seconds(ledger: Ledger, file: Path) -> float:
    """Runs `billing import retail` until everything is sealed, against an API and a worker of its own."""
    house, port = ledger.house, free_port()
    environment = {"BILLING_ISSUERS": str(cores())}
    serve, work = ["-m", "interfaces.cli.main", "serve"], ["-m", "interfaces.cli.main", "work"]
    with running(house, serve, port) as server, running(house, work, free_port(), **environment):
        wait_until_live(port, server, house.log_path)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "interfaces.cli.main", "import", "retail", str(file), "--json"],
            env={**os.environ, "BILLING_DATA_DIR": str(ledger.data_dir), "BILLING_PORT": str(port)},
            capture_output=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
        seconds = time.perf_counter() - started
    report = json.loads(done.stdout)
    assert report["documents"]["issued"] > 0, report
    return seconds


def sealed_contents(ledger: Ledger) -> list[bytes]:
    """The canonical JSON of every issued document, from the vault."""
    return asyncio.run(_sealed_contents(ledger))


async def _sealed_contents(ledger: Ledger) -> list[bytes]:
    with ledger.connect() as connection:
        found = connection.execute(
            f"SELECT document_id FROM readmodel.{DOCUMENT_TABLE.name} WHERE status = 'ISSUED'".encode()
        ).fetchall()
    contents = []
    async with system_of(ledger) as system:
        files = DocumentFiles(system.vault, system.secrets)
        for (document_id,) in found:
            issued = (await load_document(system.ledger, system.registry, document_id)).issued
            assert issued is not None, "its read model says so"
            contents.append(await files.read(issued, issued.json_name))
    return contents


def rendered_per_second(documents: list[bytes], processes: int) -> float:
    """Documents a second that our own template draws on so many warm processes, nothing around it."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=typefaces.warm_up) as pool:
        pool.map(_rendered_size, documents[: 4 * processes], chunksize=1)
        started = time.perf_counter()
        pool.map(_rendered_size, documents, chunksize=max(1, len(documents) // 200))
        return len(documents) / (time.perf_counter() - started)


def _rendered_size(content_json: bytes) -> int:
    return len(render_pdf(content_json))
