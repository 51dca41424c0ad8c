"""What every upstream fact tells the door, whatever its type."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from application.desk import Desk
from application.intake.artifacts import SentArtifact
from application.ledger import Transaction
from application.ports import Fingerprint
from domain.inbound.inbound import Effect
from domain.invoicing.work_order import ArtifactFile, WorkOrderData
from domain.kernel.streams import StreamId


class ArtifactKeeper(Protocol):
    """Keeps contents that came by value, so that a command can refer to them."""

    async def keep(
        self, work_order: WorkOrderData, sent: tuple[SentArtifact, ...]
    ) -> tuple[ArtifactFile, ...]:
        """Where each is kept; safe to repeat. Raises `VaultError`, `LedgerUnavailable`."""
        ...


class WithoutDocuments:
    """What every type of fact has in common that calls for no documents."""

    def led_to(self, transaction: Transaction) -> tuple[str, ...]:
        """None."""
        return ()


class WithoutFiles:
    """What every type of fact has in common that brings no files."""

    async def with_files_kept(self, keeper: ArtifactKeeper) -> Self:
        """Itself."""
        return self


class Intake(Protocol):
    """The data of an upstream fact, read and ready to be decided on."""

    @property
    def about(self) -> StreamId:
        """The history that it belongs to."""
        ...

    @property
    def streams(self) -> frozenset[StreamId]:
        """What deciding on it reads, as far as known beforehand."""
        ...

    @property
    def subjects(self) -> frozenset[str]:
        """Whose personal data it brings."""
        ...

    async def with_files_kept(self, keeper: ArtifactKeeper) -> "Intake":
        """The same, once files that came with it are kept; before `take`, outside the ledger's lock."""
        ...

    def take(self, transaction: Transaction) -> Effect:
        """Records it with all that it leads to. Raises `DomainError` where a rule says no."""
        ...

    def led_to(self, transaction: Transaction) -> tuple[str, ...]:
        """The ids of the documents that it led to, now or when it was first told."""
        ...


@dataclass(frozen=True)
class Reading:
    """What reading an event needs: the house's keyed hash, and by whose policies documents are planned."""

    fingerprint: Fingerprint
    desk: Desk


ReadIntake = Callable[[dict[str, Any], Reading], Intake]
"""Reads the `data` of one type of fact. Raises `VALIDATION_FAILED` naming the fields."""
