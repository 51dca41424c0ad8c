"""What leaves the house: e-mails and letters, as their senders are told to send them."""

from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Protocol

from babel.dates import format_date

from domain.documents.delivery import FailureReason
from domain.documents.document_facts import Language
from domain.documents.notices import Words

_LINK_WORDS: dict[Language, tuple[str, str]] = {
    "en": ("Open the document", "The link is yours alone and works until {day}."),
    "es": ("Abrir el documento", "El enlace es personal y funciona hasta el {day}."),
    "de": ("Beleg öffnen", "Der Link ist nur für Sie bestimmt und gilt bis {day}."),
}


_ATTACHED: dict[Language, str] = {
    "en": "You find it attached.",
    "es": "Lo encontrarás adjunto.",
    "de": "Sie finden sie im Anhang.",
}
_COPY: dict[Language, str] = {"en": "copy {copy}", "es": "copia {copy}", "de": "Kopie {copy}"}


@dataclass(frozen=True)
class Attachment:
    """A sealed PDF that goes along with an e-mail."""

    file_name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """An e-mail to one person; nothing of it but `delivery_id` may be logged.

    `subject_id` (`party:…`) is whose mail it is, so that an erasure finds it.
    """

    delivery_id: str
    subject_id: str
    written_at: datetime
    language: Language
    address: str = field(repr=False)
    title: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    attachment: Attachment | None = None


@dataclass(frozen=True)
class Letter:
    """A sealed file to be printed and posted, and whose letter it is."""

    subject_id: str
    file_name: str
    content: bytes = field(repr=False)


class NotSent(Exception):
    """It certainly did not go out. `again` says whether another attempt may help.

    `reply_code` is the mail server's, where it refused. There is no more to it: its words may hold addresses.
    """

    def __init__(self, reason: FailureReason, *, again: bool, reply_code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.reply_code = reply_code


class Unconfirmed(Exception):
    """Nobody knows whether it went out."""


class Mailer(Protocol):
    """Sends e-mails. `repeatable`: the same mail sent again is one mail."""

    @property
    def repeatable(self) -> bool:
        """Whether a mail that was interrupted may be sent again without arriving twice."""
        ...

    async def send(self, mail: Mail) -> None:
        """Returns once the mail is somebody else's care. Raises `NotSent`, `Unconfirmed`."""
        ...


class PostRoom(Protocol):
    """Takes letters to be printed and posted; the same letter laid in again is one letter."""

    async def lay_in(self, letter: Letter) -> None:
        """Returns once the letter lies there. Raises `NotSent`."""
        ...


class KeptPapers(Protocol):
    """The e-mails and letters that this house keeps in folders."""

    async def forget(self, subject_id: str) -> None:
        """Removes all that were written to that subject; none are there where it returns."""
        ...


def compose(
    words: Words, language: Language, link: str, good_until: datetime, reference: str
) -> tuple[str, str]:
    """An e-mail's plain text and HTML: what is there, of which order, and the link to it.

    `good_until` is shown as the last whole day on which the link works.
    """
    open_it, until = _LINK_WORDS[language]
    until = until.format(day=format_date(good_until.date(), format="long", locale=language))
    text = f"{words.body}\n{reference}\n\n{open_it}:\n{link}\n\n{until}\n"
    action = _LINK.format(link=escape(link), open_it=escape(open_it), until=escape(until))
    return text, _page(words, language, reference, action)


def compose_attached(words: Words, language: Language, reference: str) -> tuple[str, str]:
    """The plain text and HTML of an e-mail that brings a document along."""
    attached = _ATTACHED[language]
    text = f"{words.body}\n{reference}\n\n{attached}\n"
    return text, _page(words, language, reference, _BELOW.format(attached=escape(attached)))


def title_of(words: Words, language: Language, number: str, copy_number: int) -> str:
    """The subject of an e-mail about a document; one that brings a copy says which (0 is the original)."""
    copy = f" ({_COPY[language].format(copy=copy_number)})" if copy_number else ""
    return f"{words.title}: {number}{copy}"


def _page(words: Words, language: Language, reference: str, action: str) -> str:
    return _PAGE.format(
        language=language,
        title=escape(words.title),
        body=escape(words.body),
        reference=escape(reference),
        action=action,
    )


_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="margin:0;background:#f4f4f2;font-family:Helvetica,Arial,sans-serif;color:#1d1d1b">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" width="560" cellpadding="0" cellspacing="0"
 style="max-width:560px;margin:32px 16px;background:#ffffff;border-radius:6px">
<tr><td style="padding:32px 32px 8px;font-size:22px;font-weight:bold">{title}</td></tr>
<tr><td style="padding:8px 32px;font-size:16px;line-height:24px">{body}<br>
<span style="color:#6b6b66;font-size:14px">{reference}</span></td></tr>
{action}
</table></td></tr></table>
</body>
</html>
"""

_LINK = """<tr><td style="padding:16px 32px"><a href="{link}" style="display:inline-block;padding:12px 20px;
background:#1d4d4f;border-radius:4px;color:#ffffff;text-decoration:none;font-size:16px">{open_it}</a></td></tr>
<tr><td style="padding:8px 32px 32px;font-size:13px;line-height:20px;color:#6b6b66">{until}</td></tr>"""

_BELOW = """<tr><td style="padding:8px 32px 32px;font-size:16px;line-height:24px">{attached}</td></tr>"""
