"""`billing simulate-authority` and the setting that names its address."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infrastructure.settings import Settings
from infrastructure.stamping.simulated_authority import NOTICE
from interfaces.cli.main import main
from tests.support.authority import counts


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_keeps_its_state_in_the_data_folder_and_ends_at_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "interfaces.cli.main", "simulate-authority", "--port", "0"],
        env={**os.environ, "BILLING_DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told.startswith(NOTICE) and "BILLING_SIMULATED_AUTHORITY_URL=" in told
        url = told.strip().partition("=")[2]
        document_id = "5b1c1b44-0000-5000-8000-000000000001"
        stamped = httpx.post(f"{url}/stamps/{document_id}", json={"documentId": document_id}, trust_env=False)
        assert stamped.status_code == 201
        assert counts(url) == {"stamps": 1, "requests": 1}
        process.send_signal(number)
        assert process.wait(30) == 0
    assert (tmp_path / "data" / "simulated-authority.sqlite").exists()


def test_a_port_that_is_taken_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILLING_DATA_DIR", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit) as ended:
            main(["simulate-authority", "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "cannot be listened on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("", ""),
        ("http://127.0.0.1:8090/", "http://127.0.0.1:8090"),
        ("https://authority.example/api", "https://authority.example/api"),
    ],
)
def test_the_address_of_an_authority(url: str, kept: str) -> None:
    assert Settings(simulated_authority_url=url).simulated_authority_url == kept


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8090", "ftp://authority", "http://user:pin@authority", "http://a b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http or https address"):
        Settings(simulated_authority_url=url)
