"""Tax categories: how upstream systems spell them, and the one word that stands for each here.

Spellings are UNTDID 5305 codes (EN 16931), Portugal's SAF-T codes and plain words. A word says what a line
is; what it costs in a country on a day is data (`domain/fiscal/taxes/data`).
"""

from typing import Literal, get_args

TaxCategory = Literal[
    "STANDARD",
    "INTERMEDIATE",
    "REDUCED",
    "SUPER_REDUCED",
    "INCREASED",
    "ZERO",
    "EXEMPT",
    "REVERSE_CHARGE",
    "INTRA_COMMUNITY",
    "EXPORT",
    "OUT_OF_SCOPE",
]

CATEGORIES: tuple[TaxCategory, ...] = get_args(TaxCategory)
"""All of them, the taxed ones first."""

UNTAXED: frozenset[TaxCategory] = frozenset(
    {"EXEMPT", "REVERSE_CHARGE", "INTRA_COMMUNITY", "EXPORT", "OUT_OF_SCOPE"}
)
"""Categories that never have a rate, and always a reason (EN 16931 BR-E-10, BR-AE-10, BR-IC-10, BR-G-10)."""

SPELLINGS: dict[str, TaxCategory] = {
    **{category: category for category in CATEGORIES},
    "S": "STANDARD",
    "NORMAL": "STANDARD",
    "NOR": "STANDARD",
    "GENERAL": "STANDARD",
    "TAXABLE": "STANDARD",
    "INT": "INTERMEDIATE",
    "AA": "REDUCED",
    "RED": "REDUCED",
    "LOWER": "REDUCED",
    "H": "INCREASED",
    "HIGHER": "INCREASED",
    "Z": "ZERO",
    "ZERO_RATED": "ZERO",
    "E": "EXEMPT",
    "ISE": "EXEMPT",
    "AE": "REVERSE_CHARGE",
    "K": "INTRA_COMMUNITY",
    "INTRA_COMMUNITY_SUPPLY": "INTRA_COMMUNITY",
    "G": "EXPORT",
    "O": "OUT_OF_SCOPE",
    "NOT_SUBJECT": "OUT_OF_SCOPE",
}
"""Every spelling in capitals, with what it means."""


def category_of(spelling: str) -> TaxCategory | None:
    """The category that is spelled so, in either case with any of `-`, `_` and blanks; None if none is."""
    return SPELLINGS.get(spelling.strip().upper().replace("-", "_").replace(" ", "_"))
