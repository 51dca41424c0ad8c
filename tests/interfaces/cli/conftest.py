"""What tests of commands share."""

from pathlib import Path

import pytest

from infrastructure.keys.store import KeyStore
from interfaces.cli.main import main
from tests.support.commands import Billing
from tests.support.ledger_fixtures import LedgerUrls


@pytest.fixture(autouse=True)
def logging_of_commands(own_logging: None) -> None:
    """Every command configures it."""


@pytest.fixture
def whole_billing(
    database_urls: LedgerUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Billing:
    """Runs `billing …` on a database and a data folder of its own: exit code and standard output."""
    KeyStore.create(tmp_path / "keys")
    monkeypatch.setenv("BILLING_DATABASE_URL", database_urls.service)
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run
