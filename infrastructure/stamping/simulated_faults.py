"""What may go wrong at the simulated authority, and for which documents."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from domain.kernel.facts import Value

FaultKind = Literal["SLOW", "UNSTAMPED", "LATE", "LOST", "REJECT", "DOWN"]
"""SLOW: waits, then stamps and answers. UNSTAMPED: waits and hangs up without stamping. LATE: stamps, waits,
answers. LOST: stamps, waits and hangs up without answering. REJECT: refuses with `code`. DOWN: answers 503.
"""


class Fault(Value):
    """A thing that goes wrong for every document that it names: all those that its conditions hold for.

    `tax_id` is the issuer's or the buyer's; `one_in` hits one document in so many, the same ones each time,
    by their ids; `times` hits only a document's first so many requests.
    """

    kind: FaultKind
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    tax_id: str | None = None
    one_in: Annotated[int, Field(ge=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _rejections_have_a_code(self) -> Self:
        if (self.kind == "REJECT") != (self.code is not None):
            raise ValueError("REJECT has a code, and nothing else does")
        return self

    def hits(self, document_id: str, tax_ids: Collection[str], attempt: int) -> bool:
        """Whether it goes wrong this time; `attempt` counts a document's requests from 1."""
        if self.tax_id is not None and self.tax_id not in tax_ids:
            return False
        if self.one_in is not None and _drawn(document_id) % self.one_in != 0:
            return False
        return self.times is None or attempt <= self.times


FAULTS: TypeAdapter[tuple[Fault, ...]] = TypeAdapter(tuple[Fault, ...])

BY_TAX_ID = (
    Fault(kind="SLOW", seconds=3, tax_id="XSSLOW"),
    Fault(kind="UNSTAMPED", seconds=30, tax_id="XSUNSTAMPED"),
    Fault(kind="LATE", seconds=30, tax_id="XSLATE"),
    Fault(kind="LOST", tax_id="XSLOST"),
    Fault(kind="REJECT", code="XS301", tax_id="XSREJECT"),
    Fault(kind="DOWN", tax_id="XSDOWN"),
)
"""What always goes wrong for whoever has one of these tax ids, as the sandboxes of real authorities do it."""


def fault_for(configured: Sequence[Fault], document_id: str, content: Any, attempt: int) -> Fault | None:
    """The first fault that hits the document: of those configured, then of those by tax id."""
    tax_ids = _tax_ids(content)
    faults = (*configured, *BY_TAX_ID)
    return next((fault for fault in faults if fault.hits(document_id, tax_ids, attempt)), None)


def _tax_ids(content: Any) -> frozenset[str]:
    parties = content.values() if isinstance(content, dict) else ()
    found = (party.get("taxId") for party in parties if isinstance(party, dict))
    return frozenset(tax_id for tax_id in found if isinstance(tax_id, str))


def _drawn(document_id: str) -> int:
    return int.from_bytes(hashlib.sha256(document_id.encode()).digest()[:8])
