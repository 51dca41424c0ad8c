"""An e-mail as mail servers and mail programs read it (RFC 5322), with a PDF where it brings one."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from application.mailing import Mail, NotSent

_SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""So that every server on the way takes it; addresses alone may need SMTPUTF8."""

_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")
"""One address, without a name and in no quotes; whether there is such a mailbox is the server's affair."""


class Writing:
    """Writes e-mails in the name of one sender."""

    def __init__(self, sender: str) -> None:
        """`sender` is an e-mail address; message ids are of its domain."""
        self.sender = sender
        self._domain = sender.rpartition("@")[2]

    def message(self, mail: Mail) -> EmailMessage:
        """The message; sent again it has the same Message-ID. Raises `NotSent` for what is no address."""
        recipient = recipient_of(mail)
        is_plain = recipient.addr_spec.isascii()
        message = EmailMessage(policy=_SEVEN_BIT if is_plain else _SEVEN_BIT.clone(utf8=True))
        message["From"] = self.sender
        message["To"] = recipient
        message["Subject"] = mail.title
        message["Date"] = mail.written_at
        message["Message-ID"] = f"<{mail.delivery_id}@{self._domain}>"
        # No vacation notices, and no bounces of bounces.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        if mail.attachment is not None:
            content, name = mail.attachment.content, mail.attachment.file_name
            message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
        # Last, for what is said of content before there are parts becomes the first one's.
        message["Content-Language"] = mail.language
        return message


def recipient_of(mail: Mail) -> Address:
    """The one recipient. Raises `NotSent` for what is no address, or several."""
    address = mail.address.strip()
    if not _ADDRESS.fullmatch(address):
        raise NotSent("address_refused", again=False)
    user, _, domain = address.rpartition("@")
    return Address(username=user, domain=domain)
