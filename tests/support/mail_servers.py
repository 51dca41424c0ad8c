"""A real SMTP server for tests, which takes, refuses or drops mail as it is told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.house import free_port

Behaviour = Literal["takes", "defers", "refuses recipient", "refuses content", "drops after data", "is mute"]


@dataclass
class MailServer:
    """Where it listens, how it behaves to the next mail, and what it took."""

    port: int
    behaviour: Behaviour = "takes"
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        """Refuses, defers or takes a recipient."""
        if self.behaviour == "refuses recipient":
            return f"550 no such mailbox {address}"
        if self.behaviour == "defers":
            return f"451 try {address} again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Takes the content, and then answers, or does not."""
        if self.behaviour == "refuses content":
            return "554 not this one"
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        if self.behaviour == "drops after data":
            assert server.transport is not None
            server.transport.abort()
        if self.behaviour == "is mute":
            await asyncio.sleep(3600)
        return "250 taken"


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    """Runs one on a port of its own; `options` are aiosmtpd's."""
    server = MailServer(port=free_port())
    options = {"enable_SMTPUTF8": True, **options}
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
