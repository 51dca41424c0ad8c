"""The outbox and the print room: folders in which e-mails and letters are laid for whoever takes them on."""

import asyncio
import re

import structlog

from application.mailing import Letter, Mail, NotSent
from infrastructure.mail.message import Writing
from infrastructure.mail.subject_folders import SubjectFolders

log = structlog.get_logger(__name__)

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]")


class OutboxFolder:
    """`application.mailing.Mailer` that lays each e-mail, named by its delivery, into a folder."""

    repeatable = True

    def __init__(self, folders: SubjectFolders, writing: Writing) -> None:
        self._folders = folders
        self._writing = writing

    async def send(self, mail: Mail) -> None:
        """Writes the e-mail as an `.eml` file, once. Raises `NotSent`."""
        content = self._writing.message(mail).as_bytes()
        await _lay_in(self._folders, mail.subject_id, f"{mail.delivery_id}.eml", content)


class PrintRoom:
    """`application.mailing.PostRoom` that lays each letter, named by its document, into a folder."""

    def __init__(self, folders: SubjectFolders) -> None:
        self._folders = folders

    async def lay_in(self, letter: Letter) -> None:
        """Writes the letter, once. Raises `NotSent`."""
        name = _NOT_IN_FILE_NAMES.sub("-", letter.file_name)
        await _lay_in(self._folders, letter.subject_id, name, letter.content)


class PaperFolders:
    """`application.mailing.KeptPapers` over all folders of the house."""

    def __init__(self, *folders: SubjectFolders) -> None:
        self._folders = folders

    async def forget(self, subject_id: str) -> None:
        """Removes all that were written to that subject. Raises `OSError` where the disk will not."""
        for each in self._folders:
            await asyncio.to_thread(each.forget, subject_id)


async def _lay_in(folders: SubjectFolders, subject_id: str, name: str, content: bytes) -> None:
    try:
        await asyncio.to_thread(folders.put, subject_id, name, content)
    except OSError as error:
        log.warning("paper-folder-unusable", errno=error.errno)
        raise NotSent("folder_unavailable", again=True) from None
