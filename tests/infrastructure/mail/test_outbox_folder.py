"""The outbox folder and the print room: files written once, for one subject each, that an erasure finds."""

import stat
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from application.mailing import Letter, NotSent
from infrastructure.mail.folders import OutboxFolder, PaperFolders, PrintRoom
from infrastructure.mail.message import Writing
from infrastructure.mail.subject_folders import SubjectFolders
from tests.infrastructure.mail.mailer_contract import MailerContract, Taken, a_mail

KEY = b"k" * 32


@pytest.fixture
def folders(tmp_path: Path) -> SubjectFolders:
    return SubjectFolders(tmp_path / "mail", KEY)


@pytest.fixture
def mailer(folders: SubjectFolders) -> OutboxFolder:
    return OutboxFolder(folders, Writing("billing@shop.example"))


def _read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    return lambda: [_read(path) for path in sorted((tmp_path / "mail").rglob("*.eml"))]


class TestOutboxFolder(MailerContract):
    """`MailerContract` on files."""


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


async def test_only_the_service_may_read_what_was_written_and_no_name_tells_whose_it_is(
    mailer: OutboxFolder, tmp_path: Path
) -> None:
    await mailer.send(a_mail())
    (path,) = _files(tmp_path)
    assert path.name == f"{a_mail().delivery_id}.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "buyer-17" not in str(path) and "ines" not in str(path)


async def test_what_lies_there_is_not_written_again(mailer: OutboxFolder, tmp_path: Path) -> None:
    await mailer.send(a_mail())
    (path,) = _files(tmp_path)
    before = path.read_bytes()
    await mailer.send(a_mail(title="Another"))
    assert _files(tmp_path) == [path] and path.read_bytes() == before


async def test_an_erasure_takes_all_of_one_subject_and_nothing_of_others(
    mailer: OutboxFolder, folders: SubjectFolders, tmp_path: Path
) -> None:
    post = SubjectFolders(tmp_path / "post", KEY)
    await mailer.send(a_mail())
    await mailer.send(a_mail(delivery_id="d-2"))
    await mailer.send(a_mail(delivery_id="d-3", subject_id="party:buyer-18"))
    await PrintRoom(post).lay_in(Letter("party:buyer-17", "F-1-d.pdf", b"%PDF-1"))
    papers = PaperFolders(folders, post)
    for _ in range(2):
        await papers.forget("party:buyer-17")
        assert [path.name for path in _files(tmp_path)] == ["d-3.eml"]
    await mailer.send(a_mail())
    assert len(_files(tmp_path)) == 2


async def test_a_letter_is_laid_in_once_under_a_name_that_a_file_may_have(tmp_path: Path) -> None:
    room = PrintRoom(SubjectFolders(tmp_path, KEY))
    for _ in range(2):
        await room.lay_in(Letter("party:buyer-17", "F/2026 1-d.pdf", b"%PDF-1"))
    (path,) = _files(tmp_path)
    assert (path.name, path.read_bytes()) == ("F-2026-1-d.pdf", b"%PDF-1")


async def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    mailer = OutboxFolder(SubjectFolders(tmp_path / "mail", KEY), Writing("billing@shop.example"))
    with pytest.raises(NotSent) as failure:
        await mailer.send(a_mail())
    assert (failure.value.reason, failure.value.again) == ("folder_unavailable", True)
