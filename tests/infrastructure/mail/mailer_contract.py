"""What every mailer promises, run on the outbox folder and on a real SMTP server alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from application.mailing import Attachment, Mail, Mailer, NotSent

Taken = Callable[[], list[EmailMessage]]
"""The messages that have come out at the other end."""


def a_mail(**changes: Any) -> Mail:
    """A mail to a buyer."""
    told: dict[str, Any] = {
        "delivery_id": "5b1c1b44-0000-7000-8000-0000000000d1",
        "subject_id": "party:buyer-17",
        "written_at": datetime(2026, 3, 14, 12, 0, tzinfo=UTC),
        "language": "es",
        "address": "ines@example.org",
        "title": "Tu recibo está listo: R-1",
        "text": "Tu recibo está listo.\n\nhttps://billing.example/v1/documents/download?token=abc\n",
        "html": '<p>Tu recibo está listo.</p><a href="https://billing.example/?token=abc">Abrir</a>',
    }
    return Mail(**{**told, **changes})


class MailerContract:
    """Mix in and give `mailer` and `taken` as fixtures."""

    async def test_a_mail_arrives_as_it_was_written(self, mailer: Mailer, taken: Taken) -> None:
        await mailer.send(a_mail())
        (message,) = taken()
        assert message["From"] == "billing@shop.example"
        assert message["To"] == "ines@example.org"
        assert message["Subject"] == "Tu recibo está listo: R-1"
        assert message["Date"].datetime == a_mail().written_at
        assert message["Content-Language"] == "es"
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        assert plain is not None and plain.get_content().replace("\r\n", "\n") == a_mail().text
        assert html is not None and html.get_content().strip() == a_mail().html
        assert not list(message.iter_attachments())

    async def test_a_sealed_file_arrives_to_the_byte(self, mailer: Mailer, taken: Taken) -> None:
        content = b"%PDF-1.4\n" + bytes(range(256)) * 200 + b"\r\n.\r\n"
        await mailer.send(a_mail(attachment=Attachment("R-2026-000001.pdf", content)))
        (message,) = taken()
        (attached,) = message.iter_attachments()
        assert (attached.get_content_type(), attached.get_filename()) == (
            "application/pdf",
            "R-2026-000001.pdf",
        )
        assert attached.get_content() == content
        plain = message.get_body(("plain",))
        assert plain is not None and plain.get_content().replace("\r\n", "\n") == a_mail().text
        assert message["Content-Language"] == "es"

    async def test_the_same_mail_again_has_the_same_message_id(self, mailer: Mailer, taken: Taken) -> None:
        await mailer.send(a_mail())
        await mailer.send(a_mail())
        (first, *again) = taken()
        assert first["Message-ID"] == "<5b1c1b44-0000-7000-8000-0000000000d1@shop.example>"
        assert len(again) == (0 if mailer.repeatable else 1)
        assert all(message["Message-ID"] == first["Message-ID"] for message in again)

    async def test_an_address_in_any_script_is_one(self, mailer: Mailer, taken: Taken) -> None:
        await mailer.send(a_mail(address="íñigo@example.org"))
        (message,) = taken()
        assert message["To"] == "íñigo@example.org"

    @pytest.mark.parametrize(
        "address",
        ["nobody", "a@b@c", "a@example.org, b@example.org", "a <a@example.org>", "@example.org", " "],
    )
    async def test_what_is_no_address_is_refused_for_good(
        self, mailer: Mailer, taken: Taken, address: str
    ) -> None:
        with pytest.raises(NotSent) as refused:
            await mailer.send(a_mail(address=address))
        assert (refused.value.reason, refused.value.again) == ("address_refused", False)
        assert taken() == []
        assert address.strip() == "" or address not in repr(refused.value)
