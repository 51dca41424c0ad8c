"""E-mail through an SMTP server: one connection a mail, TLS wherever the server offers it.

Up to the DATA command a mail that failed certainly did not go out. From then on only the server's reply
tells; where that does not come, nobody knows.
"""

import aiosmtplib
import structlog

from application.mailing import Mail, NotSent, Unconfirmed
from infrastructure.mail.message import Writing, recipient_of
from infrastructure.mail.smtp_server import SmtpServer

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 20.0
_TEMPORARY = 400
_PERMANENT = 500


class SmtpMailer:
    """`application.mailing.Mailer` on an SMTP server."""

    repeatable = False

    def __init__(
        self, server: SmtpServer, writing: Writing, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._server = server
        self._writing = writing
        self._timeout_seconds = timeout_seconds

    async def send(self, mail: Mail) -> None:
        """Hands the mail to the server. Raises `NotSent`, `Unconfirmed`."""
        recipient = recipient_of(mail).addr_spec
        content = self._writing.message(mail).as_bytes()
        client = self._client()
        try:
            await self._connect(client, mail)
            await self._address(client, recipient)
            await _hand_over(client, content)
            await _say_goodbye(client)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls == "from the start",
            start_tls=None if server.tls == "if offered" else server.tls == "required",
            timeout=self._timeout_seconds,
        )

    async def _connect(self, client: aiosmtplib.SMTP, mail: Mail) -> None:
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # Its own words are left out: they may hold what the server said of the password.
            log.warning("mail-server-unusable", deliveryId=mail.delivery_id, error=type(error).__name__)
            code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
            raise NotSent("mail_unreachable", again=True, reply_code=code) from None

    async def _address(self, client: aiosmtplib.SMTP, recipient: str) -> None:
        options, encoding = ([], "ascii") if recipient.isascii() else (["SMTPUTF8"], "utf-8")
        if options and not client.supports_extension("smtputf8"):
            raise NotSent("address_refused", again=False)
        try:
            await client.mail(self._writing.sender, options=options, encoding=encoding)
            await client.rcpt(recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as refused:
            raise _refusal(refused) from None
        except ValueError:
            raise NotSent("address_refused", again=False) from None
        except (aiosmtplib.SMTPException, OSError):
            raise NotSent("mail_unreachable", again=True) from None


async def _hand_over(client: aiosmtplib.SMTP, content: bytes) -> None:
    try:
        await client.data(content)
    except aiosmtplib.SMTPDataError as refused:
        if refused.code < _TEMPORARY:
            raise Unconfirmed from None
        raise _refusal(refused) from None
    except (aiosmtplib.SMTPException, OSError):
        raise Unconfirmed from None


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        # The mail is the server's already.
        return


def _refusal(refused: aiosmtplib.SMTPResponseException) -> NotSent:
    # Who sends is our own affair: an operator mends it, and then the mail goes out.
    again = refused.code < _PERMANENT or isinstance(refused, aiosmtplib.SMTPSenderRefused)
    return NotSent("mail_refused", again=again, reply_code=refused.code)
