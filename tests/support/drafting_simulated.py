"""Drafts invoices of the simulated country in a house's ledger, with the service's own parts.

Run as `python -m tests.support.drafting_simulated NAME[:TAX_ID] …` with the house's settings.
"""

import asyncio
import sys

from application.ledger import Audit, Command
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from interfaces.bootstrap import build_system
from tests.support.simulated_country import SimulatedInvoice, drafting

AUDIT = Audit("default", "ana", "FINANCE_ADMIN", "invoices.issue", "0af7651916cd43dd8448eb211c80319c")
SUBJECTS = frozenset({"party:party-nandu"})


def invoice_of(argument: str) -> SimulatedInvoice:
    """The invoice that an argument names."""
    name, _, tax_id = argument.partition(":")
    return SimulatedInvoice(name=name, tax_id=tax_id or "B-1")


async def draft(arguments: list[str]) -> None:
    """Drafts them in their order."""
    system = build_system(Settings(), renderer=DirectRenderer())
    await system.start()
    for argument in arguments:
        await system.ledger.commit(Command(AUDIT, drafting(invoice_of(argument)), subjects=SUBJECTS))
    await system.stop()


if __name__ == "__main__":
    asyncio.run(draft(sys.argv[1:]))
