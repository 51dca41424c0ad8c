"""Every command: a wrong setting is wrong usage, an absent database no finding, a log line no answer."""

import json

import pytest
import structlog

from interfaces.cli.main import main
from tests.support.commands import Billing
from tests.support.house import free_port

pytestmark = pytest.mark.slow

COMMANDS = (
    ("keys",),
    ("keys", "rewrap"),
    ("keys", "rotate", "seal"),
    ("keys", "retire", "0" * 16),
    ("keys", "subject", "party:nobody"),
    ("rebuild", "--diff"),
    ("replay", "--all"),
    ("replay", "order/nobody"),
    ("verify", "document", "nothing"),
    ("verify", "ledger"),
    ("webhooks", "list"),
)

WITHOUT_DATABASE = {("keys",), ("keys", "rotate", "seal")}

every_command = pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)


@every_command
def test_log_lines_go_where_nobody_reads_answers(
    whole_billing: Billing, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    structlog.reset_defaults()
    code, _ = whole_billing(*arguments)
    assert code in {0, 1}
    structlog.get_logger().info("a-part-of-the-system-logs")
    out, err = capsys.readouterr()
    assert (out, json.loads(err)["event"]) == ("", "a-part-of-the-system-logs")


@every_command
def test_a_setting_that_is_wrong_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BILLING_ISSUERS", "many")
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "BILLING_ISSUERS: Input should be a valid integer" in err


@pytest.mark.parametrize(
    "arguments",
    [each for each in COMMANDS if each not in {("keys",), ("keys", "rotate", "seal")}],
    ids=" ".join,
)
def test_a_database_that_is_away_is_no_finding(
    monkeypatch: pytest.MonkeyPatch, whole_billing: Billing, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    assert whole_billing(*arguments) == (3, "")
