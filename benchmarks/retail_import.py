"""Documents a second from a shop's file to sealed receipts, beside bare rendering of the same PDFs.

    python -m benchmarks.retail_import ../shared/data/online-retail-2010-12_2011-05.csv.gz

Starts a house of its own in a temporary folder, imports the file through the inbound door, reads the sealed
JSON of every document back from the vault and draws it again on as many processes, with nothing around it.
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.bare_rendering import rendered
from infrastructure.embedded_postgres import service_url
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.vault.folder import FolderVault
from tests.support.house import PROJECT, House


def main() -> None:
    """Imports, draws again, prints both figures and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a CSV file of invoice lines, .gz or plain")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="billing-benchmark-") as folder:
        data_dir = Path(folder) / "data"
        with House(data_dir, {"BILLING_ISSUERS": str(arguments.processes)}) as house:
            started = time.perf_counter()
            report = import_file(house, arguments.file)
            import_seconds = time.perf_counter() - started
            contents = sealed_contents(data_dir)
        documents = report["documents"]["issued"]
        assert documents == len(contents), "every issued document is in the vault"
        bare_seconds = rendered(contents, arguments.processes)
    imported, bare = documents / import_seconds, len(contents) / bare_seconds
    print(f"{documents} documents on {arguments.processes} processes")
    print(f"import, from file to sealed receipts: {imported:7.0f} documents/s")
    print(f"bare rendering of the same PDFs:      {bare:7.0f} documents/s")
    print(f"ratio:                                {imported / bare:7.2f}")


def import_file(house: House, file: Path) -> dict[str, dict[str, int]]:
    """Runs `billing import retail` against the house; its report."""
    environment = {"BILLING_DATA_DIR": str(house.data_dir), "BILLING_PORT": str(house.port)}
    command = [sys.executable, "-m", "interfaces.cli.main", "import", "retail", str(file.resolve()), "--json"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
    report: dict[str, dict[str, int]] = json.loads(done.stdout)
    return report


def sealed_contents(data_dir: Path) -> list[bytes]:
    """The canonical JSON of every issued document, from the vault."""
    keys = KeyStore(data_dir / "keys")
    vault = FolderVault(data_dir / "vault", keys.vault, Ed25519Signer(keys.seal), lambda: datetime.now(UTC))
    with psycopg.connect(service_url(data_dir)) as connection:
        rows = connection.execute(
            "SELECT issued->>'jsonName' FROM readmodel.document_v1 WHERE status = 'ISSUED'"
        )
        return [vault.get(name) for (name,) in rows]


if __name__ == "__main__":
    main()
