"""Stamping by an authority as the application knows it: a document goes out, its stamp comes back.

What an authority does takes as long as it takes, over a network, and may not be answered. So it is asked
before a document is drawn, each document by itself, and never under the ledger's lock (ADR 0023).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from domain.documents.document_facts import DocType

StampFileType = Literal["json", "xml"]
"""What a stamped file is; also how its name in the vault ends."""

STAMP_FILE_NAME = "fiscal"
"""The name of the stamped file in the document's folder of the vault, before its ending."""


@dataclass(frozen=True)
class StampRequest:
    """A numbered document that wants a stamp; `content_json` is its canonical JSON as it stands before."""

    document_id: str
    country_code: str
    doc_type: DocType
    number: str
    content_json: bytes = field(repr=False)


@dataclass(frozen=True)
class StampAnswer:
    """What the authority gave: its id of the document (UUID), when (UTC), and the stamped file's bytes.

    `qr` is what a QR code on the document has to say, where the law wants one.
    """

    uuid: str
    stamped_at: datetime
    qr: str | None
    file: bytes = field(repr=False)
    file_type: StampFileType = "xml"


class StampFailed(Exception):
    """The document has no stamp that we know of."""


class StampTimeout(StampFailed):
    """No answer came, or none that can be read: the authority may have stamped it or not. Ask again."""


class StampUnavailable(StampFailed):
    """The authority cannot be reached, or takes nothing now: nothing has happened. Ask again."""


class StampRejected(StampFailed):
    """The authority refuses the document for good; `code` is its own word for why, free of content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Stamper(Protocol):
    """One authority, or who stamps in its name."""

    async def stamp(self, request: StampRequest) -> StampAnswer:
        """The document's stamp; the same answer, byte for byte, however often the document is sent.

        Where the authority itself does not repeat, the adapter looks the earlier stamp up.
        Raises `StampTimeout`, `StampUnavailable`, `StampRejected`.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


class UnconfiguredStamper:
    """Stands where no address of an authority is set: its documents wait until there is one."""

    async def stamp(self, request: StampRequest) -> StampAnswer:
        """Raises `StampUnavailable`."""
        raise StampUnavailable("No address of this authority is configured.")

    async def close(self) -> None:
        """There is nothing to let go of."""
