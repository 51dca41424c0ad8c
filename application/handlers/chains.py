"""Chains that a country's law ties its documents into, computed with their numbers under the ledger's lock.

A chain is a number series of its own: each link is a number of it, held by a document and bearing its hash,
so that links are accounted for as numbers are. Which documents stand in one is the driver's to say, and the
hash a pure function of the driver's. A signature that a law wants beside it is no matter of this transaction:
it needs a key, and follows in the chain's order (ADR 0023).
"""

from dataclasses import dataclass

from application.ledger import Transaction
from domain.documents.document_facts import ChainLink, DocumentDrafted, DocumentNumbered
from domain.fiscal.driver import ChainedDocument, CountryDriver
from domain.kernel.streams import StreamId
from domain.numbering.series import (
    NUMBER_SERIES,
    NumberFormat,
    NumberSeries,
    assign_number,
    open_series,
    series_id,
)

CHAIN_FORMAT = NumberFormat(prefix="CHAIN-", padding=1, yearly_reset=False)
"""How the links of every chain are numbered: on and on, whatever the year."""


@dataclass(frozen=True)
class _Chain:
    """A chain's series, by what its id is made of."""

    country_code: str
    issuer_entity_id: str
    kind: str

    @property
    def chain_id(self) -> str:
        return series_id(self.country_code, self.issuer_entity_id, self.kind)


def chain_stream(driver: CountryDriver, drafted: DocumentDrafted) -> StreamId | None:
    """The stream that numbering such a document reads besides its series; None where there is no chain."""
    chain = _chain_of(driver, drafted)
    return None if chain is None else NUMBER_SERIES.stream(chain.chain_id)


def chain_link(
    transaction: Transaction,
    driver: CountryDriver,
    document_id: str,
    drafted: DocumentDrafted,
    numbered: DocumentNumbered,
    issuer_tax_id: str | None,
) -> ChainLink | None:
    """Appends a document that was numbered just now to its chain; None where the law wants none.

    To be called once a document, in the transaction in which it takes its number. `issuer_tax_id` is that of
    the issuer's fiscal profile.
    """
    chain = _chain_of(driver, drafted)
    if chain is None:
        return None
    series = _open(transaction, chain, driver.time_zone(drafted.country_code))
    hashed = driver.chain_hash(
        ChainedDocument(
            drafted=drafted,
            number=numbered.number,
            issued_at=numbered.issued_at,
            issue_date=numbered.issue_date,
            issuer_tax_id=issuer_tax_id,
        ),
        series.last_chain_hash,
    )
    assigned = assign_number(series, "DOCUMENT", document_id, numbered.issued_at)
    link = assigned.model_copy(update={"chain_hash": hashed})
    transaction.append(NUMBER_SERIES.stream(chain.chain_id), (link,))
    return ChainLink(
        chain_id=chain.chain_id,
        sequence=assigned.sequence,
        hash=hashed,
        previous_id=series.last_holder_id,
        previous_hash=series.last_chain_hash,
    )


def _chain_of(driver: CountryDriver, drafted: DocumentDrafted) -> _Chain | None:
    wanted = driver.chain(drafted.doc_type)
    if wanted is None:
        return None
    kind = "CHAIN" if wanted.scope == "ISSUER" else f"{drafted.doc_type}-CHAIN"
    return _Chain(drafted.country_code, drafted.issuer_entity_id, kind)


def _open(transaction: Transaction, chain: _Chain, time_zone: str) -> NumberSeries:
    """The chain's series, which opens with its first link."""
    opened = open_series(
        transaction.state(NUMBER_SERIES, chain.chain_id),
        country_code=chain.country_code,
        issuer_entity_id=chain.issuer_entity_id,
        doc_type=chain.kind,
        number_format=CHAIN_FORMAT,
        time_zone=time_zone,
    )
    transaction.append(NUMBER_SERIES.stream(chain.chain_id), opened)
    series = transaction.state(NUMBER_SERIES, chain.chain_id)
    assert series is not None, "it is open since one line above"
    return series
