"""E-mail through a real SMTP server, which refuses, forgets to answer, and goes away."""

from collections.abc import Iterator

import pytest
import structlog
from aiosmtpd.smtp import AuthResult, LoginPassword

from application.mailing import NotSent, Unconfirmed
from infrastructure.mail.message import Writing
from infrastructure.mail.smtp import SmtpMailer
from infrastructure.mail.smtp_server import SmtpServer
from tests.infrastructure.mail.mailer_contract import MailerContract, Taken, a_mail
from tests.support.house import free_port
from tests.support.mail_servers import MailServer, mail_server

WRITING = Writing("billing@shop.example")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def mailer(server: MailServer) -> SmtpMailer:
    return _mailer(server.port)


@pytest.fixture
def taken(server: MailServer) -> Taken:
    return lambda: server.taken


def _mailer(port: int, user: str = "") -> SmtpMailer:
    return SmtpMailer(SmtpServer.of(f"smtp://{user}127.0.0.1:{port}"), WRITING, timeout_seconds=1)


class TestSmtp(MailerContract):
    """`MailerContract` on a server."""


async def _refused(mailer: SmtpMailer) -> NotSent:
    with structlog.testing.capture_logs() as logs, pytest.raises(NotSent) as failure:
        await mailer.send(a_mail())
    for told in (str(logs), repr(failure.value), str(failure.value.__cause__)):
        assert "ines" not in told and "secret" not in told
    return failure.value


async def test_a_server_that_is_away_is_tried_again() -> None:
    failure = await _refused(_mailer(free_port()))
    assert (failure.reason, failure.again) == ("mail_unreachable", True)


async def test_who_shall_try_later_does(server: MailServer, mailer: SmtpMailer) -> None:
    server.behaviour = "defers"
    failure = await _refused(mailer)
    assert (failure.reason, failure.again, failure.reply_code) == ("mail_refused", True, 451)


@pytest.mark.parametrize(("behaviour", "code"), [("refuses recipient", 550), ("refuses content", 554)])
async def test_what_is_refused_for_good_is_not_tried_again(
    server: MailServer, mailer: SmtpMailer, behaviour: str, code: int
) -> None:
    server.behaviour = behaviour  # type: ignore[assignment]
    failure = await _refused(mailer)
    assert (failure.reason, failure.again, failure.reply_code) == ("mail_refused", False, code)
    assert server.taken == []


@pytest.mark.parametrize("behaviour", ["drops after data", "is mute"])
async def test_nobody_knows_what_became_of_content_that_was_not_answered(
    server: MailServer, mailer: SmtpMailer, behaviour: str
) -> None:
    server.behaviour = behaviour  # type: ignore[assignment]
    with pytest.raises(Unconfirmed):
        await mailer.send(a_mail())
    assert len(server.taken) == 1, "it may well have arrived"


async def test_a_server_that_knows_ascii_only_is_not_given_other_addresses() -> None:
    with mail_server(enable_SMTPUTF8=False) as server:
        with pytest.raises(NotSent) as failure:
            await _mailer(server.port).send(a_mail(address="íñigo@example.org"))
        assert (failure.value.reason, failure.value.again) == ("address_refused", False)


async def test_who_has_a_password_says_it_and_a_wrong_one_is_the_operators_affair() -> None:
    def check(*arguments: object) -> AuthResult:
        data = arguments[-1]
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == (b"shop", b"secret/1"))

    with mail_server(authenticator=check, auth_required=True, auth_require_tls=False) as server:
        await _mailer(server.port, "shop:secret%2F1@").send(a_mail())
        assert len(server.taken) == 1
        failure = await _refused(_mailer(server.port, "shop:secret%2F2@"))
        assert (failure.reason, failure.again, failure.reply_code) == ("mail_unreachable", True, None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, "if offered", None)),
        ("smtp://mail.example:2525", ("mail.example", 2525, "if offered", None)),
        ("smtp://ana:s%40@mail.example", ("mail.example", 587, "required", "s@")),
        ("smtp://ana:s@localhost:25", ("localhost", 25, "if offered", "s")),
        ("smtps://ana:s@mail.example", ("mail.example", 465, "from the start", "s")),
    ],
)
def test_a_password_is_never_sent_in_the_clear_over_a_network(
    url: str, expected: tuple[str, int, str, str | None]
) -> None:
    server = SmtpServer.of(url)
    assert (server.host, server.port, server.tls, server.password) == expected
    assert server.password is None or f"{server.password!r}" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h/path",
        "smtp://h:secret",
        "smtp://ana:secret/1@h",
    ],
)
def test_what_is_no_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        SmtpServer.of(url)
    assert "secret" not in str(refused.value) and refused.value.__cause__ is None
