"""The system's clock and ids: the only places where the present moment and randomness come in."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


class SystemClock:
    """UTC from the operating system."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class RandomIds:
    """UUIDv7: in time order, so that indexes stay local."""

    def new(self) -> UUID:
        """A fresh UUIDv7."""
        return uuid_utils.compat.uuid7()
