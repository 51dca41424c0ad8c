"""Who may know of a document: its buyer, its seller, its country's operations, auditors (S3 §3.2, §3.3)."""

from dataclasses import dataclass


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

    def shows(self, *, buyer_id: str, seller_id: str, country_code: str, status: str) -> bool:
        """Whether a document with these owners, in that country and status, may be known of."""
        if status == "DRAFT" and not self.drafts:
            return False
        if self.countries is not None and country_code not in self.countries:
            return False
        owned = buyer_id == self.buyer_id or seller_id == self.seller_id
        return self.every or owned or country_code in self.by_country
