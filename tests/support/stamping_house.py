"""A real house and the simulated authority that stamps for it, each a process or more of its own."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.authority import AuthorityProcess, an_authority_process
from tests.support.drafting_simulated import invoice_of
from tests.support.house import House, all_items, eventually


@dataclass
class StampingHouse:
    """The two of them."""

    house: House
    authority: AuthorityProcess

    def draft(self, *arguments: str) -> list[str]:
        """Drafts invoices, each `NAME` or `NAME:TAX_ID`; returns their documents' ids."""
        command = ["-m", "tests.support.drafting_simulated", *arguments]
        assert self.house.spawn(command, self.house.port).wait(120) == 0
        return [invoice_of(argument).document_id for argument in arguments]

    def detail(self, document_id: str) -> dict[str, Any]:
        """A document's detail as an auditor sees it."""
        with self.house.client("AUDITOR") as auditor:
            answer = auditor.get(f"/v1/documents/{document_id}")
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def events(self, document_id: str, event_type: str) -> list[dict[str, Any]]:
        """The document's events of that type, as the ledger has them."""
        with self.house.client("AUDITOR") as auditor:
            path = f"/v1/audit/streams/document/{document_id}"
            events = auditor.get(path).json()["events"]
        return [event for event in events if event["type"] == event_type]

    def failure(self, document_id: str) -> dict[str, Any]:
        """Why an attempt to issue the document failed last, once one has."""
        found = eventually(lambda: self.events(document_id, "document.issue-failed"))
        content: dict[str, Any] = found[-1]["data"]
        return content

    def task(self, document_id: str) -> dict[str, Any]:
        """The open task about the document, once there is one."""

        def look() -> dict[str, Any] | None:
            with self.house.client("AUDITOR") as auditor:
                tasks = all_items(auditor, "/v1/tasks")
            return next((task for task in tasks if document_id in json.dumps(task)), None)

        return eventually(look)


@contextlib.contextmanager
def a_stamping_house(folder: Path) -> Iterator[StampingHouse]:
    """A running house with one issuer, and its authority, until the end of the block."""
    with an_authority_process(folder / "authority.sqlite") as authority:
        settings = {"BILLING_SIMULATED_AUTHORITY_URL": authority.url}
        with House(folder / "data", settings) as house:
            yield StampingHouse(house, authority)


def killed(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the process ended by SIGKILL."""
    return process.wait(120) == -9
