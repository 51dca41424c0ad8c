"""Chains: whatever series of an issuer hand out numbers in whatever order, one unbroken chain ties them."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from application.handlers.chains import chain_link, chain_stream
from application.ledger import Answer, Audit, Command, Transaction
from domain.documents.document_facts import ChainLink, DocType, DocumentNumbered
from domain.fiscal.countries.simulated.driver import SimulatedDriver
from domain.fiscal.driver import Chain
from domain.fiscal.registry import GENERIC
from domain.kernel.recorded import RecordedEvent
from domain.numbering.series import NUMBER_SERIES, NumberAssigned
from tests.support import facts
from tests.support.clocks import SetClock
from tests.support.memory_ledger import MemoryLedger
from tests.support.simulated_country import ISSUER_TAX_ID, SimulatedInvoice, drafting

AUDIT = Audit("north", "ana", "SYSTEM", "test", "trace-1")
CHAINED: tuple[DocType, ...] = ("FISCAL_INVOICE", "CREDIT_NOTE")

_drafts = st.lists(
    st.builds(
        SimulatedInvoice,
        name=st.uuids(version=4).map(str),
        issuer=st.sampled_from(("one-ltd", "two ltd/x")),
        doc_type=st.sampled_from(CHAINED),
    ),
    max_size=12,
    unique_by=lambda invoice: invoice.name,
)


async def _numbered(invoices: Sequence[SimulatedInvoice]) -> list[RecordedEvent]:
    """All of them drafted a second apart; what the ledger then says of their numbers."""
    clock = SetClock()
    ledger = MemoryLedger(clock)
    for invoice in invoices:
        await ledger.commit(Command(AUDIT, drafting(invoice)))
        clock.move(1)
    return [event for event in ledger.events if isinstance(event.fact, DocumentNumbered)]


def _by_hand(invoice: SimulatedInvoice, numbered: DocumentNumbered, previous: str | None) -> str:
    """The hash as an auditor recomputes it, from what is printed, without any code of ours."""
    totals = invoice.drafted().totals
    hashed: dict[str, Any] = {
        "currencyUomId": "EUR",
        "docType": invoice.doc_type,
        "grandTotal": totals.grand_total,
        "issueDate": numbered.issue_date.isoformat(),
        "issuedAt": numbered.issued_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "issuer": ISSUER_TAX_ID,
        "number": numbered.number,
        "previousHash": previous,
        "taxTotal": totals.tax_total,
    }
    return hashlib.sha256(json.dumps(hashed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@settings(max_examples=60, deadline=None)
@for_any(_drafts)
def test_any_interleaving_of_an_issuers_series_gives_one_unbroken_chain(
    invoices: list[SimulatedInvoice],
) -> None:
    events = asyncio.run(_numbered(invoices))
    links: dict[str, list[ChainLink]] = {}
    last: dict[str, tuple[str, str]] = {}
    for invoice, event in zip(invoices, events, strict=True):
        numbered = event.fact
        assert isinstance(numbered, DocumentNumbered) and numbered.chain is not None
        link = numbered.chain
        previous_id, previous_hash = last.get(invoice.issuer, (None, None))
        assert (link.previous_id, link.previous_hash) == (previous_id, previous_hash)
        assert link.hash == _by_hand(invoice, numbered, previous_hash)
        last[invoice.issuer] = (invoice.document_id, link.hash)
        links.setdefault(invoice.issuer, []).append(link)
    for of_issuer in links.values():
        assert [link.sequence for link in of_issuer] == list(range(1, len(of_issuer) + 1))
        assert len({link.chain_id for link in of_issuer}) == 1


async def test_every_link_is_a_number_of_the_chains_own_series() -> None:
    clock = SetClock()
    ledger = MemoryLedger(clock)
    invoices = [SimulatedInvoice(name=str(number), doc_type=CHAINED[number % 2]) for number in range(4)]
    for invoice in invoices:
        await ledger.commit(Command(AUDIT, drafting(invoice)))
    chain = await ledger.history(NUMBER_SERIES.stream("XS:simulated-ltd:CHAIN"))
    held = [event.fact for event in chain if isinstance(event.fact, NumberAssigned)]
    numbered = [event.fact for event in ledger.events if isinstance(event.fact, DocumentNumbered)]
    assert [fact.number for fact in held] == ["CHAIN-1", "CHAIN-2", "CHAIN-3", "CHAIN-4"]
    assert [fact.holder_id for fact in held] == [invoice.document_id for invoice in invoices]
    assert [fact.chain_hash for fact in held] == [fact.chain.hash for fact in numbered if fact.chain]


class _BySeries(SimulatedDriver):
    """A law that wants a chain a series, as Portugal's does."""

    def chain(self, doc_type: DocType) -> Chain | None:
        """A chain for each document type."""
        return Chain(scope="SERIES")


async def test_a_chain_of_a_series_knows_nothing_of_other_series() -> None:
    ledger, links = MemoryLedger(SetClock()), []
    for number, doc_type in enumerate(("FISCAL_INVOICE", "CREDIT_NOTE", "FISCAL_INVOICE")):
        drafted = facts.drafted(doc_type=doc_type, country_code="XS", issuer_entity_id="one-ltd")

        def link(transaction: Transaction, drafted: Any = drafted, number: int = number) -> Answer:
            linked = chain_link(
                transaction, _BySeries(), f"d-{number}", drafted, facts.numbered(number + 1), None
            )
            return Answer(200, linked)

        links.append((await ledger.commit(Command(AUDIT, link))).answer.body)
    assert [(link.chain_id, link.sequence, link.previous_id) for link in links] == [
        ("XS:one-ltd:FISCAL_INVOICE-CHAIN", 1, None),
        ("XS:one-ltd:CREDIT_NOTE-CHAIN", 1, None),
        ("XS:one-ltd:FISCAL_INVOICE-CHAIN", 2, "d-0"),
    ]
    assert links[2].previous_hash == links[0].hash


def test_what_numbering_reads_besides_its_series() -> None:
    invoice = SimulatedInvoice(name="1").drafted()
    assert chain_stream(SimulatedDriver(), invoice) == NUMBER_SERIES.stream("XS:simulated-ltd:CHAIN")
    assert chain_stream(SimulatedDriver(), facts.drafted()) is None
    assert chain_stream(GENERIC, invoice) is None


async def test_where_the_law_wants_no_chain_nothing_is_recorded() -> None:
    ledger = MemoryLedger(SetClock())

    def link(transaction: Transaction) -> Answer:
        return Answer(200, chain_link(transaction, GENERIC, "d-1", facts.drafted(), facts.numbered(), None))

    committed = await ledger.commit(Command(AUDIT, link))
    assert committed.answer.body is None and ledger.events == []
    with pytest.raises(ValueError, match="no chain"):
        GENERIC.chain_hash(None, None)  # type: ignore[arg-type]
