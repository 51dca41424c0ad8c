"""Who may know of a document: its buyer, its seller, its country's operations, auditors (S3 §3.2, §3.3)."""

from dataclasses import dataclass
from typing import Final

from domain.documents.document_facts import Audience

BUYERS_AUDIENCES: Final[frozenset[Audience]] = frozenset({"BUYER"})
"""A buyer sees what is made for buyers, and nothing of what its seller is told (S3 §3.2)."""

OTHERS_AUDIENCES: Final[frozenset[Audience]] = frozenset({"BUYER", "SELLER"})
"""A seller, or who looks after a country, sees what is for buyers and sellers; FINANCE is for auditors."""


@dataclass(frozen=True)
class DocumentScope:
    """Which documents a caller may know of; None means that this claim does not narrow.

    A document is visible if any of the three ways leads to it and its country is among `countries`.
    """

    every: bool = False
    buyer_id: str | None = None
    seller_id: str | None = None
    by_country: frozenset[str] = frozenset()
    countries: frozenset[str] | None = None
    drafts: bool = False

    def shows(
        self, *, buyer_id: str, seller_id: str, audience: str, country_code: str, was_issued: bool
    ) -> bool:
        """Whether a document with these owners, made for that audience, in that country, may be known of.

        Where it never was issued, be it a draft or voided as one, only a scope with `drafts` shows it.
        """
        if not (was_issued or self.drafts):
            return False
        if self.countries is not None and country_code not in self.countries:
            return False
        bought = buyer_id == self.buyer_id and audience in BUYERS_AUDIENCES
        sold = seller_id == self.seller_id or country_code in self.by_country
        return self.every or bought or (sold and audience in OTHERS_AUDIENCES)
