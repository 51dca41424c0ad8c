"""What the driver protocol must be able to carry of real countries' law, without any driver of theirs yet.

Spain's hashes are the examples that its tax agency publishes in the specification of the VeriFactu hash
(AEAT, "Detalle de las especificaciones técnicas para generación de la huella o hash").
"""

import asyncio
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from application.handlers.chains import chain_link
from application.ledger import Answer, Audit, Command, Transaction
from domain.documents.document_facts import DocType, DocumentNumbered
from domain.fiscal.countries.generic.driver import GenericDriver
from domain.fiscal.driver import Chain, ChainedDocument
from tests.support import facts
from tests.support.clocks import SetClock
from tests.support.memory_ledger import MemoryLedger

AUDIT = Audit("north", "ana", "SYSTEM", "test", "trace-1")

PUBLISHED = (
    ("12345678/G33", 30, "3C464DAF61ACB827C65FDA19F352A4E3BDC2C640E9E9FC4CC058073F38F12F60"),
    ("12345679/G34", 35, "F7B94CFD8924EDFF273501B01EE5153E4CE8F259766F88CF6ACB8935802A2B97"),
)
"""Numbers of two series, the second in which they were issued, and their hashes."""


class _Spain(GenericDriver):
    """What matters here of Spain's law: one chain an issuer, over the published string."""

    def chain(self, doc_type: DocType) -> Chain | None:
        """One for all of an issuer's invoices."""
        return Chain(scope="ISSUER")

    def chain_hash(self, document: ChainedDocument, previous_hash: str | None) -> str:
        """SHA-256 in capitals of the string that the agency asks for."""
        totals, day = document.drafted.totals, document.issue_date
        moment = document.issued_at.astimezone(ZoneInfo(self.time_zone("ES")))
        hashed = "&".join(
            (
                f"IDEmisorFactura={document.issuer_tax_id}",
                f"NumSerieFactura={document.number}",
                f"FechaExpedicionFactura={day:%d-%m-%Y}",
                "TipoFactura=F1",
                f"CuotaTotal={totals.tax_total // 100}.{totals.tax_total % 100:02d}",
                f"ImporteTotal={totals.grand_total // 100}.{totals.grand_total % 100:02d}",
                f"Huella={previous_hash or ''}",
                f"FechaHoraHusoGenRegistro={moment.isoformat(timespec='seconds')}",
            )
        )
        return sha256(hashed.encode()).hexdigest().upper()


def test_spains_chain_gives_the_hashes_that_its_agency_publishes() -> None:
    totals = facts.drafted().totals.model_copy(update={"tax_total": 1235, "grand_total": 12345})
    drafted = facts.drafted(country_code="ES", doc_type="FISCAL_INVOICE", totals=totals)
    ledger = MemoryLedger(SetClock(datetime(2024, 1, 1, 18, 20, tzinfo=UTC)))
    previous: str | None = None
    for number, second, expected in PUBLISHED:
        numbered = DocumentNumbered(
            series_id=f"ES:issuer:{number[-3:]}",
            number=number,
            issued_at=datetime(2024, 1, 1, 18, 20, second, tzinfo=UTC),
            issue_date=date(2024, 1, 1),
        )

        def link(transaction: Transaction, numbered: Any = numbered) -> Answer:
            linked = chain_link(transaction, _Spain(), numbered.number, drafted, numbered, "89890001K")
            return Answer(200, linked)

        linked = asyncio.run(ledger.commit(Command(AUDIT, link))).answer.body
        assert (linked.hash, linked.previous_hash) == (expected, previous)
        previous = linked.hash
