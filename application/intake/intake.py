"""What every upstream fact tells the door, whatever its type."""

from collections.abc import Callable
from typing import Any, Protocol

from application.handlers.documents import PlannedDocument
from application.ledger import Transaction
from application.ports import Fingerprint
from domain.inbound.inbound import Effect
from domain.kernel.streams import StreamId


class Intake(Protocol):
    """The data of an upstream fact, read and ready to be decided on."""

    @property
    def about(self) -> StreamId:
        """The history that it belongs to."""
        ...

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads, beyond what its planned documents do."""
        ...

    @property
    def subjects(self) -> frozenset[str]:
        """Whose personal data it brings."""
        ...

    @property
    def planned(self) -> tuple[PlannedDocument, ...]:
        """The documents that it calls for."""
        ...

    def take(self, transaction: Transaction) -> Effect:
        """Records it with all that it leads to. Raises `DomainError` where a rule says no."""
        ...


ReadIntake = Callable[[dict[str, Any], Fingerprint], Intake]
"""Reads the `data` of one type of fact. Raises `VALIDATION_FAILED` naming the fields."""
