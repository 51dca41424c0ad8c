"""Every form of database address becomes one that connects with the service's rights only."""

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infrastructure.database import as_service
from tests.support.ledger_fixtures import LedgerUrls


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://ana@db.example/billing", {"user": "ana", "host": "db.example", "dbname": "billing"}),
        ("postgres://ana:s%40cr%2Fet@db:6432/b", {"password": "s@cr/et", "port": "6432", "host": "db"}),
        ("postgresql://a@db/b?sslmode=require&application_name=x%20y", {"application_name": "x y"}),
        ("postgresql://a@/my%20d%22b?host=/tmp/sock", {"dbname": 'my d"b', "host": "/tmp/sock"}),
        ("postgresql://a@h1,h2:5433/b?target_session_attrs=primary", {"host": "h1,h2", "port": ",5433"}),
        ("host=/tmp/sock dbname='my d\\'b' user=a password='p w'", {"dbname": "my d'b", "password": "p w"}),
        ("postgresql://a@[::1]:5432/b", {"host": "::1"}),
        ("", {}),
    ],
)
def test_everything_of_the_address_is_kept(given: str, expected: dict[str, str]) -> None:
    parameters = conninfo_to_dict(as_service(given))
    assert expected.items() <= parameters.items()
    assert str(parameters["options"]).endswith("-c role=billing_service")


def test_options_of_the_address_are_kept_and_the_role_wins(database_urls: LedgerUrls) -> None:
    for given in (
        database_urls.admin + "&options=-c%20work_mem%3D7MB%20-c%20role%3Dbilling_owner",
        make_conninfo(database_urls.admin, options="-c work_mem=7MB -c role=billing_owner"),
    ):
        with psycopg.connect(as_service(given)) as connection:
            row = connection.execute(
                "SELECT current_user, current_setting('work_mem'), current_setting('timezone')"
            ).fetchone()
            assert row == ("billing_service", "7MB", "UTC")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM ledger.event_head")


def test_another_role_can_be_named(database_urls: LedgerUrls) -> None:
    with psycopg.connect(as_service(database_urls.admin, "billing_owner")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("billing_owner",)


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        as_service(f"not an address {tmp_path}")
