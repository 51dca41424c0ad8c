"""The README's tour, command by command, as a reader would type it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import House, eventually

PROJECT = Path(__file__).resolve().parents[2]
STEP = re.compile(r"<!-- tour -->\n```sh\n(.*?)```", re.DOTALL)
SHOWN_ADDRESS = "http://127.0.0.1:8000"
SHOWN_PROGRAM = ".venv/bin/billing"

SHOWS = (
    '"outcome":"ACCEPTED"',
    '"documentId":"f7cb4c59-fa24-5daf-8812-e52aab2d5e3f"',
    '"number":"R-',
    "ok     pdf-re-render: Drawn again from its JSON, the PDF is the same, byte for byte.",
    '"eventType":"DOWNLOADED"',
    '"gaps":[]',
    '"docType":"CREDIT_NOTE"',
    '"relation":"CORRECTS"',
    '"docType":"PAYOUT_STATEMENT"',
    '"docType":"SELLER_STATEMENT"',
    '"docType":"FISCAL_INVOICE"',
    '"docType":"RECEIPT"',
    "decides about FISCAL_INVOICE of an order: ON_DEMAND.",
    '"dryRun":true',
    '"cause":"issue_failed_profile_missing"',
    '"complete":true,"missingFields":[]',
    '"number":"F-2026-000002"',
    '"id":"evt-7004","outcome":"ACCEPTED"',
    '"invoiceNumber":"F-2026-000001"',
    '"dryRun":true',
    '"grandTotal":31835',
    '"ruleId":"US-CA-SALES-202001"',
    '"invoiceNumber":"F-2026-000001"',
    '"allowedActions":["PAY","VOID","CREDIT","REBILL"]',
    '"docType":"FISCAL_INVOICE"',
    '"buyerId":"customer-larch"',
    '"status":"CAPTURED","amount":10000',
    '"status":"PENDING","amount":21835',
    '"status":"PAID"',
    '"balanceDue":0',
    "PAID IN FULL",
    '"grossAmount":12900,"currencyUomId":"USD","paymentRef":"tour/1"',
    '"billNumber":"BB-20561","currencyUomId":"USD","totalAmount":12900,"openAmount":0',
    '"type":"document.issued"',
    "document.numbered by shop",
    "rows in 10 = 4 ordered + 1 refunded + 5 refused",
    "every row and every penny is accounted for",
    "documents: 5 issued, 0 parked",
    "events, every one as it was recorded.",
    "0 only live, 0 only rebuilt",
)
"""What the tour shows, in the order in which it shows it."""


@pytest.mark.slow
def test_the_tour_shows_what_it_says(tmp_path: Path) -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    receipt = tmp_path / "receipt.pdf"
    steps = "".join(STEP.findall(text)).replace("/tmp/receipt.pdf", str(receipt))
    assert steps.count(SHOWN_ADDRESS) == 1
    with House(tmp_path / "house", {"BILLING_DEMO": "1"}) as house:
        eventually(lambda: '"demo-loaded"' in house.log_path.read_text(encoding="utf-8"))
        house.catch_up()
        steps = steps.replace(SHOWN_ADDRESS, house.url)
        billing = f"{sys.executable} -m interfaces.cli.main"
        environment = {
            **os.environ,
            "BILLING_DATA_DIR": str(house.data_dir),
            "BILLING_PORT": str(house.port),
            "COLUMNS": "120",
        }
        tour = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", steps.replace(SHOWN_PROGRAM, billing)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert tour.returncode == 0, tour.stderr
    rest = tour.stdout
    for shown in SHOWS:
        _, found, rest = rest.partition(shown)
        assert found, f"the tour does not show {shown}"
    assert receipt.read_bytes().startswith(b"%PDF-")
