"""Whom a seller's statement is for and who issued it; a seller that issues it itself is named once."""

from typing import Any

from infrastructure.rendering.particulars import PlacedParty
from infrastructure.rendering.wording import OrderWords


def statement_parties(content: dict[str, Any], label: str, words: OrderWords) -> tuple[PlacedParty, ...]:
    """The parties of a statement's content; `label` says what the seller is to it."""
    seller = PlacedParty(label, content["seller"])
    if content["seller"] == content["issuer"]:
        return (seller,)
    return seller, PlacedParty(words.issuer, content["issuer"])
